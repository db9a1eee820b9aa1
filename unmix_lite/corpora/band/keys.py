"""The keyboard player: electric piano, organ, strings, pad and plucked synthesiser."""

import numpy as np

from .score import Part, frequency
from .signals import (
    decay,
    harmonic_table,
    highpass,
    lowpass,
    oscillate,
    pan,
    place,
    ramp,
    samples,
    wavetable,
)  # fmt: skip

# Levels of the drawbars 16', 8', 5 1/3', 4', 2 2/3', 2' as harmonics of the 16' pipe.
_DRAWBARS = {1: 0.6, 2: 1.0, 3: 0.5, 4: 0.6, 6: 0.25, 8: 0.3}


def play_keys(part: Part, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """`(2, samples)` of a keyboard `Part`, dry, level near 1."""
    player = {
        "electric piano": _electric_piano, "organ": _organ, "strings": _ensemble,
        "synth pad": _ensemble, "plucked synth": _plucked_synth,
    }[part.instrument]  # fmt: skip
    out = np.zeros((2, samples(seconds, rate)))
    player(part, out, rate, rng)
    out = highpass(out, 110, rate)
    return out / (np.abs(out).max() + 1e-9)


def _electric_piano(part: Part, out: np.ndarray, rate: int, rng: np.random.Generator) -> None:
    """Two-operator FM: a tine that rings briefly above a mellow bar, swaying in the stereo."""
    hardness = rng.uniform(0.6, 1.6)
    for note in part.notes:
        count = samples(note.duration + 0.25, rate)
        turn = 2 * np.pi * frequency(note.pitch) * np.arange(count) / rate
        index = hardness * note.velocity * decay(count, 1.2, rate)
        tone = np.sin(turn + index * np.sin(turn)) * decay(count, 3.0, rate)
        tine = 0.12 * hardness * np.sin(7 * turn) * decay(count, 0.25, rate)
        tone = (tone + tine) * ramp(count, 0.003, 0.2, rate) * note.velocity
        place(out, tone, note.start, rate)
    sway = 0.35 * np.sin(2 * np.pi * rng.uniform(3, 6) * np.arange(out.shape[-1]) / rate)
    out *= np.stack([1 + sway, 1 - sway])


def _organ(part: Part, out: np.ndarray, rate: int, rng: np.random.Generator) -> None:
    """Drawbar organ through a rotating loudspeaker: both sides sway, half a turn apart."""
    turn = 2 * np.pi * rng.uniform(0.8, 6.5) * np.arange(out.shape[-1]) / rate
    amplitude = np.zeros(8)
    for harmonic, level in _DRAWBARS.items():
        amplitude[harmonic - 1] = level * rng.uniform(0.6, 1.3)
    table = wavetable(amplitude)
    dry = np.zeros(out.shape[-1])
    for note in part.notes:
        count = samples(note.duration, rate)
        # The 16' pipe sounds an octave below the key.
        phase = 0.5 * frequency(note.pitch) * np.arange(count) / rate
        place(dry, oscillate(phase, table) * ramp(count, 0.006, 0.03, rate), note.start, rate)
    dry = lowpass(dry, 0.4 * rate, rate)
    click = lowpass(np.tanh(0.35 * dry), 4500, rate, 1)
    out += click * np.stack([1 + 0.3 * np.sin(turn), 1 + 0.3 * np.sin(turn + np.pi)])


def _ensemble(part: Part, out: np.ndarray, rate: int, rng: np.random.Generator) -> None:
    """Strings or pad: detuned sawtooth voices with a slow attack, spread from left to right."""
    is_strings = part.instrument == "strings"
    cutoff = float(round(rng.uniform(1500, 2600) if is_strings else rng.uniform(600, 1400)))
    voices = 4
    cents = rng.normal(0, 7, voices)
    places = np.linspace(-0.85, 0.85, voices)
    for note in part.notes:
        hz = frequency(note.pitch)
        count = samples(note.duration + 0.3, rate)
        t = np.arange(count) / rate
        table = harmonic_table(hz, rate, 1.0, cutoff)
        envelope = ramp(count, 0.12 if is_strings else 0.25, 0.3, rate) * note.velocity
        for voice in range(voices):
            drift = 0.003 * np.sin(2 * np.pi * (4.6 + 0.3 * voice) * t) if is_strings else 0.0
            phase = hz * 2 ** (cents[voice] / 1200) * t + drift * hz / 30 + rng.random()
            place(out, oscillate(phase, table) * envelope, note.start, rate, pan(places[voice]))


def _plucked_synth(part: Part, out: np.ndarray, rate: int, rng: np.random.Generator) -> None:
    """Short notes whose brightness falls as they ring, thrown from side to side."""
    cutoff = float(round(rng.uniform(500, 1000)))
    width = rng.uniform(0.3, 0.8)
    is_square = bool(rng.random() < 0.5)
    for order, note in enumerate(part.notes):
        hz = frequency(note.pitch)
        count = samples(note.duration + 0.3, rate)
        phase = hz * np.arange(count) / rate
        dark = oscillate(phase, harmonic_table(hz, rate, 1.2, cutoff, odd_only=is_square))
        bright = oscillate(phase, harmonic_table(hz, rate, 1.0, 6 * cutoff, odd_only=is_square))
        tone = (dark + decay(count, 0.3, rate) * (bright - dark)) * decay(count, 0.9, rate)
        tone *= ramp(count, 0.003, 0.1, rate) * note.velocity
        place(out, tone, note.start, rate, pan(width if order % 2 else -width))
