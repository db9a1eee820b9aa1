"""The engine's files, a song, and Python's separator with the weights that the page has."""

import pytest
from page_weights import with_page_weights

from unmix_lite.corpora import open_corpus
from unmix_lite.explore import write_engine
from unmix_lite.separation import Separator

SECONDS = 4.0


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory):
    """What the page fetches."""
    folder = tmp_path_factory.mktemp("engine")
    write_engine(folder)
    return folder


@pytest.fixture(scope="session")
def song(band):
    """Four seconds of the band, (2, samples) at 44100 Hz."""
    return open_corpus(band).tracks("train")[0].mixture()[:, : int(SECONDS * 44100)].contiguous()


@pytest.fixture
def separator(engine_folder, monkeypatch):
    """`umx-lite` in Python, with the page's weights; its stems do not add up yet."""
    separator = Separator.from_pretrained("umx-lite", "cpu", complete=False)
    with_page_weights(engine_folder, separator, monkeypatch)
    return separator


@pytest.fixture(scope="session")
def live_folder(tmp_path_factory):
    """What the live page fetches."""
    folder = tmp_path_factory.mktemp("live")
    write_engine(folder, "umx-lite-live")
    return folder
