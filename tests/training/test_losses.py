"""The losses: where each is lowest, and what it weighs."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from unmix_lite import names as recipes
from unmix_lite.names import COUPLED
from unmix_lite.signal import STFT, wiener
from unmix_lite.training import LOSSES, LossInputs

SAMPLES = 10_000  # longer than half of the longest window, 8192
IN_DECIBELS = {"log", "sdr", "filtered"}


def noise(*shape, seed=0):
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def inputs(stems, estimates=None, stft=STFT(512, 128)):
    """Stems `(batch, targets, channels, samples)` and estimates, by default the true magnitudes."""
    targets, mixture = stft(stems), stft(stems.sum(1, keepdim=True))
    return LossInputs(
        targets.abs() if estimates is None else estimates, targets, mixture, stft, SAMPLES
    )


@pytest.fixture
def alone():
    """A target that is all of the mixture, so that their phases agree, and a silent one."""
    return inputs(torch.stack([noise(2, 2, SAMPLES), torch.zeros(2, 2, SAMPLES)], 1))


@pytest.fixture
def crowd():
    """Three targets of noise, each estimated by something that has nothing to do with it."""
    given = inputs(noise(2, 3, 2, SAMPLES))
    return replace(given, estimates=given.targets.abs().flip(1, 3) + 0.1)


def scaled(given, gain):
    return replace(
        given, estimates=gain * given.estimates, targets=gain * given.targets,
        mixture=gain * given.mixture,
    )  # fmt: skip


def cosines(given):
    """Of the angle between each target and the mixture."""
    return torch.cos(given.targets.angle() - given.mixture.angle())


def test_a_recipe_knows_every_loss_by_its_name():
    assert tuple(LOSSES) == recipes.LOSSES


@pytest.mark.parametrize("name", LOSSES)
def test_there_is_one_value_per_target(crowd, name):
    assert LOSSES[name](crowd).shape == (3,)


@pytest.mark.parametrize("name", LOSSES)
def test_nothing_is_better_than_the_truth(alone, name):
    loss = LOSSES[name]
    sounding, silent = loss(alone)
    # In dB the scale ends 30 dB below the mixture, or where the target is silent at once.
    assert sounding == pytest.approx(-30 if name in IN_DECIBELS else 0, abs=1e-2)
    assert silent == pytest.approx(0, abs=1e-2)
    for seed in range(3):
        off = noise(*alone.estimates.shape, seed=seed).abs()
        worse = loss(replace(alone, estimates=alone.estimates + off))
        assert (worse > loss(alone) + 1e-6).all()


@pytest.mark.parametrize("name", sorted(set(LOSSES) - COUPLED))
def test_too_soft_and_too_loud_are_worse_than_right(alone, name):
    right, soft, loud = (
        LOSSES[name](replace(alone, estimates=gain * alone.estimates))[0] for gain in (1, 0.8, 1.2)
    )
    assert soft > right and loud > right


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("silent", ["nothing", "a target", "the mixture"])
def test_the_gradient_reaches_every_target_and_is_finite(crowd, name, silent):
    mask = torch.ones(3, 1, 1, 1)
    if silent == "a target":
        mask[1] = 0
    targets = crowd.targets * mask
    mixture = targets.sum(1, keepdim=True)
    if silent == "the mixture":
        targets, mixture = torch.zeros_like(targets), torch.zeros_like(mixture)
    estimates = crowd.estimates.clone().requires_grad_()
    given = replace(crowd, estimates=estimates, targets=targets, mixture=mixture)
    LOSSES[name](given).sum().backward()
    assert estimates.grad.isfinite().all()
    if silent != "the mixture":
        assert (estimates.grad.abs().flatten(2).sum((0, 2)) > 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_an_estimate_of_nothing_has_a_finite_gradient(crowd, name):
    estimates = torch.zeros_like(crowd.estimates).requires_grad_()
    LOSSES[name](replace(crowd, estimates=estimates)).sum().backward()
    assert estimates.grad.isfinite().all()


@pytest.mark.parametrize("name", LOSSES)
def test_only_coupled_losses_judge_a_target_by_the_others(crowd, name):
    changed = crowd.estimates.clone()
    changed[:, 1:] *= 1.5
    before, after = LOSSES[name](crowd), LOSSES[name](replace(crowd, estimates=changed))
    assert not torch.isclose(before[1:], after[1:]).any()
    assert (before[0] != after[0]) == (name in COUPLED)


@pytest.mark.parametrize(("name", "reference"), [("l1", F.l1_loss), ("mse", F.mse_loss)])
def test_l1_and_mse_are_those_of_the_magnitudes(crowd, name, reference):
    expected = [reference(crowd.estimates[:, i], crowd.targets[:, i].abs()) for i in range(3)]
    torch.testing.assert_close(LOSSES[name](crowd), torch.stack(expected))


def test_phase_prefers_the_magnitude_times_the_cosine(crowd):
    magnitudes = crowd.targets.abs()
    projected = replace(crowd, estimates=magnitudes * cosines(crowd))
    loss = LOSSES["phase"]
    assert (loss(projected) < 1e-8).all()
    assert (loss(replace(crowd, estimates=magnitudes)) > 1e-3).all()


def test_phase_is_the_distance_of_the_spectra_but_for_a_constant(crowd):
    """|E u - S|^2 = (E - |S| cos)^2 + (|S| sin)^2, and the last does not depend on E."""
    distance = (crowd.spectra() - crowd.targets).abs() ** 2
    constant = (crowd.targets.abs() ** 2) * (1 - cosines(crowd) ** 2)
    expected = (distance - constant).mean((0, 2, 3, 4))
    torch.testing.assert_close(LOSSES["phase"](crowd), expected, rtol=1e-4, atol=1e-5)


def test_ratio_looks_at_shares_not_at_levels(crowd):
    louder = replace(crowd, estimates=3 * crowd.estimates)
    torch.testing.assert_close(LOSSES["ratio"](louder), LOSSES["ratio"](crowd))


def test_the_shares_of_ratio_sum_to_one():
    """Of two stems that make up the mixture, what one gets too much is what the other lacks."""
    given = inputs(noise(2, 2, 2, SAMPLES), estimates=noise(2, 2, 2, 257, 79, seed=1).abs())
    one, other = LOSSES["ratio"](given)
    assert one > 1e-3 and one == pytest.approx(float(other), rel=1e-4)


def test_ratio_is_phase_where_the_estimates_are_shares_already(crowd):
    power = crowd.estimates**2
    shares = replace(crowd, estimates=power / power.sum(1, keepdim=True) * crowd.mixture.abs())
    torch.testing.assert_close(LOSSES["ratio"](crowd), LOSSES["phase"](shares))


def test_sdr_is_minus_the_sdr_of_the_audio():
    stems = noise(2, 3, 2, SAMPLES)
    given = inputs(stems)
    given = replace(given, estimates=given.estimates * 0.7)
    heard = given.stft.inverse(0.7 * given.targets.abs() * given.mixture.sgn(), SAMPLES)
    energies = [(signal**2).sum((2, 3)) for signal in (stems, stems - heard)]
    sdr = 10 * torch.log10(energies[0] / energies[1]).mean(0)
    # Errors of some -3 dB: the floor, a thousandth of the mixture, moves it by hundredths.
    torch.testing.assert_close(-LOSSES["sdr"](given), sdr, atol=0.05, rtol=0)


def test_filtered_is_the_error_behind_the_wiener_filter(crowd):
    errors = [
        [float((stem - target).abs().square().sum()) for stem, target in zip(stems, targets)]
        for targets, stems in (
            (crowd.targets[song], wiener(crowd.spectra()[song], crowd.mixture[song, 0]))
            for song in range(2)
        )
    ]
    energy = crowd.targets.abs().square().sum((2, 3, 4))
    expected = 10 * torch.log10(torch.tensor(errors) / energy).mean(0)
    # The floor, a thousandth of the mixture, moves it by hundredths.
    torch.testing.assert_close(LOSSES["filtered"](crowd), expected, atol=0.05, rtol=0)


def test_filtered_forgives_what_the_filter_mends(crowd):
    """Estimates all twice too loud: the filter looks at their shares alone."""
    louder = replace(crowd, estimates=2 * crowd.estimates)
    torch.testing.assert_close(
        LOSSES["filtered"](louder), LOSSES["filtered"](crowd), atol=1e-2, rtol=0
    )
    assert (LOSSES["log"](louder) > LOSSES["log"](crowd) + 1).all()


@pytest.mark.parametrize("name", LOSSES)
def test_only_losses_in_decibels_weigh_soft_and_loud_alike(crowd, name):
    softly, loudly = LOSSES[name](scaled(crowd, 0.1)), LOSSES[name](scaled(crowd, 10))
    alike = torch.isclose(softly, loudly, rtol=1e-4, atol=1e-4).all()
    assert alike == (name in IN_DECIBELS)


def test_multiresolution_is_the_mean_of_three_spectrograms_differences(crowd):
    estimate, target = crowd.audio()
    expected = torch.zeros(3)
    for n_fft in (1024, 2048, 8192):
        window = torch.hann_window(n_fft)
        magnitudes = [
            torch.stft(
                audio.reshape(-1, SAMPLES), n_fft, n_fft // 4, window=window, return_complex=True
            ).abs().reshape(2, 3, -1)
            for audio in (estimate, target)
        ]  # fmt: skip
        difference = (magnitudes[0] - magnitudes[1]).abs().mean((0, 2))
        expected += difference * (512 / n_fft) ** 0.5 / 3
    torch.testing.assert_close(LOSSES["multiresolution"](crowd), expected, rtol=1e-4, atol=1e-5)


def test_the_audio_behind_a_scene_is_the_stems():
    stems = noise(2, 1, 2, SAMPLES)  # the mixture is the target, so their phases agree
    for audio in inputs(stems).audio():
        torch.testing.assert_close(audio, stems, atol=1e-5, rtol=0)
