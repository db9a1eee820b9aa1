"""Listening tests: blind comparisons, and what their answers show.

    test = AbxTest("ours", "theirs", trials=16, seed=1)   # is there a difference?
    test = MushraTest("reference", ["ours", "theirs"])    # how large is it?

The tests here know labels only. `widgets` plays them in a notebook, `abx_page` and
`mushra_page` in a page.
"""

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import binomtest

from ..errors import UnmixError
from ..files import StrPath

RATING_COLUMNS = ("listener", "item", "condition", "score")


def abx_p_value(correct: int, trials: int) -> float:
    """How often somebody who only guesses gets at least this many of an ABX test right.

    The tail of the binomial distribution with probability one half: the test's p-value.

    >>> round(abx_p_value(9, 12), 3)
    0.073

    Raises:
        UnmixError: more right answers than trials.
    """
    if not 0 <= correct <= trials or trials < 1:
        raise UnmixError(f"{correct} right answers of {trials} trials cannot be.")
    return float(binomtest(correct, trials, 0.5, alternative="greater").pvalue)


@dataclass
class AbxTest:
    """Is X the first sound or the second? Trial after trial, X drawn anew (Clark 1982).

    Args:
        a, b: labels of the two sounds, shown to the listener as A and B.
        trials: how many.
        seed: of the draws; None lets nobody know, not even whoever wrote the notebook.
    """

    a: str
    b: str
    trials: int = 12
    seed: int | None = None
    answers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise UnmixError("an ABX test needs at least one trial.")
        self._x = random.Random(self.seed).choices("AB", k=self.trials)

    @property
    def done(self) -> bool:
        return len(self.answers) == self.trials

    @property
    def x(self) -> str:
        """The label of the sound that is X now. The player asks; the listener must not."""
        if self.done:
            raise UnmixError("this ABX test is over; begin another.")
        return {"A": self.a, "B": self.b}[self._x[len(self.answers)]]

    def answer(self, letter: str) -> None:
        """Say what X is, "A" or "B", and go on to the next trial.

        Raises:
            UnmixError: another letter, or the test is over.
        """
        if letter not in ("A", "B"):
            raise UnmixError(f"X is A or B, not '{letter}'.")
        if self.done:
            raise UnmixError("this ABX test is over; begin another.")
        self.answers.append(letter)

    @property
    def correct(self) -> int:
        return sum(answer == truth for answer, truth in zip(self.answers, self._x))

    @property
    def p_value(self) -> float:
        """See `abx_p_value`. Only at the end: looking after each trial and stopping when it is
        small makes it small by chance."""
        if not self.done:
            raise UnmixError(f"{self.trials - len(self.answers)} trials are still to come.")
        return abx_p_value(self.correct, self.trials)


class MushraTest:
    """Sounds rated from 0 to 100 against a reference, which is itself hidden among them.

    ITU-R BS.1534-3, *method for the subjective assessment of intermediate quality level*.

    Args:
        reference: its label.
        conditions: labels of the sounds to be rated. The reference is added if it is missing.
        item: what is rated: a song, say.
        seed: of the order.
    """

    def __init__(
        self, reference: str, conditions: Iterable[str], item: str = "", seed: int | None = None
    ) -> None:
        labels = [reference, *(label for label in conditions if label != reference)]
        if len(labels) < 2 or len(set(labels)) < len(labels):
            raise UnmixError("MUSHRA compares at least one sound besides the reference, each once.")
        random.Random(seed).shuffle(labels)
        self.reference, self.item = reference, item
        self.order = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", labels))
        if len(self.order) < len(labels):
            raise UnmixError("more sounds than letters; the recommendation allows twelve.")

    def rows(self, ratings: Mapping[str, float], listener: str = "me") -> list[dict[str, Any]]:
        """What `read_ratings` reads, one row per sound.

        Args:
            ratings: dict letter -> score from 0 (bad) to 100 (excellent).

        Raises:
            UnmixError: a letter without a rating, or a rating outside the scale.
        """
        rows = []
        for letter, condition in self.order.items():
            score = ratings.get(letter)
            if score is None or not 0 <= score <= 100:
                raise UnmixError(f"sound {letter} needs a rating from 0 to 100, not {score}.")
            condition = "reference" if condition == self.reference else condition
            rows.append(dict(zip(RATING_COLUMNS, (listener, self.item, condition, float(score)))))
        return rows


def read_ratings(*files: StrPath) -> list[dict[str, Any]]:
    """Ratings out of the CSV files that the pages and the widgets save.

    Returns:
        a list of dicts with `RATING_COLUMNS`, scores as floats; other columns are left out.

    Raises:
        UnmixError: a file that cannot be read or is no such table; says which line.
    """
    rows = []
    for path in files:
        try:
            with open(path, newline="", encoding="utf-8-sig") as file:
                table = csv.DictReader(file)
                if missing := set(RATING_COLUMNS) - set(table.fieldnames or ()):
                    raise UnmixError(f"{path}: no ratings; columns {sorted(missing)} are missing.")
                for row in table:
                    try:
                        score = float(row["score"])
                        if not 0 <= score <= 100:
                            raise ValueError
                    except (TypeError, ValueError):
                        raise UnmixError(
                            f"{path}, line {table.line_num}: '{row['score']}' is no rating "
                            "from 0 to 100."
                        ) from None
                    rows.append({**{name: row[name] for name in RATING_COLUMNS}, "score": score})
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise UnmixError(f"{path}: cannot be read ({error}).") from error
    return rows


def screen_listeners(
    rows: Iterable[Mapping[str, Any]], least: float = 90, share: float = 0.15
) -> list[str]:
    """Listeners who did not find the hidden reference: below `least` on more than `share` of items.

    BS.1534-3, post-screening of assessors.
    """
    heard: dict[str, list[bool]] = {}
    for row in rows:
        if row["condition"] == "reference":
            heard.setdefault(row["listener"], []).append(row["score"] < least)
    listeners = dict.fromkeys(row["listener"] for row in rows)
    return [name for name in listeners if np.mean(heard.get(name, [True])) > share]


def summarize_ratings(
    rows: Iterable[Mapping[str, Any]], level: float = 0.95
) -> dict[str, tuple[float, float, float]]:
    """The median of each condition and how far it might lie elsewhere, had others listened.

    Medians, since scales are used differently by everybody and ratings pile up at 100
    (BS.1534-3). The interval is a percentile bootstrap that draws *listeners*, each with all of
    their ratings: those of one listener are alike, and taken for independent they would make it
    far too narrow. It says nothing of other excerpts.

    Args:
        rows: dicts with `listener`, `condition` and `score`.
        level: of confidence.

    Returns:
        dict condition -> (median, low, high), best first; the interval is NaN for one listener.
    """
    heard: dict[str, dict[Any, list[float]]] = {}
    for row in rows:
        heard.setdefault(row["condition"], {}).setdefault(row["listener"], []).append(row["score"])
    found = {}
    for condition, scores in heard.items():
        listeners = list(scores.values())
        median = float(np.median(np.concatenate(listeners)))
        found[condition] = (median, *_listeners_interval(listeners, level))
    return dict(sorted(found.items(), key=lambda entry: -entry[1][0]))


def _listeners_interval(listeners: Sequence[Sequence[float]], level: float) -> tuple[float, float]:
    """Where the median of all ratings lies in 2000 draws of as many listeners; always the same."""
    count = len(listeners)
    if count < 2:
        return float("nan"), float("nan")
    marks = np.concatenate(listeners)
    owner = np.repeat(np.arange(count), [len(scores) for scores in listeners])
    order = np.argsort(marks, kind="stable")
    draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=2000)
    # A listener drawn twice counts twice; the median is where half of the counted ratings lie.
    reached = draws[:, owner[order]].cumsum(axis=1)
    total = reached[:, -1:]
    middle = [np.argmax(reached >= half, axis=1) for half in ((total + 1) // 2, total // 2 + 1)]
    medians = marks[order][np.array(middle)].mean(axis=0)
    low, high = np.quantile(medians, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)
