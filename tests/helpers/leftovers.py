"""The mark of a process that died while it wrote."""

import subprocess
import sys


def begun_by_the_dead():
    """What stands in the names of its files: as `files.begun_here` gave it."""
    script = "from unmix_lite.files import begun_here; print(begun_here())"
    return subprocess.check_output([sys.executable, "-c", script], text=True).strip()
