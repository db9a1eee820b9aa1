"""What makes little music last: random changes to the stems before they are mixed.

Each takes stems `(batch, sources, channels, samples)` and a generator and returns changed ones, in
the memory of the old where `inplace` allows it; the mixture is summed afterwards, so it is always
the sum. Two more, "remix" and "shuffle", are a matter of reading and live in `Excerpts.draw`; and
"intact" is a generator, `Intact`, with which reading and changes leave a song together.
"""

import math

import numpy as np
import torch

from ..signal import time_stretch

SPEEDS = (5 / 6, 6 / 7, 9 / 10, 14 / 15, 15 / 14, 10 / 9, 7 / 6, 6 / 5)
"""Three semitones down to three up. Ratios of small numbers keep the Fourier transforms fast."""

_SILENT = 1e-3  # an RMS 60 dB below full scale: nothing is played


class Shared:
    """Random numbers for a whole batch, of which one of several processes uses its own rows.

    Every process draws all of them, so that however many share the batch, each excerpt gets the
    same. Has the three methods of a NumPy generator that are used here; the first axis of a shape
    is the batch's.
    """

    def __init__(self, rng, size, rows):
        self._rng, self._size, self._rows = rng, size, rows

    def random(self, shape):
        return self._rng.random((self._size, *shape[1:]))[self._rows]

    def uniform(self, low, high, shape):
        return self._rng.uniform(low, high, (self._size, *shape[1:]))[self._rows]

    def integers(self, high, size):
        return self._rng.integers(high, size=(self._size, *size[1:]))[self._rows]


class Intact:
    """Random numbers with which some excerpts stay as the band played them.

    In these every source gets the numbers of the first: the same song, the same place in it, one
    speed, gain, equaliser and channel order for all (and one level, if "loudness" is asked for).
    So the network meets stems that belong together, in key, in time and from left to right. Has
    the methods of the generator that it draws from, a NumPy one or `Shared`; shapes are
    `(batch, sources, ...)`.

    Args:
        probability: how many of the `size` excerpts.
    """

    def __init__(self, rng, size, probability=0.5):
        self._rng = rng
        self.rows = np.flatnonzero(rng.random((size, 1)) < probability)

    def random(self, shape):
        return self._alike(self._rng.random(shape))

    def uniform(self, low, high, shape):
        return self._alike(self._rng.uniform(low, high, shape))

    def integers(self, high, size):
        return self._alike(self._rng.integers(high, size=size))

    def _alike(self, values):
        values[self.rows] = values[self.rows, :1]
        return values


def change_speed(stems, ratio, samples):
    """As from a tape that runs `ratio` times as fast: pitch and tempo change together.

    `(..., channels, round(samples * ratio) or more)` -> `(..., channels, samples)`. Resampled
    through the Fourier transform of the excerpt, hence without aliasing; what that does to the very
    ends (they are taken as neighbours) lies under the edges of the outermost windows.
    """
    length = round(samples * ratio)
    spectrum = torch.fft.rfft(stems[..., :length])
    # irfft drops the frequencies that the new length cannot carry, or adds empty ones.
    return torch.fft.irfft(spectrum, samples) * (samples / length)


def change_tempo(stems, ratio, samples):
    """`ratio` times as fast, at the pitch it had; shapes as in `change_speed`."""
    changed = time_stretch(stems[..., : round(samples * ratio)], ratio)
    return torch.nn.functional.pad(changed, (0, samples - changed.shape[-1]))  # a rounded sample


def pitch_shift(stems, ratio, samples):
    """At `ratio` times the pitch, as fast as it was: played slower, and the tape run faster.

    `(..., channels, samples or more)` -> `(..., channels, samples)`.
    """
    return change_speed(time_stretch(stems[..., :samples], 1 / ratio), ratio, samples)


_PACES = {"speed": change_speed, "tempo": change_tempo, "pitch": pitch_shift}
_SHORTEN = ("speed", "tempo")  # take `SPEEDS[-1] * samples` samples to return `samples`


def random_pace(stems, rng, change, samples, probability=0.5):
    """Some of the sources changed, each by one of `SPEEDS`: returns `samples` samples.

    Args:
        change: `change_speed`, `change_tempo` or `pitch_shift`.
    """
    changed = rng.random(stems.shape[:2]) < probability
    speed = rng.integers(len(SPEEDS), size=stems.shape[:2])
    result = stems[..., :samples].clone()
    for index, ratio in enumerate(SPEEDS):
        rows = torch.as_tensor(changed & (speed == index)).nonzero(as_tuple=True)
        if len(rows[0]):
            result[rows] = change(stems[rows], ratio, samples)
    return result


def random_filter(stems, rng, decibels=6.0, probability=0.5, knots=8, inplace=False):
    """A source through an equaliser: a curve over the octaves, straight between its knots, each of
    which lies within `+-decibels`; the same for both channels."""
    batch, sources, _, samples = stems.shape
    chosen = rng.random((batch, sources)) < probability
    curves = rng.uniform(-decibels, decibels, (batch, sources, knots))
    result = stems if inplace else stems.clone()
    rows = torch.as_tensor(chosen).nonzero(as_tuple=True)
    if not len(rows[0]):
        return result
    # Knots one octave apart; above 1/2**knots of the band, where the ear and the music live.
    bins = np.arange(samples // 2 + 1) / (samples // 2)
    octave = np.log2(np.maximum(bins, 2.0**-knots)) + knots - 1
    gains = np.stack([np.interp(octave, np.arange(knots), curve) for curve in curves[chosen]])
    gains = torch.as_tensor(10 ** (gains / 20), dtype=stems.dtype, device=stems.device)
    result[rows] = torch.fft.irfft(torch.fft.rfft(stems[rows]) * gains[:, None], samples)
    return result


def random_loudness(stems, rng, low=-30.0, high=-18.0, inplace=False):
    """Each source that sounds at all at a level of its own, uniform in `low..high` dB RMS below
    full scale, however loud its song was mastered (after LibriMix, Cosentino et al. 2020)."""
    level = stems.square().mean((2, 3)).sqrt()
    wanted = 10 ** (_like(rng.uniform(low, high, stems.shape[:2]), stems) / 20)
    gains = torch.where(level > _SILENT, wanted / level.clamp(min=_SILENT), torch.ones_like(level))
    return (stems if inplace else stems.clone()).mul_(gains[..., None, None])


def random_gain(stems, rng, low=0.25, high=1.25, inplace=False):
    """Each source of each excerpt at its own level, uniform in `low..high` (Uhlich et al. 2017)."""
    gains = _like(rng.uniform(low, high, stems.shape[:2]), stems)
    return (stems if inplace else stems.clone()).mul_(gains[..., None, None])


def random_channel_swap(stems, rng, probability=0.5, inplace=False):
    """Left and right exchanged, for each source on its own (Uhlich et al. 2017)."""
    result = stems if inplace else stems.clone()
    # One after the other: gathering them all would copy half of the batch twice.
    for row, source in np.argwhere(rng.random(stems.shape[:2]) < probability):
        left, right = result[row, source]
        kept = left.clone()
        left.copy_(right)
        right.copy_(kept)
    return result


_CHANGES = {
    "filter": random_filter, "loudness": random_loudness, "gain": random_gain,
    "channelswap": random_channel_swap,
}  # fmt: skip


def needed_samples(names, samples):
    """How much to read for excerpts of `samples`: more where "speed" or "tempo" consume some."""
    for _ in set(_SHORTEN) & set(names):
        samples = math.ceil(samples * SPEEDS[-1])
    return samples


def augment(stems, rng, names, samples, inplace=False):
    """All of `names` one after the other; returns `(batch, sources, channels, samples)`.

    Args:
        inplace: `stems` may be overwritten, which spares a copy of them.
    """
    left = set(names)
    for name, change in _PACES.items():
        if name in names:
            left.remove(name)
            stems, inplace = random_pace(stems, rng, change, needed_samples(left, samples)), True
    for name, change in _CHANGES.items():
        if name in names:
            stems, inplace = change(stems, rng, inplace=inplace), True
    return stems


def _like(values, stems):
    return torch.as_tensor(values, dtype=stems.dtype, device=stems.device)
