"""Run every chapter, lab and assignment with the versions that Colab brings.

    python book/_tools/colab.py [PYTEST_OPTION...]

Makes `_build/colab`, an environment with exactly what `colab.txt` names and nothing of this
package; the first notebook's first cell installs that, as on Colab, and must not change a version.
Takes Python 3.13, as Colab does, where there is one, and else the Python that runs it.
"""

import os
import shutil
import subprocess
import sys

from oldest import ROOT, environment, pinned

LISTED = ROOT / "book" / "_tools" / "colab.txt"
TOOLS = ("pytest", "pytest-xdist", "nbval", "onnx", "onnxruntime")
FIRST = "notebooks/01_mixture.ipynb"


def colabs_versions():
    """The lines `name==version` of what Colab brings."""
    lines = LISTED.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def python_of_colab():
    """The command of a Python 3.13 that works, or of this one."""
    found = shutil.which("python3.13")
    # There may be no more than pyenv's shim of that name.
    works = found and subprocess.run([found, "-c", "import venv"], capture_output=True)
    return found if works and works.returncode == 0 else sys.executable


def changed(python):
    """Which of Colab's packages have another version now: a list of lines."""
    script = "import importlib.metadata as m, sys\nfor n in sys.argv[1:]: print(m.version(n))"
    asked = [line.split("==") for line in colabs_versions()]
    names = [name for name, _ in asked]
    done = subprocess.run(
        [str(python), "-c", script, *names], capture_output=True, text=True, check=True
    )
    found = done.stdout.split()
    return [
        f"{name} {version} is now {now}"
        for (name, version), now in zip(asked, found)
        if now.partition("+")[0] != version
    ]


def main():
    tools = [pinned(name) for name in TOOLS]
    python = environment(ROOT / "_build" / "colab", [*colabs_versions(), *tools], python_of_colab())
    subprocess.run(
        [str(python), "-m", "pip", "uninstall", "-q", "-y", "unmix-lite", "musdb"], check=True
    )
    pytest = [str(python), "-m", "pytest", "--nbval-lax", "--nbval-current-env"]
    pytest += ["-p", "no:cacheprovider"]
    # The package's own notebooks would find it in this checkout: the cell must install it.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    first = subprocess.run([*pytest, FIRST], cwd=ROOT, env=variables)
    if lines := changed(python):
        raise SystemExit("the first cell has changed what Colab brings: " + "; ".join(lines))
    others = [*pytest, "notebooks", f"--deselect={FIRST}", *sys.argv[1:]]
    rest = subprocess.run(others, cwd=ROOT, env=variables)
    sys.exit(first.returncode or rest.returncode)


if __name__ == "__main__":
    main()
