"""From a song to its stems with one network that takes sound and gives sound."""

import torch

from ..errors import CheckpointError, UnmixError
from .song_separator import SongSeparator


class AudioSeparator(SongSeparator):
    """A song through an `AudioNetwork`, stretch by stretch.

    Args:
        network: the network.
        targets: those of its stems that are wanted; None takes all.
        residual: add a target "residual", what these leave of the mixture.
        complete: see `SongSeparator`.
        iterations, posterior, neighbours: of the Wiener filter, which it does without: None, 0
            or False.

    Raises:
        UnmixError: iterations of the Wiener filter are asked for.
        CheckpointError: the network does not give such a target.
    """

    iterations = 0

    def __init__(
        self,
        network,
        targets=None,
        residual=False,
        complete=False,
        iterations=None,
        posterior=None,
        neighbours=None,
    ):
        super().__init__(network.rate, complete)
        if iterations or posterior or neighbours:
            raise UnmixError(
                f"{type(network).__name__} gives sound and no magnitudes, so there is nothing for "
                "the Wiener filter to join; leave the iterations out, or take 0."
            )
        self.network, self.residual = network.eval(), residual
        self.wanted = list(targets or network.targets)
        if unknown := [target for target in self.wanted if target not in network.targets]:
            raise CheckpointError(
                f"the network has no target '{unknown[0]}'; it has {', '.join(network.targets)}."
            )

    @property
    def targets(self):
        """Names of the stems that come out, in order."""
        return [*self.wanted, "residual"] if self.residual else self.wanted

    @property
    def adds_up(self):
        """Whether the stems, together, are the song."""
        return self.residual or set(self.wanted) == set(self.network.targets) != {self.wanted[0]}

    def match_channels(self, audio):
        """Two channels for a stereo network; one that hears each by itself takes any."""
        return audio.expand(self.network.nb_channels, -1) if len(audio) == 1 else audio

    def separate_blocks(self, song, on_progress):
        """See `SongSeparator`."""
        chosen = [self.network.targets.index(target) for target in self.wanted]
        start, samples = 0, song.shape[-1]
        for stems in self.network.separate_segments(song):
            stop = start + stems.shape[-1]
            stems = stems[chosen]
            if self.residual:
                rest = song[:, start:stop].to(stems.device) - stems.sum(0)
                stems = torch.cat([stems, rest[None]])
            yield stems
            on_progress((stop - start) / samples)
            start = stop
