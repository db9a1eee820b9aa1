"""Which songs a public page may play, and whose they are.

Most of MUSDB18 is for education and research only. 48 of its songs are under Creative Commons
licences that let anyone share them, unsold and with a credit: `playable.csv` lists them, after
the track list that the makers of MUSDB18 publish (https://sigsep.github.io/datasets/musdb.html).
"""

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CorpusError

if TYPE_CHECKING:
    from .tracks import Track

# One per split, chosen by ear and by level: all four stems sound from the first second, none is
# more than 10 dB below the song; of the test songs there is but one.
FIRST = (
    "Music Delta - Beatles",
    "Alexander Ross - Goodbye Bolero",
    "The Easton Ellises (Baumi) - SDRNR",
)


@cache
def licences() -> dict[str, tuple[str, str]]:
    """Dict name of a song of MUSDB18 -> (source, licence), of those that may be played."""
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return {row["track"]: (row["source"], row["licence"]) for row in csv.DictReader(file)}


def playable(tracks: Sequence["Track"], is_musdb: bool) -> list["Track"]:
    """Those that may be played on a public page, what shows most first.

    Args:
        tracks: of one corpus and split.
        is_musdb: whether the songs are MUSDB18's; all others are their owner's to play.

    Raises:
        CorpusError: none may be.
    """
    found = [track for track in tracks if not is_musdb or track.name in licences()]
    if not found:
        raise CorpusError(
            "none of these songs may be played on a public page; of MUSDB18 only those may that "
            "unmix_lite/corpora/playable.csv lists."
        )
    return sorted(found, key=lambda track: track.name not in FIRST)


def credit(track: "Track") -> str:
    """Whose song it is and under which licence; of a song that is not MUSDB18's, its name."""
    if track.name not in licences():
        return track.name
    source, licence = licences()[track.name]
    return f"{track.name} ({source}, in MUSDB18, {licence})"
