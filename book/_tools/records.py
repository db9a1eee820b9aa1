"""What every record under book/results says of itself, and how it gets there."""

import datetime
import json
import os
import platform
import subprocess
from pathlib import Path

import torch

from unmix_lite.files import atomic

RESULTS = Path(__file__).parents[1] / "results"
MEASURE = "SDR in dB, BSS Eval v4: median over 1 s frames, then over songs; 95 % bootstrap interval"


def add_options(parser):
    """The arguments that `origin` reads, beside the record's name."""
    parser.add_argument("--command", required=True, help="that was run")
    parser.add_argument("--commit", help="it ran at (the one checked out, -dirty if changed)")
    parser.add_argument("--machine", help="it ran on (this one)")


def origin(options):
    """Command, commit, machine, date and versions."""
    return {
        "command": options.command, "commit": options.commit or commit(),
        "machine": options.machine or f"{os.cpu_count()} cores ({platform.machine()}), no GPU",
        "date": datetime.date.today().isoformat(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }  # fmt: skip


def write(kind, record):
    """Into the folder of its kind ("training", "ladder", ...), as a file of the record's name."""
    with atomic(RESULTS / kind / f"{record['name']}.json") as file:
        file.write_text(json.dumps(record, indent=1) + "\n")


def commit(repository=RESULTS):
    """The commit checked out, and "-dirty" behind it where a tracked file has changed since.

    Other records do not count: one that was made a moment ago changes nothing that is measured.
    """
    git = ["git", "-C", str(repository)]
    head = subprocess.check_output([*git, "rev-parse", "--short", "HEAD"], text=True).strip()
    status = ["status", "--porcelain", "--untracked-files=no", ":/", ":(top,exclude)book/results"]
    return head + "-dirty" * bool(subprocess.check_output([*git, *status], text=True))
