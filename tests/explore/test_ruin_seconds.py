"""Seconds to ruin: JavaScript's numbers are Python's, in every browser."""

import pytest
import torch

from unmix_lite import explore


@pytest.fixture(scope="module")
def control(stems):
    voice = stems["vocals"]
    return explore.ruin_seconds(voice, 0.8 * voice + 0.2 * stems["other"], 44100)


@pytest.fixture
def there(control):
    yield control
    control.ruined = []


@pytest.mark.parametrize("ruined", [[], [1], [0, 2, 3]], ids=str)
def test_the_page_has_pythons_numbers(there, on_page, ruined):
    there.ruined = ruined
    expected = there.reading
    there.ruined = []
    for found, known in zip(on_page(there, {"ruined": ruined}), expected, strict=True):
        assert found == pytest.approx(known, abs=1e-5 * max(1, abs(known)))


def test_the_median_does_not_see_one_bad_second_and_the_others_do(there):
    median, mean, whole = there.reading
    there.ruined = [3]
    bad = there.reading
    assert median - bad[0] < min(mean - bad[1], whole - bad[2])
    there.ruined = [0, 1, 2, 3]
    assert max(there.reading) < 0


def test_only_whole_seconds_are_taken(stems):
    voice = stems["vocals"][:, : 44100 * 5 // 2]
    assert len(explore.ruin_seconds(voice, torch.zeros_like(voice) + 0.01, 44100).frames) == 2
