"""Pictures of numbers: training curves, and scores over songs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .look import WIDTH, axes_of, colour, plt, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rows = Sequence[Mapping[str, Any]]
"""A training's history: `{"step", "train_loss", "valid_loss"}` time after time."""
History = Rows | Mapping[str, Rows]
"""Of one training, or of several by their names."""


def curves(
    history: History, ax: Axes | None = None, title: str | None = None, label: str = "loss"
) -> Axes:
    """Draw training and validation loss over steps; a ring marks the best validation loss.

    Args:
        history: rows `{"step", "train_loss", "valid_loss"}`, a loss missing or None where it was
            not measured; or a dict name -> rows, drawn in the targets' colours.
        label: of the loss axis.

    Returns:
        the Axes.
    """
    runs: Mapping[str, Rows] = history if isinstance(history, Mapping) else {"": history}
    many = len(runs) > 2  # then only the solid lines are named, lest the names cover the curves
    ax = axes_of(ax, height=3.2)
    for index, (name, rows) in enumerate(runs.items()):
        shade = colour(name or "drums", index)
        steps, losses = _column(rows, "train_loss")
        ax.plot(steps, losses, color=shade, alpha=0.6, linewidth=1, linestyle="--",
                label="_" if many else f"{name} training".strip())  # fmt: skip
        steps, losses = _column(rows, "valid_loss")
        if not steps:
            continue
        solid = name if many else f"{name} validation".strip()
        ax.plot(steps, losses, color=shade, linewidth=1.8, label=solid)
        best = int(np.argmin(losses))
        ax.plot(steps[best], losses[best], "o", color=shade, markerfacecolor="none", markersize=8)
    ax.set(xlabel="step", ylabel=label, title=title or "")
    ax.grid(axis="y", alpha=0.3)
    ax.legend(fontsize=9, frameon=False)
    return ax


class LiveCurve:
    """`curves` redrawn in place in a notebook: `train(..., on_validation=LiveCurve())`.

    Called with a history, rows as `curves` takes them; the last picture remains.
    """

    def __init__(self, title: str | None = None, label: str = "loss") -> None:
        self.title, self.label = title, label
        self._display: Any = None
        with style():
            self._figure, self._ax = plt.subplots(figsize=(WIDTH, 3.2))
        plt.close(self._figure)  # or the notebook would show it once more, below the cell

    def __call__(self, history: History) -> None:
        from IPython.display import display  # not there without a notebook

        self._ax.clear()
        with style():
            curves(history, self._ax, self.title, self.label)
        if self._display:
            self._display.update(self._figure)
        else:
            self._display = display(self._figure, display_id=True)


def score_chart(
    scores: Mapping[str, Iterable[float]],
    ax: Axes | None = None,
    title: str | None = None,
    label: str = "SDR (dB)",
) -> Axes:
    """Draw how scores are spread over songs: a dot per song, a box per target, the median in words.

    Args:
        scores: dict target -> one score per song in dB; NaN (no score) is left out.
        label: of the score axis.

    Returns:
        the Axes.
    """
    ax = axes_of(ax, height=3.4)
    spread = np.random.default_rng(0)
    for index, (target, values) in enumerate(scores.items()):
        values = np.asarray(values, dtype=float)
        values = values[~np.isnan(values)]
        if not len(values):
            continue
        shade = colour(target, index)
        ax.boxplot(values, positions=[index], widths=0.6, showfliers=False,
                   boxprops={"color": shade}, whiskerprops={"color": shade},
                   capprops={"color": shade},
                   medianprops={"color": "black", "linewidth": 2})  # fmt: skip
        places = index + spread.uniform(-0.18, 0.18, len(values))
        ax.plot(places, values, "o", color=shade, markersize=4, alpha=0.6)
        ax.annotate(f"{np.median(values):.1f}", (index + 0.33, np.median(values)), va="center")
    ax.set_xticks(range(len(scores)), list(scores))
    ax.set_xlim(-0.6, len(scores) - 0.2)
    ax.set(ylabel=label, title=title or "")
    ax.grid(axis="y", alpha=0.3)
    return ax


def _column(rows: Rows, name: str) -> tuple[list[int], list[float]]:
    """Steps and values of the rows that have this value."""
    rows = [row for row in rows if row.get(name) is not None]
    return [row["step"] for row in rows], [row[name] for row in rows]
