"""The augmentation bench: JavaScript's numbers are Python's, in every browser."""

import numpy as np
import pytest
import torch
from controls import as_set

from unmix_lite import explore, training
from unmix_lite.corpora import open_corpus
from unmix_lite.names import TARGETS

NONE = [None] * 4
STATES = [
    {},
    {"gain": True, "draw": 3},
    {"remix": True, "gain": True, "channelswap": True, "draw": 7, "target": "bass"},
    {"gains": [None, 0.0, None, 1.25], "swaps": [1, None, None, 0], "songs": [None, 1, None, 1]},
]


@pytest.fixture(scope="module")
def bench(band):
    tracks = open_corpus(band).tracks("train")[:2]
    songs = [torch.stack([track.stems()[name] for name in TARGETS]) for track in tracks]
    return explore.augmentation_bench(songs, tracks[0].rate)


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_page_has_pythons_numbers(bench, on_page, state):
    with as_set(bench, state):
        expected = [bench.over_rest, bench.balance]
    assert on_page(bench, state) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_what_is_heard_is_what_the_training_makes(bench):
    """The draws are the package's; a switch that is off leaves its part of the stems alone."""
    as_recorded = bench.stems()
    bench.gain = bench.channelswap = True
    bench.draw = 5
    now = {kind: values for kind, values in bench.changes().items() if kind != "songs"}
    changed = training.augment(
        as_recorded[None].clone(),
        {"gain": now["gains"], "channelswap": now["swaps"]},
        as_recorded.shape[-1],
    )
    assert torch.allclose(bench.stems(), changed[0])
    bench.gain = bench.channelswap = False
    bench.draw = 0
    assert torch.equal(bench.stems(), as_recorded)


def test_what_is_claimed_of_it(bench):
    """A swap cannot move the level of the target, a gain moves it most."""
    found = {}
    for change in ("gain", "channelswap"):
        setattr(bench, change, True)
        levels = []
        for draw in range(10):
            bench.draw = draw
            levels.append(bench.over_rest)
        found[change] = np.ptp(levels)
        setattr(bench, change, False)
    bench.draw = 0
    assert found["channelswap"] < 2 < found["gain"]
