"""Virtual environments that borrow packages of this one, for what must run without the others."""

import importlib.metadata as metadata
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from packaging.requirements import Requirement


def closure(*names):
    """The installed distributions that `names` need, themselves included: dict name -> one."""
    found, todo = {}, list(names)
    while todo:
        try:
            distribution = metadata.distribution(todo.pop())
        except metadata.PackageNotFoundError:  # for another system
            continue
        if distribution.name not in found:
            found[distribution.name] = distribution
            needs = map(Requirement, distribution.requires or [])
            todo += [
                need.name
                for need in needs
                if need.marker is None or need.marker.evaluate({"extra": ""})
            ]
    return found


def lend(borrowed, *names):
    """Link `names` and what they need from this environment into the folder `borrowed`."""
    here = Path(sysconfig.get_path("purelib"))
    borrowed.mkdir(exist_ok=True)
    for distribution in closure(*names).values():
        for top in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            if not (borrowed / top).exists():
                (borrowed / top).symlink_to(here / top)


def borrowing(folder, *names, pip=True):
    """Make a virtual environment in `folder` that finds `names` and what they need, and no more.

    They are links in `folder/borrowed`, so that pip sees them but can remove none.

    Returns:
        the environment's Python.
    """
    lend(folder / "borrowed", *names)
    own = folder / "venv"
    options = [] if pip else ["--without-pip"]
    subprocess.run([sys.executable, "-m", "venv", *options, str(own)], check=True)
    (site,) = own.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(f"{folder / 'borrowed'}\n")
    return own / "bin" / "python"


def copy_package(repository, root):
    """Copy to the folder `root` what it takes to build the package from a clone."""
    root.mkdir(exist_ok=True)
    for name in ["pyproject.toml", "README.md", "LICENSE"]:
        shutil.copy(repository / name, root)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(repository / "unmix_lite", root / "unmix_lite", ignore=ignored)
    return root
