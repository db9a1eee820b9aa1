"""Sounds made ready to be compared: equally loud, without their highs, or wrong by so many dB."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import torch
from scipy.signal import butter, sosfiltfilt

from ..audio import check_audio
from ..errors import AudioError, require

Sound = TypeVar("Sound", torch.Tensor, np.ndarray)


def loudness(audio: torch.Tensor | np.ndarray, rate: int) -> float:
    """The integrated loudness of a sound, ITU-R BS.1770-4, as pyloudnorm computes it.

    Args:
        audio: `(channels, samples)`, one or two channels, longer than 0.4 s, the recommendation's
            block.
        rate: in Hz.

    Returns:
        LUFS, a float: 0 is about full scale, -23 the level of European broadcasts.

    Raises:
        AudioError: no longer than a block, silent, or not finite.
        UnmixError: without pyloudnorm, of the extra `[course]`.
    """
    pyloudnorm = require("pyloudnorm", "course", "loudness")
    audio = torch.as_tensor(audio)
    check_audio(audio, "loudness")
    if audio.shape[-1] <= 0.4 * rate:
        raise AudioError("loudness: the sound is not longer than 0.4 s, over which it is defined.")
    with np.errstate(divide="ignore"):
        value = pyloudnorm.Meter(rate).integrated_loudness(audio.double().numpy().T)
    if not np.isfinite(value):
        raise AudioError("loudness: the sound is silent, or too quiet to have a loudness.")
    return float(value)


def match_loudness(
    sounds: Mapping[str, torch.Tensor], rate: int, target: float | None = None
) -> dict[str, torch.Tensor]:
    """Scale sounds so that all are equally loud; without it, the loudest one wins most tests.

    Args:
        sounds: dict label -> audio `(channels, samples)`.
        rate: in Hz.
        target: in LUFS; None takes the first sound's. Where a sound would exceed full scale, all
            are lowered together until none does.

    Returns:
        dict label -> float32 `(channels, samples)`.

    Raises:
        AudioError: nothing to match, or a sound without a loudness (see `loudness`).
    """
    if not sounds:
        raise AudioError("match_loudness: there is no sound to match.")
    levels = {label: loudness(audio, rate) for label, audio in sounds.items()}
    target = next(iter(levels.values())) if target is None else target
    matched = {
        label: torch.as_tensor(audio, dtype=torch.float32) * 10 ** ((target - levels[label]) / 20)
        for label, audio in sounds.items()
    }
    peak = max(float(audio.abs().max()) for audio in matched.values())
    return {label: audio / max(peak, 1.0) for label, audio in matched.items()}


def low_pass(audio: torch.Tensor | np.ndarray, rate: int, cutoff: float = 3500.0) -> torch.Tensor:
    """What MUSHRA calls an anchor: the same sound without its highs (ITU-R BS.1534-3).

    Args:
        audio: `(channels, samples)`.
        rate: in Hz.
        cutoff: in Hz; the recommendation's low anchor has 3500, its mid anchor 7000.

    Returns:
        float32 `(channels, samples)`, neither delayed nor louder.

    Raises:
        AudioError: a cut-off that the rate does not have.
    """
    if not 0 < cutoff < rate / 2:
        raise AudioError(f"low_pass: {cutoff:g} Hz does not lie between 0 and {rate / 2:g} Hz.")
    # Forwards and backwards, so each pass takes half of the slope and together they do not delay.
    sections = butter(12, cutoff, output="sos", fs=rate)
    filtered = sosfiltfilt(sections, np.asarray(audio, dtype=np.float64), axis=-1)
    return torch.from_numpy(filtered.astype(np.float32))


def mix_at_sdr(source: Sound, error: Sound, decibels: float) -> Sound:
    """An estimate with a given SDR: the source plus so much of this error.

    >>> mix_at_sdr(np.array([1.0, 1.0]), np.array([1.0, -1.0]), 20)
    array([1.1, 0.9])

    Args:
        source, error: arrays or tensors of one shape.
        decibels: the SDR wanted, `10 log10(|source|² / |estimate - source|²)`.

    Returns:
        `source + g error`, of the source's kind.

    Raises:
        AudioError: a silent source or error.
    """
    energies = float((source**2).sum()), float((error**2).sum())
    if not min(energies) > 0:
        raise AudioError(
            "mix_at_sdr: the source or the error is silent, so no gain gives that SDR."
        )
    return source + error * (energies[0] / energies[1]) ** 0.5 * 10 ** (-decibels / 20)
