"""Make the record of a finished evaluation: what chapter 9 draws beside the published systems.

    python book/_tools/record_scores.py SCORES_FOLDER NAME --command "unmix-lite evaluate ..."

reads the scores that `evaluate` left in SCORES_FOLDER and writes each song's medians to
book/results/scores/NAME.json.
"""

import argparse
import json
from pathlib import Path

import records

from unmix_lite.evaluation import load_scores


def main(options):
    settings = json.loads((options.scores / "settings.json").read_text())
    songs = load_scores(options.scores)
    record = {
        "name": options.name, **records.origin(options),
        "measure": "SDR in dB, BSS Eval v4: median over the frames of a song",
        "seconds": settings["seconds"],
        "songs": {
            song.track: {target: round(song.median(target), 3) for target in song.targets}
            for song in songs
        },
    }  # fmt: skip
    records.write("scores", record)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scores", type=Path)
    parser.add_argument("name")
    records.add_options(parser)
    main(parser.parse_args())
