"""How the learning rate goes, and when a training ends."""

import itertools
import os
import signal
from types import SimpleNamespace

import pytest
from tiny_training import disturb, fit, kept, recipe

from unmix_lite.training import is_stalled, learning_rate, loop

LOST = 0.3  # what a plateau leaves of the rate


def history(*losses):
    return [{"valid_loss": loss} for loss in losses]


def test_cosine_falls_to_zero():
    rates = [learning_rate(recipe(), fraction, []) for fraction in (0, 1 / 3, 0.5, 1)]
    assert rates == pytest.approx([1e-3, 7.5e-4, 5e-4, 0])


def test_constant_stays():
    config = recipe(schedule="constant", learning_rate=3e-4)
    assert {learning_rate(config, f, history(1, 2, 3)) for f in (0, 0.5, 1)} == {3e-4}


@pytest.mark.parametrize(
    ("losses", "times"),
    [
        ([], 0),
        ([3, 2, 1], 0),
        ([1, 2], 0),  # waits for two
        ([1, 2, 1], 1),  # as good as the best is no progress
        ([1, 2, 0.5, 0.6], 0),  # progress starts the wait anew
        ([1, 2, 3, 4], 1),  # and so does a lower rate
        ([1, 2, 3, 4, 5], 2),
        ([1, 2, 3, 0.5, 0.4], 1),  # the rate does not rise again
    ],
)
def test_a_plateau_lowers_the_rate(losses, times):
    config = recipe(schedule="plateau", plateau=2)
    assert learning_rate(config, 0.5, history(*losses)) == pytest.approx(1e-3 * LOST**times)


@pytest.mark.parametrize(
    ("losses", "patience", "stalled"),
    [
        ([], 1, False),
        ([1, 2, 3], 0, False),
        ([1, 2], 2, False),
        ([1, 2, 3], 2, True),
        ([1, 1, 1], 2, True),
        ([3, 4, 2, 5], 2, False),
    ],
)
def test_patience_ends_after_so_many_validations_without_progress(losses, patience, stalled):
    assert is_stalled(history(*losses), patience) == stalled


@pytest.mark.usefixtures("cache")
class TestMinutes:
    """A clock on which every step takes 10 s."""

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch):
        seconds = itertools.count(0, 10)
        # The loop reads it before and after a step.
        monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(seconds)))

    def test_a_training_ends_with_its_minutes(self, tones, tmp_path):
        rows = fit(tones, tmp_path, steps=100, minutes=1, valid_every=4)
        assert [row["step"] for row in rows] == [4, 6]

    def test_where_only_minutes_are_given_they_alone_end_it(self, tones, tmp_path):
        rows = fit(tones, tmp_path, steps=None, minutes=1, valid_every=4)
        assert [row["step"] for row in rows] == [4, 6]

    def test_or_with_its_steps(self, tones, tmp_path):
        rows = fit(tones, tmp_path, steps=3, minutes=1, valid_every=4)
        assert [row["step"] for row in rows] == [3]

    def test_the_cosine_follows_the_clock(self, tones, tmp_path):
        rows = fit(tones, tmp_path, steps=100, minutes=1, valid_every=1)
        expected = [learning_rate(recipe(), step / 6, []) for step in range(6)]
        assert [row["learning_rate"] for row in rows] == pytest.approx(expected)

    def test_more_minutes_may_be_granted_and_those_spent_count(self, tones, tmp_path):
        fit(tones, tmp_path, steps=100, minutes=0.5)
        rows = fit(tones, tmp_path, steps=100, minutes=1)
        assert [row["step"] for row in rows] == [2, 3, 4, 6]

    def test_with_fewer_minutes_than_are_spent_what_was_learned_is_kept(
        self, tones, tmp_path, monkeypatch
    ):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            disturb(patch, 2, lambda: os.kill(os.getpid(), signal.SIGINT))
            fit(tones, tmp_path, steps=100, minutes=5, valid_every=50)
        rows = fit(tones, tmp_path, steps=100, minutes=0.1, valid_every=50)
        assert [row["step"] for row in rows] == [3]
        assert kept(tmp_path)[1]["training"]["step"] == 3

    def test_minutes_that_are_spent_already_leave_what_is_there(self, tones, tmp_path):
        rows = fit(tones, tmp_path, steps=100, minutes=1)
        assert fit(tones, tmp_path, steps=100, minutes=0.5) == rows
