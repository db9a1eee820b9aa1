"""What all benchmarks share: where and with what a record was made, and the file it goes to."""

import datetime
import json
import os
import platform
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import torch

from unmix_lite.files import atomic


def add_options(parser):
    """The arguments that `origin` and `write` read."""
    words = "the machine, if it is to be told otherwise"
    parser.add_argument("--machine", metavar="WORDS", help=words)
    parser.add_argument("-o", "--output", type=Path, help="write the result here, as JSON")


def origin(options, device, libraries):
    """Command, date, commit, machine, versions: what every record tells."""
    return {
        "command": shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "date": datetime.date.today().isoformat(), "commit": commit(),
        "machine": options.machine or machine(device),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in libraries},
    }  # fmt: skip


def print_origin(record):
    """The same in words."""
    print(f"{record['machine']}; {record['date']}, commit {record['commit']}")
    print(", ".join(f"{name} {number}" for name, number in record["versions"].items()))


def write(options, record):
    """The record into the file that was asked for, if one was."""
    if options.output:
        with atomic(options.output) as file:
            file.write_text(json.dumps(record, indent=1) + "\n")


def machine(device):
    """The machine in words."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    return f"{os.cpu_count()} cores of an {(names or [platform.machine()])[0]}; {gpu}"


def commit():
    """The commit that was measured, with "-dirty" behind it where what it holds has been changed
    since (other records apart); None outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    status = ["status", "--porcelain", "--untracked-files=no", ":/", ":(top,exclude)book/results"]
    try:
        head, changed = (
            subprocess.check_output([*git, *words], text=True, stderr=subprocess.DEVNULL).strip()
            for words in (["rev-parse", "--short", "HEAD"], status)
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + "-dirty" * bool(changed)
