"""Writes what guitars and keyboards play: the parts of the stem "other"."""

from collections.abc import Callable, Sequence

import numpy as np

from .grooves import Style
from .score import Chord, Clock, Note, Part, Section, chord_at

BarWriter = Callable[[int, Sequence[Chord], Clock, np.random.Generator], list[Note]]
"""Of a bar, the chords, the clock and the dice, what an instrument plays there."""

_STRUMS = ("D...D.U...U.D.U.", "D.D.D.U.D.D.D.U.", "D...D.U.D.U.D.U.", "D..U..D...D..U..")
_STABS = ("X..x..x.........", "..X...X...X...X.", "X.....X...X.....", "....X..x....X...")
_ARPEGGIOS = ("0.1.2.3.2.1.2.1.", "0123210123210123", "0.2.1.3.0.2.1.3.", "0..1..2..1..0.1.")
_OPEN_STRINGS = (40, 45, 50, 55, 59, 64)
SUSTAINED = ("organ", "strings", "synth pad")
GUITARS = ("acoustic guitar", "clean guitar", "crunch guitar")


def write_other(
    style: Style,
    sections: Sequence[Section],
    chords: Sequence[Chord],
    clock: Clock,
    rng: np.random.Generator,
) -> tuple[Part, ...]:
    """One rhythmic or sustained instrument all through, and a second one for the lift or the song.

    Returns a tuple of `Part`, one or two of them.
    """
    count = min(len(style.comping), 2 if rng.random() < 0.75 else 1)
    instruments = [str(name) for name in rng.choice(style.comping, size=count, replace=False)]
    parts = []
    for rank, instrument in enumerate(instruments):
        names = ("lift",) if rank == 1 and rng.random() < 0.4 else ("verse", "lift")
        write = _writer(instrument, rng)
        notes = []
        for section in sections:
            if section.name in names:
                bars = range(section.first_bar, section.first_bar + section.bars)
                for bar in bars:
                    notes += write(bar, chords, clock, rng)
        parts.append(Part(instrument, tuple(notes)))
    return tuple(parts)


def _writer(instrument: str, rng: np.random.Generator) -> BarWriter:
    """The way this song's `instrument` plays a bar: `write(bar, chords, clock, rng) -> notes`."""
    if instrument in SUSTAINED:
        return _sustained
    if instrument == "plucked synth":
        return _pattern_writer(_arpeggio, _ARPEGGIOS, instrument, rng)
    if instrument in GUITARS:
        arpeggiates = instrument != "crunch guitar" and rng.random() < 0.4
        write, patterns = (_arpeggio, _ARPEGGIOS) if arpeggiates else (_strum, _STRUMS)
        return _pattern_writer(write, patterns, instrument, rng)
    return _sustained if rng.random() < 0.35 else _pattern_writer(_stab, _STABS, instrument, rng)


def _pattern_writer(
    write: Callable[..., list[Note]],
    patterns: Sequence[str],
    instrument: str,
    rng: np.random.Generator,
) -> BarWriter:
    pattern = str(rng.choice(patterns))

    def write_bar(
        bar: int, chords: Sequence[Chord], clock: Clock, rng: np.random.Generator
    ) -> list[Note]:
        return write(pattern, instrument, bar, chords, clock, rng)

    return write_bar


def keyboard_voicing(chord: Chord, centre: int = 62) -> list[int]:
    """Chord tones gathered around `centre` (MIDI), so that successive chords lie close together."""
    lowest = centre - 6
    return sorted({lowest + (pc - lowest) % 12 for pc in chord.pitch_classes})


def guitar_voicing(chord: Chord, is_power_chord: bool = False) -> list[int]:
    """Root on the lowest string that has it within four frets, then chord tones upwards."""
    if is_power_chord:
        root = 40 + (chord.root - 40) % 12
        return [root, root + 7, root + 12]
    pitches: list[int] = []
    for open_string in _OPEN_STRINGS:
        tones = (chord.root,) if not pitches else chord.pitch_classes
        fret = min((pc - open_string) % 12 for pc in tones)
        if fret <= 4:
            pitches.append(open_string + fret)
    return sorted(set(pitches))


def _velocity(mean: float, rng: np.random.Generator) -> float:
    return float(np.clip(mean * rng.normal(1, 0.08), 0.15, 1.0))


def _sustained(
    bar: int, chords: Sequence[Chord], clock: Clock, rng: np.random.Generator
) -> list[Note]:
    notes = []
    start, end = clock.time(bar), clock.time(bar + 1)
    for chord in chords:
        if start - 1e-6 <= chord.start < end - 1e-6:
            velocity = _velocity(0.75, rng)
            for pitch in keyboard_voicing(chord):
                notes.append(Note(chord.start, chord.duration * 0.98, pitch, velocity))
    return notes


def _stab(
    pattern: str,
    instrument: str,
    bar: int,
    chords: Sequence[Chord],
    clock: Clock,
    rng: np.random.Generator,
) -> list[Note]:
    notes = []
    steps = [step for step, mark in enumerate(pattern) if mark != "."]
    for step, following in zip(steps, steps[1:] + [16]):
        start = clock.time(bar, step)
        held = min(following - step, 4) * clock.step * 0.9
        velocity = _velocity(0.9 if pattern[step] == "X" else 0.7, rng)
        for pitch in keyboard_voicing(chord_at(chords, start)):
            played = max(0.0, start + rng.normal(0, 0.004))
            notes.append(Note(played, held, pitch, velocity))
    return notes


def _strum(
    pattern: str,
    instrument: str,
    bar: int,
    chords: Sequence[Chord],
    clock: Clock,
    rng: np.random.Generator,
) -> list[Note]:
    """Down-strokes run from the low string to the high one, up-strokes back over the top four."""
    is_power_chord = instrument == "crunch guitar"
    notes = []
    steps = [step for step, mark in enumerate(pattern) if mark != "."]
    for step, following in zip(steps, steps[1:] + [16]):
        start = max(0.0, clock.time(bar, step) + rng.normal(0, 0.004))
        chord = chord_at(chords, clock.time(bar, step))
        pitches = guitar_voicing(chord, is_power_chord)
        is_down = pattern[step] == "D"
        strings = pitches if is_down else pitches[:-5:-1]
        velocity = _velocity(0.9 if step % 8 == 0 else 0.75 if is_down else 0.55, rng)
        spread = rng.uniform(0.006, 0.012)
        for order, pitch in enumerate(strings):
            held = (following - step) * clock.step
            notes.append(Note(start + order * spread, held, pitch, velocity))
    return notes


def _arpeggio(
    pattern: str,
    instrument: str,
    bar: int,
    chords: Sequence[Chord],
    clock: Clock,
    rng: np.random.Generator,
) -> list[Note]:
    notes = []
    for step, mark in enumerate(pattern):
        if mark == ".":
            continue
        start = clock.time(bar, step)
        chord = chord_at(chords, start)
        if instrument in GUITARS:
            pitches = guitar_voicing(chord)[-4:]
        else:
            pitches = keyboard_voicing(chord, centre=72)
        # A fourth tone, where the chord has three, is its lowest an octave up.
        tone = int(mark)
        pitch = pitches[tone % len(pitches)] + 12 * (tone // len(pitches))
        start = max(0.0, start + rng.normal(0, 0.003))
        notes.append(Note(start, clock.step * 3, pitch, _velocity(0.8, rng)))
    return notes
