"""Scores of songs: museval's JSON, medians, and tables as text and CSV."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import bootstrap

from ..errors import UnmixError
from ..files import StrPath, atomic
from .ratios import METRICS

_MUSEVAL_VERSION = "0.4.1"  # whose JSON this is; museval itself need not be installed


@dataclass
class TrackScores:
    """The scores of one song, frame by frame.

    As in museval's JSON they are kept to 5 decimals, and an infinite score (a perfect estimate)
    counts as NaN, so that scores read back are the scores that were written.

    Args:
        track: the song's name.
        values: target -> metric (`SDR`, `ISR`, `SIR`, `SAR`) -> `(frames,)` in dB. A metric that
            was not computed is missing, or NaN throughout.
        window, hop: of the frames, in s.
    """

    track: str
    values: dict[str, dict[str, np.ndarray]]
    window: float = 1.0
    hop: float = 1.0

    def __post_init__(self) -> None:
        self.values = {
            target: {
                name: np.where(np.isfinite(row), np.round(row, 5), np.nan)
                for name, row in metrics.items()
            }
            for target, metrics in self.values.items()
        }

    @property
    def targets(self) -> list[str]:
        """The names of the targets, in order."""
        return list(self.values)

    @property
    def frames(self) -> int:
        """How many frames were looked at."""
        return max((len(metrics["SDR"]) for metrics in self.values.values()), default=0)

    def left_out(self, target: str | None = None) -> int:
        """How many frames have no SDR, for one target, or for any of them (None)."""
        chosen = self.targets if target is None else [target]
        missing = [np.isnan(self.values[name]["SDR"]) for name in chosen]
        return int(np.any(missing, axis=0).sum()) if missing else 0

    def median(self, target: str, metric: str = "SDR") -> float:
        """The median over the frames that have a score, in dB; NaN where none has."""
        return _median(self.values.get(target, {}).get(metric, []))

    def save(self, path: StrPath) -> None:
        """Write museval's JSON (its `musdb.schema.json`), whole or not at all."""
        with atomic(path) as partial:
            partial.write_text(json.dumps(self.as_museval(), indent=2) + "\n", encoding="utf-8")

    def as_museval(self) -> dict[str, Any]:
        """What museval's `TrackStore.scores` holds: targets -> frames -> metrics."""
        return {
            "targets": [
                {
                    "name": target,
                    "frames": [
                        {
                            "time": index * self.hop,
                            "duration": self.window,
                            "metrics": {
                                name: float(metrics[name][index]) if name in metrics else np.nan
                                for name in METRICS
                            },
                        }
                        for index in range(len(metrics["SDR"]))
                    ],
                }
                for target, metrics in self.values.items()
            ],
            "museval_version": _MUSEVAL_VERSION,
        }

    @classmethod
    def load(cls, path: StrPath) -> "TrackScores":
        """Read museval's JSON of one song.

        Raises:
            UnmixError: no such file, or not museval's JSON.
        """
        path = Path(path)
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            frames = {target["name"]: target["frames"] for target in stored["targets"]}
            values = {
                name: {m: np.array([f["metrics"][m] for f in rows], float) for m in METRICS}
                for name, rows in frames.items()
            }
            first = next((rows[0] for rows in frames.values() if rows), {"duration": 1.0})
            starts: list[Any] = next((rows[:2] for rows in frames.values() if len(rows) > 1), [])
            window = float(first["duration"])
            hop = float(starts[1]["time"] - starts[0]["time"]) if starts else window
            return cls(path.stem, values, window, hop)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise UnmixError(
                f"{path}: not the scores of a song as museval writes them ({type(error).__name__})."
            ) from error


def load_scores(folder: StrPath) -> list[TrackScores]:
    """All songs' scores below a folder, sorted by name: a list of `TrackScores`.

    Raises:
        UnmixError: there are none, or one cannot be read.
    """
    paths = [path for path in Path(folder).rglob("*.json") if path.name != "settings.json"]
    if not paths:
        raise UnmixError(f"{folder}: holds no scores (museval's JSON, one file per song).")
    return [TrackScores.load(path) for path in sorted(paths, key=lambda path: path.stem)]


def aggregate(scores: Sequence[TrackScores], metric: str = "SDR") -> dict[str, float]:
    """The campaign's summary: median over frames, then median over songs (Stöter et al. 2018).

    Songs with no score for a target (a source that never sounds) are left out of its median.

    Args:
        scores: a list of `TrackScores`.

    Returns:
        dict target -> dB, NaN where no song has a score.
    """
    return {
        target: _median([song.median(target, metric) for song in scores])
        for target in _targets(scores)
    }


def confidence_interval(
    values: Sequence[float] | np.ndarray, level: float = 0.95
) -> tuple[float, float]:
    """How far the median of these songs might lie elsewhere, had others been drawn: low, high.

    The percentile bootstrap (Efron 1979): medians of 2000 draws of the songs with replacement, the
    same draws every time.

    Args:
        values: a number per song, in dB; NaN is left out.
        level: of confidence.

    Returns:
        two floats in dB; NaN where there are fewer than two values.
    """
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return float("nan"), float("nan")
    found = bootstrap(
        [values], np.median, n_resamples=2000, confidence_level=level, method="percentile", rng=0
    ).confidence_interval
    return float(found.low), float(found.high)


def mean_over_targets(medians: Mapping[str, float]) -> float:
    """The one number that systems are ranked by: the mean of `aggregate`'s medians, in dB."""
    return float(np.mean(list(medians.values()))) if medians else float("nan")


def table(scores: Sequence[TrackScores], metric: str = "SDR") -> str:
    """A text table in dB: a row per song, the median over songs, and what was left out.

    A song's `mean` is over its targets' medians; in the median's row it is the mean of that row.
    Below stands the median's 95 % interval, if there is more than one song.
    """
    targets, medians = _targets(scores), aggregate(scores, metric)
    rows = [
        [song.track, *_decibels([song.median(t, metric) for t in targets]),
         f"{song.left_out()} of {song.frames}"]
        for song in scores
    ]  # fmt: skip
    left_out = f"{sum(s.left_out() for s in scores)} of {sum(s.frames for s in scores)}"
    header = [f"{metric} in dB", *targets, "mean", "frames left out"]
    rows.append([f"median of {len(scores)} songs", *_decibels(list(medians.values())), left_out])
    ends = [confidence_interval([song.median(t, metric) for song in scores]) for t in targets]
    if len(scores) > 1:
        for name, values in zip(("95 % from", "95 % to"), zip(*ends)):
            rows.append([name, *_decibels(list(values))[:-1], "", ""])
    last = len(scores)
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        return "  ".join([row[0].ljust(widths[0]), *cells])

    rule = "-" * len(line(header))
    lines = [line(row) for row in rows]
    return "\n".join([line(header), rule, *lines[:last], rule, *lines[last:]])


def write_csv(path: StrPath, scores: Sequence[TrackScores]) -> None:
    """One row per song and target, whole or not at all: medians over frames in dB, and counts.

    Columns: track, target, SDR, ISR, SIR, SAR (empty where there is none), frames, left_out.
    """
    with atomic(path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["track", "target", *METRICS, "frames", "left_out"])
        for song in scores:
            for target in song.targets:
                medians = [song.median(target, metric) for metric in METRICS]
                cells = ["" if np.isnan(value) else f"{value:.3f}" for value in medians]
                counts = [song.frames, song.left_out(target)]
                writer.writerow([song.track, target, *cells, *counts])


def write_summary(path: StrPath, scores: Sequence[TrackScores]) -> None:
    """One row per target and metric: the median over songs in dB, its 95 % interval, and counts.

    Columns: target, metric, median, low, high, songs (that have a score), left_out (frames).
    """
    with atomic(path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["target", "metric", "median", "low", "high", "songs", "left_out"])
        for target in _targets(scores):
            songs = [song for song in scores if target in song.values]
            for metric in METRICS:
                values = [song.median(target, metric) for song in songs]
                numbers = [_median(values), *confidence_interval(values)]
                cells = ["" if np.isnan(value) else f"{value:.3f}" for value in numbers]
                left_out = sum(song.left_out(target) for song in songs)
                count = np.count_nonzero(~np.isnan(values))
                writer.writerow([target, metric, *cells, count, left_out])


def _targets(scores: Sequence[TrackScores]) -> list[str]:
    """Every target that any song has, in the order met."""
    return list(dict.fromkeys(target for song in scores for target in song.targets))


def _median(values: Sequence[float] | np.ndarray) -> float:
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    return float(np.median(values)) if len(values) else float("nan")


def _decibels(values: Sequence[float]) -> list[str]:
    """Cells for the targets and, last, for their mean."""
    mean = np.mean(values) if values else np.nan
    return ["-" if np.isnan(value) else f"{value:.2f}" for value in [*values, mean]]
