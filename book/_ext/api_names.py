"""Which names the API reference has, and to which chapter each belongs.

The pages in `book/api` say by their `automodule` what is documented, each module's `__all__` which
names that is, and the notebooks which chapter uses what.
"""

import ast
import json
import re
import sys
from functools import cache
from importlib import import_module
from inspect import isclass, isroutine
from pathlib import Path

import yaml
from sphinx.pycode import ModuleAnalyzer

ROOT = Path(__file__).resolve().parents[2]

# The chapter of a room, of a module in it or of a name; the most precise entry holds. What has none
# belongs to the first chapter that uses it.
CHAPTERS = {
    "signal.spectral": "stft",
    "signal.masking": "masking",
    "signal.phase_vocoder": "time_and_pitch",
    "signal": "separating",
    "audio": "separating",
    "classic": "before_networks",
    "corpora": "data",
    "models": "other_roads",
    "models.OpenUnmix": "open_unmix",
    "training": "training",
    "training.augmentation": "data",
    "training.excerpts": "data",
    "training.input_statistics": "data",
    "weights": "separating",
    "weights.network_files": "training",
    "weights.export": "in_production",
    "separation": "separating",
    "separation.AudioSeparator": "other_roads",
    "separation.Stream": "live",
    "evaluation": "sdr",
    "listening": "listening",
    "explore": "separating",
    "listening.html_players": "mixture",
}


def _files(entries):
    sections = [(entry["file"], *_files(entry.get("sections", []))) for entry in entries]
    return [name for section in sections for name in section]


@cache
def contents():
    """Every page but the first, in the book's order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [name for part in toc["parts"] for name in _files(part["chapters"])]


@cache
def chapters():
    """What a chapter's file is called without its number -> the page."""
    pages = [name for name in contents() if name.startswith("notebooks/")]
    return {re.sub(r".*/(\d+_)?", "", name): name for name in pages}


@cache
def modules():
    """Every documented module -> the page it is on."""
    pages = [name for name in contents() if name.startswith("book/api/")]
    text = {name: (ROOT / f"{name}.md").read_text(encoding="utf-8") for name in pages}
    return {name: page for page in pages for name in re.findall(r"automodule:: (\S+)", text[page])}


def _names(module):
    """What a module offers: `__all__`, or what it defines and explains itself."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    comments = {name for _, name in ModuleAnalyzer.for_module(module.__name__).find_attr_docs()}
    own = {k for k, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__}
    return sorted(name for name in own | comments if not name.startswith("_"))


def _defined(module, name):
    """The module in which the name was defined, and where it is a constant what is said of it."""
    value = getattr(module, name)
    if isclass(value) or isroutine(value):
        return value.__module__, []
    for other, loaded in sorted(sys.modules.items()):
        if other.startswith("unmix_lite.") and vars(loaded).get(name) is value:
            if said := ModuleAnalyzer.for_module(other).find_attr_docs().get(("", name)):
                return other, said
    return module.__name__, []


@cache
def exports():
    """Every documented name, such as `unmix_lite.signal.STFT` -> where it is defined, comment."""
    loaded = [import_module(name) for name in modules() if name != "unmix_lite"]
    return {f"{m.__name__}.{name}": _defined(m, name) for m in loaded for name in _names(m)}


@cache
def addresses():
    """A name without its room -> the name in full; where two share it, the first."""
    return {name.rpartition(".")[2]: name for name in reversed(exports())}


def used(chapter):
    """The documented names that a chapter imports, or writes as `room.name`."""
    notebook = json.loads((ROOT / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    # A line that begins with % or ! is not Python.
    code = ["".join(line for line in cell if line[:1] not in "%!") for cell in cells]
    nodes = [node for cell in code for node in ast.walk(ast.parse(cell))]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    known = {"unmix_lite": "unmix_lite"}
    known |= {a.asname or a.name: f"{i.module}.{a.name}" for i in imports for a in i.names}
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    written = [ast.unparse(node).split(".", 1) for node in attributes]
    names = {f"{known[first]}.{rest}" for first, rest in written if first in known}
    names |= set(known.values())
    top = import_module("unmix_lite").__all__
    names |= {addresses()[name] for name in top if f"unmix_lite.{name}" in names}
    return names & set(exports())


@cache
def home():
    """Documented name -> its chapter's page; names that no chapter has or uses are left out."""
    first = {name: page for page in reversed(chapters().values()) for name in used(page)}
    found = {}
    for name, (module, _) in exports().items():
        places = [name, module, name.rpartition(".")[0]]
        keys = [place.removeprefix("unmix_lite.") for place in places]
        keys += [key.split(".")[0] for key in keys[1:]]
        listed = next((chapters()[CHAPTERS[key]] for key in keys if key in CHAPTERS), None)
        if page := listed or first.get(name):
            found[name] = page
    return found
