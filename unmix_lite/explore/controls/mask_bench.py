"""The mask bench of chapter 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from ...audio import resample
from ...signal import STFT
from ..explorable import Explorable, carried, figure_of, traitlets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 22050  # Hz: half the data
SECONDS = 4.0
N_FFT, HOP = 1024, 256
SECONDS_AROUND, OCTAVES_AROUND = 0.06, 0.2  # of a stroke of the brush


class MaskBench(Explorable):
    """A mask of the voice that a hand can move, and paint on; see `mask_bench`.

    Attributes:
        kind: "binary" or "ratio".
        threshold: by how many dB the voice must lead where the mask is binary.
        exponent: of the ratio mask.
        phase: "mixture" or "true", the voice's own.
        strokes: of the brush, each [seconds, Hz, 0 or 1]; the mask is that around it.
    """

    name = "mask_bench"
    alt = "Spectrogram of the mixture, what the binary mask takes away being dark"
    kind = traitlets.Enum(["binary", "ratio"], "binary").tag(sync=True)
    threshold = traitlets.Float(0.0).tag(sync=True)
    exponent = traitlets.Float(2.0).tag(sync=True)
    phase = traitlets.Enum(["mixture", "true"], "mixture").tag(sync=True)
    strokes: Any = traitlets.List().tag(sync=True)

    def __init__(self, voice: torch.Tensor, rest: torch.Tensor, rate: int, **state: Any) -> None:
        sounds = {
            name: resample(audio.mean(0, keepdim=True), rate, RATE)[:, : int(SECONDS * RATE)]
            for name, audio in (("voice", voice), ("rest", rest))
        }
        data, back, own = carried(sounds, RATE)
        self._voice, self._rest, self._rate = back["voice"][0], back["rest"][0], own
        self._stft = STFT(N_FFT, HOP)
        super().__init__({**data, "nFft": N_FFT, "hop": HOP}, **state)

    def mask(self) -> torch.Tensor:
        """The mask as it is set, `(freq, frames)`."""
        v, r = (self._stft(audio[None])[0].abs() for audio in (self._voice, self._rest))
        if self.kind == "binary":
            mask = (v > 10 ** (self.threshold / 20) * r).float()
        else:
            mask = v**self.exponent / (v**self.exponent + r**self.exponent + 1e-20)
        times = torch.arange(mask.shape[1]) * HOP / self._rate
        hz = torch.arange(mask.shape[0]) * self._rate / N_FFT
        for second, centre, kept in self.strokes:
            near = (times - second).abs() <= SECONDS_AROUND + 1e-9
            inside = (hz / centre).log2().abs() <= OCTAVES_AROUND
            mask[inside[:, None] & near] = kept
        return mask

    def estimate(self) -> torch.Tensor:
        """The voice as the mask gives it, `(1, samples)` at 22050 Hz."""
        Y = self._stft((self._voice + self._rest)[None])
        S = self.mask() * Y
        if self.phase == "true":
            S = torch.polar(S.abs(), self._stft(self._voice[None]).angle())
        return self._stft.inverse(S, len(self._voice))

    @property
    def sdr(self) -> float:
        """Of the estimate, in dB: the energy of the voice over that of the error."""
        error = self._voice - self.estimate()[0]
        return float(10 * torch.log10(self._voice.square().sum() / error.square().sum()))

    def figure(self) -> Figure:
        from ... import plots

        Y = self._stft((self._voice + self._rest)[None])[0].abs() * (0.01 + 0.99 * self.mask())
        with plots.style():
            return figure_of(plots.spectrogram(Y, self._rate, HOP))


def mask_bench(stems: Mapping[str, torch.Tensor], rate: int, **state: Any) -> MaskBench:
    """A bench for the masks of chapter 3: threshold, exponent, phase, and a brush.

    Args:
        stems: dict name -> `(channels, samples)`, the vocals among them; four seconds are taken, in
            mono. rate: in Hz.
        state: to begin with, `threshold=3` for example.

    Returns:
        what a cell shows when it ends with it.
    """
    rest = sum(stem for name, stem in stems.items() if name != "vocals")
    assert isinstance(rest, torch.Tensor)
    return MaskBench(stems["vocals"], rest, rate, **state)
