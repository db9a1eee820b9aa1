"""Make what students get: `make assignments`.

    python book/_tools/classroom/release.py [-o _build/assignments]

writes one notebook per assignment, without solutions and hidden tests, and all of them as
assignments.zip, ready for a learning platform. The sources are in notebooks/assignments.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from course import ROOT, Course, sources

_REGION = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)### END \1", re.S)


def secrets(source):
    """The lines of a source notebook that no student may see: of solutions and hidden tests, but
    for those that also stand outside of them, or say next to nothing."""
    texts = ["".join(cell["source"]) for cell in json.loads(Path(source).read_text())["cells"]]
    hidden = {
        line.strip()
        for text in texts for _, region in _REGION.findall(text) for line in region.splitlines()
    }  # fmt: skip
    shown = "\n".join(_REGION.sub("", text) for text in texts)
    return {line for line in hidden if len(line) > 12 and line not in shown}


def leaks(source, released):
    """Secret lines of `source` that stand in the released notebook."""
    text = "\n".join(
        "".join(cell["source"]) for cell in json.loads(Path(released).read_text())["cells"]
    )
    marks = {mark for mark in ("BEGIN SOLUTION", "HIDDEN TESTS") if mark in text}
    return marks | {line for line in secrets(source) if line in text}


def release(output):
    """Write all released notebooks and the zip; returns their paths."""
    output.mkdir(parents=True, exist_ok=True)
    written = []
    with tempfile.TemporaryDirectory() as scratch:
        course = Course(scratch)
        for assignment, source in sources().items():
            released = course.release(assignment)
            if found := leaks(source, released):
                raise SystemExit(f"{assignment}: the released notebook shows {sorted(found)[0]!r}.")
            written.append(Path(shutil.copy(released, output / source.name)))
    archive = output / "assignments.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in written:
            file.write(path, path.name)
    return [*written, archive]


def main(arguments=None):
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "_build" / "assignments")
    for path in release(parser.parse_args(arguments).output.resolve()):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
