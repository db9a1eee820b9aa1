"""The record of costs: every system is on it, and its numbers are of one run."""

import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def record(repository):
    return json.loads((repository / "book" / "results" / "costs.json").read_text())


def test_it_says_what_was_measured_where(record):
    assert record["seconds"] > 0 and record["machine"] and record["versions"]["torch"]
    assert "benchmarks/costs.py" in record["command"] and record["commit"]


def test_costs_are_compared_with_the_course_s_own_network(record):
    systems = record["systems"]
    umx = systems["umx-lite"]
    assert umx["ratio"] == 1 and umx["weights"] > 10**7 and systems["CENTRE"]["weights"] == 0
    for name, costs in systems.items():
        assert costs["seconds_per_minute"] > 0, name
        assert costs["ratio"] == pytest.approx(
            costs["seconds_per_minute"] / umx["seconds_per_minute"]
        ), name


def test_nothing_is_forgotten(repository):
    """Whatever comes with the package, or needs no weights, has its line in the record."""
    file = repository / "book" / "results" / "costs.json"
    told = json.loads(file.read_text())["systems"]
    code = "import costs; print(*costs.systems())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=repository / "benchmarks",
    )  # fmt: skip
    assert set(done.stdout.split()) == set(told)
