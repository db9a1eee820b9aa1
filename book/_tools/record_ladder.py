"""Make the record of a finished ladder: what chapter 11 shows.

    python book/_tools/record_ladder.py LADDER_FOLDER NAME --command "unmix-lite ladder ..."

reads the ladder.csv that `unmix-lite ladder` left in LADDER_FOLDER and writes
book/results/ladder/NAME.json.
"""

import argparse
import csv
from pathlib import Path

import records


def main(options):
    entries = {}
    with open(options.ladder / "ladder.csv", newline="") as file:
        for row in csv.DictReader(file):
            published = row["published"] == "True"
            entry = entries.setdefault(
                (row["system"], published),
                {"system": row["system"], "kind": row["kind"], "published": published,
                 "targets": {}},
            )  # fmt: skip
            numbers = {name: float(row[name]) for name in ("median", "low", "high")}
            entry["targets"][row["target"]] = {"songs": int(row["songs"]), **numbers}
    record = {
        "name": options.name, **records.origin(options),
        "measure": records.MEASURE,
        "rungs": list(entries.values()),
    }  # fmt: skip
    records.write("ladder", record)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ladder", type=Path)
    parser.add_argument("name")
    records.add_options(parser)
    main(parser.parse_args())
