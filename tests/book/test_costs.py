"""The table of costs: every system is on it, and a quick run writes what chapter 11 reads."""

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def record(repository, band, tmp_path_factory):
    """The cheapest system beside the one that all are compared with, for a second."""
    file = tmp_path_factory.mktemp("costs") / "costs.json"
    command = [sys.executable, repository / "benchmarks" / "costs.py", "--seconds", "1",
               "--systems", "CENTRE", "-o", file]  # fmt: skip
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=300,
        env=os.environ | {"UNMIX_LITE_CORPUS": str(band)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(file.read_text())


def test_it_says_what_was_measured_where(record):
    assert record["seconds"] == 1 and record["machine"] and record["versions"]["torch"]
    assert list(record["systems"]) == ["CENTRE", "umx-lite"]


def test_costs_are_of_the_systems(record):
    centre, umx = record["systems"].values()
    assert centre["weights"] == 0 and umx["weights"] > 10**7
    assert umx["ratio"] == 1 and centre["seconds_per_minute"] > 0
    assert centre["ratio"] == pytest.approx(
        centre["seconds_per_minute"] / umx["seconds_per_minute"]
    )


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
