"""Every system on the same songs, from doing nothing to being told the answer."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from .. import classic
from ..corpora import Corpus
from ..errors import CorpusError
from ..files import atomic
from ..names import TARGETS
from ..separation import Separator
from ..weights import pretrained_names, targets_of
from .estimates import OracleEstimates, Separates, mixture_estimate
from .scores import confidence_interval
from .scoring import SongsFailed, evaluate
from .sisec_frames import find_scored_frames
from .sisec_systems import KINDS, published

_NOTHING, _CLASSIC, _NETWORK, _, _ORACLE = KINDS
_ORACLES = ("IBM1", "IRM1", "IRM2", "MWF")
_TEACHERS = 20  # songs from which NMF learns its spectra


Step = tuple[str, Callable[[], Separates], tuple[str, ...]]
"""A system's kind, what makes it, and the stems that it gives."""


@dataclass
class LadderEntry:
    """A system on the ladder.

    Attributes:
        name, kind: what it is, and one of `evaluation.KINDS`.
        songs: dict target -> SDR of each song in dB, `(songs,)`; medians over frames.
        published: whether the scores are the campaign's instead of computed here.
        failures: a line for each song that could not be scored.
    """

    name: str
    kind: str
    songs: dict[str, np.ndarray] = field(default_factory=dict)
    published: bool = False
    failures: list[str] = field(default_factory=list)

    def median(self, target: str) -> float:
        """Over the songs, in dB; NaN for a stem that it does not give."""
        values = self.songs.get(target, np.array([np.nan]))
        return float(np.nanmedian(values)) if not np.isnan(values).all() else float("nan")


def systems(corpus: Corpus, device: str = "cpu") -> dict[str, Step]:
    """What is on the ladder: dict name -> (kind, function that makes it, stems it gives).

    Made when their turn comes: the networks are loaded, and NMF learns, only then.
    """
    steps: dict[str, Step] = {"mixture": (_NOTHING, lambda: mixture_estimate, TARGETS)}
    for name, (method, target) in classic.CLASSIC.items():
        steps[name] = (_CLASSIC, _always(method), (target,))
    steps["NMF"] = (_CLASSIC, partial(_learned_nmf, corpus), ("drums",))
    for name in pretrained_names():
        make = partial(Separator.from_pretrained, name, device)
        steps[name] = (_NETWORK, make, tuple(targets_of(name)))
    for name in _ORACLES:
        steps[f"{name} (ours)"] = (_ORACLE, partial(OracleEstimates, name), TARGETS)
    return steps


def score_systems(
    corpus: Corpus,
    folder: Path,
    split: str = "test",
    device: str = "cpu",
    jobs: int = 1,
    progress: bool = True,
    overwrite: bool = False,
) -> list[LadderEntry]:
    """Score all systems on the songs of a corpus; what is scored in the folder already is kept.

    Args:
        corpus: as `open_corpus` gives it. Where its songs are the clips that SiSEC 2018 can be
            compared on, the campaign's systems stand beside ours.
        folder: of the scores, one folder for each system, as `evaluate` leaves them; and
            `ladder.csv` at the end.
        split, device, jobs, overwrite: as for `evaluate`.

    Returns:
        list of `LadderEntry`, in the order of `KINDS`, each kind from its worst to its best on
        vocals.
    """
    tracks = corpus.tracks(split)
    entries = []
    for name, (kind, make, targets) in systems(corpus, device).items():
        if progress:
            print(name)
        failures: list[str] = []
        try:
            scores = evaluate(
                make(), tracks, folder / name, targets, metrics="sdr", progress=progress,
                model=name, jobs=jobs, overwrite=overwrite,
            )  # fmt: skip
        except SongsFailed as error:  # the others have scores, and the other systems their turn
            scores, failures = error.scores, list(error.failures.values())
        songs = {t: np.array([song.median(t) for song in scores]) for t in targets}
        entries.append(LadderEntry(name, kind, songs, failures=failures))
    if all(find_scored_frames(track) for track in tracks):
        names = [track.name for track in tracks]
        for system in published("clips").values():
            songs = {target: system.values(target, tracks=names) for target in TARGETS}
            entries.append(LadderEntry(system.name, system.kind, songs, published=True))
    entries.sort(key=lambda entry: (KINDS.index(entry.kind), _height(entry)))
    _write(folder / "ladder.csv", entries)
    return entries


def ladder_table(entries: Sequence[LadderEntry]) -> str:
    """A text table: SDR in dB, the median over the songs of each system."""
    width = max(len(entry.name) for entry in entries) + 2
    lines, kind = [" " * width + "".join(f"{target:>8s}" for target in TARGETS)], None
    for entry in entries:
        if entry.kind != kind:
            kind = entry.kind
            lines.append(f"-- {kind}")
        medians = [entry.median(target) for target in TARGETS]
        cells = "".join(f"{'' if np.isnan(m) else format(m, '.2f'):>8s}" for m in medians)
        lines.append(f"{entry.name:{width}s}{cells}{'   published' if entry.published else ''}")
    return "\n".join(lines)


def _always(separate: Separates) -> Callable[[], Separates]:
    return lambda: separate


def _height(entry: LadderEntry) -> float:
    """For the order: by vocals, or, where a system does not give them, by what it gives."""
    medians = [entry.median(target) for target in TARGETS]
    return next((median for median in medians if not np.isnan(median)), float("-inf"))


def _learned_nmf(corpus: Corpus) -> Callable[[torch.Tensor, int], dict[str, torch.Tensor]]:
    """NMF for drums, with spectra learned from the corpus's training songs."""
    tracks = corpus.tracks("train")
    if not tracks:
        raise CorpusError("NMF learns from training songs, and this corpus has none.")
    tracks = tracks[:: max(1, len(tracks) // _TEACHERS)]
    drums = [track.stems()["drums"] for track in tracks]
    others = [track.mixture() - track.stems()["drums"] for track in tracks]
    spectra, rest = classic.dictionary(drums, 16, 60), classic.dictionary(others, 32, 60)
    return partial(classic.nmf, spectra=spectra, rest=rest)


def _write(path: Path, entries: Sequence[LadderEntry]) -> None:
    with atomic(path) as partial_path, open(partial_path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["system", "kind", "published", "target", "songs", "median", "low", "high"])
        for entry in entries:
            for target, values in entry.songs.items():
                if np.isnan(values).all():
                    continue
                known = int((~np.isnan(values)).sum())
                numbers = (entry.median(target), *confidence_interval(values))
                table.writerow(
                    [entry.name, entry.kind, entry.published, target, known]
                    + [f"{number:.3f}" for number in numbers]
                )
