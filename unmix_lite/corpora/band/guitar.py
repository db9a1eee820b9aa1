"""The guitarist: plucked strings, a wooden body or an amplifier, played twice for width."""

import numpy as np

from .score import Note, Part, frequency
from .signals import bandpass, highpass, lowpass, pan, place, pluck, ramp, samples

# String brightness, ring time in seconds, pluck position, and how much the take is doubled.
_SOUNDS = {
    "acoustic guitar": (0.8, 3.0, 0.15),
    "clean guitar": (0.6, 3.5, 0.2),
    "crunch guitar": (0.7, 5.0, 0.12),
}
_TAKES = 2


def play_guitar(part: Part, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """`(2, samples)` of a guitar `Part`: two takes, a little apart in time, left and right."""
    width = rng.uniform(0.35, 0.95)
    cutoff = rng.uniform(0.8, 1.25)
    strings: dict[tuple[int, int], np.ndarray] = {}
    out = np.zeros((2, samples(seconds, rate)))
    for side in (-1, 1):
        take = np.zeros(out.shape[-1])
        late = rng.uniform(0.0, 0.012)
        for note in part.notes:
            tone = _string(note, part.instrument, strings, rate, rng)
            place(take, note.velocity**1.5 * tone, note.start + late, rate)
        out += _tone(take, part.instrument, cutoff, rate) * pan(side * width)
    return out


def _string(
    note: Note,
    instrument: str,
    strings: dict[tuple[int, int], np.ndarray],
    rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """One stroke; the strings of a song are plucked a few times each and then heard again."""
    brightness, t60, position = _SOUNDS[instrument]
    key = (note.pitch, int(rng.integers(_TAKES)))
    if key not in strings:
        strings[key] = pluck(frequency(note.pitch), 1.6, rate, rng, brightness, t60, position)
    # The string rings on a little over its written end, until the hand takes the next chord.
    count = min(samples(note.duration + 0.12, rate), len(strings[key]))
    return strings[key][:count] * ramp(count, 0.001, 0.1, rate)


def _tone(take: np.ndarray, instrument: str, cutoff: float, rate: int) -> np.ndarray:
    """Body or amplifier, level near 1."""
    take = take / (np.abs(take).max() + 1e-9)
    if instrument == "acoustic guitar":
        body = 0.8 * bandpass(take, 90, 140, rate, 1) + 0.9 * bandpass(take, 180, 280, rate, 1)
        return highpass(lowpass(take + body, 6000 * cutoff, rate, 1), 80, rate)
    if instrument == "clean guitar":
        return highpass(lowpass(take, 3500 * cutoff, rate), 100, rate)
    driven = np.tanh(6 * highpass(take, 120, rate))
    # A guitar loudspeaker is deaf above 4 kHz; without it the distortion hisses.
    return 0.6 * lowpass(highpass(driven, 90, rate), 3200 * cutoff, rate, 4)
