"""What the package imports is what pip installs with it; what extras bring can wait."""

import ast
import sys
from pathlib import Path

import oldest
import pytest
import tomllib
from packaging.requirements import Requirement

import unmix_lite
from unmix_lite.errors import UnmixError, require

PACKAGE = Path(unmix_lite.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
CORE = {"torch", "numpy", "scipy", "soundfile", "soxr", "safetensors", "tqdm", "filelock"}
EXTRAS = {
    "course": {
        "musdb", "museval", "librosa", "torchaudio", "matplotlib", "pyloudnorm", "ipywidgets",
        "anywidget",
    },
    "train": {"accelerate", "tensorboard"},
    "export": {"onnx"},
    "classroom": {"nbgrader"},
}  # fmt: skip


def imported(tree):
    """Top-level names of packages that a module imports when it is itself imported."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from imported(ast.Module(node.orelse, []))
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from imported(node)


def required(tree):
    """(package, extra) of every call of `require` with a module's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "require":
            module, extra, _ = (ast.literal_eval(argument) for argument in node.args)
            yield module.partition(".")[0], extra


@pytest.fixture(scope="module")
def declared(repository):
    """What pyproject.toml asks for: dict extra -> list of requirements, None standing for the core.

    Not the installed metadata, which is as old as the last installation.
    """
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    asked = {None: project["dependencies"], **project["optional-dependencies"]}
    return {extra: [Requirement(text) for text in needs] for extra, needs in asked.items()}


def test_the_core_is_seven_packages_and_the_extras_are_these(declared):
    names = {extra: {need.name for need in needs} for extra, needs in declared.items()}
    assert names == {None: CORE, **EXTRAS}


def test_every_requirement_has_a_lower_bound_and_no_other(declared):
    """`make oldest` tries the lower bounds; an upper one would turn away what Colab brings."""
    for need in sum(declared.values(), []):
        assert [spec.operator for spec in need.specifier] == [">="], need


def test_the_oldest_set_is_the_lower_bounds(repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    lines = oldest.lower_bounds(project)
    tried = CORE.union(*(EXTRAS[extra] for extra in ("course", "train", "export")))
    assert sorted(line.partition("==")[0] for line in lines) == sorted(tried)
    assert oldest.exactly(Requirement("scipy>=1.15")) == "scipy==1.15"
    with pytest.raises(SystemExit, match="'scipy<2' has no plain lower bound"):
        oldest.exactly(Requirement("scipy<2"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_are_of_the_core(module):
    found = set(imported(ast.parse(module.read_text())))
    assert found - set(sys.stdlib_module_names) - {"unmix_lite"} <= CORE


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import os\nfrom torchaudio.models import HDemucs\nfrom .a import b", {"torchaudio"}),
        ("try:\n    import onnx\nexcept ImportError:\n    onnx = None", {"onnx"}),
        ("class Panel:\n    import ipywidgets.widgets", {"ipywidgets"}),
        ("def draw():\n    import matplotlib.pyplot as plt", set()),
        ("if TYPE_CHECKING:\n    import musdb\nelse:\n    import museval", {"museval"}),
    ],
)
def test_an_import_that_happens_at_once_is_found(text, found):
    assert set(imported(ast.parse(text))) - set(sys.stdlib_module_names) - CORE == found


def test_what_is_asked_of_an_extra_is_in_it():
    calls = [pair for module in MODULES for pair in required(ast.parse(module.read_text()))]
    assert {"matplotlib", "pyloudnorm", "ipywidgets", "musdb"} <= {name for name, _ in calls}
    for name, extra in calls:
        assert name in EXTRAS[extra]


class TestRequire:
    def test_what_is_there_is_imported(self):
        assert require("json.decoder", "course", "a test") is sys.modules["json.decoder"]

    def test_what_is_missing_is_named_with_its_extra(self):
        with pytest.raises(UnmixError) as caught:
            require("nothing_of_that_name.inside", "export", "a test")
        assert str(caught.value) == (
            "a test needs nothing_of_that_name: pip install 'unmix-lite[export]'."
        )
