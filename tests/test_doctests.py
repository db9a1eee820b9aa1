"""The examples in the docstrings give what stands beneath them."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "unmix_lite").rglob("*.py"))
WITH_EXAMPLES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCES
    if ">>> " in path.read_text(encoding="utf-8")
]


def test_there_are_examples():
    rooms = {name.split(".")[1] for name in WITH_EXAMPLES}
    assert rooms >= {"audio", "signal", "evaluation", "listening"}


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_give_what_they_say(name):
    done = doctest.testmod(import_module(name))
    assert done.attempted, f"{name}: its examples are not in a docstring"
    assert not done.failed, f"{name}: {done.failed} of {done.attempted} examples are wrong"
