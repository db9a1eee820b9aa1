"""The self-checks of the chapters, read from the text of their notebooks."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def section_of(path):
    """The text of a notebook's self-check, or None."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and re.search(r"^## Self-check$", text, re.M):
            return re.search(r"^## Self-check$.*?(?=^## |\Z)", text, re.M | re.S)[0].rstrip()
    return None


SECTIONS = {
    path.stem: section
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    if (section := section_of(path))
}

QUESTION = re.compile(
    r"^\*\*(?P<number>\d+)\. (?P<ask>(?:.+\n)+)\n"  # a bold paragraph
    r"(?P<choices>(?:- [A-Z]\. .+\n(?:  .+\n)*)+)\n"
    r'<details class="selfcheck"><summary>Answer</summary>\n\n'
    r"\*\*(?P<right>[A-Z])\.\*\* (?P<why>(?:.+\n)+)\n"
    r"(?P<comments>(?:- [A-Z]\. .+\n(?:  .+\n)*)+)\n"
    r"</details>$",
    re.M,
)


def listed(text):
    """`- A. ...` items, one or more lines each, as a list of (letter, text)."""
    joined = re.sub(r"\n  +", " ", text)
    return re.findall(r"^- ([A-Z])\. (.+)$", joined, re.M)


def questions(name):
    return [
        {**match.groupdict(), "choices": listed(match["choices"]),
         "comments": listed(match["comments"])}
        for match in QUESTION.finditer(SECTIONS[name] + "\n")
    ]  # fmt: skip
