"""The multichannel Wiener filter, refined by expectation-maximisation.

The model (Duong, Vincent, Gribonval 2010; Nugraha, Liutkus, Vincent 2016): in each bin the source
j is Gaussian with covariance `v_j(f, t) R_j(f)`, a power that changes with time and a spatial
covariance that says how the source sits between the loudspeakers. Given both, the best linear
estimate is `y_j = v_j R_j (sum_k v_k R_k)^-1 x`; given estimates, both can be measured anew.

With one channel `R_j` cancels, and the filter is the ratio of powers `v_j / sum_k v_k`.
"""

import math

import torch

_EPS = 1e-10


def wiener(estimates, mixture, iterations=1):
    """Refine source estimates jointly: afterwards they sum to the mixture.

    They do in every bin that at least one estimate claims; where all are zero, all stay zero.
    As `openunmix` 1.3.0 computes it, to rounding.

    Args:
        estimates: complex `(sources, channels, freq, frames)`, the first guess.
        mixture: complex `(channels, freq, frames)`, one or two channels.
        iterations: of EM; 0 returns the estimates as they are.

    Returns:
        complex `(sources, channels, freq, frames)`.

    Raises:
        ValueError: shapes that do not match, or more than two channels.
    """
    if estimates.ndim != 4 or estimates.shape[1:] != mixture.shape:
        raise ValueError(
            f"estimates {tuple(estimates.shape)} must be (sources, *{tuple(mixture.shape)}), the "
            "mixture's shape"
        )
    if mixture.shape[0] > 2:
        raise ValueError(f"the Wiener filter takes one or two channels, not {mixture.shape[0]}")
    # A common scale that keeps the regularisation below small against the signal, and finite.
    scale = max(1.0, float(mixture.abs().max()) / 10)
    estimates, mixture = estimates / scale, mixture / scale
    for _ in range(iterations):
        estimates = _em_iteration(estimates, mixture)
    return estimates * scale


def _em_iteration(estimates, mixture):
    """Measure power and spatial covariance, filter: (S, C, F, T), (C, F, T) -> (S, C, F, T)."""
    power = estimates.abs().square().mean(1)  # v: S, F, T
    # R = sum_t y y^H / sum_t v: where the source sits, per frequency.      S, C, C, F
    spatial = torch.einsum("sift,sjft->sijf", estimates, estimates.conj())
    spatial = spatial / (_EPS + power.sum(-1))[:, None, None]
    # Covariance of the mixture under the model; sqrt(eps) I keeps silent bins invertible.
    covariance = torch.einsum("sft,sijf->ijft", power.to(spatial.dtype), spatial)
    covariance = (
        covariance
        + math.sqrt(_EPS) * torch.eye(len(mixture), device=mixture.device)[..., None, None]
    )
    whitened = _solve(covariance, mixture)  # C^-1 x: C, F, T
    return torch.stack([
        v * torch.einsum("ijf,jft->ift", r, whitened) for v, r in zip(power, spatial)
    ])  # fmt: skip


def _solve(matrix, vector):
    """`matrix^-1 vector` in closed form: (C, C, F, T), (C, F, T) -> (C, F, T), C = 1 or 2."""
    if len(vector) == 1:
        return vector / matrix[0]
    (a, b), (c, d) = matrix
    determinant = a * d - b * c
    return torch.stack([d * vector[0] - b * vector[1], a * vector[1] - c * vector[0]]) / determinant
