"""Score a separator on a data set: resumable, a file per song, a table at the end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from ..devices import memory_for
from ..errors import CorpusError, UnmixError
from ..files import StrPath
from ..names import TARGETS
from .bss_eval_v4 import bss_eval
from .estimates import Separates, Song, fitted
from .ratios import frame_sdr
from .score_folder import claim, report, scores_file
from .scores import TrackScores
from .sisec_frames import ScoredFrames, find_scored_frames


class SongsFailed(UnmixError):
    """Songs that could not be scored, a line for each; the others were, and are kept.

    Attributes:
        failures: dict song's name -> what is wrong. scores: list of `TrackScores`, of the others.
    """

    def __init__(self, failures: Mapping[str, str], scores: Sequence[TrackScores]):
        self.failures, self.scores = dict(failures), list(scores)
        lines = list(self.failures.values())
        if len(lines) > 1:
            head = f"{len(lines)} of {len(lines) + len(scores)} songs could not be scored:"
            lines = [head, *lines]
        super().__init__("\n  ".join(lines))


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
    overwrite: bool = False,
) -> list[TrackScores]:
    """Separate and score songs, and keep every score as it is made.

    In `folder`: `settings.json`; museval's JSON of each song, `<split>/<song>.json` (so museval's
    `EvalStore.add_eval_dir(folder)` reads the test songs); at the end `scores.csv`, `summary.csv`
    and `scores.txt` (the table). Songs already scored there are not scored again: after an
    interruption, call it again. Other songs' scores may lie there too; they are left alone. If the
    weights (or the stored estimates) have changed since, the old folder is set aside under another
    name, and all songs are scored anew. A song that cannot be scored does not keep others from it.

    Args:
        separate: called with a mixture `(channels, samples)` and its rate in Hz; returns a dict
            target -> estimate of the same shape. A `Separator`, or `mixture_estimate`. If it has a
            method `fingerprint()`, as a `Separator` has, its scores are tied to what that says.
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
        overwrite: score all songs anew, whatever is in the folder; what `evaluate` left there goes.

    Returns:
        a list of `TrackScores`, in the order of `tracks`.

    Raises:
        UnmixError: the folder holds scores made with other settings.
        SongsFailed: at the end, of songs that lack a stem, cannot be read, or whose estimates are
            missing or of another length (a little is cut off, or padded, and told).
    """
    tracks, folder = list(tracks), Path(folder)
    targets = list(TARGETS if targets is None else targets)
    _check_arguments(separate, tracks, targets, metrics)
    excerpts = [find_scored_frames(track) if sisec else None for track in tracks]
    settings = {
        "model": str(model), "metrics": metrics, "targets": targets, "window": 1.0, "hop": 1.0,
        "seconds": "SiSEC 2018" if any(excerpts) else "whole",
    }  # fmt: skip
    if hasattr(separate, "fingerprint"):
        settings["weights"] = separate.fingerprint()
    aside = claim(folder, settings, overwrite)
    files = [scores_file(folder, track) for track in tracks]
    work = [
        (separate, track, excerpt, targets, metrics, file)
        for track, excerpt, file in zip(tracks, excerpts, files)
        if not file.is_file()
    ]
    quiet = {} if progress else {"disable": True}
    with tqdm(total=len(tracks), desc="evaluate", unit="song", **quiet) as bar:
        say = bar.write if progress else lambda line: None
        if aside:
            say(f"what {model or 'this'} computes with has changed; its old scores are in {aside}.")
        if skipped := len(tracks) - len(work):
            say(f"{skipped} of {len(tracks)} songs are already scored in {folder}; skipping them.")
            bar.update(skipped)
        failures, changed = {}, []
        for name, problem, change in _each(work, jobs):
            bar.update()
            if problem:
                failures[name] = problem
            if change:
                changed.append(f"{name}: {change}")
        if changed:
            say(f"{changed[0]}" + f" So of {len(changed)} songs." * (len(changed) > 1))
        scores = [TrackScores.load(file) for file in files if file.is_file()]
        for song in scores:
            for target in song.targets:
                if song.left_out(target) == song.frames:
                    say(f"{song.track}: {target} has no score, it or its estimate being silent.")
    report(folder, scores)
    if failures:
        raise SongsFailed(failures, scores)
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


Outcome = tuple[str, str, str]
"""A song's name, why it could not be scored ("" if it was), and how its estimates were fitted."""


def _each(work: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[Outcome]:
    """Do all of the work, here or in several processes; yields as each song is done."""
    if jobs < 2 or len(work) < 2:
        for arguments in work:
            yield _attempt(*arguments)
        return
    jobs = min(jobs, len(work))
    threads = max(1, torch.get_num_threads() // jobs)
    # Spawned, as everywhere but on Linux: a fork would inherit threads that are not there.
    with ProcessPoolExecutor(
        jobs, get_context("spawn"), initializer=torch.set_num_threads, initargs=(threads,)
    ) as pool:
        futures = [pool.submit(_attempt, *arguments) for arguments in work]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # what is done is on disk
            raise


def _attempt(separate: Separates, track: Song, *arguments: Any) -> Outcome:
    """Score one song; what is wrong with it is for the end."""
    try:
        with memory_for(track.name, "take fewer --jobs, --device cpu, or cut the song"):
            return track.name, "", _separate_and_score(separate, track, *arguments)
    except UnmixError as error:
        line = str(error)
        return track.name, line if track.name in line else f"{track.name}: {line}", ""


def _separate_and_score(
    separate: Separates,
    track: Song,
    excerpt: ScoredFrames | None,
    targets: Sequence[str],
    metrics: str,
    file: Path,
) -> str:
    """Score one song and keep its scores in a file; returns how its estimates had to be fitted."""
    mixture, stems = track.mixture(), track.stems()
    seconds = mixture.shape[-1] / track.rate
    if seconds < 1:
        raise CorpusError(f"{track.name}: lasts {seconds:.2g} s, and frames of 1 s are scored.")
    missing = [target for target in targets if target not in stems]
    if missing:
        raise CorpusError(
            f"{track.name}: has no stem '{missing[0]}', only {', '.join(stems)}; score those."
        )
    if hasattr(separate, "of_track"):
        estimates = separate.of_track(track)
    else:
        estimates = separate(mixture, track.rate)
    estimates, change = fitted(estimates, targets, mixture, track)
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
    score_song(track.name, references, estimates, track.rate, metrics).save(file)
    return change


def _check_arguments(
    separate: Separates, tracks: Sequence[Song], targets: Sequence[str], metrics: str
) -> None:
    given = getattr(separate, "targets", targets)
    if missing := [target for target in targets if target not in given]:
        raise UnmixError(
            f"the separator gives no '{missing[0]}', only {', '.join(given)}; name the targets to "
            "score."
        )
    if not tracks:
        raise UnmixError("there are no songs to evaluate.")
    if not targets or len(set(targets)) < len(targets):
        raise UnmixError(f"name each target to score once, and at least one: {targets}.")
    if metrics not in ("all", "sdr"):
        raise UnmixError(f"metrics are 'all' or 'sdr', not '{metrics}'.")
