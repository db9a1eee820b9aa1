"""The threshold test of chapter 10."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...audio import resample
from ..explorable import Explorable, carried, figure_of, traitlets
from .pieces import together

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 22050  # Hz: half the data
SECONDS, FADE = 1.5, 0.02
START, STEPS, LOW, HIGH = 10, (8, 4, 2), 0, 70  # dB
ENOUGH, LONGEST = 8, 60  # reversals, trials
SLOPES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)  # dB: of the curves that are tried
RARELY = 0.01  # that someone who hears it answers wrong
AS_OFTEN_AS_NOT = math.sqrt(0.5)  # where two right answers in a row are


@dataclass
class Staircase:
    """What follows from the answers: after two right ones in a row the level goes up, which is
    harder, after a wrong one down (two-down one-up, Levitt 1971).

    Attributes:
        answers: so far, whether each was right.
        levels: of each answer, an SDR in dB. level: of the next.
        reversals: the levels at which it turned round.
    """

    answers: list[bool] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    reversals: list[float] = field(default_factory=list)
    level: float = START
    _streak: int = 0
    _direction: int = 0

    @classmethod
    def of(cls, answers: Sequence[bool]) -> Staircase:
        """The staircase after these answers."""
        stairs = cls()
        for right in answers:
            stairs.answer(right)
        return stairs

    def answer(self, right: bool) -> None:
        """Take an answer, and go on to the next trial."""
        self.answers.append(bool(right))
        self.levels.append(self.level)
        self._streak = self._streak + 1 if right else 0
        if right and self._streak < 2:
            return
        self._streak, move = 0, 1 if right else -1
        if self._direction == -move:
            self.reversals.append(self.level)
        self._direction = move
        step = STEPS[min(len(self.reversals), len(STEPS) - 1)]
        self.level = min(HIGH, max(LOW, self.level + move * step))

    @property
    def done(self) -> bool:
        return len(self.reversals) >= ENOUGH or len(self.answers) >= LONGEST

    @property
    def estimate(self) -> float | None:
        """The threshold: the mean of the reversals but the first two, which came in larger steps.
        In dB; None before there are two."""
        last = self.reversals[2:]
        return sum(last) / len(last) if len(last) >= 2 else None

    def fit(self) -> dict[str, float] | None:
        """Of a grid the logistic curve that makes the answers likeliest: its "middle" and "slope"
        in dB, and the "threshold", where 71 % are right; None before it means anything."""
        if len(self.answers) < 8 or all(self.answers) or not any(self.answers):
            return None
        levels, right = np.array(self.levels, dtype=float), np.array(self.answers)
        best, found = -math.inf, (0.0, 1.0)
        for slope in SLOPES:
            for middle in np.arange(LOW, HIGH + 0.5, 0.5):
                p = chance(levels, float(middle), slope)
                likely = float(np.log(np.where(right, p, 1 - p)).sum())
                if likely > best + 1e-9:
                    best, found = likely, (float(middle), slope)
        middle, slope = found
        lift = math.log((0.5 - RARELY) / (AS_OFTEN_AS_NOT - 0.5) - 1)
        return {"middle": middle, "slope": slope, "threshold": middle + slope * lift}


def chance(levels: Any, middle: float, slope: float) -> Any:
    """Of a right answer at levels in dB, half of which is luck."""
    return 0.5 + (0.5 - RARELY) / (1 + np.exp((levels - middle) / slope))


@dataclass
class Listener:
    """A program that hears a leak as some listener would.

    Args:
        threshold: where 71 % of its answers are right, in dB.
        slope: of its curve, in dB. seed: of its guesses.
    """

    threshold: float = 30.0
    slope: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        lift = math.log((0.5 - RARELY) / (AS_OFTEN_AS_NOT - 0.5) - 1)
        self._middle = self.threshold - self.slope * lift

    def hears(self, level: float) -> bool:
        """Whether its answer is right, this time."""
        return bool(self._rng.random() < chance(level, self._middle, self.slope))

    def sits(self) -> Staircase:
        """The test, to its end."""
        stairs = Staircase()
        while not stairs.done:
            stairs.answer(self.hears(stairs.level))
        return stairs


class ThresholdTest(Explorable):
    """A listener's own threshold, by an adaptive staircase; see `threshold_test`.

    Attributes:
        answers: so far, whether each was right.
    """

    name = "threshold_test"
    alt = (
        "The test as a program sat it. Above, a staircase of the level over the trials: up where "
        "two answers were right, down where one was wrong, until it goes to and fro about a dashed "
        "line. Below, the share of right answers at each level, and a falling curve through them"
    )
    answers: Any = traitlets.List(traitlets.Bool()).tag(sync=True)

    def __init__(self, clean: torch.Tensor, leak: torch.Tensor, rate: int, **state: Any) -> None:
        length = min(clean.shape[-1], int(SECONDS * rate))
        both = torch.stack([clean.mean(0), leak.mean(0)])[:, None]
        start = together(both, length, max(1, rate // 10))
        fade = torch.linspace(0, 1, int(FADE * rate))
        window = torch.ones(length)
        window[: len(fade)], window[-len(fade) :] = fade, fade.flip(0)
        sounds = {
            name: resample(window * sound[:, start : start + length], rate, RATE)
            for name, sound in zip(("clean", "leak"), both)
        }
        data, back, _ = carried(sounds, RATE)
        self._clean, self._leak = back["clean"], back["leak"]
        super().__init__({**data, "example": self.simulated().answers}, **state)

    @property
    def staircase(self) -> Staircase:
        """What follows from the answers: `level`, `reversals`, `estimate`, `fit()`."""
        return Staircase.of(self.answers)

    @staticmethod
    def simulated(threshold: float = 30.0, slope: float = 2.0, seed: int = 0) -> Staircase:
        """The test as a program sits it whose threshold is known, in dB: its `estimate`, and the
        `answers`, which a test can be given."""
        return Listener(threshold, slope, seed).sits()

    def mixture(self, level: float) -> torch.Tensor:
        """The sound with the leak at a level, an SDR in dB: `(1, samples)` at 22050 Hz."""
        energies = [float(x.double().square().sum()) for x in (self._clean, self._leak)]
        gain = (energies[0] / energies[1]) ** 0.5 * 10 ** (-level / 20)
        return self._clean + gain * self._leak

    def figure(self) -> Figure:
        import matplotlib.pyplot as plt

        from ... import plots

        stairs = self.staircase if self.answers else self.simulated()
        with plots.style():
            _, (ax, below) = plt.subplots(2, 1, figsize=(plots.WIDTH, 5))
            trials, levels = np.arange(1, len(stairs.levels) + 1), np.array(stairs.levels)
            right, fit = np.array(stairs.answers), stairs.fit()
            ax.plot(trials, levels, color="black", linewidth=1)
            for kind, words, mark in ((right, "right", "o"), (~right, "wrong", "x")):
                ax.plot(trials[kind], levels[kind], mark, color="black", label=words)
            if stairs.estimate is not None:
                ax.axhline(stairs.estimate, color="black", linestyle="--")
            ax.legend(loc="lower right", ncols=2, fontsize=11, frameon=False)
            ax.set(xlabel="trial", ylabel="SDR (dB)", ylim=(LOW, HIGH))
            for level in np.unique(levels):
                here = right[levels == level]
                size = 3 + 1.5 * math.sqrt(len(here))
                below.plot(level, here.mean(), "o", color="black", markersize=size)
            if fit:
                x = np.linspace(LOW, HIGH, 141)
                below.plot(x, chance(x, fit["middle"], fit["slope"]), color="black")
            below.set(xlabel="SDR with the leak (dB)", ylabel="right", ylim=(0, 1.05))
            return figure_of(ax)


def threshold_test(
    clean: torch.Tensor, leak: torch.Tensor, rate: int, **state: Any
) -> ThresholdTest:
    """A test that finds how much of a leak its listener hears: of two sounds one has the leak, and
    the next level depends on the answer.

    Args:
        clean, leak: `(channels, samples)` of one length; a second and a half is taken, in mono,
            where both sound. At a level their mixture is `listening.mix_at_sdr(clean, leak,
            level)`. rate: in Hz.
        state: to begin with, `answers=[True, True, False]` for example.

    Returns:
        what a cell shows when it ends with it.

    Source: Levitt 1971, "Transformed up-down methods in psychoacoustics".
    """
    return ThresholdTest(clean, leak, rate, **state)
