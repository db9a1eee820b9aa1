"""The package is laid out in rooms: each is entered by its door, and arrows run one way only."""

import ast
import json
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import unmix_lite

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "unmix_lite"

# From the ground up: each may import what stands before it, and nothing else of the package. The
# package's own `__init__` is no part of it: it loads its names when they are first asked for.
ORDER = (
    "errors", "names", "files", "devices", "download", "audio", "signal", "models", "weights",
    "separation", "corpora", "classic", "plots", "training", "evaluation", "explore", "listening",
    "cli", "__main__",
)  # fmt: skip
# Packages within a room that are doors of their own: `listening` does without ipywidgets.
DOORS = {"unmix_lite.corpora.band", "unmix_lite.listening.widgets"}

FOUND = {module.name: module.ispkg for module in pkgutil.iter_modules([str(PACKAGE)])}
ROOMS = sorted(name for name, is_room in FOUND.items() if is_room)
LOOSE = sorted(name for name, is_room in FOUND.items() if not is_room)


def modules_of(room):
    return [module.name for module in pkgutil.iter_modules([str(PACKAGE / room)])]


def source_of(path):
    """A file's Python; of a notebook its code cells, without what only IPython understands."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    lines = [line for cell in cells for line in "".join(cell["source"]).splitlines()]
    # A line to the shell may be all that an `if` holds.
    return "\n".join(
        line[: len(line) - len(line.lstrip())] + "pass" if line.lstrip()[:1] in ("%", "!") else line
        for line in lines
    )


def home_of(path):
    """The package that a file's relative imports start from, "" outside of ours."""
    if PACKAGE not in path.parents:
        return ""
    return ".".join(path.parent.relative_to(ROOT).parts)


def room_of(dotted):
    """Of `unmix_lite.room.module.name` the room, or the loose module; "" for all else."""
    first, _, rest = dotted.partition(".")
    return rest.partition(".")[0] if first == "unmix_lite" else ""


def imports(tree, home):
    """(name here, full name) of whatever is imported from the package, `home` being the file's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "unmix_lite":
                    yield alias.asname or "unmix_lite", alias.name
        elif isinstance(node, ast.ImportFrom):
            above = home.split(".")[: len(home.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            if origin.split(".")[0] == "unmix_lite":
                for alias in node.names:
                    yield alias.asname or alias.name, f"{origin}.{alias.name}"


def chains(tree, known):
    """Full names of attributes of what was imported: `models.OpenUnmix` after `import models`."""
    for node in ast.walk(tree):
        names = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if names and isinstance(node, ast.Name) and node.id in known:
            yield ".".join([known[node.id], *reversed(names)])


def fault(dotted, own=""):
    """What is wrong with reaching for `unmix_lite.a.b` from the room `own`, or None."""
    parts = dotted.split(".")
    if len(parts) == 1 or room_of(dotted) == own:
        return None
    if parts[1] not in FOUND:
        public = {*unmix_lite.__all__, "__version__", "__file__", "__path__"}
        return None if parts[1] in public else f"{dotted}: unmix_lite has no such public name"
    door = next((d for d in DOORS if dotted == d or dotted.startswith(d + ".")), None)
    door = door or f"unmix_lite.{parts[1]}"
    beyond = dotted[len(door) + 1 :].split(".")[0]
    if not beyond or beyond == "__file__":
        return None
    if parts[1] in LOOSE:
        there = hasattr(import_module(door), beyond) and not beyond.startswith("_")
        return None if there else f"{dotted}: no public name of {door}"
    public = getattr(import_module(door), "__all__")
    return None if beyond in public else f"{dotted}: not among what {door} exports"


def faults(path):
    tree, home = ast.parse(source_of(path)), home_of(path)
    own = room_of(home)
    reached = list(imports(tree, home))
    # `import unmix_lite.a` and `from .. import b` give a package; of other names the attributes are
    # not the package's.
    packages = {name: full for name, full in reached if full.count(".") <= 1}
    packages = {
        name: "unmix_lite" if name == "unmix_lite" else full
        for name, full in packages.items()
        if name == "unmix_lite" or full.rpartition(".")[2] in FOUND
    }
    packages |= {name: full for name, full in reached if full in DOORS}
    wanted = [full for _, full in reached] + list(chains(tree, packages))
    return sorted({told for full in wanted if (told := fault(full, own))})


def files():
    yield from PACKAGE.rglob("*.py")
    for folder in ("book/_tools", "benchmarks"):
        yield from (ROOT / folder).rglob("*.py")
    yield from (ROOT / "notebooks").rglob("*.ipynb")


FILES = sorted(path for path in files() if ".ipynb_checkpoints" not in path.parts)


def test_few_modules_are_loose():
    assert len(LOOSE) <= 10


def test_every_room_and_loose_module_has_its_place():
    assert sorted(ORDER) == sorted(FOUND)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_are_entered_by_their_doors(path):
    assert faults(path) == []


@pytest.mark.parametrize("code, wrong", [
    ("from unmix_lite.signal.spectral import STFT", "unmix_lite.signal.spectral.STFT"),
    ("import unmix_lite.signal.spectral", "unmix_lite.signal.spectral"),
    ("from unmix_lite.signal import spectral", "unmix_lite.signal.spectral"),
    ("from unmix_lite.corpora.band.score import Song", "unmix_lite.corpora.band.score.Song"),
    ("import unmix_lite\nunmix_lite.signal.spectral.STFT()", "unmix_lite.signal.spectral.STFT"),
    ("from unmix_lite import signal as s\ns.spectral.STFT()", "unmix_lite.signal.spectral.STFT"),
    ("from unmix_lite.files import _nothing", "unmix_lite.files._nothing"),
    ("from unmix_lite.files import nothing", "unmix_lite.files.nothing"),
    ("from unmix_lite import nothing", "unmix_lite.nothing"),
])  # fmt: skip
def test_a_side_door_is_found(code, wrong, tmp_path):
    path = tmp_path / "some.py"
    path.write_text(code)
    assert any(told.startswith(f"{wrong}:") for told in faults(path))


@pytest.mark.parametrize("code", [
    "import unmix_lite\nunmix_lite.STFT(512)\nunmix_lite.signal.magnitude(x)",
    "from unmix_lite.corpora.band import Song\nfrom unmix_lite.listening import widgets",
    "import unmix_lite.models\nunmix_lite.models.OpenUnmix()",
    "from unmix_lite.models import OpenUnmix\nOpenUnmix.anything.at_all",
])  # fmt: skip
def test_a_door_may_be_used(code, tmp_path):
    path = tmp_path / "some.py"
    path.write_text(code)
    assert faults(path) == []


PAGES = sorted(
    path
    for pattern in ("*.md", "book/**/*.md", "benchmarks/*.md", "notebooks/**/*.ipynb")
    for path in ROOT.glob(pattern)
    if ".ipynb_checkpoints" not in path.parts
)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_text_names_is_there_by_that_name(path):
    named = set(re.findall(r"\bunmix_lite(?:\.[A-Za-z_]\w*)+", path.read_text(encoding="utf-8")))
    assert [told for full in sorted(named) if (told := fault(full))] == []


def test_a_side_door_is_found_in_a_room_and_in_a_notebook(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path / "unmix_lite")
    room = tmp_path / "unmix_lite" / "training"
    room.mkdir(parents=True)
    code = "from .losses import LOSSES\nfrom ..signal import STFT\nfrom ..signal.spectral import x"
    (room / "some.py").write_text(code)
    assert [told.partition(":")[0] for told in faults(room / "some.py")] == [
        "unmix_lite.signal.spectral.x"
    ]
    cells = [
        {"cell_type": "code", "source": ["%matplotlib inline\n", "if True:\n", "    !ls\n"]},
        {"cell_type": "code", "source": "from unmix_lite.signal.spectral import x"},
        {"cell_type": "markdown", "source": "from here on"},
    ]
    (tmp_path / "some.ipynb").write_text(json.dumps({"cells": cells}))
    assert len(faults(tmp_path / "some.ipynb")) == 1


@pytest.mark.parametrize("place", ORDER)
def test_arrows_run_down(place):
    paths = [PACKAGE / f"{place}.py"] if place in LOOSE else sorted((PACKAGE / place).rglob("*.py"))
    used = {
        room_of(full)
        for path in paths
        for _, full in imports(ast.parse(source_of(path)), home_of(path))
    }
    used = (used & FOUND.keys()) - {place}
    assert used <= set(ORDER[: ORDER.index(place)])


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_hides_a_module(room):
    assert not set(import_module(f"unmix_lite.{room}").__all__) & set(modules_of(room))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_exports_what_it_has_and_says_what_it_is_for(room):
    module = import_module(f"unmix_lite.{room}")
    assert all(hasattr(module, name) for name in module.__all__)
    kinds = {name: 0 if name.isupper() else 2 - name[0].isupper() for name in module.__all__}
    assert module.__all__ == sorted(kinds, key=lambda name: (kinds[name], name))
    assert len(module.__doc__.strip().splitlines()) >= 3


@pytest.mark.parametrize("module", ["unmix_lite", "unmix_lite.cli"])
def test_torch_is_not_loaded_before_it_is_needed(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
