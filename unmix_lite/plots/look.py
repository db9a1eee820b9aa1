"""One look for all figures: their colours, their type, their width."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

plt = require("matplotlib.pyplot", "course", "unmix_lite.plots")

COLOURS = {
    "vocals": "#D55E00",
    "drums": "#0072B2",
    "bass": "#009E73",
    "other": "#CC79A7",
    "accompaniment": "#56B4E9",
    "mixture": "#000000",
}
"""Of the stems, by name, and of nothing else."""
_SPARE = ("#E69F00", "#999999", "#56B4E9", "#F0E442")

WIDTH = 6.4
"""Of a figure, in inches: the book's column; on a screen 390 pixels wide, 12 points still read."""
# Perceptually uniform (and read aright by colour-blind readers).
IMAGE_MAP = "magma"
_STYLE: dict[Any, Any] = {
    "figure.constrained_layout.use": True,
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "image.cmap": IMAGE_MAP,
    # None of the stems' colours, which mean the stems.
    "axes.prop_cycle": plt.cycler(color=["#000000", *_SPARE]),
}


@contextlib.contextmanager
def style() -> Iterator[None]:
    """A context in which figures look like the ones made here: `with style(): plt.subplots()`."""
    # Not plt.rc_context, which also puts `interactive` back: Jupyter sets it with the first figure,
    # and without it no later figure is shown.
    before = {name: plt.rcParams[name] for name in _STYLE}
    plt.rcParams.update(_STYLE)
    try:
        yield
    finally:
        plt.rcParams.update(before)


def colour(name: str, index: int = 0) -> str:
    """The colour of a target; for any other name the spare one of that index."""
    return COLOURS.get(name, _SPARE[index % len(_SPARE)])


def axes_of(ax: Axes | None, height: float) -> Axes:
    if ax is not None:
        return ax
    with style():
        return plt.subplots(figsize=(WIDTH, height))[1]
