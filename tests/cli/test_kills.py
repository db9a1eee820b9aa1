"""Killed at twenty moments each and started again: nothing is lost, nothing half-written is taken
for whole, and nothing is left behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from untrained import folder_of_networks, noise
from zenodo import serving, zip_of

from unmix_lite.audio import save_audio
from unmix_lite.names import TARGETS

DRIVER = Path(__file__).parents[1] / "helpers" / "killed_command.py"
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork to start cheaply")


def killed(command, folder, **variables):
    """What the driver found: a dict."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", **variables}
    done = subprocess.run(
        [sys.executable, DRIVER, command, folder], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@needs_fork
def test_separate(tmp_path):
    folder_of_networks(tmp_path / "model")
    for number in range(2):
        song = noise(2, 30_000, number).clamp(-0.9, 0.9)
        save_audio(tmp_path / "songs" / f"{number}.wav", song, 44100)
    assert killed("separate", tmp_path)["kills"] == 20


@needs_fork
def test_evaluate(tmp_path):
    for number in range(2):
        for seed, target in enumerate(TARGETS):
            stem = noise(2, 12_000, 10 * number + seed).clamp(-0.9, 0.9)
            save_audio(tmp_path / f"corpus/test/Song {number}/{target}.wav", stem, 8000)
    assert killed("evaluate", tmp_path)["kills"] == 20


@needs_fork
def test_the_band(tmp_path):
    assert killed("band", tmp_path)["kills"] == 20


@needs_fork
def test_grade(tmp_path):
    for student in ("Ada", "Bo", "Cy"):
        (tmp_path / "submissions" / student).mkdir(parents=True)
        (tmp_path / "submissions" / student / "A1.ipynb").write_text(f"answers of {student}")
    before = set(Path("/var/tmp").glob(".partial-*"))
    assert killed("grade", tmp_path)["kills"] == 20
    assert set(Path("/var/tmp").glob(".partial-*")) <= before


@needs_fork
def test_the_preview(tmp_path):
    songs = {
        f"{'test' if number % 3 == 0 else 'train'}/A - {number}.stem.mp4": os.urandom(20_000)
        for number in range(6)
    }
    with serving() as zenodo:
        zenodo["publish"](zip_of(songs))
        variables = {"UNMIX_LITE_ZENODO": zenodo["base"], "no_proxy": "127.0.0.1"}
        assert killed("preview", tmp_path, **variables)["kills"] == 20
