"""What the package imports as it is imported is what pip installs with it."""

import ast
import importlib.metadata as metadata
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import unmix_lite

PACKAGE = Path(unmix_lite.__file__).parent


def imported(tree):
    """Top-level names of packages that a module imports when it is itself imported."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.partition(".")[0]


@pytest.fixture(scope="module")
def declared():
    needs = map(Requirement, metadata.requires("unmix-lite"))
    return {need.name for need in needs if need.marker is None}


@pytest.mark.parametrize("module", sorted(map(str, PACKAGE.rglob("*.py"))),
                         ids=lambda path: str(Path(path).relative_to(PACKAGE)))  # fmt: skip
def test_imports_are_declared(module, declared):
    found = set(imported(ast.parse(Path(module).read_text())))
    assert found - set(sys.stdlib_module_names) - {"unmix_lite"} <= declared


def test_an_undeclared_import_is_found(declared):
    tree = ast.parse("import os\nfrom torchaudio.models import HDemucs\nfrom .a import b")
    assert set(imported(tree)) - set(sys.stdlib_module_names) - declared == {"torchaudio"}
