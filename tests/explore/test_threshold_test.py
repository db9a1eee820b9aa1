"""The threshold test: its staircase and its curve are the same in JavaScript and in Python."""

import numpy as np
import pytest

from unmix_lite import explore
from unmix_lite.explore.controls.threshold_test import LONGEST, Listener, Staircase, chance
from unmix_lite.listening import mix_at_sdr

RUNS = {
    "nothing yet": [],
    "four": [True, True, False, True],
    "never right": [False] * 9,
    "always right": [True] * 22,
    "keen": Listener(45, 1, 3).sits().answers,
    "unsteady": Listener(20, 6, 4).sits().answers,
    "a guesser": Listener(-40, 1, 5).sits().answers,
}


@pytest.fixture(scope="module")
def control(stems):
    return explore.threshold_test(stems["vocals"], stems["drums"], 44100)


@pytest.mark.parametrize("answers", RUNS.values(), ids=RUNS)
def test_the_page_has_pythons_numbers(control, on_page, answers):
    stairs = Staircase.of(answers)
    fit = stairs.fit() or {"threshold": 0}
    expected = [stairs.level, len(stairs.reversals), stairs.estimate or 0, fit["threshold"]]
    *found, level = on_page(control, {"answers": answers})
    assert found == pytest.approx(expected, rel=1e-5)
    assert level == pytest.approx(stairs.level, abs=1e-3)  # of what is played


def test_two_right_make_it_harder_and_one_wrong_easier():
    stairs = Staircase.of([True, True, True, True, False, True, False])
    assert stairs.levels == [10, 10, 18, 18, 26, 22, 22] and stairs.reversals == [26]
    assert stairs.level == 18 and stairs.estimate is None and not stairs.done


def test_it_finds_a_listener_whose_threshold_is_known():
    """On average; one run may be some dB off."""
    runs = [Listener(25, 2, seed).sits() for seed in range(150)]
    assert np.mean([run.estimate for run in runs]) == pytest.approx(25, abs=1)
    assert np.median([run.fit()["threshold"] for run in runs[:40]]) == pytest.approx(25, abs=1)
    assert max(len(run.answers) for run in runs) <= LONGEST


def test_a_listeners_threshold_is_where_two_right_answers_are_as_likely_as_not():
    listener = Listener(25, 3)
    assert chance(25, listener._middle, 3) ** 2 == pytest.approx(0.5)


def test_a_level_is_an_sdr(control):
    expected = mix_at_sdr(control._clean, control._leak, 23.0)
    assert (control.mixture(23.0) - expected).abs().max() < 1e-6
