"""Runs a command undisturbed into DIR/whole; then, twenty times, kills it at another moment of its
work in a fresh folder, runs it again there, and compares. Prints {"moments": ..., "kills": ...}.

    python killed_command.py separate|evaluate|band|preview|grade DIR

A moment is a write, a rename, a new folder or a removal: between two of them the disk is the same.
A script, since only a process that has computed nothing yet can be forked safely; and forking saves
the start of Python and torch.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
from functools import partial
from pathlib import Path

import matplotlib
import soundfile

import unmix_lite.cli
import unmix_lite.plots  # noqa: F401  imported once, for all that are forked
from unmix_lite.corpora import band
from unmix_lite.evaluation import scoring  # noqa: F401
from unmix_lite.separation import separator  # noqa: F401

CLASSROOM = Path(__file__).parents[2] / "book" / "_tools" / "classroom"
sys.path.insert(0, str(CLASSROOM))
import grade  # noqa: E402

KILLS = 20
name, root = sys.argv[1], Path(sys.argv[2])
matplotlib.use("agg")
# A band of three songs, in a tenth of the time.
band.render_band = partial(band.render_band, train=2, test=1, seconds=2.0, rate=8000)
COMMANDS = {
    "separate": ["separate", root / "songs", "--model", root / "model", "-o", "{}"],
    "evaluate": ["evaluate", "--corpus", root / "corpus", "--model", "HPSS", "--sdr-only", "-o",
                 "{}"],
    "band": ["corpus", "band", "-o", "{}"],
    "preview": ["corpus", "preview"],
}  # fmt: skip


class QuickGrader:
    """In nbgrader's place, which takes many seconds: a point for every ten bytes."""

    def __init__(self, scratch, *_):
        self.scratch = Path(scratch)

    def grade(self, number, student, path):
        page = self.scratch / f"{number}.html"
        page.write_text(f"<html><body>{path.read_text()}</body></html>")
        return grade.Mark(student, "A1", path.stat().st_size / 10), page


grade.Grader, grade.Release, grade.has_jail = QuickGrader, Path, lambda: True
if name == "grade":
    unmix_lite.corpora.open_corpus = lambda name: None  # nobody plays it here


def call(folder):
    """The command, as its user would give it."""
    if name == "grade":
        return grade.main([str(root / "submissions"), "-o", str(folder / "grades"), "--jobs", "1"])
    return unmix_lite.cli.main([str(word).format(folder) for word in COMMANDS[name]])


class Moments:
    """Counts the moments of a process, and ends it at one of them."""

    def __init__(self, dies_at=0):
        self.count, self.dies_at, self.lock = 0, dies_at, threading.Lock()
        for holder, names in (
            (os, ("replace", "rename", "unlink", "mkdir", "rmdir")),
            (soundfile.SoundFile, ("write",)),
            (Path, ("write_text", "touch")),
        ):
            for one in names:
                setattr(holder, one, self.watched(getattr(holder, one)))

    def watched(self, function):
        def wrapper(*arguments, **others):
            with self.lock:
                self.count += 1
                last = self.count == self.dies_at
            if last and self.dies_at % 2:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return function(*arguments, **others)
            finally:
                if last:
                    os.kill(os.getpid(), signal.SIGKILL)

        return wrapper


def run(folder, dies_at=0):
    """The command in a process of its own; returns its exit status and its number of moments."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        os.environ["UNMIX_LITE_CACHE"] = str(folder)
        moments, code = Moments(dies_at), 1
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
            code = call(folder)
        os.write(writing, str(moments.count).encode())
        os._exit(code)
    os.close(writing)
    _, status = os.waitpid(process, 0)
    count = int(os.read(reading, 100) or 0)
    os.close(reading)
    return status, count


def tree(folder):
    """All files below a folder, hidden ones too, and what they hold."""
    return {
        path.relative_to(folder).as_posix(): path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
    }


def halves(folder):
    """Files of finished names that are not as they will be: half-written, taken for whole."""
    return [
        path for path, content in tree(folder).items()
        if content and "/." not in f"/{path}" and path in whole and content != whole[path]
    ]  # fmt: skip


(root / "whole").mkdir()
status, moments = run(root / "whole")
assert status == 0, status
whole = tree(root / "whole")
kills = 0
for number in range(KILLS):
    folder = root / f"killed {number}"
    folder.mkdir()
    status, _ = run(folder, 1 + number * moments // KILLS)
    assert os.WIFSIGNALED(status), (number, status)
    kills += 1
    allowed = {"preview": ("MUSDB18-7-STEMS.zip.partial",), "grade": ("marks.csv",)}.get(name, ())
    unfinished = [path for path in halves(folder) if not path.endswith(allowed or "\0")]
    assert not unfinished, (number, unfinished)
    status, _ = run(folder)
    assert status == 0, (number, status)
    found = tree(folder)
    assert found.keys() == whole.keys(), (number, found.keys() ^ whole.keys())
    assert found == whole, (number, [path for path in whole if whole[path] != found[path]])
    shutil.rmtree(folder)
print(json.dumps({"moments": moments, "kills": kills}))
