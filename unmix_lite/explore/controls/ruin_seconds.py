"""Seconds to ruin, of chapter 9."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...audio import resample
from ...evaluation import frame_sdr, utterance_sdr
from ..explorable import Explorable, carried, traitlets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 22050  # Hz
SECONDS = 7


class RuinSeconds(Explorable):
    """An estimate whose seconds can be ruined, and three summaries of it; see `ruin_seconds`.

    Attributes:
        ruined: the seconds that are, counted from 0.
    """

    name = "ruin_seconds"
    alt = "The SDR of each second of an estimate as a dot; lines show median, mean and whole clip"
    ruined: Any = traitlets.List().tag(sync=True)

    def __init__(
        self, voice: torch.Tensor, estimate: torch.Tensor, rate: int, **state: Any
    ) -> None:
        samples = min(SECONDS, voice.shape[-1] // rate, estimate.shape[-1] // rate) * RATE
        sounds = {
            name: resample(audio.mean(0, keepdim=True).cpu(), rate, RATE)[:, :samples]
            for name, audio in (("voice", voice), ("estimate", estimate))
        }
        data, back, self._rate = carried(sounds, RATE)
        whole = data["samples"] // self._rate * self._rate
        self._voice, self._clean = (
            back[name][0, :whole].double().numpy() for name in ("voice", "estimate")
        )
        super().__init__(data, **state)

    def estimate(self) -> np.ndarray:
        """With noise in the ruined seconds, twice as strong as the voice is on the whole: float64
        `(samples,)` at 22050 Hz."""
        level = 2 * np.sqrt(3 * np.mean(self._voice**2))
        seconds = self._clean.reshape(-1, self._rate).copy()
        seconds[[int(second) for second in self.ruined]] += level * _hiss(self._rate)
        return seconds.ravel()

    @property
    def frames(self) -> np.ndarray:
        """The SDR of each second in dB, `(seconds,)`."""
        return frame_sdr(*self._both(), self._rate)[0]

    @property
    def reading(self) -> list[float]:
        """Median of the seconds, their mean, and the SDR of the whole clip, in dB."""
        frames = self.frames
        whole = utterance_sdr(*self._both())[0]
        return [float(np.nanmedian(frames)), float(np.nanmean(frames)), float(whole)]

    def _both(self) -> tuple[np.ndarray, np.ndarray]:
        return self._voice[None, :, None], self.estimate()[None, :, None]

    def figure(self) -> Figure:
        import matplotlib.pyplot as plt

        from ... import plots

        frames = self.frames
        names = ("median of seconds", "mean of seconds", "whole clip")
        with plots.style():
            figure, ax = plt.subplots(figsize=(plots.WIDTH, 2.8))
            ax.plot(np.arange(len(frames)) + 0.5, frames, "o", color=plots.COLOURS["vocals"])
            for value, line, name in zip(self.reading, ("-", "--", ":"), names, strict=True):
                ax.axhline(value, color="black", linestyle=line, label=name)
            ax.set(xlabel="time (s)", ylabel="SDR (dB)", xlim=(0, len(frames)))
            figure.legend(ncols=3, loc="outside upper center", frameon=False, fontsize=9)
        return figure


def _hiss(count: int) -> np.ndarray:
    """Noise between -1 and 1 that the page makes, too: Park's and Miller's generator."""
    values, seed = np.empty(count), 1
    for n in range(count):
        seed = seed * 16807 % 2147483647
        values[n] = seed / 1073741823.5 - 1
    return values


def ruin_seconds(
    voice: torch.Tensor, estimate: torch.Tensor, rate: int, **state: Any
) -> RuinSeconds:
    """A row of seconds, each to be ruined by a click, and three ways to make one number of them.

    The median of the seconds is the choice of SiSEC 2018 (Stöter et al.), the whole clip that of
    the Music Demixing Challenge (Mitsufuji et al. 2022).

    Args:
        voice, estimate: `(channels, samples)`, the true stem and what was found; of up to seven
            whole seconds, in mono. rate: in Hz. state: to begin with, `ruined=[2]` for example.

    Returns:
        what a cell shows when it ends with it.
    """
    return RuinSeconds(voice, estimate, rate, **state)
