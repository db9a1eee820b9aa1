"""Listening tests: comparable sounds, blind trials, and the statistics of their answers."""

import csv

import numpy as np
import pytest
import torch

from unmix_lite.errors import AudioError, UnmixError
from unmix_lite.evaluation import utterance_sdr
from unmix_lite.listening import (
    AbxTest,
    MushraTest,
    abx_p_value,
    loudness,
    low_pass,
    match_loudness,
    mix_at_sdr,
    read_ratings,
    screen_listeners,
    summarize_ratings,
)

RATE = 44100


def tone(frequency, seconds=2.0, level=0.5, channels=2):
    time = torch.arange(int(seconds * RATE)) / RATE
    return (level * torch.sin(2 * torch.pi * frequency * time)).expand(channels, -1).float()


class TestLevels:
    def test_loudness_of_the_recommendations_tone(self):
        """BS.1770: a full-scale sine of 997 Hz in one front channel has -3.01 LUFS."""
        assert loudness(tone(997, level=1.0, channels=1), RATE) == pytest.approx(-3.01, abs=0.05)
        assert loudness(tone(997, level=0.1), RATE) == pytest.approx(-20, abs=0.05)

    def test_matched_sounds_are_equally_loud(self):
        noise = 0.3 * torch.randn(2, RATE, generator=torch.Generator().manual_seed(0))
        matched = match_loudness({"a": tone(300, level=0.1), "b": noise}, RATE)
        assert loudness(matched["a"], RATE) == pytest.approx(loudness(matched["b"], RATE), abs=0.01)
        torch.testing.assert_close(matched["a"], tone(300, level=0.1))

    def test_nothing_exceeds_full_scale(self):
        clicks = torch.zeros(2, 2 * RATE)
        clicks[:, ::4410] = 1.0
        matched = match_loudness({"tone": tone(300, level=0.9), "clicks": clicks}, RATE)
        assert max(float(x.abs().max()) for x in matched.values()) <= 1
        levels = [loudness(x, RATE) for x in matched.values()]
        assert levels[0] == pytest.approx(levels[1], abs=0.01)

    @pytest.mark.parametrize(
        "audio, reason",
        [
            (torch.zeros(2, RATE), "silent"),
            (tone(300, 0.2), "0.4 s"),
            (torch.full((1, RATE), torch.nan), "NaN"),
        ],
    )
    def test_no_loudness(self, audio, reason):
        with pytest.raises(AudioError, match=reason):
            loudness(audio, RATE)
        with pytest.raises(AudioError, match="no sound"):
            match_loudness({}, RATE)

    def test_low_pass_takes_the_highs_and_moves_nothing(self):
        low, high = tone(1000), tone(6000)
        filtered = low_pass(low + high, RATE)[:, 4410:-4410]
        assert utterance_sdr([low[:, 4410:-4410].T], [filtered.T])[0] > 60
        with pytest.raises(AudioError, match="4000 Hz"):
            low_pass(low, 8000, 4000)

    @pytest.mark.parametrize("wanted", [-3, 0, 10, 30])
    def test_at_sdr(self, wanted):
        source, error = tone(300).double(), tone(700).double()
        estimate = mix_at_sdr(source, error, wanted)
        assert utterance_sdr([source.T], [estimate.T])[0] == pytest.approx(wanted, abs=1e-5)
        assert isinstance(mix_at_sdr(source.numpy(), error.numpy(), wanted), np.ndarray)
        with pytest.raises(AudioError, match="silent"):
            mix_at_sdr(source, 0 * error, wanted)


class TestAbx:
    def test_chances_of_a_guesser(self):
        assert abx_p_value(12, 16) == pytest.approx(2517 / 65536)  # the sum of 16 over 12 to 16
        assert abx_p_value(0, 5) == 1 and abx_p_value(5, 5) == 2**-5
        for correct, trials in ((6, 5), (-1, 5), (0, 0)):
            with pytest.raises(UnmixError, match="cannot be"):
                abx_p_value(correct, trials)

    def test_who_hears_is_right_and_who_does_not_is_not(self):
        test = AbxTest("clean", "coded", trials=10, seed=3)
        while not test.done:
            with pytest.raises(UnmixError, match="still to come"):
                test.p_value
            test.answer("A" if test.x == "clean" else "B")
        assert test.correct == 10 and test.p_value == 2**-10
        for action in (lambda: test.x, lambda: test.answer("A")):
            with pytest.raises(UnmixError, match="over"):
                action()

    def test_draws_are_fair_and_come_from_the_seed(self):
        def drawn(seed):
            test = AbxTest("a", "b", trials=1000, seed=seed)
            for _ in range(1000):
                test.answer("A")
            return test.correct

        assert 450 < drawn(1) < 550 and drawn(1) == drawn(1) and len({*map(drawn, range(5))}) > 1

    def test_bad_answers(self):
        with pytest.raises(UnmixError, match="'x'"):
            AbxTest("a", "b").answer("x")
        with pytest.raises(UnmixError, match="one trial"):
            AbxTest("a", "b", trials=0)


class TestMushra:
    def test_the_reference_is_hidden_among_the_others(self):
        test = MushraTest("voice", ["anchor", "voice", "ours"], "song 1", seed=0)
        assert sorted(test.order) == ["A", "B", "C"]
        assert sorted(test.order.values()) == ["anchor", "ours", "voice"]
        orders = {tuple(MushraTest("v", ["a", "o"], seed=s).order.values()) for s in range(30)}
        assert len(orders) == 6

    def test_rows(self):
        test = MushraTest("voice", ["anchor"], "song 1", seed=0)
        rows = test.rows({"A": 0, "B": 100}, "Ann")
        assert {row["condition"] for row in rows} == {"reference", "anchor"}
        assert {row["item"] for row in rows} == {"song 1"} and rows[0]["listener"] == "Ann"
        for ratings in ({"A": 0}, {"A": 0, "B": 101}):
            with pytest.raises(UnmixError, match="sound B"):
                test.rows(ratings)

    @pytest.mark.parametrize(
        "labels, reason", [([], "at least one"), (["a", "a"], "once"), (map(str, range(30)), "let")]
    )
    def test_impossible_tests(self, labels, reason):
        with pytest.raises(UnmixError, match=reason):
            MushraTest("voice", labels)


class TestRatings:
    def ratings(self, path, rows):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, ("listener", "item", "condition", "score", "date"))
            writer.writeheader()
            writer.writerows(rows)
        return path

    def test_files_are_read_together(self, tmp_path):
        row = {"listener": "Ann", "item": 'a "b", c', "condition": "ours", "score": 3}
        files = [self.ratings(tmp_path / f"{n}.csv", [row] * n) for n in (1, 2)]
        assert read_ratings(*files) == [{**row, "score": 3.0}] * 3

    @pytest.mark.parametrize("score", ["101", "", "good", "nan"])
    def test_a_bad_line_is_named(self, tmp_path, score):
        row = {"listener": "Ann", "item": "x", "condition": "ours", "score": 1}
        file = self.ratings(tmp_path / "r.csv", [row, {**row, "score": score}])
        with pytest.raises(UnmixError, match=r"r.csv, line 3: .* no rating"):
            read_ratings(file)

    def test_other_files_are_refused(self, tmp_path):
        (tmp_path / "x.csv").write_text("a,b\n1,2\n")
        (tmp_path / "y.csv").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(UnmixError, match="score"):
            read_ratings(tmp_path / "x.csv")
        for name in ("y.csv", "missing.csv"):
            with pytest.raises(UnmixError, match=f"{name}: cannot be read"):
                read_ratings(tmp_path / name)

    def test_who_misses_the_reference_is_named(self):
        rows = [
            {"listener": who, "item": i, "condition": "reference", "score": score}
            for who, scores in {"Ann": [100] * 9 + [50], "Bob": [100] * 8 + [50] * 2}.items()
            for i, score in enumerate(scores)
        ]
        rows.append({"listener": "Cem", "item": 1, "condition": "ours", "score": 100})
        assert screen_listeners(rows) == ["Bob", "Cem"]

    def panel(self, rng, condition, middle, listeners=12, marks=8):
        """Marks of listeners whose tastes differ by much more than their hands shake."""
        return [
            {"listener": name, "condition": condition, "score": score}
            for name in range(listeners)
            for score in rng.normal(rng.normal(middle, 15), 3, marks)
        ]

    def test_summary_is_ordered_and_its_interval_holds_the_median(self):
        rng = np.random.default_rng(0)
        found = summarize_ratings(self.panel(rng, "low", 20) + self.panel(rng, "high", 80))
        assert list(found) == ["high", "low"]
        for median, low, high in found.values():
            assert low < median < high < low + 40

    def test_a_listener_drawn_twice_counts_twice(self):
        """The same draws, with the ratings laid out one by one, of listeners who rated unevenly."""
        rng = np.random.default_rng(1)
        scores = [list(rng.integers(0, 100, count).astype(float)) for count in (1, 4, 2, 7)]
        rows = [
            {"listener": i, "condition": "x", "score": score}
            for i, own in enumerate(scores) for score in own
        ]  # fmt: skip
        draws = np.random.default_rng(0).multinomial(4, np.full(4, 1 / 4), size=2000)
        medians = [
            np.median(np.concatenate([own * count for own, count in zip(scores, draw)]))
            for draw in draws
        ]
        expected = (np.median(np.concatenate(scores)), *np.quantile(medians, (0.025, 0.975)))
        assert summarize_ratings(rows)["x"] == pytest.approx(expected)

    def test_one_listener_tells_nothing_of_others(self):
        rows = [{"listener": "Ann", "condition": "x", "score": score} for score in (10, 20, 60)]
        median, low, high = summarize_ratings(rows)["x"]
        assert median == 20 and np.isnan([low, high]).all()

    def test_the_interval_covers_what_it_promises(self):
        """Of listeners, not of marks: of those it covered little more than half."""
        rng = np.random.default_rng(2)
        panels = [summarize_ratings(self.panel(rng, "x", 50))["x"] for _ in range(200)]
        covered = np.mean([low <= 50 <= high for _, low, high in panels])
        assert 0.86 <= covered <= 1
