"""Live: a song goes in as it is played, and the stems come out a moment later.

What the bidirectional network cannot do, since it waits for the end; a unidirectional one carries
its state from block to block.
"""

from typing import Protocol

import torch
from torch import nn

from ..audio import check_audio
from ..errors import AudioError, UnmixError
from ..models import Folded, OpenUnmix
from ..signal import STFT, OverlapAdd
from .wiener_stage import WienerFilter


class Streamable(Protocol):
    """What a `Stream` needs of a separator."""

    networks: nn.ModuleDict
    stft: STFT
    filter: WienerFilter
    residual: bool
    complete: bool | None

    @property
    def targets(self) -> list[str]: ...

    def prepare(self, audio: torch.Tensor) -> torch.Tensor: ...


class Stream:
    """Blocks in, blocks out; together the stems of the whole song.

        stream = separator.stream()
        for block in recording:
            play(stream(block)["vocals"])
        play(stream.finish()["vocals"])

    However the song is cut into blocks, what comes out is what `separator(song)` would give.

    Attributes:
        latency: the most samples that may have gone in and not come out yet: those of one window.
            A sample is done when the last window that covers it has been heard to its end.

    Raises:
        UnmixError: a separator that needs the whole song: with networks that are bidirectional or
            no Open-Unmix, or with the Wiener filter, which measures seconds before it filters.
    """

    def __init__(self, separator: Streamable) -> None:
        live = []
        for target, network in separator.networks.items():
            if type(network) is not OpenUnmix or network.arguments["unidirectional"] is False:
                raise UnmixError(
                    f"the network for {target} needs the whole song; live takes unidirectional "
                    "ones ('unmix-lite train --unidirectional', or umx-lite-live)."
                )
            live.append(network)
        if separator.filter.iterations > 0 or separator.complete:
            raise UnmixError("live has no Wiener filter: take iterations=0 and no complete.")
        self._separator, self._stft = separator, separator.stft
        self._networks = [Folded(network) for network in live]
        self._states = [[None] * len(network.directions) for network in self._networks]
        self._channels = self._networks[0].shape[0]
        self._overlap_add = OverlapAdd(self._stft)
        self._tail: torch.Tensor | None = None  # what is still needed of the song
        self._skipped = 0  # frames before the tail begins
        self._frame = 0  # the next
        self.latency = self._stft.n_fft

    @torch.inference_mode()
    def __call__(self, block: torch.Tensor) -> dict[str, torch.Tensor]:
        """The next samples of the song.

        Args:
            block: `(channels, samples)` at the networks' rate, as many as you like; always the
                same number of channels. Mono through stereo networks comes back as stereo.

        Returns:
            dict target -> float32 `(channels, samples)`; at first none.

        Raises:
            AudioError: not finite, or other channels than before.
        """
        if block.ndim != 2 or block.shape[1]:  # none are as good as any other number
            check_audio(block)
        wide = self._separator.prepare(block)
        if self._tail is not None and self._tail.shape[0] != len(wide):
            raise AudioError(f"a block of {len(block)} channels; there were others before.")
        self._tail = wide if self._tail is None else torch.cat([self._tail, wide], 1)
        heard = self._skipped * self._stft.hop_length + self._tail.shape[1]
        # The frames that lie in what was heard; the first is mirrored, which takes a sample more.
        half = self._stft.n_fft // 2
        last = (heard - half) // self._stft.hop_length + 1 if heard > half else 0
        return self._advance(last)

    @torch.inference_mode()
    def finish(self) -> dict[str, torch.Tensor]:
        """The song is over: the samples that are still to come. Afterwards the stream is done.

        Raises:
            AudioError: nothing ever went in.
        """
        heard = 0 if self._tail is None else self._tail.shape[1]
        length = self._skipped * self._stft.hop_length + heard
        self._overlap_add.ends_at(length)
        return self._advance(self._stft.frames(length))

    def _advance(self, last: int) -> dict[str, torch.Tensor]:
        """Separate the frames up to `last`; returns the samples that are done."""
        if self._tail is None:
            raise AudioError("nothing was ever given to the stream: give it a block first.")
        separator, stft = self._separator, self._stft
        if last == self._frame:
            return {target: self._tail.new_zeros(self._channels, 0) for target in separator.targets}
        mixture = stft.block(self._tail, self._frame - self._skipped, last - self._skipped)
        magnitude = mixture.abs()
        masks = [
            self._mask(network, states, magnitude)
            for network, states in zip(self._networks, self._states)
        ]
        spectra = separator.filter(torch.stack(masks) * magnitude, mixture, separator.residual)
        stems = self._overlap_add(spectra).to(self._tail.device)
        self._frame = last
        # The next frame reaches half a window back, the mirror at the song's end a sample more.
        reach = 1 + -(-stft.n_fft // 2 // stft.hop_length)
        keep = max(0, self._frame - reach)
        self._tail = self._tail[:, (keep - self._skipped) * stft.hop_length :].clone()
        self._skipped = keep
        return dict(zip(separator.targets, stems))

    def _mask(self, network: Folded, states: list, magnitude: torch.Tensor) -> torch.Tensor:
        encoded = values = network.encode(magnitude)
        for layer, (lstm,) in enumerate(network.directions):
            values, states[layer] = lstm(values, states[layer])
        return network.decode(encoded, values)
