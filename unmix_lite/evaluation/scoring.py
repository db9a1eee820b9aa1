"""Score a separator on a data set: resumable, a file per song, a table at the end."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from ..errors import AudioError, CorpusError, UnmixError
from ..files import StrPath, atomic
from ..names import TARGETS
from .bss_eval_v4 import bss_eval
from .estimates import Separates, Song
from .ratios import frame_sdr
from .scores import TrackScores, table, write_csv, write_summary
from .sisec_frames import ScoredFrames, find_scored_frames


def evaluate(
    separate: Separates,
    tracks: Iterable[Song],
    folder: StrPath,
    targets: Sequence[str] | None = None,
    metrics: str = "all",
    progress: bool = True,
    model: str = "",
    sisec: bool = True,
    jobs: int = 1,
) -> list[TrackScores]:
    """Separate and score songs, and keep every score as it is made.

    In `folder`: `settings.json`; museval's JSON of each song, `<split>/<song>.json` (so museval's
    `EvalStore.add_eval_dir(folder)` reads the test songs); at the end `scores.csv`, `summary.csv`
    and `scores.txt` (the table). Songs already scored there are not scored again: after an
    interruption, call it again. Other songs' scores may lie there too; they are left alone.

    Args:
        separate: called with a mixture `(channels, samples)` and its rate in Hz; returns a dict
            target -> estimate of the same shape. A `Separator`, or `mixture_estimate`.
        tracks: objects with `name`, `rate`, `mixture()` and `stems()`, as a Corpus lists them.
        targets: the stems to score, in this order; None means vocals, drums, bass and other. A
            single one is scored against the rest of the song (for vocals, `accompaniment`).
        metrics: "all" for SDR, ISR, SIR and SAR; "sdr" for the SDR alone, at once.
        progress: show a progress bar and say what is skipped or cannot be scored.
        model: what is being evaluated, for `settings.json`; scores of two models do not mix.
        sisec: score exactly the frames of SiSEC 2018 where the data set's `excerpts.csv` names
            them; otherwise, and where it does not, all whole seconds from the start.
        jobs: processes that share the songs; each has a copy of the separator in memory. More than
            one pays where the scoring takes longer than the separation, or both use one core.

    Returns:
        a list of `TrackScores`, in the order of `tracks`.

    Raises:
        UnmixError: the folder holds scores made with other settings, or an estimate is missing or
            misshapen.
        CorpusError: a stem is missing.
    """
    tracks, folder = list(tracks), Path(folder)
    targets = list(TARGETS if targets is None else targets)
    _check_arguments(tracks, targets, metrics)
    excerpts = [find_scored_frames(track) if sisec else None for track in tracks]
    settings = {
        "model": str(model), "metrics": metrics, "targets": targets, "window": 1.0, "hop": 1.0,
        "seconds": "SiSEC 2018" if any(excerpts) else "whole",
    }  # fmt: skip
    _check_settings(folder, settings)
    files = [_scores_file(folder, track) for track in tracks]
    work = [
        (separate, track, excerpt, targets, metrics, file)
        for track, excerpt, file in zip(tracks, excerpts, files)
        if not file.is_file()
    ]
    quiet = {} if progress else {"disable": True}
    with tqdm(total=len(tracks), desc="evaluate", unit="song", **quiet) as bar:
        say = bar.write if progress else lambda line: None
        if skipped := len(tracks) - len(work):
            say(f"{skipped} of {len(tracks)} songs are already scored in {folder}; skipping them.")
            bar.update(skipped)
        for _ in _each(work, jobs):
            bar.update()
        scores = [TrackScores.load(file) for file in files]
        for song in scores:
            for target in song.targets:
                if song.left_out(target) == song.frames:
                    say(f"{song.track}: {target} has no score, it or its estimate being silent.")
    _report(folder, scores)
    return scores


def score_song(
    name: str,
    references: Mapping[str, torch.Tensor],
    estimates: Mapping[str, torch.Tensor],
    rate: int = 44100,
    metrics: str = "all",
) -> TrackScores:
    """Score one song's estimates against its stems, in frames of 1 s.

    Args:
        name: the song's name.
        references, estimates: dicts target -> `(channels, samples)` with the same targets.
        metrics: "all" or "sdr".

    Returns:
        TrackScores.
    """
    targets = list(references)
    true, estimated = (
        torch.stack([stems[target] for target in targets]).transpose(1, 2)
        for stems in (references, estimates)
    )
    if metrics == "sdr":
        rows = {"SDR": frame_sdr(true, estimated, rate)}
    else:
        rows = bss_eval(true, estimated, rate)
    return TrackScores(
        name, {t: {m: row[i] for m, row in rows.items()} for i, t in enumerate(targets)}
    )


def _each(work: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[None]:
    """Do all of the work, here or in several processes; yields as each song is done."""
    if jobs < 2 or len(work) < 2:
        for arguments in work:
            _separate_and_score(*arguments)
            yield
        return
    jobs = min(jobs, len(work))
    threads = max(1, torch.get_num_threads() // jobs)
    # Spawned, as everywhere but on Linux: a fork would inherit threads that are not there.
    with ProcessPoolExecutor(
        jobs, get_context("spawn"), initializer=torch.set_num_threads, initargs=(threads,)
    ) as pool:
        futures = [pool.submit(_separate_and_score, *arguments) for arguments in work]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # what is done is on disk
            raise


def _separate_and_score(
    separate: Separates,
    track: Song,
    excerpt: ScoredFrames | None,
    targets: Sequence[str],
    metrics: str,
    file: Path,
) -> None:
    """Score one song and keep its scores in a file."""
    mixture, stems = track.mixture(), track.stems()
    missing = [target for target in targets if target not in stems]
    if missing:
        raise CorpusError(
            f"{track.name}: has no stem '{missing[0]}', only {', '.join(stems)}; score those."
        )
    if hasattr(separate, "of_track"):
        estimates = separate.of_track(track)
    else:
        estimates = separate(mixture, track.rate)
    estimates = {target: _estimate(estimates, target, mixture, track) for target in targets}
    references = {target: stems[target] for target in targets}
    if len(targets) == 1:
        # Interference needs something to interfere: BSS Eval of one source has no SIR.
        rest = "accompaniment" if targets == ["vocals"] else "rest"
        others = [stem for name, stem in stems.items() if name != targets[0]]
        references[rest] = sum(others, torch.zeros_like(mixture))
        estimates[rest] = mixture - estimates[targets[0]]
    if excerpt is not None:
        references, estimates = (
            {name: excerpt.cut(stem, track.rate, track.name) for name, stem in stems.items()}
            for stems in (references, estimates)
        )
    try:
        score_song(track.name, references, estimates, track.rate, metrics).save(file)
    except AudioError as error:
        raise AudioError(f"{track.name}: {error}") from error


def _estimate(
    estimates: Mapping[str, torch.Tensor], target: str, mixture: torch.Tensor, track: Song
) -> torch.Tensor:
    if target not in estimates:
        raise UnmixError(
            f"{track.name}: the separator gave no '{target}', only {', '.join(estimates)}; "
            "name the targets to score."
        )
    estimate = torch.as_tensor(estimates[target]).detach().cpu()
    if estimate.shape != mixture.shape:
        raise UnmixError(
            f"{track.name}: the estimate of '{target}' has shape {tuple(estimate.shape)}, the "
            f"mixture {tuple(mixture.shape)}; they must be equal."
        )
    return estimate


def _check_arguments(tracks: Sequence[Song], targets: Sequence[str], metrics: str) -> None:
    if not tracks:
        raise UnmixError("there are no songs to evaluate.")
    if not targets or len(set(targets)) < len(targets):
        raise UnmixError(f"name each target to score once, and at least one: {targets}.")
    if metrics not in ("all", "sdr"):
        raise UnmixError(f"metrics are 'all' or 'sdr', not '{metrics}'.")


def _check_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Keep the settings with the scores, and refuse a folder whose scores had others."""
    path = folder / "settings.json"
    if path.is_file():
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            stored = {}
        for name, value in settings.items():
            if stored.get(name) != value:
                raise UnmixError(
                    f"{folder}: holds scores with {name} = {stored.get(name)!r}, not {value!r}; "
                    "write to another folder, or delete this one."
                )
    elif any(folder.rglob("*.json")):
        raise UnmixError(
            f"{folder}: holds JSON files but no settings.json, so what made them is unknown; "
            "write to another folder."
        )
    else:
        with atomic(path) as partial:
            partial.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _scores_file(folder: Path, track: Song) -> Path:
    return folder / getattr(track, "split", "test") / f"{track.name}.json"


def _report(folder: Path, scores: Sequence[TrackScores]) -> None:
    write_csv(folder / "scores.csv", scores)
    write_summary(folder / "summary.csv", scores)
    with atomic(folder / "scores.txt") as partial:
        partial.write_text(table(scores) + "\n", encoding="utf-8")
