"""The command line: `unmix-lite separate | train | evaluate | ladder | corpus | export`."""

import io
import sys
import warnings
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..devices import device_of, memory_for
from ..errors import CorpusError, UnmixError, require
from .parser import parser
from .separating import separate

if TYPE_CHECKING:
    from ..evaluation import Separates, TrackScores


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A song's name may have letters that this terminal has not.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    options = parser().parse_args(arguments)
    commands = {"separate": separate, "train": train, "evaluate": evaluate, "ladder": ladder,
                "corpus": corpus, "export": export}  # fmt: skip
    run = commands[options.command]
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _note  # type: ignore[assignment]
            return run(options) or 0
    except UnmixError as error:
        return _fail(error)
    except OSError as error:
        return _fail(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "))
    except KeyboardInterrupt:
        print("unmix-lite: stopped; what was finished is kept.", file=sys.stderr)
        return 130


def _note(message: Warning | str, *place: Any) -> None:
    """A warning as one line that says nothing of the code it comes from."""
    print(f"unmix-lite: note: {message}", file=sys.stderr)


def train(options: Namespace) -> None:
    """Train the targets, one after the other or jointly, into OUTPUT."""
    from functools import partial

    from ..corpora import open_corpus, sources_of
    from ..names import NETWORKS, TARGETS
    from ..training import TrainingConfig, Workers, best_of, forget_state, state_file
    from ..training import train as fit
    from .recipe_options import recipe_of

    device = device_of(options.device)
    workers = Workers(device)
    say = print if workers.is_main else lambda _: None
    # Of several processes one downloads or renders it.
    corpus = workers.in_turn(partial(open_corpus, options.corpus))
    say(corpus)
    tracks, valid = corpus.tracks("train"), corpus.tracks("valid")
    sources = sources_of(tracks, options.targets)
    if sources != TARGETS:
        say(f"a song is the sum of {', '.join(sources)}")
    recipe = recipe_of(options)
    network = recipe.get("network", TrainingConfig.network)
    joint = options.joint or not NETWORKS[network].one_per_target
    groups = [options.targets] if joint else [[target] for target in options.targets]
    # All recipes are checked before the first hour is spent.
    configs = [TrainingConfig(targets=tuple(g), sources=sources, **recipe) for g in groups]
    for config in configs:
        if options.overwrite and workers.is_main:
            forget_state(state_file(options.output, config.name))
        workers.wait()
        with memory_for("train", "take a smaller --batch-size, fewer --seconds or --device cpu"):
            history = fit(config, tracks, valid, options.output, device)
        for target in config.targets:
            best = best_of(history, target, config.is_joint)
            say(
                f"{target}: best validation loss {best['valid_losses'][target]:.4f} at step "
                f"{best['step']}"
            )
    say(f"the weights are in {options.output}; use them with: --model {options.output}")


def evaluate(options: Namespace) -> int:
    """Score a model on one split and print the table."""
    require("matplotlib", "course", "evaluate")  # before hours are spent, not after
    from ..classic import CLASSIC
    from ..corpora import open_corpus
    from ..evaluation import (
        ORACLES,
        OracleEstimates,
        SongsFailed,
        StoredEstimates,
        mixture_estimate,
    )
    from ..evaluation import evaluate as score
    from ..separation import Separator

    corpus = open_corpus(options.corpus)
    print(corpus)
    targets = options.targets
    networks = not (options.estimates or options.model in {"mixture", *ORACLES, *CLASSIC})
    if not networks and (options.iterations is not None or options.device):
        raise UnmixError(
            "--iterations and --device are for networks; leave them out for "
            f"{'--estimates' if options.estimates else options.model}."
        )
    separate_song: Separates
    if options.estimates:
        separate_song, name = StoredEstimates(options.estimates), str(options.estimates)
    elif options.model == "mixture":
        separate_song, name = mixture_estimate, "mixture"
    elif options.model in ORACLES:
        separate_song, name = OracleEstimates(options.model), options.model
    elif options.model in CLASSIC:
        separate_song, target = CLASSIC[options.model]
        targets, name = targets or [target], options.model
    else:
        separator = Separator.from_pretrained(
            options.model, device_of(options.device), **_filter_settings(options)
        )
        separate_song, name = separator, options.model
        if separator.filter:
            name += f", {separator.filter.iterations} EM iterations"
    failure: SongsFailed | None = None
    try:
        scores = score(
            separate_song, corpus.tracks(options.split), options.output, targets,
            metrics="sdr" if options.sdr_only else "all", model=name, jobs=options.jobs,
            overwrite=options.overwrite,
        )  # fmt: skip
    except SongsFailed as error:
        failure, scores = error, error.scores
    if scores:
        _show(scores, name, options.output)
    return _fail(failure) if failure else 0


def _show(scores: "list[TrackScores]", name: str, folder: Path) -> None:
    """Print the table of a model's scores, and draw them into the folder."""
    from ..evaluation import table
    from ..files import atomic
    from ..plots import score_chart

    print(table(scores))
    per_target = {t: [song.median(t) for song in scores] for t in scores[0].targets}
    figure: Any = score_chart(per_target, title=f"{name}: {len(scores)} songs").figure
    with atomic(folder / "scores.png") as partial:
        figure.savefig(partial)
    print(f"in {folder}: scores.csv, summary.csv, scores.png, and museval's JSON per song")


def ladder(options: Namespace) -> int:
    """Score all systems on the test songs and print their table."""
    from ..corpora import open_corpus
    from ..evaluation import ladder_table, score_systems

    opened = open_corpus(options.corpus)
    print(opened)
    entries = score_systems(
        opened, options.output, device=device_of(options.device), jobs=options.jobs,
        overwrite=options.overwrite,
    )  # fmt: skip
    text = ladder_table(entries)
    (options.output / "ladder.txt").write_text(text + "\n", encoding="utf-8")
    print(f"{text}\nin {options.output}: ladder.csv, ladder.txt, and the scores of each system")
    failures = {line: None for entry in entries for line in entry.failures}
    return _fail("\n  ".join(failures)) if failures else 0


def corpus(options: Namespace) -> None:
    """Open or render a data set and list its splits."""
    from ..corpora import open_corpus
    from ..names import SPLITS

    name = options.name
    if options.output or options.seed is not None:
        from ..corpora.band import render_band

        if name != "band" or not options.output:
            raise UnmixError(
                "--output and --seed go together with 'band': corpus band -o DIR [--seed N]."
            )
        name = render_band(options.output, seed=options.seed or 0)
    opened = open_corpus(name)
    print(opened)
    for split in SPLITS:
        try:
            tracks = opened.tracks(split)
        except CorpusError:
            tracks = []
        print(
            f"  {split}: {len(tracks)} songs" + (f", {tracks[0].name} the first" if tracks else "")
        )


def export(options: Namespace) -> None:
    """Write a model's networks in other formats."""
    from ..weights import export_networks, load_networks

    loaded = load_networks(options.model, options.targets)
    networks = {target: network for target, (network, _) in loaded.items()}
    cards = {target: card for target, (_, card) in loaded.items()}
    for path in export_networks(networks, cards, options.output, options.kinds, options.overwrite):
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


def _filter_settings(options: Namespace) -> dict[str, Any]:
    """The Wiener filter's settings, where the user asks for others than the model's own."""
    return {} if options.iterations is None else {"iterations": options.iterations}


def _fail(message: object) -> int:
    print(f"unmix-lite: {message}", file=sys.stderr)
    return 1
