"""What several tests need: data where it lies on this machine, a rendered band, plain tones."""

import os
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]


def existing(path, what):
    """`path`, or a skip that says what is missing."""
    if not path.exists():
        pytest.skip(f"needs {what}, which is not on this machine ({path})")
    return path


@pytest.fixture(scope="session")
def repository():
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data():
    """The folder of the recorded scores and the real songs, beside the repository."""
    return existing(ROOT.parent / "shared" / "data", "the recorded scores and real songs")


@pytest.fixture(scope="session")
def musdb7():
    """The folder of MUSDB18's 7 s preview: MUSDB_PATH, or the one beside the repository."""
    beside = ROOT.parent / "shared" / "data" / "musdb18-7"
    return existing(Path(os.environ.get("MUSDB_PATH") or beside), "MUSDB18's 7 s preview")


@pytest.fixture(scope="session")
def songs(shared_data):
    """The folder of whole songs without stems."""
    return existing(shared_data / "songs", "the real songs")


@pytest.fixture(scope="session")
def band(tmp_path_factory):
    """The folder of a small band: four training songs and two test songs of 5 s."""
    from unmix_lite.corpora.band import render_band

    root = tmp_path_factory.mktemp("band")
    render_band(root, train=4, test=2, seconds=5.0)
    return root


@pytest.fixture
def tone():
    """A function that makes a sine, float32 (channels, samples), at a frequency in Hz."""

    def make(frequency=440.0, seconds=1.0, rate=44100, channels=2, level=0.5):
        time = torch.arange(round(seconds * rate), dtype=torch.float64) / rate
        wave = level * torch.sin(2 * torch.pi * frequency * time)
        return wave.float().expand(channels, -1).clone()

    return make


@pytest.fixture(scope="session")
def tones(tmp_path_factory):
    """A corpus of five songs of 1 s at 8 kHz whose stems are tones (see tiny_training.py)."""
    from tiny_training import write_corpus

    return write_corpus(tmp_path_factory.mktemp("tones"))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty folder for what is decoded, downloaded or rendered."""
    monkeypatch.setenv("UNMIX_LITE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
