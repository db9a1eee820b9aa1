"""The ladder: the page sorts as Python does, in every browser."""

import json
from pathlib import Path

import pytest
from controls import as_set

from unmix_lite import explore

RESULTS = Path(__file__).resolve().parents[2] / "book" / "results"
LADDER = json.loads((RESULTS / "ladder" / "preview.json").read_text(encoding="utf-8"))
COSTS = json.loads((RESULTS / "costs.json").read_text(encoding="utf-8"))
STATES = [
    {},
    {"stem": "mean", "kind": "networks trained on MUSDB18"},
    {"stem": "drums", "view": "seconds", "chosen": "wavenet-lite"},
    {"view": "weights", "chosen": "CENTRE"},
]


@pytest.fixture(scope="module")
def control(stems):
    sounds = {"umx-lite": stems["vocals"], "the voice itself": stems["vocals"]}
    return explore.ladder_explorer(LADDER, COSTS, sounds)


@pytest.fixture
def there(control):
    with as_set(control):
        yield control


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_page_has_pythons_numbers(there, on_page, state):
    with as_set(there, state):
        expected = there.reading
    assert on_page(there, state) == pytest.approx(expected, rel=1e-5)


def test_every_system_is_there_once_and_says_what_it_is(there):
    rungs = there.data["rungs"]
    assert len(rungs) == len({rung["name"] for rung in rungs}) == len(LADDER["rungs"])
    assert all(rung["what"] for rung in rungs)
    assert [rung["name"] for rung in rungs if rung["sound"]] == ["umx-lite"]


def test_the_scores_are_the_records(there):
    there.stem = "bass"
    medians = {
        r["system"].removesuffix(" (ours)"): r["targets"]["bass"]["median"]
        for r in LADDER["rungs"]
        if "bass" in r["targets"] and not r["published"]
    }
    shown = there.shown()
    assert shown["umx-lite"] == medians["umx-lite"]
    assert list(shown.values()) == sorted(shown.values(), reverse=True)
    assert shown["IBM1 (ours)"] == medians["IBM1"] and "IBM1" in shown


def test_it_does_without_costs_and_sounds():
    plain = explore.ladder_explorer(LADDER, stem="mean")
    assert "sounds" not in plain.data and plain.reading[0] > 0
