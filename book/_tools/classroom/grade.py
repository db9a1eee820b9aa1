"""Grade what students handed in: `make grade SUBMISSIONS=dir`.

    python book/_tools/classroom/grade.py SUBMISSIONS [-o _build/grades]

SUBMISSIONS holds one folder per student, as learning platforms export them, with the notebooks
anywhere inside. Writes marks.csv (one line per student and assignment) and, for each student, a
page of feedback per assignment. As many submissions are run at once as there are cores. What has
been graded is kept: stopped and started again, it goes on; called once more, it runs what is new.

Student code runs on this machine. It runs in a jail (jail.sh): it sees the disk read-only and the
solutions not at all, has no network, and may take so long per cell. Where the machine offers no
such jail, nothing is run unless you say --trust, for submissions you would run yourself.
"""

import argparse
import csv
import hashlib
import html
import json
import os
import queue
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain, count
from pathlib import Path

from course import ROOT, sources
from grader import Grader, Mark, Release, has_jail
from tqdm import tqdm

from unmix_lite.files import atomic, begun_here, remove_leftovers

_COLUMNS = ("student", "assignment", "points", "by_hand", "of", "remark", "feedback")


def grade_all(submissions, output, limit, jailed, jobs=1, again=False):
    """Grade every student's folder; returns the list of Marks. Each is on disk once it is made.

    Args:
        jobs: how many submissions run at once. again: run those, too, that were graded before.
    """
    from unmix_lite.corpora import open_corpus

    open_corpus("band")  # rendered once, for all
    students = sorted(path for path in submissions.iterdir() if path.is_dir())
    if not students:
        raise SystemExit(f"{submissions}: holds no folders; there must be one for each student.")
    work = [(student.name, path) for student in students for path in _notebooks(student)]
    output.mkdir(parents=True, exist_ok=True)
    kept, marks = Kept(output / ".graded", limit, again), []
    with _scratch() as scratch, ThreadPoolExecutor(jobs) as pool:
        graders = Graders(scratch, jobs, limit, jailed, (submissions, output))
        results = [
            pool.submit(_grade, kept, graders, number, *item) for number, item in enumerate(work)
        ]
        try:
            for (_, path), result in zip(work, tqdm(results, unit="notebook")):
                mark, page = result.result()
                if path is not None:
                    write_feedback(output, mark, page, {mark.feedback for mark in marks})
                marks.append(mark)
                _write_marks(output / "marks.csv", marks)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return marks


def _notebooks(student):
    """The notebooks in a student's folder, in order; None stands for none."""
    found = [
        path for path in sorted(student.rglob("*.ipynb"))
        # A link could show what lies elsewhere on this disk, the solutions for one.
        if ".ipynb_checkpoints" not in path.parts and not path.is_symlink()
    ]  # fmt: skip
    return found or [None]


def _grade(kept, graders, number, student, path):
    """The Mark of one notebook, and its page of feedback as text or None."""
    if path is None:
        return Mark(student, remark="there is no notebook"), None
    place = kept.place(path)
    if found := kept.read(place, student):
        return found
    with graders.one() as grader:
        mark, page = grader.grade(number, student, path)
        text = page.read_text() if page else None
    kept.write(place, mark, text)
    return mark, text


class Graders:
    """A grader for each job, made when it is first needed.

    Args:
        scratch: an empty folder. count: how many there may be. The others: as `Grader` takes them.
    """

    def __init__(self, scratch, count, limit, jailed, private):
        self.scratch, self.arguments, self.private = Path(scratch), (limit, jailed), private
        self.folders = [self.scratch / str(number) for number in range(count)]
        self.free, self.release, self.lock = queue.LifoQueue(), None, threading.Lock()
        for folder in reversed(self.folders):
            folder.mkdir()  # before the first jail is built: it can only hide what is there
            self.free.put(folder)

    @contextmanager
    def one(self):
        """A grader that nobody else has meanwhile."""
        grader = self.free.get()
        try:
            if isinstance(grader, Path):
                grader = self._make(grader)
            yield grader
        finally:
            self.free.put(grader)

    def _make(self, folder):
        """A grader in its folder; what the others run lies hidden from its jail."""
        with self.lock:
            self.release = self.release or Release(self.scratch / "release")
        others = [other for other in self.folders if other != folder]
        return Grader(folder, self.release, *self.arguments, (*self.private, *others))


class Kept:
    """Marks of what was graded before, by what is in it; a changed notebook has none.

    Args:
        folder: where they are kept. limit: of seconds, which marks depend on.
        again: find none.
    """

    def __init__(self, folder, limit, again=False):
        self.folder, self.again = folder, again
        made = [file.read_bytes() for file in sources().values()]
        self.common = hashlib.sha256(b"\0".join([*made, str(limit).encode()])).digest()

    def place(self, path):
        """The file for a notebook's mark. Its name counts: it may say which assignment it is."""
        content = self.common + path.name.encode() + b"\0" + path.read_bytes()
        return self.folder / f"{hashlib.sha256(content).hexdigest()[:24]}.json"

    def read(self, place, student):
        """(mark, page) for this student; None if there are none."""
        if self.again or not place.is_file():
            return None
        stored = json.loads(place.read_text(encoding="utf-8"))
        return Mark(**{**stored["mark"], "student": student}), stored["page"]

    def write(self, place, mark, page):
        with atomic(place) as partial:
            text = json.dumps({"mark": asdict(mark), "page": page})
            partial.write_text(text, encoding="utf-8")


@contextmanager
def _scratch():
    """A folder for what students' code sees. Its path is short, since sockets lie in it."""
    place = Path("/var/tmp")
    remove_leftovers(place)
    with tempfile.TemporaryDirectory(prefix=f".{begun_here()}-", dir=place) as scratch:
        yield scratch


def write_feedback(output, mark, feedback, taken):
    """The page, HTML or None, with the remark on top; no page in `taken` is written over."""
    name = mark.assignment or "unknown"
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    pages = (f"{mark.student}/{name}.html" for name in names)
    mark.feedback = next(page for page in pages if page not in taken)
    target = output / mark.feedback
    target.parent.mkdir(parents=True, exist_ok=True)
    text = feedback or "<!doctype html><html><body></body></html>"
    if mark.remark:
        note = f"<p role='note'><strong>{html.escape(mark.remark)}</strong></p>"
        start = text.index("<body")
        start = text.index(">", start) + 1
        text = text[:start] + note + text[start:]
    with atomic(target) as partial:
        partial.write_text(text)


def _write_marks(path, marks):
    with atomic(path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for mark in marks:
            table.writerow([getattr(mark, column) for column in _COLUMNS])


def main(arguments=None):
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("submissions", type=Path, help="one folder per student")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "_build" / "grades")
    parser.add_argument("--limit", type=int, default=60, help="seconds that a cell may take (60)")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="notebooks that run at once"
    )
    parser.add_argument("--again", action="store_true", help="run what was graded before, too")
    parser.add_argument("--trust", action="store_true", help="run the code without a jail")
    options = parser.parse_args(arguments)
    if not options.submissions.is_dir():
        raise SystemExit(f"{options.submissions}: no such folder.")
    jailed = not options.trust and has_jail()
    if not jailed and not options.trust:
        raise SystemExit(
            "This machine offers no jail (Linux namespaces), and student code would run with all "
            "your rights. Use the container of the teaching guide, or --trust if you would run "
            "these notebooks yourself."
        )
    os.environ.pop("MUSDB_PATH", None)
    folders = options.submissions.resolve(), options.output.resolve()
    marks = grade_all(*folders, options.limit, jailed, options.jobs, options.again)
    print(f"{len(marks)} marks in {options.output / 'marks.csv'}; feedback beside it, by student")
    return 0


if __name__ == "__main__":
    sys.exit(main())
