"""Make the record of a finished ladder: what chapter 9 shows.

    python book/_tools/record_ladder.py LADDER_FOLDER NAME --command "unmix-lite ladder ..."

reads the ladder.csv that `unmix-lite ladder` left in LADDER_FOLDER and writes
book/results/ladder/NAME.json.
"""

import argparse
import csv
import datetime
import json
import platform
from pathlib import Path

import torch
from record import MEASURE, _commit, _machine

from unmix_lite.audio import atomic

RESULTS = Path(__file__).parents[1] / "results" / "ladder"


def main(options):
    rungs = {}
    with open(options.ladder / "ladder.csv", newline="") as file:
        for row in csv.DictReader(file):
            published = row["published"] == "True"
            rung = rungs.setdefault(
                (row["system"], published),
                {"system": row["system"], "kind": row["kind"], "published": published,
                 "targets": {}},
            )  # fmt: skip
            numbers = {name: float(row[name]) for name in ("median", "low", "high")}
            rung["targets"][row["target"]] = {"songs": int(row["songs"]), **numbers}
    record = {
        "name": options.name, "command": options.command, "commit": options.commit or _commit(),
        "machine": options.machine or _machine(), "date": datetime.date.today().isoformat(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "measure": MEASURE,
        "rungs": list(rungs.values()),
    }  # fmt: skip
    RESULTS.mkdir(parents=True, exist_ok=True)
    with atomic(RESULTS / f"{options.name}.json") as file:
        file.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ladder", type=Path)
    parser.add_argument("name")
    parser.add_argument("--command", required=True)
    for optional in ("--commit", "--machine"):
        parser.add_argument(optional)
    main(parser.parse_args())
