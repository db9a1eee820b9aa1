"""Ratios of energies that need no fitted filters, and what all scores have in common.

frame_sdr       the SDR of BSS Eval v4, frame by frame (the article's eq. 6)
si_sdr          the same after the best gain (Le Roux et al. 2019)
utterance_sdr   one number for a whole song (Mitsufuji et al. 2022)
"""

import math
from collections.abc import Sequence

import numpy as np
import torch

from ..errors import AudioError

Sources = torch.Tensor | np.ndarray | Sequence
"""`(sources, samples, channels)`, or what NumPy makes that of."""

METRICS = ("SDR", "ISR", "SIR", "SAR")
"""What BSS Eval measures, in the order of the results' rows."""
_CHALLENGE_EPS = 1e-7


def frame_sdr(
    references: Sources,
    estimates: Sources,
    rate: float = 44100,
    window: float = 1.0,
    hop: float = 1.0,
) -> np.ndarray:
    """The SDR of BSS Eval v4, which needs no filters: `10 log10(|s|² / |s - ŝ|²)` per frame.

    The three errors of the decomposition add up to `ŝ - s` whatever the filters are, so this equals
    museval's SDR (the article's eq. 6) at a thousandth of the time. Silent frames and sources are
    NaN as in `bss_eval`; a perfect estimate scores infinity.

    Args, Raises: as `bss_eval`.

    Returns:
        float64 array `(sources, frames)` in dB.
    """
    true, estimated, window, hop = prepare(references, estimates, rate, window, hop)
    frames = (true.shape[-1] - window) // hop + 1
    sdr = torch.full((len(true), frames), math.nan, dtype=torch.float64)
    sounds = ~silent(true)
    scored = sounds & ~silent(estimated)
    for frame in range(frames):
        here = slice(frame * hop, frame * hop + window)
        source, estimate = true[..., here].double(), estimated[..., here].double()
        if silent(source[sounds]).any() or silent(estimate[scored]).any():
            continue
        energy = source[scored].square().sum((1, 2))
        error = (source[scored] - estimate[scored]).square().sum((1, 2))
        sdr[scored.cpu(), frame] = decibels(energy, error).cpu()
    return sdr.numpy()


def si_sdr(references: Sources, estimates: Sources) -> np.ndarray:
    """Scale-invariant SDR (Le Roux, Wisdom, Erdogan and Hershey 2019), of the whole excerpt.

    As the SDR, of the estimate against the true source at whichever gain fits it best: to play a
    perfect stem at half its level costs nothing here, and 6 dB there.

    >>> stem = np.array([1.0, 1.0, 1.0, 1.0]).reshape(1, 4, 1)
    >>> error = np.array([0.1, -0.1, 0.1, -0.1]).reshape(1, 4, 1)
    >>> si_sdr(stem, (stem + error) / 2).round(3)
    array([20.])

    Args:
        references, estimates: `(sources, samples, channels)`; one gain for all channels.

    Returns:
        float64 array `(sources,)` in dB; NaN where a source or its estimate is silent.

    Raises:
        AudioError: unequal shapes, NaN or no samples.
    """
    true, estimated = (signal.double() for signal in prepare(references, estimates)[:2])
    gain = (true * estimated).sum((1, 2)) / true.square().sum((1, 2))
    scaled = gain[:, None, None] * true
    ratio = decibels(scaled.square().sum((1, 2)), (scaled - estimated).square().sum((1, 2)))
    return ratio.where(~silent(true) & ~silent(estimated), math.nan).cpu().numpy()


def utterance_sdr(references: Sources, estimates: Sources) -> np.ndarray:
    """The SDR of the Music Demixing Challenge 2021 (Mitsufuji et al. 2022): one for a whole song.

    A mean over time rather than a median over seconds: loud passages decide. Both energies are
    lifted by 1e-7, so that silence has a score as well.

    Args, Raises: as `si_sdr`.

    Returns:
        float64 array `(sources,)` in dB.
    """
    true, estimated = (signal.double() for signal in prepare(references, estimates)[:2])
    energy = true.square().sum((1, 2)) + _CHALLENGE_EPS
    error = (true - estimated).square().sum((1, 2)) + _CHALLENGE_EPS
    return decibels(energy, error).cpu().numpy()


def decibels(energy: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
    """10 log10(energy / error), infinite where there is no error: museval's rule."""
    return torch.where(error == 0, math.inf, 10 * torch.log10(energy / error))


def silent(sources: torch.Tensor) -> torch.Tensor:
    """Which of `(..., channels, samples)` museval calls silent: the channels sum to zero."""
    return (sources.sum(-2) == 0).all(-1)


def prepare(
    references: Sources, estimates: Sources, rate: float = 1, window: float = 1.0, hop: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor, int, int]:
    """Checked tensors `(sources, channels, samples)`, and window and hop in samples.

    Raises:
        AudioError: unequal shapes, NaN, no samples, or less than one window of them.
    """
    true, estimated = _tensor(references, "references"), _tensor(estimates, "estimates")
    if true.shape != estimated.shape:
        raise AudioError(
            f"references {tuple(true.shape)} and estimates {tuple(estimated.shape)} differ in "
            "shape; both must be (sources, samples, channels) and equally long."
        )
    window, hop = round(window * rate), round(hop * rate)
    if window < 1 or hop < 1:
        raise AudioError(f"window and hop must be at least one sample long: {window}, {hop}.")
    if true.shape[1] < window:
        raise AudioError(
            f"{true.shape[1]} samples are less than one window of {window}; score a longer "
            "excerpt or shorten the window (the shape must be (sources, samples, channels))."
        )
    return true.transpose(1, 2), estimated.transpose(1, 2), window, hop


def _tensor(sources: Sources, what: str) -> torch.Tensor:
    try:
        tensor = torch.as_tensor(
            sources if isinstance(sources, torch.Tensor) else np.asarray(sources)
        ).detach()
        if not tensor.is_floating_point():
            tensor = tensor.double()
    except (TypeError, ValueError, RuntimeError) as error:
        raise AudioError(f"{what}: the sources are not equally long arrays of numbers.") from error
    if tensor.ndim != 3:
        raise AudioError(
            f"{what}: expected shape (sources, samples, channels), got {tuple(tensor.shape)}."
        )
    if tensor.numel() == 0:
        raise AudioError(f"{what}: hold no samples, their shape being {tuple(tensor.shape)}.")
    if not torch.isfinite(tensor).all():
        count = int((~torch.isfinite(tensor)).sum())
        raise AudioError(f"{what}: {count} samples are NaN or infinite and cannot be scored.")
    return tensor
