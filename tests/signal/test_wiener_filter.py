"""The Wiener filter against the reference, and against what theory says of it."""

import pytest
import torch

from unmix_lite.signal import wiener


def spectra(sources, channels, frames=30, bins=65, seed=0):
    """Correlated sources, each panned somewhere, and their estimates: the sources with errors."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, dtype=torch.complex64, generator=generator)

    power = torch.rand(sources, 1, bins, frames, generator=generator) ** 4
    true = power * draw(sources, 1, bins, frames) * draw(sources, channels, 1, 1)
    return true, true + 0.3 * power.mean() * draw(*true.shape)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("iterations", [1, 2, 4])
@pytest.mark.parametrize("level", [1.0, 300.0])
def test_equals_the_reference(channels, iterations, level):
    from openunmix.filtering import expectation_maximization

    # In double precision: sources in one place each make matrices that are all but singular.
    true, estimates = (level * x.to(torch.complex128) for x in spectra(3, channels))
    mixture = true.sum(0)
    scale = max(1.0, float(mixture.abs().max()) / 10)
    real = torch.view_as_real(estimates / scale).permute(3, 2, 1, 4, 0)  # T, F, C, 2, S
    mix = torch.view_as_real(mixture / scale).permute(2, 1, 0, 3)
    expected, _, _ = expectation_maximization(real.contiguous(), mix.contiguous(), iterations)
    expected = torch.view_as_complex(expected.permute(4, 2, 1, 0, 3).contiguous()) * scale
    ours = wiener(estimates, mixture, iterations)
    assert (ours - expected).norm() / expected.norm() < 1e-6


@pytest.mark.parametrize("channels", [1, 2])
def test_estimates_sum_to_the_mixture(channels):
    true, estimates = spectra(4, channels)
    mixture = true.sum(0)
    refined = wiener(estimates, mixture)
    assert (refined.sum(0) - mixture).norm() / mixture.norm() < 1e-3
    assert (estimates.sum(0) - mixture).norm() / mixture.norm() > 0.1


def test_mono_is_the_ratio_of_powers():
    true, estimates = spectra(3, 1)
    mixture = true.sum(0)
    power = estimates.abs().square()
    expected = power / power.sum(0) * mixture
    loud = power.sum(0) > 1e-4
    assert torch.allclose(wiener(estimates, mixture)[:, loud], expected[:, loud], atol=1e-3)


def test_panning_helps():
    """Two sources at the same level, one left, one right: one channel cannot tell them apart."""
    true, _ = spectra(2, 2, frames=200, seed=3)
    true = true * torch.tensor([[1.0, 0.1], [0.1, 1.0]])[..., None, None]
    flat = true.abs().mean(-1, keepdim=True) * torch.polar(
        torch.ones_like(true[0].abs()), true.sum(0).angle()
    )

    def error(estimate):
        return float((estimate - true).norm() / true.norm())

    assert error(wiener(flat, true.sum(0), 3)) < 0.7 * error(flat)


def test_zero_iterations_change_nothing():
    true, estimates = spectra(2, 2)
    assert torch.allclose(wiener(estimates, true.sum(0), 0), estimates)


def test_silence_and_dual_mono_stay_finite():
    silent = torch.zeros(2, 2, 5, 7, dtype=torch.complex64)
    assert torch.equal(wiener(silent, silent[0]), silent)
    true, estimates = spectra(3, 1)
    refined = wiener(estimates.expand(-1, 2, -1, -1), true.sum(0).expand(2, -1, -1))
    assert torch.isfinite(torch.view_as_real(refined)).all()
    assert torch.allclose(refined[:, 0], refined[:, 1], atol=1e-4)


def by_the_book(estimates, mixture, rounds, loose=1e-3):
    """The rounds with `posterior`, with matrices in full and nothing simplified."""
    y = estimates.permute(0, 2, 3, 1)[..., None]
    x = mixture.permute(1, 2, 0)[..., None]
    one = torch.eye(len(mixture), dtype=x.dtype)
    power = y.abs().square().mean((-1, -2))[..., None, None]

    def loosened(spatial):
        level = spatial.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None]
        return (1 - loose) * spatial + loose * level * one

    spatial = (y @ y.mH).sum(2, keepdim=True) / (1e-10 + power.sum(2, keepdim=True))
    for _ in range(rounds - 1):
        prior = power * loosened(spatial)
        gain = prior @ torch.linalg.inv(prior.sum(0) + 1e-5 * one)
        expected = gain @ x @ (gain @ x).mH + prior - gain @ prior
        spatial = expected.sum(2, keepdim=True) / (1e-10 + power.sum(2, keepdim=True))
        spatial = loosened(spatial)
    prior = power * spatial
    gain = prior @ torch.linalg.inv(prior.sum(0) + 1e-5 * one)
    return (gain @ x)[..., 0].permute(0, 3, 1, 2)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_with_the_posterior_it_is_the_textbooks(channels, rounds):
    true, estimates = (x.to(torch.complex128) for x in spectra(3, channels))
    mixture = true.sum(0)
    scale = max(1.0, float(mixture.abs().max()) / 10)
    expected = scale * by_the_book(estimates / scale, mixture / scale, rounds)
    ours = wiener(estimates, mixture, rounds, posterior=True)
    assert (ours - expected).norm() / expected.norm() < 1e-6
    assert (ours.sum(0) - mixture).norm() / mixture.norm() < 1e-3
    if rounds == 1:
        assert torch.equal(ours, wiener(estimates, mixture))


def test_the_posterior_keeps_masks_from_hardening():
    """With one channel, round n of the reference's filter raises the powers to 2^(n - 1)."""
    true, estimates = spectra(3, 1)
    mixture, power = true.sum(0), estimates.abs().square().double()
    loud = power.sum(0) > 1e-3

    def error(rounds, exponent, **options):
        mask = (power**exponent / (power**exponent).sum(0)).float()
        refined = wiener(estimates, mixture, rounds, **options)
        difference = (refined - mask * mixture)[:, loud]
        return float(difference.norm() / mixture[loud].norm())

    assert error(1, 1) < 0.01 and error(4, 8) < 0.01
    assert error(4, 1, posterior=True) < 0.5 * error(4, 1)


def test_the_posterior_finds_where_sources_sit():
    """From the right powers, and not knowing who is left and who is right."""
    generator = torch.Generator().manual_seed(5)
    power = torch.rand(2, 1, 1, 400, generator=generator) ** 3
    sound = torch.randn(2, 1, 8, 400, dtype=torch.complex64, generator=generator)
    true = power.sqrt() * sound * torch.tensor([[1.0, 0.1], [0.1, 1.0]])[..., None, None]
    mixture = true.sum(0)
    guess = power.sqrt() * torch.polar(torch.ones(()), mixture.angle())

    def error(rounds, posterior):
        refined = wiener(guess, mixture, rounds, posterior)
        return float((refined - true).norm() / true.norm())

    errors = [error(rounds, True) for rounds in (1, 3, 10, 30)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.8 * min(error(rounds, False) for rounds in (1, 3, 10, 30))


@pytest.mark.parametrize("rounds", [2, 3, 10])
def test_the_posterior_of_mono_music_is_exact_in_single_precision(rounds):
    """Loud, the same left and right: the mixture's covariance is singular in every bin."""
    true, _ = spectra(3, 1, frames=60)
    mixture = 100 * true.sum(0).expand(2, -1, -1)
    errors = 1 + 0.2 * torch.rand(3, 2, 65, 60, generator=torch.Generator().manual_seed(1))
    estimates = torch.polar(100 * errors * true.abs(), mixture.angle().expand(3, -1, -1, -1))
    single = wiener(estimates, mixture, rounds, posterior=True)
    double = (x.to(torch.complex128) for x in (estimates, mixture))
    expected = wiener(*double, rounds, posterior=True)
    assert (single - expected).norm() / expected.norm() < 1e-3


def test_loud_mono_estimates_stay_finite():
    true, estimates = spectra(4, 1, frames=100)
    refined = wiener(1000 * estimates.expand(-1, 2, -1, -1), 1000 * true.sum(0).expand(2, -1, -1))
    assert torch.isfinite(torch.view_as_real(refined)).all()


@pytest.mark.parametrize(
    ("shape", "mixture", "words"),
    [((2, 2, 5, 7), (2, 5, 8), "shape"), ((2, 6, 5, 7), (6, 5, 7), "one or two channels")],
)
def test_bad_shapes_are_one_line(shape, mixture, words):
    with pytest.raises(ValueError, match=words):
        wiener(
            torch.zeros(shape, dtype=torch.complex64), torch.zeros(mixture, dtype=torch.complex64)
        )
