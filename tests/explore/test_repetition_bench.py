"""The repetition bench: JavaScript's numbers are Python's, in every browser."""

import numpy as np
import pytest
import torch

from unmix_lite import classic, explore
from unmix_lite.corpora import open_corpus


@pytest.fixture(scope="module")
def bench(band):
    """Of a whole song of the band: four seconds hold too few periods."""
    track = open_corpus(band).tracks("train")[0]
    return explore.repetition_bench(track.stems(), track.rate)


@pytest.mark.parametrize("state", [{}, {"period": 0.4}, {"period": 1.37}, {"period": 3.2}], ids=str)
def test_the_page_has_pythons_numbers(bench, on_page, state):
    first = bench.period
    bench.period = state.get("period", first)
    expected = [bench.sdr, bench.background_sdr]
    bench.period = first
    assert on_page(bench, state) == pytest.approx(expected, rel=1e-5)


def test_it_begins_with_the_period_that_repet_finds(bench):
    song = bench._voice + bench._rest
    found = classic.repet(song, bench._rate)
    assert torch.equal(found["vocals"], bench.estimates()["vocals"])


def test_what_is_claimed_of_it(bench):
    """A tenth of a second beside the hump the band does not lie on itself."""
    best, found = bench.sdr, bench.period
    beside = []
    for shift in (-0.1, 0.1):
        bench.period = found + shift
        beside.append(bench.sdr)
    bench.period = found
    assert max(beside) < best - 0.1
    # The two stems sum to the song: their errors are the same, their energies are not.
    energies = [float(x.square().sum()) for x in (bench._rest, bench._voice)]
    gap = 10 * np.log10(energies[0] / energies[1])
    assert bench.background_sdr - bench.sdr == pytest.approx(gap, abs=1e-3)
