"""What the band reads from: notes, drum hits, sung syllables, chords, and the song that holds them.

All times are in seconds from the start of the song, pitches in MIDI numbers (69 = A4 = 440 Hz),
velocities between 0 and 1. A score knows no sampling rate and no sound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

NOTE_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
PENTATONIC = {"major": (0, 2, 4, 7, 9), "minor": (0, 3, 5, 7, 10)}

Pitch = TypeVar("Pitch", float, np.ndarray)


def frequency(pitch: Pitch) -> Pitch:
    """Frequency in Hz of a MIDI pitch, equal temperament, A4 = 440 Hz."""
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


@dataclass(frozen=True)
class Note:
    start: float
    duration: float
    pitch: int
    velocity: float


@dataclass(frozen=True)
class Hit:
    start: float
    piece: str
    velocity: float


@dataclass(frozen=True)
class Syllable:
    """One sung note: `consonant` may be empty; two letters in `vowel` are a diphthong."""

    start: float
    duration: float
    pitch: int
    velocity: float
    consonant: str
    vowel: str
    begins_phrase: bool = False

    @property
    def end(self) -> float:
        return self.start + self.duration


@dataclass(frozen=True)
class Chord:
    """`root` is a pitch class (0 = C), `intervals` the semitones of its tones above the root."""

    start: float
    duration: float
    root: int
    intervals: tuple[int, ...]

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        return tuple((self.root + interval) % 12 for interval in self.intervals)

    @property
    def name(self) -> str:
        suffix = "dim" if 6 in self.intervals else "m" if 3 in self.intervals else ""
        seventh = "maj7" if 11 in self.intervals else "7" if 10 in self.intervals else ""
        added = "add9" if 14 in self.intervals else ""
        return NOTE_NAMES[self.root] + suffix + seventh + added


@dataclass(frozen=True)
class Section:
    """A stretch of whole bars, "verse" or "lift" (the louder one, where the voice rises)."""

    name: str
    first_bar: int
    bars: int


@dataclass(frozen=True)
class Part:
    """What one accompanying instrument plays; several of them make the stem "other"."""

    instrument: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Song:
    """A composed song: everything the players need, in the order they need it.

    `tempo` is in beats per minute (four beats to the bar), `key` a pitch class, `mode` "major" or
    "minor". `bass_kind`, `voice_kind` and the instruments of `other` name the sounds.
    """

    artist: str
    title: str
    seconds: float
    tempo: float
    key: int
    mode: str
    style: str
    sections: tuple[Section, ...]
    chords: tuple[Chord, ...]
    drums: tuple[Hit, ...]
    bass: tuple[Note, ...]
    other: tuple[Part, ...]
    vocals: tuple[Syllable, ...]
    harmony: tuple[Syllable, ...]
    bass_kind: str
    voice_kind: str

    @property
    def name(self) -> str:
        """The folder's name in the MUSDB18 layout."""
        return f"{self.artist} - {self.title}"

    @property
    def key_name(self) -> str:
        return f"{NOTE_NAMES[self.key]} {self.mode}"

    @property
    def lyrics(self) -> str:
        """The sung syllables, one line per phrase."""
        lines: list[list[str]] = []
        for syllable in self.vocals:
            if syllable.begins_phrase or not lines:
                lines.append([])
            lines[-1].append(syllable.consonant + syllable.vowel)
        return "\n".join(" ".join(line) for line in lines)

    def chord_at(self, time: float) -> Chord:
        """The chord that sounds at `time` (s)."""
        return chord_at(self.chords, time)


def chord_at(chords: Sequence[Chord], time: float) -> Chord:
    """The last of `chords` (in order of time) that has begun at `time` (s)."""
    current = chords[0]
    for chord in chords:
        if chord.start > time + 1e-6:
            break
        current = chord
    return current


@dataclass(frozen=True)
class Clock:
    """Turns sixteenth steps into seconds; `swing` delays every second `grid` steps (in steps)."""

    tempo: float
    swing: float = 0.0
    grid: int = 1

    @property
    def step(self) -> float:
        """Length of a sixteenth in seconds."""
        return 15.0 / self.tempo

    @property
    def bar(self) -> float:
        """Length of a bar of four beats in seconds."""
        return 16 * self.step

    def time(self, bar: int, step: int = 0) -> float:
        """Seconds at which `step` (0 to 15, or beyond) of `bar` falls."""
        late = self.swing * self.grid if (step // self.grid) % 2 else 0.0
        return bar * self.bar + (step + late) * self.step
