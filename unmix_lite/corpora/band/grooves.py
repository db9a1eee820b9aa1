"""Writes the rhythm section: drum patterns with fills, and the bass line under the chords.

A pattern is sixteen characters, a sixteenth each: `X` loud, `x` normal, `o` soft (a ghost note),
`.` nothing. In bass patterns the letter names the tone: `R` root, `5` fifth, `8` octave, `3` third,
`a` a step towards the next root, `-` holds the note before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .score import Chord, Clock, Hit, Note, Section, chord_at


@dataclass(frozen=True)
class Style:
    """How a kind of song is played: tempo range (BPM), swing range, patterns to choose from."""

    tempo: tuple[float, float]
    kicks: tuple[str, ...]
    snares: tuple[str, ...]
    hats: tuple[str, ...]
    lines: tuple[str, ...]
    basses: tuple[str, ...]
    comping: tuple[str, ...]
    swing: tuple[float, float] = (0.0, 0.0)
    swing_grid: int = 1


STYLES = {
    "rock": Style(
        tempo=(105, 150),
        kicks=("X.......X.x.....", "X.....x.X.......", "X..x....X.x....x"),
        snares=("....X.......X...", "....X.......X..o"),
        hats=("X.x.X.x.X.x.X.x.", "X...X...X...X..."),
        lines=("R-R-R-R-R-R-R-R-", "R-R-R-R-R-R-5-a-", "R---R-R-R-R-R-5-"),
        basses=("picked", "finger"),
        comping=("crunch guitar", "organ", "acoustic guitar"),
    ),
    "dance": Style(
        tempo=(112, 130),
        kicks=("X...X...X...X...", "X...X...X...X..x"),
        snares=("....X.......X...", "....X..o....X..."),
        hats=("..X...X...X...X.", "xoXoxoXoxoXoxoXo"),
        lines=("..R-..R-..R-..R-", "R.RR..R.R.RR..8.", "R-..R-8-..R-R-8."),
        basses=("synth", "sub"),
        comping=("synth pad", "electric piano", "plucked synth", "strings"),
    ),
    "funk": Style(
        tempo=(92, 116),
        kicks=("X..x......x.....", "X.x....x..x..x..", "X......x.xX....."),
        snares=("....X..o.o..X..o", "....X..o....X.o."),
        hats=("XoxoXoxoXoxoXoxo", "X.xoX.xoX.xoX.xo"),
        lines=("R--.R..8..5-..a-", "R-.R..8-R..R.5a-", "R..R.8..R.R.5.a."),
        basses=("finger", "picked", "synth"),
        comping=("electric piano", "clean guitar", "organ"),
        swing=(0.0, 0.25),
    ),
    "ballad": Style(
        tempo=(80, 96),
        kicks=("X.........x.....", "X......xX......."),
        snares=("....X.......X...", "........X......."),
        hats=("X.x.X.x.X.x.X.x.", "x.o.x.o.x.o.x.o."),
        lines=("R-------5---a---", "R-----R-R-----5-", "R-----------8-5-"),
        basses=("finger", "sub"),
        comping=("acoustic guitar", "electric piano", "strings", "synth pad"),
    ),
    "shuffle": Style(
        tempo=(96, 136),
        kicks=("X.......X.......", "X.....x.X.....x."),
        snares=("....X.......X...", "....X.....o.X..."),
        hats=("X.x.X.x.X.x.X.x.", "X...X.x.X...X.x."),
        lines=("R---3---5---a---", "R-R-5-5-8-8-5-a-", "R---5---R---5-a-"),
        basses=("finger", "picked"),
        comping=("organ", "clean guitar", "electric piano"),
        swing=(0.45, 0.66),
        swing_grid=2,
    ),
    "lo-fi": Style(
        tempo=(80, 94),
        kicks=("X......x..x.....", "X.x.......x..x..", "X.......x.x....x"),
        snares=("....X.......X...", "....X..o....X..."),
        hats=("x.x.x.x.x.x.x.xo", "xox.xoxoxox.x.xo"),
        lines=("R--..R--..5-R---", "R-----..R-..5-a-", "R--R....8--.5-a-"),
        basses=("sub", "finger", "synth"),
        comping=("electric piano", "clean guitar", "synth pad"),
        swing=(0.15, 0.4),
    ),
}
_VELOCITY = {"X": 1.0, "x": 0.72, "o": 0.34}
_FILLS = (
    ("snare", "............XxXX"),
    ("snare high_tom mid_tom low_tom", "........XxXxXxXx"),
    ("snare low_tom", "..........XxX.XX"),
    ("high_tom high_tom mid_tom low_tom", "............XXXX"),
)


def write_drums(
    style: Style, sections: Sequence[Section], clock: Clock, rng: np.random.Generator
) -> tuple[Hit, ...]:
    """Hits of kick, snare, hats, toms and cymbals, humanised, with a fill at each section's end."""
    kick, snare, hat = (str(rng.choice(p)) for p in (style.kicks, style.snares, style.hats))
    rides_in_lift = rng.random() < 0.4
    opens = rng.random() < 0.6
    hits = []
    for section in sections:
        is_lift = section.name == "lift"
        cymbal = "ride" if is_lift and rides_in_lift else "hat"
        for bar in range(section.first_bar, section.first_bar + section.bars):
            is_last = bar == section.first_bar + section.bars - 1
            fill_from = 16
            if is_last and rng.random() < 0.85:
                pieces, pattern = _FILLS[rng.integers(len(_FILLS))]
                fill_from = len(pattern) - len(pattern.lstrip("."))
                hits += _fill(pieces.split(), pattern, bar, clock, rng)
            for piece, pattern in (("kick", kick), ("snare", snare), (cymbal, hat)):
                heard = pattern[: fill_from if piece != "kick" else 16]
                hits += _hits(piece, heard, bar, clock, rng)
            if opens and fill_from == 16:
                hits.append(_hit("open_hat", 0.7, bar, 14, clock, rng))
            if bar == section.first_bar and (is_lift or rng.random() < 0.3):
                hits.append(_hit("crash", 0.9, bar, 0, clock, rng))
    return tuple(sorted(hits, key=lambda hit: hit.start))


def _hits(piece: str, pattern: str, bar: int, clock: Clock, rng: np.random.Generator) -> list[Hit]:
    return [
        _hit(piece, _VELOCITY[mark], bar, step, clock, rng)
        for step, mark in enumerate(pattern)
        if mark != "."
    ]


def _hit(
    piece: str, velocity: float, bar: int, step: int, clock: Clock, rng: np.random.Generator
) -> Hit:
    """A hit a few milliseconds off the grid and never quite as loud as the one before."""
    start = max(0.0, clock.time(bar, step) + rng.normal(0, 0.003))
    return Hit(start, piece, float(np.clip(velocity * rng.normal(1, 0.07), 0.1, 1.0)))


def _fill(
    pieces: Sequence[str], pattern: str, bar: int, clock: Clock, rng: np.random.Generator
) -> list[Hit]:
    marks = [(step, mark) for step, mark in enumerate(pattern) if mark != "."]
    return [
        _hit(pieces[i * len(pieces) // len(marks)], _VELOCITY[mark], bar, step, clock, rng)
        for i, (step, mark) in enumerate(marks)
    ]


def write_bass(
    style: Style,
    sections: Sequence[Section],
    chords: Sequence[Chord],
    clock: Clock,
    rng: np.random.Generator,
) -> tuple[Note, ...]:
    """The bass line: a pattern per section name, its letters read against the chords."""
    lines = {name: str(rng.choice(style.lines)) for name in ("verse", "lift")}
    lowest = int(rng.integers(28, 32))  # E1 to G1: roots lie in the octave above
    notes = []
    for section in sections:
        for bar in range(section.first_bar, section.first_bar + section.bars):
            notes += _bass_bar(lines[section.name], bar, chords, lowest, clock, rng)
    return tuple(notes)


def _bass_bar(
    line: str,
    bar: int,
    chords: Sequence[Chord],
    lowest: int,
    clock: Clock,
    rng: np.random.Generator,
) -> list[Note]:
    notes = []
    # A chord that comes in mid-bar brings its root, whatever the pattern says there.
    changes = {
        step
        for step in range(16)
        if any(abs(chord.start - clock.time(bar, step)) < 1e-6 for chord in chords)
    }
    for step, mark in enumerate(line):
        is_change = step in changes and mark != "."
        if mark in ".-" and not is_change:
            continue
        length = 1
        while step + length < 16 and line[step + length] == "-" and step + length not in changes:
            length += 1
        start, end = clock.time(bar, step), clock.time(bar, step + length)
        chord, following = chord_at(chords, start), chord_at(chords, end)
        pitch = _bass_pitch("R" if is_change else mark, chord, following, lowest, rng)
        held = (end - start) * (0.95 if length > 1 else 0.8)
        start = max(0.0, start + rng.normal(0, 0.004))
        notes.append(Note(start, held, pitch, float(np.clip(rng.normal(0.85, 0.07), 0.4, 1))))
    return notes


def _bass_pitch(
    mark: str, chord: Chord, following: Chord, lowest: int, rng: np.random.Generator
) -> int:
    root = lowest + (chord.root - lowest) % 12
    if mark == "a" and following.root != chord.root:
        target = lowest + (following.root - lowest) % 12
        return target + int(rng.choice([-1, -2] if target > root else [1, 2]))
    third = chord.intervals[1]
    above = {"R": 0, "5": 7, "8": 12, "3": third, "a": 7}[mark]
    return root + above
