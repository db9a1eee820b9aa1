"""Writes what is sung: two-bar phrases with rests between them, a text, and a second voice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .score import PENTATONIC, SCALES, Chord, Clock, Section, Syllable, chord_at


@dataclass(frozen=True)
class Voice:
    """Lowest and highest pitch (MIDI) and the length of the vocal tract against a man's.

    A shorter tract raises all formants in proportion.
    """

    low: int
    high: int
    tract: float


VOICES = {
    "bass": Voice(43, 60, 1.04),
    "baritone": Voice(46, 64, 1.0),
    "tenor": Voice(50, 69, 0.97),
    "alto": Voice(56, 74, 0.88),
    "soprano": Voice(60, 79, 0.84),
}
# Onsets in sixteenths, over two bars; the last note is held, then the singer breathes.
_RHYTHMS = (
    (0, 2, 4, 6, 8, 12, 16, 20),
    (0, 3, 6, 8, 11, 14, 16, 22),
    (2, 4, 6, 8, 10, 12, 16, 18),
    (0, 4, 6, 8, 10, 14, 16, 20, 22),
    (0, 6, 8, 12, 14, 16, 20),
    (2, 4, 8, 10, 12, 16, 18, 20, 24),
    (0, 2, 4, 8, 10, 12, 16, 19, 22),
    (0, 4, 8, 12, 16, 20),
)
_CONSONANTS = ("m", "n", "l", "r", "w", "y", "s", "sh", "f", "h", "t", "k", "p", "d", "b", "")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ei", "ou", "au")
# Two sung notes closer than this blur into one.
_SHORTEST = 0.17


def write_melody(
    kind: str,
    sections: Sequence[Section],
    chords: Sequence[Chord],
    key: int,
    mode: str,
    clock: Clock,
    rng: np.random.Generator,
) -> tuple[Syllable, ...]:
    """The lead voice: `kind` names one of `VOICES`. Returns a tuple of `Syllable`."""
    voice = VOICES[kind]
    pool = PENTATONIC if rng.random() < 0.5 else SCALES
    tones = {(key + degree) % 12 for degree in pool[mode]}
    material = {name: _material(clock, rng) for name in ("verse", "lift")}
    # The lift is sung higher; both centres leave room for the line to move.
    centres = {
        "verse": voice.low + (voice.high - voice.low) * rng.uniform(0.35, 0.5),
        "lift": voice.low + (voice.high - voice.low) * rng.uniform(0.6, 0.75),
    }
    syllables = []
    for section in sections:
        rhythms, text = material[section.name]
        for phrase, bar in enumerate(range(section.first_bar, section.first_bar + section.bars, 2)):
            timed = _phrase_times(rhythms[phrase % len(rhythms)], bar, clock, rng)
            pitches = _contour(timed, chords, tones, centres[section.name], voice, rng)
            velocity = 0.9 if section.name == "lift" else 0.75
            for order, ((start, duration), pitch) in enumerate(zip(timed, pitches)):
                consonant, vowel = text[order % len(text)]
                loudness = float(np.clip(velocity * rng.normal(1, 0.06), 0.3, 1))
                syllables.append(
                    Syllable(start, duration, pitch, loudness, consonant, vowel, order == 0)
                )
    return tuple(syllables)


def _material(
    clock: Clock, rng: np.random.Generator
) -> tuple[list[tuple[int, ...]], list[tuple[str, str]]]:
    """Two phrase rhythms and the line of text that a section returns to."""
    rhythms = [_RHYTHMS[i] for i in rng.choice(len(_RHYTHMS), size=2, replace=False)]
    consonants = rng.choice(_CONSONANTS, size=9)
    vowels = rng.choice(_VOWELS, size=9)
    thinned = [_thin(rhythm, clock) for rhythm in rhythms]
    return thinned, [(str(c), str(v)) for c, v in zip(consonants, vowels)]


def _thin(rhythm: Sequence[int], clock: Clock) -> tuple[int, ...]:
    """Leaves out onsets that come too soon after another to be sung at this tempo."""
    kept: list[int] = []
    for step in rhythm:
        if not kept or (step - kept[-1]) * clock.step >= _SHORTEST:
            kept.append(step)
    return tuple(kept)


def _phrase_times(
    rhythm: Sequence[int], bar: int, clock: Clock, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """`(start, duration)` in seconds of each note of a phrase, with a rest at its end."""
    starts = [clock.time(bar, step) for step in rhythm]
    last_step = min(rhythm[-1] + int(rng.integers(5, 8)), 29)
    ends = starts[1:] + [clock.time(bar, last_step)]
    # A singer is a little late rather than early, and needs room for the first consonant.
    late = [max(0.06 if bar == 0 else 0.0, rng.normal(0.008, 0.008)) for _ in starts]
    starts = [start + delay for start, delay in zip(starts, late)]
    ends = starts[1:] + ends[-1:]
    return [(start, end - start) for start, end in zip(starts, ends)]


def _contour(
    timed: Sequence[tuple[float, float]],
    chords: Sequence[Chord],
    tones: set[int],
    centre: float,
    voice: Voice,
    rng: np.random.Generator,
) -> list[int]:
    """A walk over the scale: mostly steps, drawn to the centre, long notes on chord tones."""
    pitch = centre + rng.uniform(-3, 3)
    pitches = []
    for order, (start, duration) in enumerate(timed):
        chord = chord_at(chords, start + 0.02)
        pitch += rng.choice([-4, -2, -2, 0, 2, 2, 4]) + 0.25 * (centre - pitch)
        is_stable = order in (0, len(timed) - 1) or duration > 0.4
        chosen = set(chord.pitch_classes) if is_stable else _scale_over(chord, tones)
        allowed = [p for p in range(voice.low, voice.high + 1) if p % 12 in chosen]
        pitch = min(allowed, key=lambda p: abs(p - pitch))
        pitches.append(int(pitch))
    return pitches


def _scale_over(chord: Chord, tones: set[int]) -> set[int]:
    """The scale bent to the chord: its tones replace scale tones a semitone away."""
    outside = set(chord.pitch_classes) - tones
    clashing = {(pc + shift) % 12 for pc in outside for shift in (-1, 1)}
    return (tones - clashing) | outside or set(chord.pitch_classes)


def harmonise(
    vocals: Sequence[Syllable],
    sections: Sequence[Section],
    chords: Sequence[Chord],
    key: int,
    mode: str,
    clock: Clock,
    rng: np.random.Generator,
) -> tuple[Syllable, ...]:
    """A second voice for the lift, a third above; one song in three does without."""
    if rng.random() < 0.35:
        return ()
    tones = {(key + degree) % 12 for degree in SCALES[mode]}
    lifts = [s for s in sections if s.name == "lift"]
    spans = [(clock.time(s.first_bar), clock.time(s.first_bar + s.bars)) for s in lifts]
    sung = []
    for lead in vocals:
        if any(start <= lead.start < end for start, end in spans):
            allowed = _scale_over(chord_at(chords, lead.start + 0.02), tones)
            above = [lead.pitch + up for up in (3, 4, 5) if (lead.pitch + up) % 12 in allowed]
            pitch = above[0] if above else lead.pitch
            sung.append(
                Syllable(
                    lead.start, lead.duration, pitch, lead.velocity * 0.8,
                    lead.consonant, lead.vowel, lead.begins_phrase,
                )
            )  # fmt: skip
    return tuple(sung)
