"""What makes little music last: random changes to the stems before they are mixed.

First the numbers are drawn, for a whole batch at once: arrays whose first two axes are `(excerpts,
sources)`. Then they are applied to stems `(excerpts, sources, channels, samples)`, in the memory of
the old where `inplace` allows it; the mixture is summed afterwards, so it is always the sum. In
between, numbers are only numbers: `keep_intact` gives all sources of an excerpt those of the first,
and one of several processes takes the rows of its own excerpts.

Two more changes, "remix" and "shuffle", are a matter of reading and live in `Excerpts.draw`.
"""

import math
from collections.abc import Callable, Iterable

import numpy as np
import torch

from ..signal import time_stretch

SPEEDS = (5 / 6, 6 / 7, 9 / 10, 14 / 15, 15 / 14, 10 / 9, 7 / 6, 6 / 5)
"""Three semitones down to three up. Ratios of small numbers keep the Fourier transforms fast."""

Parameters = dict[str, np.ndarray]
"""What was drawn for a batch: by the name of the change, `(excerpts, sources, ...)`."""
Shape = tuple[int, int]  # excerpts, sources

_SILENT = 1e-3  # an RMS 60 dB below full scale: nothing is played


def random_paces(rng: np.random.Generator, shape: Shape, probability: float = 0.5) -> np.ndarray:
    """How many times as fast, or as high, each source is to be: one of `SPEEDS`, or 1."""
    changed = rng.random(shape) < probability
    return np.where(changed, np.take(SPEEDS, rng.integers(len(SPEEDS), size=shape)), 1.0)


def random_curves(
    rng: np.random.Generator,
    shape: Shape,
    decibels: float = 6.0,
    probability: float = 0.5,
    knots: int = 8,
) -> np.ndarray:
    """An equaliser for each source: its gain in dB at knots an octave apart, the last at half the
    rate, each within `+-decibels`; or 0 at all of them. `(*shape, knots)`."""
    chosen = rng.random(shape) < probability
    return rng.uniform(-decibels, decibels, (*shape, knots)) * chosen[..., None]


def random_levels(
    rng: np.random.Generator, shape: Shape, low: float = -30.0, high: float = -18.0
) -> np.ndarray:
    """A level for each source, in dB RMS below full scale (LibriMix, Cosentino et al. 2020)."""
    return rng.uniform(low, high, shape)


def random_gains(
    rng: np.random.Generator, shape: Shape, low: float = 0.25, high: float = 1.25
) -> np.ndarray:
    """A factor for each source (Uhlich et al. 2017)."""
    return rng.uniform(low, high, shape)


def random_swaps(rng: np.random.Generator, shape: Shape, probability: float = 0.5) -> np.ndarray:
    """For each source whether left and right change places (Uhlich et al. 2017)."""
    return rng.random(shape) < probability


_DRAWS: dict[str, Callable[[np.random.Generator, Shape], np.ndarray]] = {
    "speed": random_paces, "tempo": random_paces, "pitch": random_paces, "filter": random_curves,
    "loudness": random_levels, "gain": random_gains, "channelswap": random_swaps,
}  # fmt: skip
"""In the order in which they are drawn, and applied."""


def draw_changes(
    rng: np.random.Generator, names: Iterable[str], size: int, sources: int
) -> Parameters:
    """All that `augment` needs to know, for a batch of `size` excerpts of so many sources."""
    asked = set(names)
    return {name: draw(rng, (size, sources)) for name, draw in _DRAWS.items() if name in asked}


def random_intact(rng: np.random.Generator, size: int, probability: float = 0.5) -> np.ndarray:
    """Which of `size` excerpts stay as the band played them, booleans."""
    return rng.random(size) < probability


def keep_intact(parameters: Parameters, intact: np.ndarray) -> Parameters:
    """The same numbers, but where `intact` says so, every source has those of the first.

    The same song, the same place in it, one speed, gain, equaliser and channel order for all (and
    one level, if "loudness" is asked for): so the network meets stems that belong together, in key,
    in time and from left to right.
    """
    return {
        name: np.where(intact.reshape(-1, *[1] * (values.ndim - 1)), values[:, :1], values)
        for name, values in parameters.items()
    }


Change = Callable[[torch.Tensor, float, int], torch.Tensor]


def change_speed(stems: torch.Tensor, ratio: float, samples: int) -> torch.Tensor:
    """As from a tape that runs `ratio` times as fast: pitch and tempo change together.

    `(..., channels, round(samples * ratio) or more)` -> `(..., channels, samples)`. Resampled
    through the Fourier transform of the excerpt, hence without aliasing; what that does to the very
    ends (they are taken as neighbours) lies under the edges of the outermost windows.
    """
    length = round(samples * ratio)
    spectrum = torch.fft.rfft(stems[..., :length])
    # irfft drops the frequencies that the new length cannot carry, or adds empty ones.
    return torch.fft.irfft(spectrum, samples) * (samples / length)


def change_tempo(stems: torch.Tensor, ratio: float, samples: int) -> torch.Tensor:
    """`ratio` times as fast, at the pitch it had; shapes as in `change_speed`."""
    changed = time_stretch(stems[..., : round(samples * ratio)], ratio)
    return torch.nn.functional.pad(changed, (0, samples - changed.shape[-1]))  # a rounded sample


def pitch_shift(stems: torch.Tensor, ratio: float, samples: int) -> torch.Tensor:
    """At `ratio` times the pitch, as fast as it was: played slower, and the tape run faster.

    `(..., channels, samples or more)` -> `(..., channels, samples)`.
    """
    return change_speed(time_stretch(stems[..., :samples], 1 / ratio), ratio, samples)


_PACES: dict[str, Change] = {"speed": change_speed, "tempo": change_tempo, "pitch": pitch_shift}
_SHORTEN = ("speed", "tempo")  # take `SPEEDS[-1] * samples` samples to return `samples`


def set_paces(stems: torch.Tensor, paces: np.ndarray, change: Change, samples: int) -> torch.Tensor:
    """Each source changed by its pace; returns `samples` samples.

    Args:
        paces: of `random_paces`; where they are 1 nothing is touched.
        change: `change_speed`, `change_tempo` or `pitch_shift`.
    """
    result = stems[..., :samples].clone()
    for ratio in np.unique(paces[paces != 1]).tolist():
        rows = torch.as_tensor(paces == ratio).nonzero(as_tuple=True)
        result[rows] = change(stems[rows], ratio, samples)
    return result


def equalise(stems: torch.Tensor, curves: np.ndarray, inplace: bool = False) -> torch.Tensor:
    """Each source through its equaliser, of `random_curves`: straight between its knots over the
    octaves, the same for both channels."""
    samples, knots = stems.shape[-1], curves.shape[-1]
    chosen = curves.any(-1)
    result = stems if inplace else stems.clone()
    rows = torch.as_tensor(chosen).nonzero(as_tuple=True)
    if not len(rows[0]):
        return result
    # Knots one octave apart; above 1/2**knots of the band, where the ear and the music live.
    bins = np.arange(samples // 2 + 1) / (samples // 2)
    octave = np.log2(np.maximum(bins, 2.0**-knots)) + knots - 1
    decibels = np.stack([np.interp(octave, np.arange(knots), curve) for curve in curves[chosen]])
    gains = _like(10 ** (decibels / 20), stems)
    result[rows] = torch.fft.irfft(torch.fft.rfft(stems[rows]) * gains[:, None], samples)
    return result


def set_loudness(stems: torch.Tensor, levels: np.ndarray, inplace: bool = False) -> torch.Tensor:
    """Each source that sounds at all at its level, in dB RMS below full scale, however loud its
    song was mastered."""
    level = stems.square().mean((2, 3)).sqrt()
    wanted = 10 ** (_like(levels, stems) / 20)
    gains = torch.where(level > _SILENT, wanted / level.clamp(min=_SILENT), torch.ones_like(level))
    return (stems if inplace else stems.clone()).mul_(gains[..., None, None])


def scale(stems: torch.Tensor, gains: np.ndarray, inplace: bool = False) -> torch.Tensor:
    """Each source times its factor."""
    return (stems if inplace else stems.clone()).mul_(_like(gains, stems)[..., None, None])


def swap_channels(stems: torch.Tensor, swaps: np.ndarray, inplace: bool = False) -> torch.Tensor:
    """Left and right exchanged, in the sources of which `swaps` says so."""
    result = stems if inplace else stems.clone()
    # One after the other: gathering them all would copy half of the batch twice.
    for row, source in np.argwhere(swaps):
        left, right = result[row, source]
        kept = left.clone()
        left.copy_(right)
        right.copy_(kept)
    return result


_CHANGES = {
    "filter": equalise, "loudness": set_loudness, "gain": scale, "channelswap": swap_channels,
}  # fmt: skip


def needed_samples(names: Iterable[str], samples: int) -> int:
    """How much to read for excerpts of `samples`: more where "speed" or "tempo" consume some."""
    for _ in set(_SHORTEN) & set(names):
        samples = math.ceil(samples * SPEEDS[-1])
    return samples


def augment(
    stems: torch.Tensor, parameters: Parameters, samples: int, inplace: bool = False
) -> torch.Tensor:
    """All that `draw_changes` drew, one after the other.

    Args:
        stems: `(excerpts, sources, channels, needed_samples(parameters, samples) or more)`.
        inplace: `stems` may be overwritten, which spares a copy of them.

    Returns:
        `(excerpts, sources, channels, samples)`.
    """
    left = set(parameters)
    for name, change in _PACES.items():
        if name in parameters:
            left.remove(name)
            stems = set_paces(stems, parameters[name], change, needed_samples(left, samples))
            inplace = True
    for name, apply in _CHANGES.items():
        if name in parameters:
            stems, inplace = apply(stems, parameters[name], inplace=inplace), True
    return stems


def _like(values: np.ndarray, stems: torch.Tensor) -> torch.Tensor:
    return torch.as_tensor(values, dtype=stems.dtype, device=stems.device)
