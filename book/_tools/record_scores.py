"""Make the record of a finished evaluation: what chapter 10 draws beside the published systems.

    python book/_tools/record_scores.py SCORES_FOLDER NAME --command "unmix-lite evaluate ..."

reads the scores that `evaluate` left in SCORES_FOLDER and writes each song's medians to
book/results/scores/NAME.json.
"""

import argparse
import datetime
import json
import platform
from pathlib import Path

import torch
from record import _commit, _machine

from unmix_lite.audio import atomic
from unmix_lite.evaluation import load_scores

RESULTS = Path(__file__).parents[1] / "results" / "scores"


def main(options):
    settings = json.loads((options.scores / "settings.json").read_text())
    songs = load_scores(options.scores)
    record = {
        "name": options.name, "command": options.command, "commit": options.commit or _commit(),
        "machine": options.machine or _machine(), "date": datetime.date.today().isoformat(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "measure": "SDR in dB, BSS Eval v4: median over the frames of a song",
        "seconds": settings["seconds"],
        "songs": {
            song.track: {target: round(song.median(target), 3) for target in song.targets}
            for song in songs
        },
    }  # fmt: skip
    RESULTS.mkdir(parents=True, exist_ok=True)
    with atomic(RESULTS / f"{options.name}.json") as file:
        file.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scores", type=Path)
    parser.add_argument("name")
    parser.add_argument("--command", required=True)
    for optional in ("--commit", "--machine"):
        parser.add_argument(optional)
    main(parser.parse_args())
