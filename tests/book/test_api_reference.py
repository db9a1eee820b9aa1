"""The API reference has every public name once, and leads to chapters that exist, and back."""

import re
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from inspect import isclass, isroutine
from pkgutil import iter_modules

import pytest

import unmix_lite

pytest.importorskip("sphinx", reason="the book's requirements are not installed")

PUBLIC = [
    f"unmix_lite.{module.name}"
    for module in iter_modules(unmix_lite.__path__)
    if not module.name.startswith("_")
]
OFFERING = [name for name in PUBLIC if hasattr(import_module(name), "__all__")]


@pytest.fixture(scope="module")
def extensions(repository):
    """The two modules of the extension, which lie in no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(repository / "book" / "_ext")
        yield import_module("api_names"), import_module("api_links")


@pytest.fixture(scope="module")
def api(extensions):
    return extensions[0]


@pytest.fixture(scope="module")
def links(extensions):
    return extensions[1]


def value_of(name):
    module, _, short = name.rpartition(".")
    return getattr(import_module(module), short)


def test_every_room_and_loose_module_is_on_exactly_one_page(api, repository):
    pages = (repository / "book" / "api").glob("*.md")
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    times = Counter(re.findall(r"automodule:: (\S+)", text))
    assert set(times) >= {"unmix_lite", *PUBLIC}
    assert set(times.values()) == {1}
    assert set(api.modules()) == set(times), "a page is missing in _toc.yml"


@pytest.mark.parametrize("room", OFFERING)
def test_every_public_name_is_listed_and_explained(api, room):
    module = import_module(room)
    assert len(module.__all__) == len(set(module.__all__))
    # Autodoc finds the names by dir(), also where they are loaded at their first use.
    assert set(module.__all__) <= set(dir(module))
    for name in (f"{room}.{short}" for short in module.__all__):
        value, (_, said) = value_of(name), api.exports()[name]
        text = value.__doc__ if isclass(value) or isroutine(value) else " ".join(said)
        assert text and text.strip(), f"{name} has no docstring"
        # What a dataclass says of itself where nobody does.
        assert not text.startswith(f"{name.rpartition('.')[2]}("), f"{name} has no docstring"


def test_nothing_is_documented_in_two_rooms(api):
    values = {name: value_of(name) for name in api.exports()}
    times = Counter(id(value) for value in values.values() if isclass(value) or isroutine(value))
    assert [name for name, value in values.items() if times[id(value)] > 1] == []


def test_names_of_the_package_itself_lead_to_their_rooms(api):
    for name in unmix_lite.__all__:
        assert value_of(api.addresses()[name]) is getattr(unmix_lite, name)


def test_table_of_chapters_names_what_exists(api):
    for key, chapter in api.CHAPTERS.items():
        name = f"unmix_lite.{key}"
        assert name in api.exports() or find_spec(name), f"no {name}"
        assert chapter in api.chapters(), f"{key}: no chapter '{chapter}'"
    for page in api.home().values():
        assert (api.ROOT / f"{page}.ipynb").is_file()


def test_most_precise_entry_of_the_table_holds(api):
    home = {name: re.sub(r".*/\d+_", "", page) for name, page in api.home().items()}
    assert home["unmix_lite.signal.STFT"] == "stft"
    assert home["unmix_lite.signal.ideal_ratio_mask"] == "masking"
    assert home["unmix_lite.models.OpenUnmix"] == "open_unmix"
    assert home["unmix_lite.models.WaveUNet"] == "other_roads"
    assert home["unmix_lite.separation.Separator"] == "separating"
    assert home["unmix_lite.separation.Stream"] == "live"


def test_what_the_table_leaves_open_belongs_to_its_first_user(api, monkeypatch):
    monkeypatch.setattr(api, "CHAPTERS", {})
    home = api.home.__wrapped__()
    users = {page: api.used(page) for page in api.chapters().values()}
    for name, page in home.items():
        assert page == next(user for user, names in users.items() if name in names)
    assert home["unmix_lite.signal.STFT"].endswith("_stft")
    assert home["unmix_lite.listening.players"].endswith("_mixture")


def test_single_backticks_link_names_and_leave_arguments_alone(links):
    def target(text):
        (node,), _ = links.code_role("api", f"`{text}`", text, 1, None)
        return node.get("reftarget")

    assert target("STFT") == "unmix_lite.signal.STFT"
    assert target("models.OpenUnmix") == "unmix_lite.models.OpenUnmix"
    assert target("bss_eval()") == "unmix_lite.evaluation.bss_eval"
    assert target("wiener") is None
    assert target("(channels, samples)") is None


def test_indented_examples_become_code_and_colons_stay(links):
    lines = ["Words:", "", "    x = 1", "    y = 2", "", "Args:", "    x: a number."]
    links.mark_examples(None, "class", "X", None, None, lines)
    assert lines[:5] == ["Words:", "", "::", "", "    x = 1"]
    assert lines[-2:] == ["Args:", "    x: a number."]
    lines = ["In Hz: 44100."]
    links.mark_examples(None, "data", "X", None, None, lines)
    assert lines == ["..", "", "In Hz: 44100."]
