"""Trains twice on DIR/songs: undisturbed into DIR/whole, and killed twenty times into DIR/killed.

A script, since only a process that has computed nothing yet can be forked safely; and forking saves
the start of Python and torch, which takes longer than these trainings.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
import torch._dynamo  # noqa: F401  the first optimiser would import it, in every process anew

import unmix_lite.training  # noqa: F401  imported once, for all that are forked
from unmix_lite.cli import main

with contextlib.suppress(ImportError):
    import torch.utils.tensorboard  # noqa: F401

root = Path(sys.argv[1])
OPTIONS = ["--targets", "vocals", "--steps", "60", "--valid-every", "1", "--batch-size", "2",
           "--seconds", "0.2", "--hidden-size", "8", "--average", "0.9", "--loss", "l1",
           "--learning-rate", "0.01", "--device", "cpu"]  # fmt: skip


def start(folder, dies_at=None):
    """The command, in a process of its own that kills itself at its n-th rename, if asked to."""
    process = os.fork()
    if process:
        return process
    os.environ["UNMIX_LITE_CACHE"] = str(root / f"cache of {folder}")
    if dies_at:
        die_at_rename(dies_at)
    code = 1
    try:
        code = main(["train", "--corpus", f"{root}/songs", "-o", f"{root}/{folder}", *OPTIONS])
    finally:
        sys.stderr.flush()
        os._exit(code)


def die_at_rename(number):
    """Every file is written beside its place and renamed: die just before or just after that."""
    rename, left = os.replace, iter(range(number - 1, -1, -1))

    def replace(*names):
        last = next(left) == 0
        if last and number % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(*names)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace


def kill_after_states(process, states, seconds):
    """Kill from outside, some time after so many new states were seen."""
    file = root / "killed" / "vocals.state.safetensors"
    seen = set()
    while len(seen) <= states:
        try:
            seen.add(file.stat().st_mtime_ns)
        except FileNotFoundError:
            pass
        if os.waitpid(process, os.WNOHANG)[0]:
            sys.exit("the training ended by itself, before it could be killed")
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)


def end_of(process):
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


torch.set_num_threads(1)
if code := end_of(start("whole")):
    sys.exit(f"the undisturbed training ended with {code}")
chance, kills = random.Random(0), 0
# The first falls among the songs' decoding; two more between and amid the files of a validation.
for number in (3, *(chance.randrange(4, 12) for _ in range(14))):
    kills += end_of(start("killed", dies_at=number)) == -signal.SIGKILL
for _ in range(5):
    process = start("killed")
    kill_after_states(process, chance.randrange(1, 3), chance.uniform(0, 0.03))
    kills += end_of(process) == -signal.SIGKILL
if code := end_of(start("killed")):
    sys.exit(f"the last call ended with {code}")
print(json.dumps({"kills": kills}))
