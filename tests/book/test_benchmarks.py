"""The benchmarks' records, of which the book speaks, and what is refused before one begins.

How fast anything is, no test asks; the benchmarks themselves run weekly (`--quick`), not here.
"""

import datetime
import json
import os
import statistics
import subprocess
import sys
from importlib import import_module

import pytest


@pytest.fixture(scope="module")
def benchmark(repository):
    """A function from a benchmark's name to its module and its record in the book."""
    pytest.importorskip("openunmix", reason="needs the reference, openunmix")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(repository / "benchmarks")

        def load(name):
            file = repository / "book" / "results" / f"benchmark_{name}.json"
            return import_module(name), json.loads(file.read_text())

        yield load
        for name in ("training", "separation", "evaluation", "machine", "reference"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["training", "separation", "evaluation"])
def test_a_record_says_what_was_measured_where_and_with_what(benchmark, name):
    _, record = benchmark(name)
    assert f"benchmarks/{name}.py" in record["command"] and record["what"]
    assert datetime.date.fromisoformat(record["date"]) <= datetime.date.today()
    assert record["machine"] and record["threads"] >= 1 and record["commit"]
    assert {"python", "torch"} <= set(record["versions"])


def test_ratios_are_of_the_medians_of_the_rounds(benchmark):
    _, record = benchmark("training")
    for measured in (record["excerpts_per_second"], *record["steps_per_second"].values()):
        ours, theirs = zip(*measured["rounds"])
        assert len(ours) >= 3 and min(ours + theirs) > 0
        assert measured["ours"] == pytest.approx(statistics.median(ours))
        assert measured["reference"] == pytest.approx(statistics.median(theirs))
        assert measured["ratio"] == pytest.approx(measured["ours"] / measured["reference"])


@pytest.mark.parametrize("name", ["separation", "evaluation"])
def test_speeds_are_seconds_of_music_over_the_median_of_the_rounds(benchmark, name):
    _, record = benchmark(name)
    speed = record["times_real_time"]
    for side in ("ours", "reference"):
        rounds = record["rounds"][side]
        assert speed[side] == pytest.approx(record["seconds"] / statistics.median(rounds))
    assert speed["ratio"] == pytest.approx(speed["ours"] / speed["reference"])


def test_medians_of_turns_are_compared(benchmark):
    module, _ = benchmark("training")
    turns = [((2.0, [4, 4]), (1.0, [1])), ((1.0, [6]), (2.0, [4])), ((1.0, [5]), (1.0, [3]))]
    found = module.compared(turns, sum)
    assert found["rounds"] == [[4, 1], [6, 2], [5, 3]]
    assert (found["ours"], found["reference"], found["ratio"]) == (5, 2, 2.5)


def test_decoding_and_waiting_are_told_apart(benchmark):
    _, record = benchmark("training")
    assert record["decoding"]["seconds_per_song"] > 0
    for step in record["steps_per_second"].values():
        assert all(0 <= share <= 1 for share in step["share_of_time_waiting_for_data"].values())
        assert step["gpu_utilisation"] is None or 0 <= step["gpu_utilisation"] <= 100


@pytest.mark.parametrize("name", ["training", "separation", "evaluation"])
def test_ratios_are_printed_and_no_speeds(benchmark, name, capsys):
    module, record = benchmark(name)
    module.report(record)
    printed = capsys.readouterr().out
    measured = record["excerpts_per_second"] if name == "training" else record["times_real_time"]
    assert any(f"{measured['ratio']:.{digits}f} times" in printed for digits in (0, 1))
    assert "/s" not in printed


def test_without_ffmpeg_it_is_one_line(repository, band, tmp_path):
    """In a process of its own: what reads `.stem.mp4` files looks for ffmpeg when it is loaded."""
    pytest.importorskip("openunmix", reason="needs the reference, openunmix")
    file = tmp_path / "result.json"
    command = [sys.executable, repository / "benchmarks" / "training.py", "--quick",
               "--corpus", band, "-o", file]  # fmt: skip
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True,
        env={**os.environ, "PATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1 and not file.exists()
    assert len(done.stderr.splitlines()) == 1 and "install ffmpeg" in done.stderr


def test_excerpts_longer_than_a_song_are_one_line(benchmark, band, capsys):
    module, _ = benchmark("training")
    assert module.main(["--quick", "--corpus", str(band), "--seconds", "60"]) == 1
    [said] = capsys.readouterr().err.splitlines()
    assert "5.0 s long; give --seconds less" in said
