"""The bass player: a plucked string (fingers or pick) or a synthesiser."""

import numpy as np

from .score import Note, Song, frequency
from .signals import (
    decay,
    harmonic_table,
    lowpass,
    oscillate,
    pan,
    place,
    pluck,
    ramp,
    samples,
)  # fmt: skip

# Brightness of the string, and how far from the bridge it is plucked.
_STRINGS = {"finger": (0.35, 0.35), "picked": (0.7, 0.12)}


def play_bass(song: Song, rate: int, rng: np.random.Generator) -> np.ndarray:
    """The stem "bass", `(2, samples)`, dry, near the middle, for the notes in `song.bass`."""
    out = np.zeros(samples(song.seconds, rate))
    strings: dict[int, np.ndarray] = {}
    sustain = rng.uniform(2.5, 6.0)
    cutoff = rng.uniform(250, 600)
    for note in song.bass:
        if song.bass_kind in _STRINGS:
            tone = _string_note(note, song.bass_kind, sustain, strings, rate, rng)
        else:
            tone = _synth_note(note, song.bass_kind, cutoff, rate)
        place(out, note.velocity * tone, note.start, rate)
    # Fingers on flat strings, amplifier and recording leave little above 1 kHz.
    top = {"finger": 350, "picked": 700, "synth": 900, "sub": 300}[song.bass_kind]
    out = lowpass(out, top * rng.uniform(0.8, 1.2), rate)
    peak = np.abs(out).max() + 1e-9
    return np.tanh(1.6 * out / peak) * pan(rng.uniform(-0.08, 0.08))


def _string_note(
    note: Note,
    kind: str,
    sustain: float,
    strings: dict[int, np.ndarray],
    rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    brightness, position = _STRINGS[kind]
    if note.pitch not in strings:
        tone = pluck(
            frequency(note.pitch), 2.5, rate, rng, brightness, t60=sustain, position=position
        )
        strings[note.pitch] = lowpass(tone, 2500, rate)
    count = min(samples(note.duration, rate), len(strings[note.pitch]))
    return strings[note.pitch][:count] * ramp(count, 0.003, 0.03, rate)


def _synth_note(note: Note, kind: str, cutoff: float, rate: int) -> np.ndarray:
    """A sawtooth whose filter opens and closes with each note, or a nearly pure low tone."""
    hz = frequency(note.pitch)
    count = samples(note.duration, rate)
    phase = hz * np.arange(count) / rate
    if kind == "sub":
        tone = oscillate(phase, harmonic_table(hz, rate, 1.6, 160.0))
        return tone * ramp(count, 0.008, 0.04, rate)
    dark = oscillate(phase, harmonic_table(hz, rate, 1.0, round(cutoff)))
    bright = oscillate(phase, harmonic_table(hz, rate, 1.0, round(5 * cutoff)))
    opening = 0.8 * decay(count, 0.4, rate)
    return (dark + opening * (bright - dark)) * ramp(count, 0.004, 0.03, rate)
