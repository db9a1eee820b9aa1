"""Composes a song from a seed: tempo, key, sections and chords here, the parts in their modules."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from .grooves import STYLES, write_bass, write_drums
from .melody import VOICES, harmonise, write_melody
from .names import name_song
from .other_parts import write_other
from .score import Chord, Clock, Hit, Note, Section, Song, Syllable

Event = TypeVar("Event", Chord, Hit, Note, Syllable)

# Roman numerals, a chord per bar; lower case is minor. Loops that popular songs live on.
PROGRESSIONS = {
    "major": (
        "I V vi IV", "vi IV I V", "I vi IV V", "I IV vi V", "IV V iii vi", "I iii IV iv",
        "ii V I vi", "I bVII IV I", "IV I V vi", "I I IV V", "vi V IV V", "I ii vi IV",
    ),
    "minor": (
        "i VI III VII", "i iv VII III", "i VII VI V", "VI VII i i", "i v VI iv", "i III VII iv",
        "i iv i V", "iv i VI VII", "i VII i VI", "VI iv i V",
    ),
}  # fmt: skip
_DEGREES = {
    "major": {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "bvii": 10},
    "minor": {"i": 0, "iii": 3, "iv": 5, "v": 7, "vi": 8, "vii": 10},
}
# Which sevenths and added ninths a song's chords carry, from plain to jazzy.
_COLOURS = ("plain", "plain", "ninths", "sevenths")


def compose(seed: int, seconds: float = 10.0, split: str = "train", index: int = 0) -> Song:
    """Compose song `index` of a split of the corpus grown from `seed` (int >= 0).

    The music goes on to the last of `seconds`, as in an excerpt of a longer song. Returns a `Song`;
    the same arguments give the same one.
    """
    rng = np.random.default_rng([seed, 1 if split == "test" else 0, index])
    artist, title = name_song(seed, split, index)
    style_name = str(rng.choice(sorted(STYLES)))
    style = STYLES[style_name]
    tempo = float(np.round(rng.uniform(*style.tempo), 1))
    swing = float(rng.uniform(*style.swing))
    clock = Clock(tempo, swing, style.swing_grid)
    key = int(rng.integers(12))
    mode = "major" if rng.random() < 0.55 else "minor"
    bars = int(np.ceil(seconds / clock.bar))

    sections = _sections(bars, rng)
    chords = _chords(sections, key, mode, clock, rng)
    drums = write_drums(style, sections, clock, rng)
    bass_kind = str(rng.choice(style.basses))
    bass = write_bass(style, sections, chords, clock, rng)
    other = write_other(style, sections, chords, clock, rng)
    voice_kind = str(rng.choice(sorted(VOICES)))
    vocals = write_melody(voice_kind, sections, chords, key, mode, clock, rng)
    harmony = harmonise(vocals, sections, chords, key, mode, clock, rng)

    def heard(events: Sequence[Event]) -> tuple[Event, ...]:
        return tuple(event for event in events if event.start < seconds - 0.05)

    return Song(
        artist=artist,
        title=title,
        seconds=float(seconds),
        tempo=tempo,
        key=key,
        mode=mode,
        style=style_name,
        sections=sections,
        chords=heard(chords),
        drums=heard(drums),
        bass=heard(bass),
        other=tuple(type(part)(part.instrument, heard(part.notes)) for part in other),
        vocals=heard(vocals),
        harmony=heard(harmony),
        bass_kind=bass_kind,
        voice_kind=voice_kind,
    )


def _sections(bars: int, rng: np.random.Generator) -> tuple[Section, ...]:
    """Verse and lift in turn; short songs get short ones, so that even an excerpt has both."""
    length = 2 if bars < 10 else 4 if bars < 32 else 8
    name = str(rng.choice(["verse", "lift"]))
    sections = []
    for first in range(0, bars, length):
        sections.append(Section(name, first, length))
        name = "lift" if name == "verse" else "verse"
    return tuple(sections)


def _chords(
    sections: Sequence[Section], key: int, mode: str, clock: Clock, rng: np.random.Generator
) -> tuple[Chord, ...]:
    """One loop for the verse, another for the lift; slow songs may change twice in a bar."""
    verse, lift = rng.choice(PROGRESSIONS[mode], size=2, replace=False)
    loops = {"verse": str(verse).split(), "lift": str(lift).split()}
    per_bar = 2 if clock.tempo < 100 and rng.random() < 0.5 else 1
    colour = str(rng.choice(_COLOURS))
    chords = []
    for section in sections:
        loop = loops[section.name]
        for position in range(section.bars * per_bar):
            bar, half = divmod(section.first_bar * per_bar + position, per_bar)
            root, intervals = _chord(loop[position % len(loop)], key, mode, colour)
            start = clock.time(bar, 8 * half)
            chords.append(Chord(start, clock.bar / per_bar, root, intervals))
    return tuple(chords)


def _chord(numeral: str, key: int, mode: str, colour: str) -> tuple[int, tuple[int, ...]]:
    """Root and intervals of a Roman numeral, with the seventh or ninth that suits its degree."""
    degree = _DEGREES[mode][numeral.lower()]
    is_minor = numeral.islower()
    intervals: tuple[int, ...] = (0, 3, 7) if is_minor else (0, 4, 7)
    is_dominant = degree == 7 and not is_minor
    if colour == "sevenths" or (is_dominant and colour != "plain"):
        # The fifth degree (and bVII) takes the minor seventh, other major chords the major one.
        intervals += (10,) if is_minor or is_dominant or degree == 10 else (11,)
    elif colour == "ninths" and not is_minor:
        intervals += (14,)
    return (key + degree) % 12, intervals
