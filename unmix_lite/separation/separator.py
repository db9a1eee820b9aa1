"""From a song to its stems: one network per target, run as one pipeline."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from ..devices import device_of
from ..errors import UnmixError
from ..models import AudioNetwork
from ..signal import STFT, OverlapAdd
from ..weights import DEFAULT, NetworkCard, is_official, load_networks
from .audio_separator import AudioSeparator
from .long_song import estimate_magnitudes
from .song_separator import SongSeparator
from .stream import Stream
from .wiener_stage import WienerFilter


class Separator(SongSeparator):
    """STFT, one network per target, Wiener filter, inverse STFT; if wanted, the networks' guesses
    are averaged over the song's repetitions, and filtered again.

    Args:
        networks: dict target -> network, magnitude `(batch, channels, freq, frames)` in and out.
        filter: what follows the networks; None takes `WienerFilter()`, the reference's.
        residual: add a target "residual", what the networks leave of the mixture.
        complete: see `SongSeparator`.
        rate: the rate in Hz that the networks were trained at.
        n_fft, hop_length: of their STFT.

    Raises:
        ValueError: no network.
    """

    filter: WienerFilter

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        filter: WienerFilter | None = None,
        residual: bool = False,
        complete: bool | None = None,
        rate: int = 44100,
        n_fft: int = 4096,
        hop_length: int = 1024,
    ) -> None:
        super().__init__(rate, complete)
        if not networks:
            raise ValueError("a separator needs at least one network")
        self.networks = nn.ModuleDict(dict(networks))
        self.filter = WienerFilter() if filter is None else filter
        self.residual = residual
        self.stft = STFT(n_fft, hop_length)
        self.eval()

    @property
    def targets(self) -> list[str]:
        """Names of the stems that come out, in order."""
        return [*self.networks, "residual"] if self.residual else list(self.networks)

    @property
    def adds_up(self) -> bool:
        """Whether the stems, together, are meant to be the song: the Wiener filter's doing."""
        return self.filter.iterations > 0

    @classmethod
    def from_pretrained(
        cls,
        name_or_dir: str | os.PathLike[str] = DEFAULT,
        device: str | torch.device | None = None,
        targets: list[str] | None = None,
        residual: bool = False,
        complete: bool | None = None,
        **settings: Any,
    ) -> SongSeparator:
        """A separator from trained weights: a `Separator`, or an `AudioSeparator` for networks
        that do without spectrograms and Wiener filter.

        Args:
            name_or_dir: a model that comes with the package ("umx-lite", "wave-u-net-lite", ...:
                see `pretrained_names`); one that was published ("umx", "umxhq", "umxl", "umxse"
                of Open-Unmix, "hdemucs": downloaded once, 100 MB and more); or a folder that
                `train` filled.
            device: where to run; None takes a GPU where there is one.
            targets: only these; None takes all there are.
            residual, complete: see the constructor.
            settings: of the `WienerFilter`, where they are to differ from the model's own. That
                is `WienerFilter(3, posterior=True, neighbours=40)`; with `posterior=False`, and
                for Open-Unmix's published networks, the reference's `WienerFilter()`; and none
                (0 iterations) for networks that only look back, since it would need the future
                and would share the whole song among the few stems they know.

        Raises:
            CheckpointError: no such model, no such target, or a file that cannot be used.
            UnmixError: an unknown setting, or a filter for networks that give sound.
        """
        for name in settings:
            if name not in WienerFilter.__dataclass_fields__:
                known = ", ".join(WienerFilter.__dataclass_fields__)
                raise UnmixError(f"the Wiener filter has no setting '{name}'; it has {known}.")
        settings = {name: value for name, value in settings.items() if value is not None}
        device = device or device_of()
        loaded = load_networks(name_or_dir, targets)
        network, card = next(iter(loaded.values()))
        if isinstance(network, AudioNetwork):
            if any(settings.values()):
                raise UnmixError(
                    f"{type(network).__name__} gives sound and no magnitudes, so there is nothing "
                    "for the Wiener filter to join; leave the iterations out, or take 0."
                )
            return AudioSeparator(network, list(loaded), residual, complete).to(device)
        networks = {target: network for target, (network, _) in loaded.items()}
        separator = cls(
            networks,
            _own_filter(name_or_dir, card, settings),
            residual,
            complete,
            card.rate,
            card.n_fft,
            card.hop_length,
        )
        return separator.to(device)

    def stream(self) -> Stream:
        """A `Stream` for live use: blocks in, blocks out. For unidirectional networks, without the
        Wiener filter; raises an UnmixError otherwise."""
        return Stream(self)

    def match_channels(self, audio: torch.Tensor) -> torch.Tensor:
        """With as many channels as the networks take."""
        network: Any = next(iter(self.networks.values()))
        channels, wanted = len(audio), network.nb_channels
        if channels < wanted:
            return audio.expand(wanted, -1)
        return audio.mean(0, keepdim=True) if channels > wanted else audio

    def separate_blocks(
        self, song: torch.Tensor, on_progress: Callable[[float], object]
    ) -> Iterator[torch.Tensor]:
        """See `SongSeparator`. It keeps `hidden_size` numbers per frame and network, which go to a
        temporary file where they are many."""
        frames, window = self.stft.frames(song.shape[-1]), self.filter.window
        overlap_add = OverlapAdd(self.stft, song.shape[-1])
        estimate = estimate_magnitudes(
            self.networks.values(), self.stft, song, lambda part: on_progress(part / 2)
        )
        for start in range(0, frames, window):
            stop = min(start + window, frames)
            mixture = self.stft.block(song, start, stop)
            stems = self.filter(estimate(start, stop, mixture), mixture, self.residual)
            yield overlap_add(stems)
            on_progress((stop - start) / frames / 2)

    @torch.inference_mode()
    def spectra(self, mixture: torch.Tensor) -> dict[str, torch.Tensor]:
        """Complex mixture `(channels, freq, frames)` -> dict target -> complex, same shape."""
        magnitude = mixture.abs()[None]
        estimates = torch.stack([network(magnitude)[0] for network in self.networks.values()])
        windows = [
            self.filter(now, heard, self.residual)
            for now, heard in zip(
                estimates.split(self.filter.window, -1), mixture.split(self.filter.window, -1)
            )
        ]
        return dict(zip(self.targets, torch.cat(windows, -1)))


def _own_filter(
    name_or_dir: str | os.PathLike[str], card: NetworkCard, settings: dict[str, Any]
) -> WienerFilter:
    """The filter that a model comes with, and in it these settings instead of its own."""
    posterior = settings.get("posterior", not is_official(name_or_dir))
    own = WienerFilter(3, posterior=True, neighbours=40) if posterior else WienerFilter()
    live = card.arguments.get("unidirectional")
    iterations = settings.get("iterations", 0 if live else own.iterations)
    if not iterations:
        own = replace(own, iterations=0, neighbours=0)
    return replace(own, **settings | {"iterations": iterations})
