"""Forget the executed notebooks when something they compute with has changed.

Jupyter Book runs a notebook again when its own cells change, but does not see the package, the
weights, the recorded runs, the pinned versions or the choice of the corpus. This script does: it
compares their digest with the one of the last build and clears the execution cache on a
difference. It clears all of it, since every chapter imports the package as a whole.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WATCHED = ["unmix_lite/**/*", "book/results/**/*", "requirements.txt"]


def digest(root, corpus):
    """The digest of all that notebooks compute with but do not contain, for a corpus by name."""
    total = hashlib.sha256(f"{corpus}\n{sys.version}\n".encode())
    for path in sorted({path for pattern in WATCHED for path in root.glob(pattern)}):
        if path.is_file() and "__pycache__" not in path.parts:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(root)} {content}\n".encode())
    return total.hexdigest()


def refresh(root, corpus):
    """Clear the cache below `root`/_build if it is out of date; returns whether it was kept."""
    build = root / "_build"
    note, now = build / ".computed-with", digest(root, corpus)
    kept = note.is_file() and note.read_text() == now
    if not kept:
        shutil.rmtree(build / ".jupyter_cache", ignore_errors=True)
        build.mkdir(exist_ok=True)
        note.write_text(now)
    return kept


if __name__ == "__main__":
    if refresh(ROOT, os.environ.get("UNMIX_LITE_CORPUS", "auto")):
        print("nothing below the notebooks has changed: those that did not change are not run")
    else:
        print("the package, its weights or the corpus have changed: every notebook is run")
