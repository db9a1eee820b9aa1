"""The window bench of chapter 2."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...audio import resample
from ...signal import STFT, decibels
from ..explorable import Explorable, carried, traitlets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 44100  # Hz, so that lengths are those of the chapter
SECONDS = 4.0
SOUNDS = ("drums", "bass", "vocals")
LENGTHS = (512, 1024, 2048, 4096, 8192, 16384)
LOW, SPAN = 40, 60  # Hz at the foot of the picture; dB


class WindowBench(Explorable):
    """A sound through windows of several lengths, with its phase or without; see `window_bench`.

    Attributes:
        sound: "drums", "bass" or "vocals".
        length: of the window, in samples: 512, 1024, ... 16384; the hop is a quarter of it.
        top: of the picture, in Hz.
        phase: "own", or "zero" in the middle of each frame.
    """

    name = "window_bench"
    alt = (
        "Six spectrograms, drums in the left column and bass in the right. With a window of 512 "
        "samples the drum hits begin at sharp vertical edges and the bass is one blurred band. "
        "With 16384 the hits are smeared broad and the bass is a stack of fine separate lines. "
        "With 4096 both can be made out."
    )
    sound = traitlets.Enum(SOUNDS, "drums").tag(sync=True)
    length = traitlets.Enum(LENGTHS, 4096).tag(sync=True)
    top = traitlets.Float(RATE / 2).tag(sync=True)
    phase = traitlets.Enum(["own", "zero"], "own").tag(sync=True)

    def __init__(self, stems: Mapping[str, torch.Tensor], rate: int, **state: Any) -> None:
        sounds = {
            name: resample(stems[name].mean(0, keepdim=True), rate, RATE)[:, : int(SECONDS * RATE)]
            for name in SOUNDS
        }
        data, self._sounds, self._rate = carried(sounds, RATE)
        super().__init__({**data, "names": SOUNDS, "lengths": LENGTHS}, **state)

    @property
    def original(self) -> torch.Tensor:
        """The chosen sound, `(1, samples)` at 44100 Hz."""
        return self._sounds[self.sound]

    @property
    def bin_width(self) -> float:
        """From bin to bin, in Hz."""
        return self._rate / self.length

    @property
    def duration(self) -> float:
        """Of the window, in ms."""
        return 1000 * self.length / self._rate

    def _stft(self) -> STFT:
        return STFT(self.length, self.length // 4)

    @property
    def needed(self) -> float:
        """How many of the bins, the strongest first, hold 90 % of the energy; in %."""
        energy = self._stft()(self.original).abs().double().square().flatten()
        held = energy.sort(descending=True).values.cumsum(dim=0)
        return 100 * float((held < 0.9 * held[-1]).double().mean())

    def resynthesis(self) -> torch.Tensor:
        """What is heard: the way back from the picture, `(1, samples)` at 44100 Hz."""
        stft = self._stft()
        Y = stft(self.original)
        if self.phase == "zero":
            # Zero in the middle of the frame: bin k turns k half turns from its first sample on.
            half_turns = torch.arange(Y.shape[-2])[:, None] % 2
            Y = torch.polar(Y.abs(), (math.pi * half_turns).expand(Y.shape))
        return stft.inverse(Y, self.original.shape[-1])

    @property
    def sdr(self) -> float:
        """Of what is heard, in dB; with its own phase only rounding limits it."""
        error = self.original - self.resynthesis()
        return float(10 * torch.log10(self.original.square().sum() / error.square().sum()))

    def figure(self) -> Figure:
        """Drums and bass through a short, a middle and a long window."""
        import matplotlib.pyplot as plt

        from ... import plots

        tops = {"drums": self._rate / 2, "bass": 2000.0}
        with plots.style():
            figure, grid = plt.subplots(3, 2, figsize=(plots.WIDTH, 6.4), sharex=True, sharey="col")
        for (name, top), column in zip(tops.items(), grid.T):
            for ax, length in zip(column, (512, 4096, 16384)):
                spectrum = STFT(length, length // 8)(self._sounds[name][0, : 2 * self._rate]).abs()
                ax.imshow(
                    _rows(spectrum, self._rate, top),
                    cmap="magma", vmin=-SPAN, vmax=0, aspect="auto", origin="lower",
                    extent=(0, 2, 0, 1), interpolation="nearest",
                )  # fmt: skip
                ticks = [hz for hz in (100, 1000, 10000) if hz < top]
                places = [math.log(hz / LOW) / math.log(top / LOW) for hz in ticks]
                ax.set_yticks(places, [f"{hz / 1000:g}" for hz in ticks])
                ax.set_title(f"{name}, {length}")
        figure.supxlabel("time (s)")
        figure.supylabel("frequency (kHz)")
        return figure


def _rows(spectrum: torch.Tensor, rate: int, top: float) -> np.ndarray:
    """A small picture of (freq, frames) in steps of 3 dB: the nearest bins and frames."""
    level = decibels(spectrum, -SPAN, float(spectrum.max()) / 2).clamp(max=0)
    hz = LOW * (top / LOW) ** ((torch.arange(110) + 0.5) / 110)
    bins = (hz / (rate / 2) * (level.shape[0] - 1)).round().long()
    frames = (torch.arange(200) / 199 * (level.shape[1] - 1)).round().long()
    return (3 * (level / 3).round()[bins][:, frames]).numpy()


def window_bench(stems: Mapping[str, torch.Tensor], rate: int, **state: Any) -> WindowBench:
    """A bench for the windows of chapter 2: their length, three sounds, and a phase of zero.

    Args:
        stems: dict name -> `(channels, samples)`, drums, bass and vocals among them; four seconds
            are taken, in mono. rate: in Hz.
        state: to begin with, `length=512` for example.

    Returns:
        what a cell shows when it ends with it.
    """
    return WindowBench(stems, rate, **state)
