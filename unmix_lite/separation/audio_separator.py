"""From a song to its stems with one network that takes sound and gives sound."""

from collections.abc import Callable, Iterator

import torch

from ..errors import CheckpointError
from ..models import AudioNetwork
from .song_separator import SongSeparator


class AudioSeparator(SongSeparator):
    """A song through an `AudioNetwork`, segment by segment.

    Args:
        network: the network.
        targets: those of its stems that are wanted; None takes all.
        residual: add a target "residual", what these leave of the mixture.
        complete: see `SongSeparator`.

    Raises:
        CheckpointError: the network does not give such a target.
    """

    def __init__(
        self,
        network: AudioNetwork,
        targets: list[str] | None = None,
        residual: bool = False,
        complete: bool | None = None,
    ) -> None:
        super().__init__(network.rate, complete)
        self.network, self.residual = network.eval(), residual
        self.wanted = list(targets or network.targets)
        if unknown := [target for target in self.wanted if target not in network.targets]:
            raise CheckpointError(
                f"the network has no target '{unknown[0]}'; it has {', '.join(network.targets)}."
            )

    @property
    def targets(self) -> list[str]:
        """Names of the stems that come out, in order."""
        return [*self.wanted, "residual"] if self.residual else self.wanted

    @property
    def adds_up(self) -> bool:
        """Whether the stems, together, are the song."""
        return self.residual or set(self.wanted) == set(self.network.targets) != {self.wanted[0]}

    def match_channels(self, audio: torch.Tensor) -> torch.Tensor:
        """Two channels for a stereo network; one that hears each by itself takes any."""
        return audio.expand(self.network.nb_channels, -1) if len(audio) == 1 else audio

    def separate_blocks(
        self, song: torch.Tensor, on_progress: Callable[[float], object]
    ) -> Iterator[torch.Tensor]:
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
