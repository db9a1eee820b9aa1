"""The assignments, and the temporary course folder in which nbgrader handles them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "notebooks" / "assignments"


def sources():
    """dict assignment ("A1") -> its source notebook, with solutions and hidden tests."""
    return {re.match(r"A\d+", file.name)[0]: file for file in sorted(SOURCES.glob("A*.ipynb"))}


class Course:
    """nbgrader's folders: source, release, submitted, autograded, feedback, and its gradebook.

    Args:
        root: an empty folder.
        kernel: the Jupyter kernel that runs students' code, which nbgrader takes from the source.
    """

    def __init__(self, root, kernel="python3"):
        self.root, self.kernel = Path(root).resolve(), kernel

    def release(self, assignment):
        """Make the students' version of an assignment and enter it in the gradebook.

        Returns:
            its path.
        """
        folder = self.root / "source" / assignment
        folder.mkdir(parents=True)
        notebook = json.loads(sources()[assignment].read_text())
        notebook["metadata"]["kernelspec"]["name"] = self.kernel
        (folder / f"{assignment}.ipynb").write_text(json.dumps(notebook))
        done = self.nbgrader("generate_assignment", assignment, "--create", "--force")
        file = self.root / "release" / assignment / f"{assignment}.ipynb"
        if done.returncode or not file.is_file():
            raise SystemExit(f"{assignment}: nbgrader could not release it:\n{last_lines(done)}")
        return file

    def nbgrader(self, command, assignment, *options, timeout=None, **environment):
        """Run one of nbgrader's commands; returns the finished process."""
        # It calls alembic by name, which lies beside Python whether or not that is on the PATH.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        # When whoever started this is killed, it goes too.
        tied = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        return subprocess.run(
            [*tied, sys.executable, "-m", "nbgrader", command, assignment,
             "--course-dir", self.root, *options],
            capture_output=True, text=True, timeout=timeout, cwd=self.root, errors="replace",
            env={**os.environ, "TQDM_DISABLE": "1", "PATH": path, **environment},
        )  # fmt: skip


def last_lines(done, count=5):
    """The end of what a process said."""
    return "\n".join((done.stderr or done.stdout).strip().splitlines()[-count:])
