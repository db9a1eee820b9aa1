"""The benchmarks run and write what the book reads. How fast anything is, no test asks."""

import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys

import pytest


def run(repository, *arguments, **environment):
    """Start benchmarks/training.py --quick as a user does."""
    command = [sys.executable, repository / "benchmarks" / "training.py", "--quick", *arguments]
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=300,
        env=os.environ | environment,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def reference():
    pytest.importorskip("openunmix", reason="needs the reference, openunmix")


@pytest.fixture(scope="module")
def outcome(repository, band, tmp_path_factory):
    """A quick run on a small band: what it printed, and the JSON it wrote."""
    if not shutil.which("ffmpeg"):
        pytest.skip("needs ffmpeg")
    file = tmp_path_factory.mktemp("benchmark") / "result.json"
    done = run(repository, "--corpus", band, "-o", file)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(file.read_text())


def test_it_says_what_was_measured_where_and_with_what(outcome):
    record = outcome[1]
    assert datetime.date.fromisoformat(record["date"]) <= datetime.date.today()
    assert {"python", "torch", "openunmix", "musdb"} <= set(record["versions"])
    assert record["machine"] and record["threads"] >= 1 and "commit" in record
    assert (record["corpus"], record["songs"], record["batch_size"]) == ("band", 2, 2)
    assert record["augmentations"] == ["remix", "gain", "channelswap"]


def test_ratios_are_of_the_medians_of_the_rounds(outcome):
    record = outcome[1]
    for measured in (record["excerpts_per_second"], *record["steps_per_second"].values()):
        ours, theirs = zip(*measured["rounds"])
        assert len(ours) == 2 and min(ours + theirs) > 0
        assert measured["ours"] == pytest.approx(statistics.median(ours))
        assert measured["reference"] == pytest.approx(statistics.median(theirs))
        assert measured["ratio"] == pytest.approx(measured["ours"] / measured["reference"])


def test_decoding_and_waiting_are_told_apart(outcome):
    record = outcome[1]
    assert record["decoding"]["seconds_per_song"] > 0
    assert set(record["steps_per_second"]) == {"16"}
    step = record["steps_per_second"]["16"]
    assert all(0 <= share <= 1 for share in step["share_of_time_waiting_for_data"].values())
    assert step["gpu_utilisation"] is None or 0 <= step["gpu_utilisation"] <= 100


def test_it_prints_ratios_and_no_speeds(outcome):
    printed, record = outcome
    assert f"{record['excerpts_per_second']['ratio']:.0f} times the reference's" in printed
    assert "hidden size 16" in printed and "/s" not in printed


def test_without_ffmpeg_it_is_one_line(repository, band, tmp_path):
    file = tmp_path / "result.json"
    done = run(repository, "--corpus", band, "-o", file, PATH=str(tmp_path))
    assert done.returncode == 1 and not file.exists()
    assert len(done.stderr.splitlines()) == 1 and "install ffmpeg" in done.stderr


def test_excerpts_longer_than_a_song_are_one_line(repository, band):
    if not shutil.which("ffmpeg"):
        pytest.skip("needs ffmpeg")
    done = run(repository, "--corpus", band, "--seconds", "60")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "5.0 s long; give --seconds less" in done.stderr


def test_the_separation_benchmark_compares_medians_and_peaks(repository, tmp_path):
    file = tmp_path / "result.json"
    command = [sys.executable, repository / "benchmarks" / "separation.py", "--seconds", "1",
               "--hidden-size", "8", "--rounds", "3", "-o", file]  # fmt: skip
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(file.read_text())
    rounds, speed = record["rounds"], record["times_real_time"]
    for side in ("ours", "reference"):
        assert speed[side] == pytest.approx(1 / statistics.median(rounds[side]))
        assert record["memory"][side]["megabytes_three_times_as_long"] > 0
    assert speed["ratio"] == pytest.approx(speed["ours"] / speed["reference"])
    assert f"speed: {speed['ratio']:.1f} times the reference's" in done.stdout
    assert {"torch", "openunmix"} <= set(record["versions"]) and record["machine"]


def test_the_evaluation_benchmark_compares_medians_and_scores(repository, band, tmp_path):
    if not shutil.which("ffmpeg"):
        pytest.skip("needs ffmpeg")
    file = tmp_path / "result.json"
    command = [sys.executable, repository / "benchmarks" / "evaluation.py", "--corpus", band,
               "--seconds", "2", "--rounds", "1", "-o", file]  # fmt: skip
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(file.read_text())
    rounds, speed = record["rounds"], record["times_real_time"]
    for side in ("ours", "reference"):
        assert speed[side] == pytest.approx(2 / statistics.median(rounds[side]))
    assert speed["ratio"] == pytest.approx(speed["ours"] / speed["reference"])
    assert f"speed: {speed['ratio']:.1f} times museval's" in done.stdout
    assert max(record["worst_difference_db"].values()) < 0.01  # the band's bass is mono
    assert (record["frames"], record["sources"], record["channels"]) == (2, 4, 2)
