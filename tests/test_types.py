"""Whatever others may use says what it takes and what it gives."""

import inspect
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import unmix_lite

MODULES = sorted(
    module.name
    for module in walk_packages(unmix_lite.__path__, "unmix_lite.")
    if not module.name.endswith("__main__")
)


def is_public(name):
    return not name.startswith("_") or name in ("__init__", "__call__")


def signatures(owner, name):
    """(name, function) of all that is public in a function or a class."""
    if not inspect.isclass(owner):
        yield name, owner
        return
    # A dataclass's is made of its fields, annotated or none; a protocol's is never called.
    generated = is_dataclass(owner) or getattr(owner, "_is_protocol", False)
    for key, member in vars(owner).items():
        if not is_public(key) or generated and key == "__init__":
            continue
        member = getattr(member, "__func__", member)  # a class method
        member = getattr(member, "fget", member)  # a property
        member = inspect.unwrap(member) if callable(member) else member
        if inspect.isfunction(member):
            yield f"{name}.{key}", member


def gaps(function):
    """What a function does not say: names of parameters, and "return"."""
    found = inspect.signature(function)
    taken = [
        parameter.name
        for parameter in found.parameters.values()
        if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls")
    ]
    silent = found.return_annotation is found.empty and function.__name__ != "__init__"
    return taken + ["return"] * silent


def public(module):
    """(name, function or class) of what a module defines, without what it imports."""
    for name, found in vars(module).items():
        if is_public(name) and getattr(found, "__module__", None) == module.__name__:
            found = inspect.unwrap(found) if callable(found) else found
            if inspect.isclass(found) or inspect.isfunction(found):
                yield name, found


@pytest.mark.parametrize("module", MODULES)
def test_public_names_say_their_types(module):
    found = [
        f"{full}: {', '.join(missing)}"
        for name, owner in public(import_module(module))
        for full, function in signatures(owner, name)
        if (missing := gaps(function))
    ]
    assert found == []


@pytest.mark.parametrize("module", MODULES)
def test_fields_say_what_they_hold(module):
    found = [
        f"{name}.{field.name}"
        for name, owner in public(import_module(module))
        if is_dataclass(owner)
        for field in fields(owner)
        if field.type in (dict, list, tuple, set, "dict", "list", "tuple", "set")
    ]
    assert found == []


def test_gaps_are_found():
    def some(self, one: int, two, *three, four: int = 1, **five: int):
        pass

    class Some:
        def __init__(self, one):
            pass

        @property
        def two(self):
            pass

        @classmethod
        def three(cls) -> None:
            pass

        def _four(self):
            pass

    assert gaps(some) == ["two", "three", "return"]
    assert [(name, gaps(function)) for name, function in signatures(Some, "Some")] == [
        ("Some.__init__", ["one"]), ("Some.two", ["return"]), ("Some.three", []),
    ]  # fmt: skip


def test_other_checkers_are_told():
    assert (Path(unmix_lite.__file__).parent / "py.typed").is_file()
