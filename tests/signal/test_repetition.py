"""Frames that sound alike, and the mean over them."""

import pytest
import torch

from unmix_lite.signal import average_repetitions


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def by_the_book(guesses, estimates, neighbours, context=3):
    """The same in words rather than matrices: frame by frame, distance by distance."""
    frames = guesses.shape[-1]
    averaged = torch.zeros_like(guesses)
    for source, (guess, points) in enumerate(zip(guesses, estimates.sqrt())):
        for here in range(frames):
            distances = []
            for there in range(frames):
                steps = [
                    step for step in range(-context, context + 1)
                    if 0 <= here + step < frames and 0 <= there + step < frames
                ]  # fmt: skip
                apart = [points[..., here + s] - points[..., there + s] for s in steps]
                distances.append(sum(float(a.square().sum()) for a in apart) / len(apart))
            radius = sorted(distances)[neighbours]
            weights = [max(0.0, radius - distance) for distance in distances]
            total = sum(w * guess[..., there] for there, w in enumerate(weights))
            averaged[source, ..., here] = total / sum(weights)
    return averaged


@pytest.mark.parametrize("channels", [1, 2])
def test_it_is_what_the_words_say(channels):
    guesses = random(2, channels, 9, 40, seed=1)
    estimates = random(2, channels, 9, 40, seed=2)
    ours = average_repetitions(guesses.double(), estimates.double(), 6)
    expected = by_the_book(guesses.double(), estimates.double(), 6)
    assert torch.allclose(ours, expected, atol=1e-9)


def tune(bars=12, length=10, bins=50):
    """A loop of notes, the same in every bar, and guesses at it: each with an error of its own."""
    bar = random(1, 2, bins, length) ** 4
    true = bar.repeat(1, 1, 1, bars)
    return true, true * (0.5 + random(*true.shape, seed=1))


def error(guess, true):
    return float((guess - true).square().sum() / true.square().sum())


def test_the_mean_over_a_loop_errs_less_than_a_guess():
    true, guesses = tune()
    averaged = average_repetitions(guesses, guesses, 12)
    assert error(averaged, true) < 0.3 * error(guesses, true)
    # The better one knows what is alike, the better the mean.
    assert error(average_repetitions(guesses, true, 12), true) <= error(averaged, true)


def test_every_source_has_neighbours_of_its_own():
    true, guesses = tune(bars=12, length=10)
    other, others = tune(bars=15, length=8)
    both = average_repetitions(torch.cat([guesses, others]), torch.cat([true, other]), 12)
    assert torch.allclose(both[:1], average_repetitions(guesses, true, 12), atol=1e-6)
    assert torch.allclose(both[1:], average_repetitions(others, other, 12), atol=1e-6)


def test_loud_and_soft_are_not_mixed():
    """Where the source pauses, the mean is not fed by where it plays the same thing loudly."""
    true, guesses = tune()
    rest = torch.ones(true.shape[-1])
    rest[60:] = 0.01
    averaged = average_repetitions(guesses * rest, true * rest, 12)
    loudest = (guesses * rest)[..., 70:].max()
    assert averaged[..., 70:].max() <= loudest


def test_rounding_decides_nothing():
    true, guesses = tune()
    estimates = random(*true.shape, seed=3)
    shaken = estimates * (1 + 1e-6 * random(*true.shape, seed=4))
    a, b = (average_repetitions(guesses, of, 20) for of in (estimates, shaken))
    assert error(a, b) < 1e-9


@pytest.mark.parametrize("frames, neighbours", [(120, 1), (9, 40), (1, 40), (0, 40)])
def test_nothing_to_average_leaves_everything_as_it_is(frames, neighbours):
    guesses = random(2, 2, 5, frames)
    assert torch.equal(
        average_repetitions(guesses, random(2, 2, 5, frames, seed=1), neighbours), guesses
    )


def test_in_digital_silence_every_frame_keeps_to_itself():
    guesses = random(2, 2, 5, 60)
    averaged = average_repetitions(guesses, torch.zeros_like(guesses), 10)
    assert torch.allclose(averaged, guesses, atol=1e-6)


def test_in_a_short_window_a_fifth_of_it_is_enough():
    guesses, estimates = random(2, 2, 5, 50), random(2, 2, 5, 50, seed=1)
    forty = average_repetitions(guesses, estimates, 40)
    assert torch.equal(forty, average_repetitions(guesses, estimates, 10))


@pytest.mark.parametrize(
    "guesses, estimates, neighbours, words",
    [
        ((2, 2, 5, 60), (2, 2, 5, 60), 0, "at least 1, not 0"),
        ((2, 2, 5, 60), (2, 2, 5, 61), 5, "must both be"),
        ((2, 5, 60), (2, 5, 60), 5, "must both be"),
    ],
)
def test_what_cannot_be_is_one_line(guesses, estimates, neighbours, words):
    with pytest.raises(ValueError, match=words):
        average_repetitions(torch.zeros(guesses), torch.zeros(estimates), neighbours)
