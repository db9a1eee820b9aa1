"""The folder that `evaluate` keeps its scores in: whose they are, and the tables at the end."""

import itertools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UnmixError
from ..files import atomic
from ..names import SPLITS
from .estimates import Song
from .scores import TrackScores, table, write_csv, write_summary

_TABLES = ("scores.csv", "summary.csv", "scores.txt", "scores.png")
_SETTINGS = "settings.json"


def claim(folder: Path, settings: Mapping[str, Any], overwrite: bool = False) -> Path | None:
    """Keep the settings with the scores; a folder whose scores had others is refused.

    Where only the weights differ, the folder is renamed, and a new one begun.

    Args:
        settings: of what is to be scored. overwrite: remove the scores that are there.

    Returns:
        the folder's new name, or None.

    Raises:
        UnmixError: the scores there were made with other settings, or by whom is unknown.
    """
    path, aside = folder / _SETTINGS, None
    if overwrite:
        _remove_scores(folder)
    if path.is_file():
        stored = _read(path)
        for name, value in settings.items():
            if name != "weights" and stored.get(name) != value:
                raise UnmixError(
                    f"{folder}: holds scores with {name} = {stored.get(name)!r}, not {value!r}; "
                    "write to another folder, or --overwrite them."
                )
        # Scores of older versions do not say.
        if settings.get("weights") == stored.get("weights", settings.get("weights")):
            return None
        aside = _set_aside(folder, str(stored["weights"]))
    elif any(file.name[0] != "." for file in folder.rglob("*.json")):
        raise UnmixError(
            f"{folder}: holds JSON files but no {_SETTINGS}, so what made them is unknown; "
            "write to another folder."
        )
    with atomic(path) as partial:
        partial.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return aside


def scores_file(folder: Path, track: Song) -> Path:
    """Where a song's scores are, or will be."""
    return folder / getattr(track, "split", "test") / f"{track.name}.json"


def report(folder: Path, scores: Sequence[TrackScores]) -> None:
    """Write the tables, `scores.csv`, `summary.csv` and `scores.txt`."""
    if not scores:
        return
    write_csv(folder / "scores.csv", scores)
    write_summary(folder / "summary.csv", scores)
    with atomic(folder / "scores.txt") as partial:
        partial.write_text(table(scores) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        return {}


def _set_aside(folder: Path, weights: str) -> Path:
    name = f"{folder.absolute().name}.{weights}"
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    aside = next(other for name in names if not (other := folder.with_name(name)).exists())
    try:
        os.rename(folder, aside)
    except OSError as error:
        raise UnmixError(
            f"{folder}: holds scores of other weights, and cannot be renamed to {aside.name} "
            f"({error.strerror}); write to another folder, or --overwrite them."
        ) from error
    return aside


def _remove_scores(folder: Path) -> None:
    """All that `evaluate` leaves in a folder, and nothing else."""
    for split in SPLITS:
        for file in (folder / split).glob("*.json"):
            file.unlink()
    for name in (_SETTINGS, *_TABLES):
        (folder / name).unlink(missing_ok=True)
