"""What many songs have in common, and what is wrong with some of them, before hours are spent."""

from collections.abc import Sequence

from ..errors import CorpusError
from ..names import TARGETS
from .tracks import Track


def problems(tracks: Sequence[Track], targets: Sequence[str]) -> str:
    """One text with a line for every song that lacks something, or "" when all can be used.

    Reads headers only, so that a large collection is looked through in seconds, before hours are
    spent on the half of it that is in order.
    """
    found = [(track, track.problem(targets)) for track in tracks]
    found = [(track, problem) for track, problem in found if problem]
    if not found:
        return ""
    if len(found) == 1:
        track, problem = found[0]
        return f"{track.path}: {problem}. Mend it or take it out."
    lines = [f"  {track.path}: {problem}" for track, problem in found]
    return "\n".join(
        [f"{len(found)} of {len(tracks)} songs cannot be used; mend them or take them out:", *lines]
    )


def sources_of(tracks: Sequence[Track], targets: Sequence[str]) -> tuple[str, ...]:
    """The stems that add up to the songs, a tuple: MUSDB18's four where those are there and
    `targets` are among them; otherwise all the stems that most songs have.

    Raises:
        CorpusError: most songs have none; says what is there.
    """
    found = [tuple(track.names) for track in tracks]
    sources = max(found, key=lambda names: (found.count(names), len(names)))
    if not sources:
        raise CorpusError(problems(tracks, targets))
    return TARGETS if {*targets} <= {*TARGETS} <= {*sources} else sources


def other_rates(tracks: Sequence[Track], rate: int) -> str:
    """One line that says which songs will have to be resampled to `rate` Hz, or "" for none."""
    others = [(track.name, track.rate) for track in tracks if track.rate != rate]
    if not others:
        return ""
    told = ", ".join(name for name, _ in others[:3])
    told += f" and {len(others) - 3} more" if len(others) > 3 else ""
    rates = " or ".join(map(str, sorted({own for _, own in others})))
    return (
        f"{len(others)} of {len(tracks)} songs are at {rates} Hz; resampled to {rate} Hz: {told}."
    )
