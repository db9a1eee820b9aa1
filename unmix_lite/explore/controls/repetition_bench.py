"""The repetition bench of chapter 4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ... import classic
from ...audio import resample
from ...signal import STFT
from ..explorable import Explorable, array, carried, figure_of, traitlets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 22050  # Hz: half the data
SECONDS = 7.0
N_FFT, HOP = 2048, 512  # as `classic` has them
CUTOFF = 100.0  # Hz; below, all is background
SHORTEST, EARLIEST = 0.2, 0.8  # s: of a period by hand, and of the one that is found


class RepetitionBench(Explorable):
    """REPET with a period that a hand can drag; see `repetition_bench`.

    Attributes:
        period: in seconds, rounded to whole frames of 23 ms.
        found: the period of the highest hump of the beat spectrum, with which it begins.
    """

    name = "repetition_bench"
    alt = (
        "The beat spectrum: a curve of similarity over the lag in seconds, which falls steeply "
        "from one and then goes up and down in humps, with a dashed line at the highest of them "
        "after 0.8 seconds"
    )
    period = traitlets.Float(1.0).tag(sync=True)

    def __init__(self, voice: torch.Tensor, rest: torch.Tensor, rate: int, **state: Any) -> None:
        sounds = {
            name: resample(audio.mean(0, keepdim=True), rate, RATE)[:, : int(SECONDS * RATE)]
            for name, audio in (("voice", voice), ("rest", rest))
        }
        data, back, own = carried(sounds, RATE)
        self._voice, self._rest, self._rate = back["voice"], back["rest"], own
        magnitude = STFT(N_FFT, HOP)(self._voice + self._rest)[0].abs().numpy()
        self._beats = classic.beat_spectrum(magnitude)
        frames, step = len(self._beats), HOP / own
        # Of the found one three have to fit, as in `classic.repet`.
        early = int(EARLIEST / step)
        lag = early + int(np.argmax(self._beats[early : frames // 3 + 1]))
        self.found = round(lag * step, 3)
        self._longest = round(frames // 2 * step, 3)
        data |= {"nFft": N_FFT, "hop": HOP, "cutoff": CUTOFF, "beats": array(self._beats)}
        data |= {"shortest": SHORTEST, "longest": self._longest}
        super().__init__(data, **{"period": self.found, **state})

    def estimates(self) -> dict[str, torch.Tensor]:
        """The "vocals", what does not repeat, and the "residual", what does: `(1, samples)` each at
        22050 Hz, of `classic.repet`."""
        return classic.repet(
            self._voice + self._rest, self._rate, period=self.period, cutoff=CUTOFF
        )

    @property
    def sdr(self) -> float:
        """Of the voice, in dB: its energy over that of the error."""
        return _sdr(self._voice, self.estimates()["vocals"])

    @property
    def background_sdr(self) -> float:
        """Of the background, in dB."""
        return _sdr(self._rest, self.estimates()["residual"])

    def figure(self) -> Figure:
        import matplotlib.pyplot as plt

        from ... import plots

        seconds = np.arange(len(self._beats)) * HOP / self._rate
        shown = seconds <= self._longest
        top = self._beats[(seconds >= SHORTEST) & shown].max()
        with plots.style():
            _, ax = plt.subplots(figsize=(plots.WIDTH, 2.8))
            ax.plot(seconds[shown], self._beats[shown], color="black")
            ax.axvline(self.period, color="black", linestyle="--")
            ax.set(xlabel="later by (s)", ylabel="similarity", ylim=(0, min(1, 1.15 * top)))
            return figure_of(ax)


def _sdr(true: torch.Tensor, estimate: torch.Tensor) -> float:
    return float(10 * torch.log10(true.square().sum() / (true - estimate).square().sum()))


def repetition_bench(stems: Mapping[str, torch.Tensor], rate: int, **state: Any) -> RepetitionBench:
    """A bench for REPET: the period is dragged over the beat spectrum, and what repeats with it is
    heard.

    Args:
        stems: dict name -> `(channels, samples)`, the vocals among them; at most seven seconds are
            taken, in mono at 22050 Hz. rate: in Hz.
        state: to begin with, `period=1.5` for example; left out, the beat spectrum's highest hump.

    Returns:
        what a cell shows when it ends with it.

    Source: Rafii and Pardo 2013, as `classic.repet` has it.
    """
    rest = sum(stem for name, stem in stems.items() if name != "vocals")
    assert isinstance(rest, torch.Tensor)
    return RepetitionBench(stems["vocals"], rest, rate, **state)
