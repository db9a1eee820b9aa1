"""Listening tests as ipywidgets, for notebooks with a kernel: answers arrive in Python at once.

    panel = Mushra(MushraTest("reference", ["ours", "theirs"]), sounds, rate)
    panel            # in a cell of its own; then rate, and
    panel.rows()     # what `summarize_ratings` takes

In pages without a kernel the same tests are those of `abx_page` and `mushra_page`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from ..errors import require
from ..explore import encoded
from .blind_tests import AbxTest, MushraTest

if TYPE_CHECKING:
    import ipywidgets
else:
    ipywidgets = require("ipywidgets", "course", "unmix_lite.listening.widgets")

__all__ = ["Abx", "Mushra"]


class Abx(ipywidgets.VBox):
    """An `AbxTest` to be listened to.

    Args:
        test: the test; its answers are given here.
        sounds: dict label -> `(channels, samples)`, the test's two labels among them.
        rate: in Hz.
    """

    def __init__(self, test: AbxTest, sounds: Mapping[str, torch.Tensor], rate: int) -> None:
        self.test = test
        self._stage = _Stage({label: sounds[label] for label in (test.a, test.b)}, rate)
        listen = [
            _button(letter, f"play {letter}", partial(self._play, letter)) for letter in "ABX"
        ]
        self._verdicts = [
            _button(f"X is {letter}", "", partial(self._answer, letter)) for letter in "AB"
        ]
        self._status = ipywidgets.HTML()
        super().__init__([
            ipywidgets.HBox(listen), self._stage, ipywidgets.HBox(self._verdicts), self._status
        ])  # fmt: skip
        self._report()

    def _play(self, letter: str) -> None:
        if letter == "X" and self.test.done:
            return
        self._stage.play({"A": self.test.a, "B": self.test.b}.get(letter) or self.test.x)

    def _answer(self, letter: str) -> None:
        self.test.answer(letter)
        self._report()

    def _report(self) -> None:
        test = self.test
        if not test.done:
            self._status.value = f"Trial {len(test.answers) + 1} of {test.trials}"
            return
        for button in self._verdicts:
            button.disabled = True
        self._status.value = (
            f"{test.correct} of {test.trials} right. Somebody who only guesses gets that many or "
            f"more in {test.p_value:.1%} of such tests."
        )


class Mushra(ipywidgets.VBox):
    """A `MushraTest` to be listened to and rated.

    Args:
        test: the test.
        sounds: dict label -> `(channels, samples)`, all the test's labels among them.
        rate: in Hz.
        listener: a name, for `rows`.
    """

    def __init__(
        self, test: MushraTest, sounds: Mapping[str, torch.Tensor], rate: int, listener: str = "me"
    ) -> None:
        self.test, self.listener = test, listener
        self._stage = _Stage({label: sounds[label] for label in test.order.values()}, rate)
        self._sliders = {
            letter: ipywidgets.IntSlider(50, 0, 100, description=letter) for letter in test.order
        }
        self._touched: set[str] = set()
        rows = []
        for letter, slider in self._sliders.items():
            slider.observe(lambda _, letter=letter: self._touched.add(letter), "value")
            play = partial(self._stage.play, test.order[letter])
            rows.append(ipywidgets.HBox([_button(letter, f"play {letter}", play), slider]))
        first = _button("Reference", "play", partial(self._stage.play, test.reference))
        super().__init__([first, self._stage, *rows])

    def rows(self) -> list[dict[str, Any]]:
        """The ratings; see `MushraTest.rows`.

        Raises:
            UnmixError: a sound that has not been rated. (One that deserves the 50 at which the
                sliders stand has to be moved there and back.)
        """
        ratings = {letter: self._sliders[letter].value for letter in self._touched}
        return self.test.rows(ratings, self.listener)


class _Stage(ipywidgets.Audio):
    """A looping player that shows nothing of what it plays: its length is that of all."""

    def __init__(self, sounds: Mapping[str, torch.Tensor], rate: int) -> None:
        self._sounds, _, _ = encoded(sounds, rate)
        super().__init__(value=b"", format="mp3", autoplay=True, loop=True)

    def play(self, label: str) -> None:
        self.value = self._sounds[label]


def _button(text: str, tooltip: str, action: Callable[[], None]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=text, tooltip=tooltip)
    button.on_click(lambda _: action())
    return button
