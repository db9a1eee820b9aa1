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
    power = _square(estimates)  # per channel: S, C, F, T
    activity = power.mean(1)  # v: S, F, T
    # R = sum_t y y^H / sum_t v: where the source sits, per frequency. Its diagonal first.
    total = _EPS + activity.sum(-1, keepdim=True)
    spatial = [power[:, channel].sum(-1, keepdim=True) / total for channel in range(len(mixture))]
    # Covariance of the mixture under the model; sqrt(eps) I keeps silent bins invertible.
    diagonal = [(activity * own).sum(0) + math.sqrt(_EPS) for own in spatial]  # each F, T
    if len(mixture) == 1:
        return activity[:, None] * (spatial[0][:, None] * (mixture / diagonal[0]))
    cross = (estimates[:, 0] * estimates[:, 1].conj()).sum(-1, keepdim=True) / total  # S, F, 1
    shared = (activity * cross).sum(0)
    # C^-1 x of the Hermitian 2 x 2 matrix C, in closed form.
    determinant = diagonal[0] * diagonal[1] - _square(shared)
    (left, right), (x, y) = spatial, mixture
    whitened_left = (diagonal[1] * x - shared * y) / determinant
    whitened_right = (diagonal[0] * y - shared.conj() * x) / determinant
    filtered = torch.empty_like(estimates)
    filtered[:, 0] = activity * (left * whitened_left + cross * whitened_right)
    filtered[:, 1] = activity * (cross.conj() * whitened_left + right * whitened_right)
    return filtered


def _square(values):
    """|values|^2, without the root that abs() would take first."""
    return values.real.square() + values.imag.square()
