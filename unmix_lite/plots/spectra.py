"""Pictures of sound: spectrograms, masks and waveforms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..signal import decibels
from .look import COLOURS, IMAGE_MAP, WIDTH, axes_of, plt, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure


def spectrogram(
    spec: torch.Tensor | np.ndarray,
    rate: int = 44100,
    hop_length: int = 1024,
    ax: Axes | None = None,
    title: str | None = None,
    top: float | None = None,
    log: bool = True,
    reference: float | None = None,
    span: float = 70.0,
) -> Axes:
    """Draw a spectrogram in dB.

    Args:
        spec: `(freq, frames)`, or `(channels, freq, frames)` whose magnitudes are averaged; complex
            or a magnitude; frequencies from 0 Hz to half the rate.
        rate: in Hz.
        hop_length: in samples.
        top: highest frequency shown, in Hz.
        log: logarithmic frequencies, from 40 Hz on, as the ear has them; or linear ones from 0 Hz.
        reference: the magnitude that is 0 dB; None takes the one that a thousandth of all exceed,
            lest a single click leave the rest in the dark.
        span: how many dB below the reference are shown.

    Returns:
        the Axes.
    """
    magnitudes = _plane(spec)
    levels = _levels(magnitudes, _loudest([magnitudes]) if reference is None else reference, span)
    ax = axes_of(ax, height=2.8)
    image = _image(ax, levels, rate, hop_length, top, log, vmin=-span, vmax=0)
    _colour_bar(image, [ax], "dB")
    ax.set_title(title or "")
    return ax


def spectrograms(
    specs: Mapping[str, torch.Tensor | np.ndarray],
    rate: int = 44100,
    hop_length: int = 1024,
    columns: int = 1,
    top: float | None = None,
    log: bool = True,
    title: str | None = None,
    span: float = 70.0,
) -> Figure:
    """Draw several spectrograms, one below the other, on one scale: that of the loudest.

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
            rows, columns, figsize=(WIDTH, 1.9 * rows + 0.4),
            sharex=True, sharey=True, squeeze=False,
        )  # fmt: skip
    for ax, (name, magnitudes) in zip(grid.flat, planes.items()):
        levels = _levels(magnitudes, loudest, span)
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
    log: bool = True,
) -> Axes:
    """Draw a mask, `(freq, frames)` or `(channels, freq, frames)` averaged; white is 0.

    A complex mask is shown by its magnitude; the scale ends at 1, or at the largest value above.

    Returns:
        the Axes.
    """
    plane = _plane(values).numpy()
    ax = axes_of(ax, height=3.0)
    largest = max(1.0, float(plane.max()))
    image = _image(ax, plane, rate, hop_length, top, log, vmin=0, vmax=largest, cmap="Greys")
    _colour_bar(image, [ax], "mask")
    ax.set_title(title or "")
    return ax


def _plane(spec: torch.Tensor | np.ndarray) -> torch.Tensor:
    """Magnitudes `(freq, frames)` on the CPU, averaged over the channels there may be."""
    magnitudes = torch.as_tensor(spec).detach().cpu().abs().float()
    if magnitudes.ndim not in (2, 3):
        raise ValueError(
            f"expected (freq, frames) or (channels, freq, frames), got {tuple(magnitudes.shape)}"
        )
    return magnitudes.mean(dim=0) if magnitudes.ndim == 3 else magnitudes


def _loudest(planes: Iterable[torch.Tensor]) -> float:
    """The magnitude that is 0 dB: what a thousandth of the bins exceed, of the loudest plane."""
    ends = []
    for plane in planes:
        # At most 20 dB below the peak: a lone tone or click is the picture.
        common = float(np.quantile(plane.numpy(), 0.999))
        ends.append(max(common, 0.1 * float(plane.max())))
    return max(ends) or 1.0  # silence has no loudest bin


def _levels(magnitudes: torch.Tensor, reference: float, span: float) -> np.ndarray:
    """In dB from -span to 0."""
    return decibels(magnitudes, -span, reference).clamp(max=0).numpy()


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
    limits.setdefault("cmap", IMAGE_MAP)
    image: ScalarMappable
    if log:
        image = ax.pcolormesh(times, frequencies[1:], values[1:], rasterized=True, **limits)
        ax.set_yscale("log")
        ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        ax.tick_params(axis="y", which="minor", labelleft=False)
        ax.set_ylim(0.04, top / 1000)
    else:
        extent = (times[0], times[-1], frequencies[0], frequencies[-1])
        image = ax.imshow(values, origin="lower", aspect="auto", extent=extent, **limits)
        ax.set_ylim(0, top / 1000)
    ax.set_xlim(max(times[0], 0), times[-1])
    ax.set(xlabel="time (s)", ylabel="frequency (kHz)")
    return image


def _colour_bar(image: ScalarMappable, axes: Sequence[Axes], label: str) -> None:
    axes[0].figure.colorbar(image, ax=axes, label=label, aspect=40, pad=0.015)


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
    ax = axes_of(ax, height=1.8)
    shade = colour or COLOURS["mixture"]
    low, high = whole.amin(dim=(0, 2)).numpy(), whole.amax(dim=(0, 2)).numpy()
    ax.fill_between(times, low, high, color=shade, linewidth=0.5)
    ax.set(xlabel="time (s)", ylabel="amplitude", title=title or "")
    ax.margins(x=0)
    return ax
