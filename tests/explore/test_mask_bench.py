"""The mask bench: JavaScript's numbers are Python's, in every browser."""

import pytest
from controls import as_set

from unmix_lite import explore

STATES = [
    {},
    {"threshold": 7.5},
    {"kind": "ratio", "exponent": 1.0},
    {"kind": "ratio", "phase": "true"},
    {"strokes": [[0.5, 300, 0], [1.02, 2500, 1]]},
]


@pytest.fixture(scope="module")
def bench(stems):
    return explore.mask_bench(stems, 44100)


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_page_has_pythons_numbers(bench, on_page, state):
    with as_set(bench, state):
        expected = bench.sdr
    assert on_page(bench, state) == pytest.approx(expected, abs=1e-5 * max(1, abs(expected)))


def test_what_is_claimed_of_it(bench):
    """The threshold takes the leakage away, and the voice with it."""
    best = bench.sdr
    bench.threshold = 10.0
    assert bench.sdr < best - 1 and bench.mask().mean() < 0.5
    bench.threshold = 0.0
