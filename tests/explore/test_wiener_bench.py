"""The Wiener bench: JavaScript's numbers are Python's, in every browser."""

import numpy as np
import pytest
from controls import as_set

from unmix_lite import explore

STATES = [
    {},
    {"pan_1": 45.0, "pan_2": 45.0, "rounds": 3},
    {"width_1": 0.6, "level_2": 2.5, "rounds": 5, "way": "posterior"},
    {"rounds": 0},
]


@pytest.fixture(scope="module")
def bench(stems):
    # Guesses that leak, and do not add up.
    song = sum(stems.values())
    return explore.wiener_bench({n: 0.8 * s + 0.1 * song for n, s in stems.items()}, stems, 44100)


@pytest.fixture
def there(bench):
    """The bench, which goes back to its first state."""
    with as_set(bench):
        yield bench


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_page_has_pythons_numbers(there, on_page, state):
    with as_set(there, state):
        expected = there.reading
    for found, known in zip(on_page(there, state), expected, strict=True):
        assert found == pytest.approx(known, abs=1e-5 * max(1, abs(known)))


def test_apart_the_filter_cancels_a_direction_and_together_it_is_a_mask(there):
    assert there.sdr > there.mask_sdr + 5
    there.width_1 = there.width_2 = 0.01
    line = np.array([np.cos(np.deg2rad(there.pan_2)), np.sin(np.deg2rad(there.pan_2))])
    assert np.linalg.norm(there.filter.numpy() @ line) < 0.05
    there.pan_2, there.level_2 = there.pan_1, 3.0
    assert there.sdr == pytest.approx(there.mask_sdr, abs=1e-3)


def test_the_references_rounds_harden_and_those_with_the_posterior_do_not(there):
    there.rounds = 1
    first = there.undecided
    there.rounds = 5
    hard, there.way = there.undecided, "posterior"
    assert hard < 0.6 * first < there.undecided
