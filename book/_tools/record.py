"""Make the record of a finished training: what chapters 7 and 13 draw from.

    python book/_tools/record.py RUN_FOLDER NAME GROUP "what was tried" --command "unmix-lite ..."

reads the curves that `train` left in RUN_FOLDER, scores the networks there on the validation songs
(the test songs choose nothing), and writes book/results/training/NAME.json (or, with --into roads,
book/results/roads/NAME.json: chapter 13 compares trainings of Open-Unmix alone). With --beside, it
scores an ensemble: the mean of what these networks and those of other folders estimate.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import records
import torch
from scipy.stats import bootstrap

from unmix_lite.corpora import open_corpus
from unmix_lite.evaluation import evaluate
from unmix_lite.separation import Ensemble, Separator


def main(options):
    rounds = {} if options.iterations is None else {"iterations": options.iterations}
    separator = Separator.from_pretrained(
        options.run, "cpu", posterior=options.posterior, neighbours=options.neighbours,
        softmask=options.softmask, **rounds,
    )  # fmt: skip
    if options.beside:
        members = [separator, *(Separator.from_pretrained(run, "cpu") for run in options.beside)]
        separator.networks = torch.nn.ModuleDict({
            target: Ensemble([member.networks[target] for member in members])
            for target in separator.targets
        })  # fmt: skip
    tracks = open_corpus(options.corpus).tracks("valid")
    with tempfile.TemporaryDirectory() as scratch:
        songs = evaluate(separator, tracks, scratch, separator.targets, metrics="sdr")
    files = [file for file in options.run.glob("*.safetensors") if "." not in file.stem]
    curves = {file.stem: _curves(file.with_suffix(".json")) for file in sorted(files)}
    first = next(iter(curves.values()))[0]
    record = {
        "name": options.name, "group": options.group, "what": options.what,
        **records.origin(options),
        "minutes": round(sum(_minutes(c) for c in _trainings(curves)), 1),
        "targets": separator.targets, "config": first["config"], "history": first["history"],
        "iterations": separator.filter.iterations, "posterior": options.posterior,
        "neighbours": options.neighbours, "softmask": options.softmask,
        "scores": {
            "measure": records.MEASURE, "songs": len(songs), **_scores(songs, separator.targets)
        },
    }  # fmt: skip
    if options.brief:
        for told_elsewhere in ("minutes", "config", "history"):
            del record[told_elsewhere]
    elif len(_trainings(curves)) > 1:
        record["trainings"] = curves
    records.write(options.into, record)
    print(options.name, {t: s["median"] for t, s in record["scores"]["targets"].items()})


def _curves(file):
    """The trainings behind a target's weights, in their order: what they began from, and then one,
    or those that `average.py` averaged."""

    def trainings(curve):
        before = trainings(curve["began_from"]) if "began_from" in curve else []
        return before + curve.get("averaged", [curve])

    kept = ("config", "best_step", "history")
    return [{key: part[key] for key in kept} for part in trainings(json.loads(file.read_text()))]


def _trainings(curves):
    """One curve per training: targets trained jointly share theirs."""
    found = {json.dumps(c["config"]): c for parts in curves.values() for c in parts}
    return list(found.values())


def _minutes(curve):
    return curve["history"][-1]["seconds"] / 60


def _scores(songs, names):
    targets = {}
    for target in names:
        values = np.array([song.median(target) for song in songs])
        values = values[~np.isnan(values)]
        interval = bootstrap(
            [values], np.median, n_resamples=2000, method="percentile", rng=0
        ).confidence_interval
        targets[target] = {
            "median": round(float(np.median(values)), 3),
            "low": round(float(interval.low), 3),
            "high": round(float(interval.high), 3),
            "songs": [round(float(value), 3) for value in values],
        }
    medians = [scores["median"] for scores in targets.values()]
    return {"targets": targets, "mean": round(float(np.mean(medians)), 3)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("group")
    parser.add_argument("what")
    records.add_options(parser)
    parser.add_argument("--corpus", default="auto")
    # Trainings are compared behind the reference's filter, whatever is played in the end.
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--posterior", action="store_true")
    parser.add_argument("--neighbours", type=int, default=0)
    parser.add_argument("--into", choices=("training", "roads"), default="training")
    parser.add_argument("--softmask", action="store_true")
    parser.add_argument("--beside", nargs="+", default=[], metavar="RUN_FOLDER")
    parser.add_argument("--brief", action="store_true", help="another record has the trainings")
    main(parser.parse_args())
