"""One submission after the other through nbgrader, its code in a jail."""

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from course import ROOT, SOURCES, Course, sources
from submission import Unreadable, assignment_of, gradable, read

JAIL = Path(__file__).with_name("jail.sh")
KERNEL = "jailed-student"


@dataclass
class Mark:
    """A line of marks.csv. `points` are those of the tests; up to `by_hand` more are given by hand,
    `of` in all."""

    student: str
    assignment: str = ""
    points: float = 0.0
    by_hand: float = 0.0
    of: float = 0.0
    remark: str = ""
    feedback: str = ""


class Release:
    """The assignments as they were handed out, in a course that each grader copies.

    Args:
        root: a folder, which is made.
    """

    def __init__(self, root):
        root.mkdir()
        self.course = Course(root, KERNEL)
        self.sources = {name: read(file) for name, file in sources().items()}
        self.released = {name: read(self.course.release(name)) for name in self.sources}


class Grader:
    """A course under way: each submission is put right, run, and scored by nbgrader.

    Args:
        scratch: an empty folder for nbgrader's course; in the jail it looks empty, but for the
            folder of the submission that runs.
        release: a Release.
        limit: seconds that a cell may take.
        jailed: whether code runs in the jail.
        private: folders that look empty from inside it, such as what others handed in.
    """

    def __init__(self, scratch, release, limit, jailed, private=()):
        self.scratch, self.limit, self.jailed = Path(scratch), limit, jailed
        self.private = (*private, release.course.root)
        self.sources, self.released = release.sources, release.released
        self.course = Course(self.scratch / "course", KERNEL)
        shutil.copytree(release.course.root, self.course.root)
        self._write_kernel()

    def grade(self, number, student, path):
        """One file of one student -> its Mark, and the page of feedback or None."""
        mark = Mark(student)
        try:
            submitted = read(path)
            name = assignment_of(path, submitted, self.sources)
        except Unreadable as error:
            mark.remark = f"{path.name}: {error}"
            return mark, None
        mark.assignment = name
        mark.of, mark.by_hand = _points(self.sources[name])
        notebook, remarks = gradable(self.sources[name], self.released[name], submitted)
        identity = f"s{number:04d}"
        remarks += self._run(identity, name, notebook)
        page = self._score(identity, name, mark)
        mark.remark = "; ".join(remarks)
        return mark, page

    def _run(self, identity, name, notebook):
        """Execute and score; returns remarks on what went wrong as a whole."""
        folder = self.course.root / "submitted" / identity / name
        folder.mkdir(parents=True)
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
        work = self._new_work()
        cells = sum(cell["cell_type"] == "code" for cell in notebook["cells"])
        try:
            done = self.course.nbgrader(
                "autograde", name, "--create", "--force", f"--student={identity}",
                f"--ExecutePreprocessor.timeout={self.limit}",
                "--ExecutePreprocessor.interrupt_on_timeout=True",
                # A cell that was stopped may leave without a word; go on to the next.
                "--Execute.raise_on_iopub_timeout=False", "--Execute.iopub_timeout=10",
                # Without this, a test whose answer prints a warning gives no points.
                "--IgnorePattern.enabled=True", "--IgnorePattern.pattern=^",
                # In the jail or not at all: no other kernel can be found.
                f"--Execute.kernel_name={KERNEL}",
                "--KernelSpecManager.ensure_native_kernel=False",
                f"--KernelSpecManager.allowed_kernelspecs={KERNEL}",
                "--KernelManager.transport=ipc", f"--KernelManager.ip={work}/run/kernel",
                timeout=60 + self.limit * min(cells, 10),
                **self._environment(work),
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return ["it did not come to an end and was stopped"]
        finally:
            shutil.rmtree(work, ignore_errors=True)
        if done.returncode:
            return [f"it could not be run to its end ({_reason(done)})"]
        graded = self.course.root / "autograded" / identity / name / f"{name}.ipynb"
        return list(dict.fromkeys(_complaints(read(graded), self.limit)))

    def _score(self, identity, name, mark):
        """Read the points off the gradebook into `mark`; returns the page of feedback, or None."""
        from nbgrader.api import Gradebook, MissingEntry

        with Gradebook(f"sqlite:///{self.course.root}/gradebook.db") as book:
            try:
                submission = book.find_submission(name, identity)
                grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
                mark.points = sum(grade.auto_score or 0 for grade in grades)
            except MissingEntry:
                return None
        done = self.course.nbgrader("generate_feedback", name, "--force", f"--student={identity}")
        pages = list((self.course.root / "feedback" / identity / name).glob("*.html"))
        return pages[0] if pages and not done.returncode else None

    def _new_work(self):
        """An empty folder for the code of one submission. Its name is short: sockets lie in it."""
        work = Path(tempfile.mkdtemp(prefix="w", dir=self.scratch / "work"))
        (work / "run").mkdir()
        return work

    def _environment(self, work):
        from unmix_lite.files import cache_folder

        return {
            "JUPYTER_PATH": str(self.scratch / "jupyter"), "TMPDIR": str(work / "run"),
            "IPYTHONDIR": str(work / ".ipython"), "HOME": str(work), "MPLCONFIGDIR": str(work),
            "UNMIX_LITE_CACHE": str(cache_folder()), "UNMIX_LITE_CORPUS": "band",
            "UNMIX_LITE_WORK": str(work),
        }  # fmt: skip

    def _write_kernel(self):
        """A Jupyter kernel that is started inside the jail."""
        (self.scratch / "work").mkdir()
        folder = self.scratch / "jupyter" / "kernels" / KERNEL
        folder.mkdir(parents=True)
        python = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        home = (Path.home() / name for name in (".ssh", ".gnupg", ".aws", ".config", ".netrc"))
        hidden = [SOURCES, ROOT / ".git", self.course.root, *self.private, *home]
        inside = [
            "/bin/sh", "-c",
            f'exec "{JAIL}" "$UNMIX_LITE_WORK" "{":".join(map(str, hidden))}" "$@"', "jail",
        ]  # fmt: skip
        free = ["/bin/sh", "-c", 'cd "$UNMIX_LITE_WORK" && exec "$@"', "free"]
        spec = {"argv": [*(inside if self.jailed else free), *python], "language": "python",
                "display_name": KERNEL, "interrupt_mode": "message"}  # fmt: skip
        (folder / "kernel.json").write_text(json.dumps(spec))


def has_jail():
    """Whether this machine can run code in the jail."""
    with tempfile.TemporaryDirectory() as work:
        try:
            command = [JAIL, work, "/var/empty", sys.executable, "-c", "print('inside')"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            return False
    return done.returncode == 0 and "inside" in done.stdout


def _points(source):
    """All points of an assignment, and those given by hand."""
    graded = [c["metadata"]["nbgrader"] for c in source["cells"] if "nbgrader" in c["metadata"]]
    graded = [g for g in graded if g["grade"]]
    return sum(g["points"] for g in graded), sum(g["points"] for g in graded if g["solution"])


def _complaints(notebook, limit):
    """What went wrong in the student's own cells, in words."""
    for cell in notebook["cells"]:
        told = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] != "code" or told.get("grade") and not told.get("solution"):
            continue
        where = f"the answer '{told['grade_id']}'" if told.get("solution") else "a cell"
        for output in cell["outputs"]:
            if output["output_type"] != "error" or output["ename"] == "NotImplementedError":
                continue
            if output["ename"] in ("KeyboardInterrupt", "CellTimeoutError"):
                yield f"{where} took longer than {limit} s and was stopped"
            else:
                yield f"{where} ends in {output['ename']}: {output['evalue'][:100]}"


def _reason(done):
    """Why nbgrader gave up, in words, or in its own last ones."""
    said = done.stderr + done.stdout
    if "DeadKernelError" in said:
        return "its code ended Python itself, or took too much memory"
    lines = [line for line in said.splitlines() if "Error" in line]
    return (lines or ["nbgrader gave up"])[-1].split("ERROR]")[-1].strip(" |")[:200]
