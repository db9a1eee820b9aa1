"""Pictures of sound: spectrograms, waveforms, masks, training curves and scores.

Every function draws and returns; none shows, saves or keeps anything. Given no `ax` it makes a
figure of its own, sized to stay legible on a phone. Colours come from a palette that colour-blind
readers can tell apart (Okabe and Ito 2008), spectrograms from perceptually uniform colour maps.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .errors import require
from .signal import decibels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

plt = require("matplotlib.pyplot", "course", "unmix_lite.plots")

Rows = Sequence[Mapping[str, Any]]
"""A training's history: `{"step", "train_loss", "valid_loss"}` time after time."""
History = Rows | Mapping[str, Rows]
"""Of one training, or of several by their names."""

COLOURS = {
    "vocals": "#D55E00",
    "drums": "#0072B2",
    "bass": "#009E73",
    "other": "#CC79A7",
    "accompaniment": "#56B4E9",
    "mixture": "#000000",
}
_SPARE = ("#E69F00", "#56B4E9", "#999999", "#F0E442")

# 5.2 in at 100 dpi is 520 pixels: on a screen 390 wide, 11 points still read.
WIDTH = 5.2
_STYLE: dict[Any, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "image.cmap": "magma",
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


def spectrogram(
    spec: torch.Tensor | np.ndarray,
    rate: int = 44100,
    hop_length: int = 1024,
    ax: Axes | None = None,
    title: str | None = None,
    top: float | None = None,
    log: bool = False,
    reference: float | None = None,
    span: float = 80.0,
) -> Axes:
    """Draw a spectrogram in dB.

    Args:
        spec: `(freq, frames)`, or `(channels, freq, frames)` whose magnitudes are averaged; complex
            or a magnitude; frequencies from 0 Hz to half the rate.
        rate: in Hz.
        hop_length: in samples.
        top: highest frequency shown, in Hz.
        log: logarithmic frequencies, from 40 Hz on.
        reference: the magnitude that is 0 dB; None takes the loudest one.
        span: how many dB below the reference are shown.

    Returns:
        the Axes.
    """
    magnitudes = _plane(spec)
    levels = decibels(magnitudes, -span, _loudest([magnitudes]) if reference is None else reference)
    ax = _axes(ax, height=3.0)
    image = _image(ax, levels.numpy(), rate, hop_length, top, log, vmin=-span, vmax=0)
    _colour_bar(image, [ax], "dB")
    ax.set_title(title or "")
    return ax


def spectrograms(
    specs: Mapping[str, torch.Tensor | np.ndarray],
    rate: int = 44100,
    hop_length: int = 1024,
    columns: int = 2,
    top: float | None = None,
    log: bool = False,
    title: str | None = None,
    span: float = 80.0,
) -> Figure:
    """Draw several spectrograms on one scale: 0 dB is the loudest magnitude of all.

    Args:
        specs: dict name -> spectrogram, as `spectrogram` takes them.
        columns: how many side by side.

    Returns:
        the Figure.
    """
    planes = {name: _plane(spec) for name, spec in specs.items()}
    loudest = _loudest(planes.values())
    rows = math.ceil(len(planes) / columns)
    with style():
        figure, grid = plt.subplots(
            rows, columns, figsize=(WIDTH, 2.1 * rows + 0.3),
            sharex=True, sharey=True, squeeze=False,
        )  # fmt: skip
    for ax, (name, magnitudes) in zip(grid.flat, planes.items()):
        levels = decibels(magnitudes, -span, loudest).numpy()
        image = _image(ax, levels, rate, hop_length, top, log, vmin=-span, vmax=0)
        ax.set_title(name)
        ax.label_outer()
    for ax in grid.flat[len(planes) :]:
        ax.remove()
    _colour_bar(image, list(grid.flat[: len(planes)]), "dB")
    figure.suptitle(title or "")
    return figure


def mask(
    values: torch.Tensor | np.ndarray,
    rate: int = 44100,
    hop_length: int = 1024,
    ax: Axes | None = None,
    title: str | None = None,
    top: float | None = None,
    log: bool = False,
) -> Axes:
    """Draw a mask, `(freq, frames)` or `(channels, freq, frames)` averaged; white is 0.

    A complex mask is shown by its magnitude; the scale ends at 1, or at the largest value above.

    Returns:
        the Axes.
    """
    plane = _plane(values).numpy()
    ax = _axes(ax, height=3.0)
    largest = max(1.0, float(plane.max()))
    image = _image(ax, plane, rate, hop_length, top, log, vmin=0, vmax=largest, cmap="Greys")
    _colour_bar(image, [ax], "mask")
    ax.set_title(title or "")
    return ax


def waveform(
    audio: torch.Tensor | np.ndarray,
    rate: int = 44100,
    ax: Axes | None = None,
    title: str | None = None,
    colour: str | None = None,
) -> Axes:
    """Draw audio over time: the range between its lowest and highest sample, over all channels.

    Args:
        audio: `(channels, samples)` or `(samples,)`.
        rate: in Hz.
        colour: any matplotlib colour; None takes the mixture's.

    Returns:
        the Axes.
    """
    audio = torch.as_tensor(audio).detach().cpu()
    audio = audio.reshape(-1, audio.shape[-1])
    # Two points per pixel are all that a screen can show; the extremes keep every click visible.
    block = max(1, audio.shape[-1] // 2000)
    whole = audio[:, : audio.shape[-1] // block * block].unflatten(1, (-1, block))
    times = np.arange(whole.shape[1]) * block / rate
    ax = _axes(ax, height=1.8)
    shade = colour or COLOURS["mixture"]
    low, high = whole.amin(dim=(0, 2)).numpy(), whole.amax(dim=(0, 2)).numpy()
    ax.fill_between(times, low, high, color=shade, linewidth=0.5)
    ax.set(xlabel="time (s)", ylabel="amplitude", title=title or "")
    ax.margins(x=0)
    return ax


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
    ax = _axes(ax, height=3.2)
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
    ax = _axes(ax, height=3.4)
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


def _axes(ax: Axes | None, height: float) -> Axes:
    if ax is not None:
        return ax
    with style():
        return plt.subplots(figsize=(WIDTH, height))[1]


def _plane(spec: torch.Tensor | np.ndarray) -> torch.Tensor:
    """Magnitudes `(freq, frames)` on the CPU, averaged over the channels there may be."""
    magnitudes = torch.as_tensor(spec).detach().cpu().abs().float()
    if magnitudes.ndim not in (2, 3):
        raise ValueError(
            f"expected (freq, frames) or (channels, freq, frames), got {tuple(magnitudes.shape)}"
        )
    return magnitudes.mean(dim=0) if magnitudes.ndim == 3 else magnitudes


def _loudest(planes: Iterable[torch.Tensor]) -> float:
    return max(float(plane.max()) for plane in planes) or 1.0  # silence has no loudest bin


def _image(
    ax: Axes,
    values: np.ndarray,
    rate: int,
    hop_length: int,
    top: float | None,
    log: bool,
    **limits: Any,
) -> ScalarMappable:
    """Fill an Axes with `(freq, frames)`, time in s across and frequency in kHz up."""
    top = min(top or rate / 2, rate / 2)
    step = rate / 2 / (values.shape[0] - 1)
    # Each value fills the cell around its own frequency and frame centre.
    frequencies = (np.arange(values.shape[0] + 1) - 0.5) * step / 1000
    times = (np.arange(values.shape[1] + 1) - 0.5) * hop_length / rate
    limits.setdefault("cmap", _STYLE["image.cmap"])
    image: ScalarMappable
    if log:
        image = ax.pcolormesh(times, frequencies[1:], values[1:], rasterized=True, **limits)
        ax.set_yscale("log")
        ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        ax.set_ylim(0.04, top / 1000)
    else:
        extent = (times[0], times[-1], frequencies[0], frequencies[-1])
        image = ax.imshow(values, origin="lower", aspect="auto", extent=extent, **limits)
        ax.set_ylim(0, top / 1000)
    ax.set_xlim(max(times[0], 0), times[-1])
    ax.set(xlabel="time (s)", ylabel="frequency (kHz)")
    return image


def _colour_bar(image: ScalarMappable, axes: Sequence[Axes], label: str) -> None:
    axes[0].figure.colorbar(image, ax=axes, label=label)


def _column(rows: Rows, name: str) -> tuple[list[int], list[float]]:
    """Steps and values of the rows that have this value."""
    rows = [row for row in rows if row.get(name) is not None]
    return [row["step"] for row in rows], [row[name] for row in rows]
