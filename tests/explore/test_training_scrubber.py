"""The training scrubber: JavaScript's numbers are Python's, in every browser."""

import pytest

from unmix_lite import explore

STEPS = (0, 1, 12, 200)


@pytest.fixture(scope="module")
def scrubber(stems):
    """A training that leaves less and less of the rest behind."""
    mixture, true = sum(stems.values()), stems["drums"]
    rest = {step: 0.4 * index for index, step in enumerate(STEPS)}
    estimates = {step: mixture - share * (mixture - true) / 1.5 for step, share in rest.items()}
    losses = {"own songs": [4.0, 3.0, 1.0, 0.6], "other songs": [4.0, 3.1, 1.2, 0.9]}
    return explore.training_scrubber(estimates, true, mixture, losses, 44100, "drums")


@pytest.mark.parametrize("checkpoint", range(len(STEPS)))
def test_the_page_has_pythons_numbers(scrubber, on_page, checkpoint):
    expected = scrubber.sdrs()[checkpoint]
    found = on_page(scrubber, {"checkpoint": checkpoint})
    assert found == pytest.approx(expected, abs=1e-5 * max(1, abs(expected)))


def test_what_is_claimed_of_it(scrubber):
    scores = scrubber.sdrs()
    assert scrubber.steps == list(STEPS) and scores == sorted(scores)
    try:
        scrubber.checkpoint = 2
        assert scrubber.sdr == scores[2]
    finally:
        scrubber.checkpoint = 0


def test_each_step_has_its_losses(stems):
    drums = stems["drums"]
    with pytest.raises(ValueError, match="own songs"):
        explore.training_scrubber({0: drums, 1: drums}, drums, drums, {"own songs": [1.0]}, 44100)
