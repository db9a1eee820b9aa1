"""Masks: their range, their sum, and the order of the oracles."""

import pytest
import torch

from unmix_lite import STFT
from unmix_lite.signal import (
    apply_mask,
    complex_mask,
    ideal_binary_mask,
    ideal_ratio_mask,
    phase_aware_mask,
)


@pytest.fixture(scope="module")
def spectra():
    """Three sources that overlap, complex `(3, 1025, frames)`: two tones and noise in bursts."""
    time = torch.arange(44_100) / 44_100
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(44_100, generator=generator) * (time * 4 % 1 < 0.3)
    tones = [
        torch.sin(2 * torch.pi * f * time) + 0.5 * torch.sin(4 * torch.pi * f * time)
        for f in (220, 233)
    ]
    return STFT(2048, 512)(torch.stack([*tones, 0.3 * noise]))


def sdr(true, estimate):
    return 10 * torch.log10(true.abs().square().sum() / (true - estimate).abs().square().sum())


@pytest.mark.parametrize(
    "make", [ideal_binary_mask, ideal_ratio_mask, lambda m: ideal_ratio_mask(m, 2)]
)
def test_masks_of_all_sources_sum_to_one(spectra, make):
    masks = make(spectra.abs())
    assert masks.shape == spectra.shape
    assert masks.min() >= 0 and masks.max() <= 1
    assert torch.allclose(masks.sum(0), torch.ones_like(masks[0]), atol=1e-5)


def test_binary_is_binary_and_gives_equals_to_the_first():
    masks = ideal_binary_mask(torch.tensor([[1.0, 2.0, 0.0], [1.0, 3.0, 0.0]]))
    assert masks.tolist() == [[1, 0, 1], [0, 1, 0]]


def test_ratio_in_silence_is_an_equal_share():
    assert ideal_ratio_mask(torch.zeros(4, 3)).tolist() == [[0.25] * 3] * 4
    assert torch.isfinite(ideal_ratio_mask(torch.full((2, 1), 1e-30), 2)).all()


def test_a_higher_power_makes_the_louder_louder():
    magnitudes = torch.tensor([[2.0], [1.0]])
    assert ideal_ratio_mask(magnitudes, 1)[0] == pytest.approx(2 / 3)
    assert ideal_ratio_mask(magnitudes, 2)[0] == pytest.approx(4 / 5)


def test_the_better_the_mask_the_higher_the_sdr(spectra):
    mixture, source = spectra.sum(0), spectra[0]
    scores = [
        sdr(source, apply_mask(mask, mixture))
        for mask in (
            torch.ones_like(mixture.abs()),
            ideal_binary_mask(spectra.abs())[0],
            phase_aware_mask(source, mixture),
            phase_aware_mask(source, mixture, limit=None),
            complex_mask(source, mixture, limit=10),
        )
    ]
    assert scores == sorted(scores) and len(set(scores)) == len(scores)


def test_complex_mask_is_exact_and_its_limit_holds(spectra):
    mixture, source = spectra.sum(0), spectra[0]
    loud = mixture.abs() > 1e-3
    assert torch.allclose((complex_mask(source, mixture) * mixture)[loud], source[loud], atol=1e-3)
    assert complex_mask(source, mixture, limit=0.7).abs().max() <= 0.7 + 1e-5


def test_phase_aware_mask_of_opposite_phase_is_zero():
    one = torch.ones(3, dtype=torch.complex64)
    assert phase_aware_mask(-one, one).tolist() == [0, 0, 0]
    assert phase_aware_mask(2 * one, one).tolist() == [1, 1, 1]
