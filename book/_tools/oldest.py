"""Run the package's tests with the oldest versions that pyproject.toml allows.

    python book/_tools/oldest.py [PYTEST_OPTION...]

Makes `_build/oldest`, an environment with exactly the lower bounds of the core and of the extras
`course`, `train` and `export`, and runs in it the tests of what they are used by. Should a test
fail there and not otherwise, the bound is too low: raise it. Takes the Python 3.11 that runs it or
is on the PATH: later ones have no wheels of packages that old.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import tomllib
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ("course", "train", "export")
# In pytest's own order: some rooms' tests borrow from rooms before them.
TESTS = [
    "tests/audio", "tests/evaluation", "tests/listening", "tests/models", "tests/separation",
    "tests/signal", "tests/training", "tests/weights", "tests/test_classic.py",
    "tests/test_plots.py",
]  # fmt: skip
TOOLS = ("pytest", "pytest-xdist", "openunmix", "onnxruntime")


def lower_bounds(project):
    """The lines `name==oldest` of a pyproject.toml's table `project`."""
    needs = [*project["dependencies"]]
    for extra in EXTRAS:
        needs += project["optional-dependencies"][extra]
    return [exactly(Requirement(need)) for need in needs]


def exactly(need):
    """`name==version` of a requirement `name>=version`."""
    (bound,) = need.specifier
    if bound.operator != ">=":
        raise SystemExit(f"pyproject.toml: '{need}' has no plain lower bound (name>=version).")
    return f"{need.name}=={bound.version}"


def pinned(name):
    """The line of requirements.txt for a tool of the tests, which may be new."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return next(line for line in lines if line.startswith(f"{name}=="))


def old_python():
    """The command of a Python 3.11."""
    found = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if not found:
        raise SystemExit("no Python 3.11 was found, and later ones have no packages that old.")
    return found


def environment(folder, lines, base):
    """A virtual environment of the Python `base` with exactly these packages; made anew only if
    they changed. Returns its Python."""
    python, listed = folder / "bin" / "python", folder / "installed.txt"
    wanted = "\n".join([f"# of {base}", *lines]) + "\n"
    if listed.is_file() and listed.read_text() == wanted:
        return python
    subprocess.run([base, "-m", "venv", "--clear", str(folder)], check=True)
    asked = folder / "asked.txt"
    asked.write_text(wanted)
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(asked)], check=True)
    asked.rename(listed)
    return python


def main():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*lower_bounds(project), *map(pinned, TOOLS)]
    print("\n".join(lines), flush=True)
    python = environment(ROOT / "_build" / "oldest", lines, old_python())
    # The modules of this checkout, which pytest's `pythonpath` does not put on a child's path.
    path = {"PYTHONPATH": str(ROOT)}
    options = ["-p", "no:cacheprovider", *sys.argv[1:]]
    tests = subprocess.run(
        [str(python), "-m", "pytest", *TESTS, *options], cwd=ROOT, env={**os.environ, **path}
    )
    sys.exit(tests.returncode)


if __name__ == "__main__":
    main()
