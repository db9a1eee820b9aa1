"""The mixing desk of chapter 1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from ...audio import resample
from ..explorable import Explorable, carried, traitlets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 32000  # Hz
SECONDS = 4.0
SILENT = -40.0  # dB: where a fader ends, and lets nothing through


def level(audio: torch.Tensor) -> float:
    """Mean power in dB; 0 dB is a square wave at full scale."""
    return 10 * math.log10(float(audio.double().square().mean()) + 1e-20)


class MixingDesk(Explorable):
    """Stems with faders, pans, mute and solo, and their sum; see `mixing_desk`.

    Attributes:
        gains: stem -> dB; a stem that is not there is at 0 dB, and at -40 dB it is off.
        pans: stem -> from -1, left, to 1, right; a stem that is not there is where it was.
        mutes: the stems that are not heard.
        solos: the stems that are heard alone, if there are any.
        difference: whether left minus right is heard, in place of both.
    """

    name = "mixing_desk"
    alt = "A bar for the level of each stem in decibels and one for their sum, which is the longest"
    gains: Any = traitlets.Dict().tag(sync=True)
    pans: Any = traitlets.Dict().tag(sync=True)
    mutes: Any = traitlets.List().tag(sync=True)
    solos: Any = traitlets.List().tag(sync=True)
    difference = traitlets.Bool(False).tag(sync=True)

    def __init__(self, stems: Mapping[str, torch.Tensor], rate: int, **state: Any) -> None:
        sounds = {
            name: resample(audio.expand(2, -1), rate, RATE)[:, : int(SECONDS * RATE)]
            for name, audio in stems.items()
        }
        data, self._stems, self._rate = carried(sounds, RATE)
        super().__init__({**data, "names": list(stems)}, **state)

    @traitlets.validate("gains", "pans", "mutes", "solos")
    def _known(self, proposal: Any) -> Any:
        unknown = [name for name in proposal["value"] if name not in self._stems]
        if unknown:
            raise traitlets.TraitError(f"no {unknown[0]!r} here, only {', '.join(self._stems)}.")
        return proposal["value"]

    def _heard(self) -> dict[str, float]:
        """Stem -> the factor that its fader, mute and solo make."""
        on = self.solos or [name for name in self._stems if name not in self.mutes]
        decibels = {name: self.gains.get(name, 0.0) for name in on}
        return {name: 10 ** (db / 20) for name, db in decibels.items() if db > SILENT}

    def _sum(self) -> torch.Tensor:
        """The mix before the minus sign, `(2, samples)`."""
        mix = torch.zeros_like(next(iter(self._stems.values())))
        for name, gain in self._heard().items():
            mix += gain * _panned(self._stems[name], self.pans.get(name, 0.0))
        return mix

    def mix(self) -> torch.Tensor:
        """What is heard, `(2, samples)`; left minus right is the same on both sides."""
        mix = self._sum()
        return _minus(mix).expand(2, -1) if self.difference else mix

    @property
    def level(self) -> float:
        """Of what is heard, in dB; a square wave at full scale has 0."""
        return level(self.mix())

    @property
    def lost(self) -> float:
        """How much the minus sign takes from the mix as it is set, in dB, on or not."""
        mix = self._sum()
        return level(mix) - level(_minus(mix))

    def figure(self) -> Figure:
        import matplotlib.pyplot as plt

        from ... import plots

        sounds = {**self._stems, "their sum": self.mix()}
        levels = {name: level(audio) for name, audio in sounds.items()}
        low = min(-30.0, min(value for value in levels.values() if value > -100) - 5)
        with plots.style():
            figure, ax = plt.subplots(figsize=(plots.WIDTH, 2.4))
        # Bars from the left edge, whose lengths then compare as levels do.
        bars = ax.barh(
            list(levels),
            [max(value, low) - low for value in levels.values()],
            left=low,
            color=[plots.COLOURS.get(name, "grey") for name in levels],
        )
        words = [f"{value:.1f} dB".replace("-", "−") for value in levels.values()]
        ax.bar_label(bars, words, padding=4)
        ax.invert_yaxis()
        ax.set(xlim=(low, 0), xlabel="level (dB)")
        return figure


def _panned(audio: torch.Tensor, pan: float) -> torch.Tensor:
    """A stereo sound moved sideways as browsers do it: the far channel folds into the near one."""
    left, right = audio
    angle = (pan + 1 if pan <= 0 else pan) * math.pi / 2
    if pan <= 0:
        return torch.stack([left + math.cos(angle) * right, math.sin(angle) * right])
    return torch.stack([math.cos(angle) * left, right + math.sin(angle) * left])


def _minus(audio: torch.Tensor) -> torch.Tensor:
    """Left minus right, `(1, samples)`, scaled so that what is on one side only keeps its power."""
    return (audio[:1] - audio[1:]) / math.sqrt(2)


def mixing_desk(stems: Mapping[str, torch.Tensor], rate: int, **state: Any) -> MixingDesk:
    """A mixing desk for chapter 1: faders, pans, mute, solo, and left minus right.

    Args:
        stems: dict name -> `(channels, samples)`, one or two channels, of one length; four seconds
            are taken. rate: in Hz.
        state: to begin with, `solos=["bass"]` for example.

    Returns:
        what a cell shows when it ends with it.

    Raises:
        traitlets.TraitError: a stem in the state that is not among the stems.
    """
    return MixingDesk(stems, rate, **state)
