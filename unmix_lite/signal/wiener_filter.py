"""The multichannel Wiener filter, refined by expectation-maximisation.

The model (Duong, Vincent, Gribonval 2010; Nugraha, Liutkus, Vincent 2016): in each bin the source
j is Gaussian with covariance `v_j(f, t) R_j(f)`, a power that changes with time and a spatial
covariance that says how the source sits between the loudspeakers. Given both, the best linear
estimate is `y_j = v_j R_j C^-1 x`, where `C = sum_k v_k R_k`; given estimates, both can be
measured anew.

With one channel the filter is the ratio of powers `v_j R_j / sum_k v_k R_k`.
"""

import math
from collections.abc import Sequence
from functools import reduce

import torch

_EPS = 1e-10
_LOOSE = 1e-3


def wiener(
    estimates: torch.Tensor, mixture: torch.Tensor, iterations: int = 1, posterior: bool = False
) -> torch.Tensor:
    """Refine source estimates jointly: afterwards they sum to the mixture.

    They do in every bin that at least one estimate claims; where all are zero, all stay zero.
    Every round measures powers and spatial covariances and filters with them. The first round is
    the same in both ways:

    * as `openunmix` 1.3.0 computes it, to rounding: the next measures both on what the one before
      let through. What a filter takes away from a source is then missing from its power, so that
      much of it is taken away again, and more than a few rounds do harm;
    * with `posterior`: the powers stay those of the first guess, and the spatial covariances are
      those of expectation-maximisation, which counts what the filter is unsure of with what it
      let through (Duong et al. 2010, the update of R; but here, as in the reference, a frame weighs
      as much as its power). This settles.

    Args:
        estimates: complex `(sources, channels, freq, frames)`, the first guess.
        mixture: complex `(channels, freq, frames)`, one or two channels.
        iterations: rounds; 0 returns the estimates as they are.
        posterior: from the second round on, count the uncertainty, and keep the powers.

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
    if iterations == 0:
        return estimates
    # A common scale that keeps the regularisation below small against the signal, and finite.
    scale = max(1.0, float(mixture.abs().max()) / 10)
    estimates, mixture = estimates / scale, mixture / scale
    power, spatial = _measure(estimates)
    for _ in range(iterations - 1):
        if posterior:
            spatial = _expect(power, spatial, mixture)
        else:
            power, spatial = _measure(_filter(power, spatial, mixture))
    return scale * _filter(power, spatial, mixture)


def _measure(estimates: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The sources' powers `(sources, freq, frames)` and spatial covariances: of `y_j`, the mean
    over the frames of `y y^H`, over that of the power."""
    squares = [_square(channel) for channel in estimates.unbind(1)]
    power = reduce(torch.add, squares) / len(squares)
    total = _EPS + power.sum(-1, keepdim=True)
    spatial = [square.sum(-1, keepdim=True) / total for square in squares]
    if len(squares) == 2:
        left, right = estimates.unbind(1)
        spatial.append((left * right.conj()).sum(-1, keepdim=True) / total)
    return power, spatial


def _whiten(
    power: torch.Tensor, spatial: list[torch.Tensor], mixture: torch.Tensor
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """`C^-1` and `C^-1 x`, with `C = sum_k v_k R_k`, the mixture's covariance under the model."""
    covariance = [(power * entry).sum(0) for entry in spatial]
    for row in range(len(mixture)):
        covariance[row] = covariance[row] + math.sqrt(_EPS)  # keeps silent bins invertible
    inverse = _inverse(covariance)
    return inverse, _apply(inverse, mixture)


def _filter(
    power: torch.Tensor, spatial: list[torch.Tensor], mixture: torch.Tensor
) -> torch.Tensor:
    """The estimates `v_j R_j C^-1 x`: `(sources, channels, freq, frames)`."""
    _, whitened = _whiten(power, spatial, mixture)
    return torch.stack([power * row for row in _apply(spatial, whitened)], 1)


def _expect(
    power: torch.Tensor, spatial: list[torch.Tensor], mixture: torch.Tensor
) -> list[torch.Tensor]:
    """The spatial covariances that expectation-maximisation takes next, for given powers.

    A source's covariance is that of its estimate `y = v R C^-1 x` plus that of what the estimate
    does not know, `v R - v R C^-1 v R`. Summed over the frames, and over their power, this is
    `R + R M R` with `M = sum v^2 C^-1 (x x^H - C) C^-1 / sum v`: where the model explains the
    mixture, where `x x^H` is `C` on the average, nothing moves.
    """
    spatial = _loosened(spatial)
    inverse, whitened = _whiten(power, spatial, mixture)
    weight = power.square() / (_EPS + power.sum(-1, keepdim=True))
    excess = [_square(entry) - inverse[i] for i, entry in enumerate(whitened)]
    if len(whitened) == 2:
        excess.append(whitened[0] * whitened[1].conj() - inverse[2])
    moved = [(weight * entry).sum(-1, keepdim=True) for entry in excess]
    matrix = _full(spatial)
    matrix = matrix + matrix @ _full(moved) @ matrix
    entries = [matrix[..., i, i].real for i in range(len(whitened))]
    return _loosened(entries + ([matrix[..., 0, 1]] if len(whitened) == 2 else []))


def _loosened(spatial: list[torch.Tensor]) -> list[torch.Tensor]:
    """Spatial covariances with a little of every direction: a source that sits in one point, and
    a mono song, would make matrices that single precision cannot invert."""
    if len(spatial) == 1:
        return spatial
    a, b, c = spatial
    every = _LOOSE * (a + b) / 2
    return [(1 - _LOOSE) * a + every, (1 - _LOOSE) * b + every, (1 - _LOOSE) * c]


# A Hermitian matrix of one or two rows is kept as [a] or as [a, b, c] for ((a, c), (c*, b)), each
# of them `(..., freq, frames)`: in closed form what follows is many times faster than in batches.


def _inverse(matrix: list[torch.Tensor]) -> list[torch.Tensor]:
    """The inverse of Hermitian matrices."""
    if len(matrix) == 1:
        return [1 / matrix[0]]
    a, b, c = matrix
    # With sqrt(eps) I in the matrix it cannot be smaller, but by rounding.
    least = math.sqrt(_EPS)
    determinant = (a * b - _square(c)).clamp(min=(least * (a + b) - _EPS))
    return [b / determinant, a / determinant, -c / determinant]


def _apply(
    matrix: list[torch.Tensor], vector: Sequence[torch.Tensor] | torch.Tensor
) -> list[torch.Tensor]:
    """Hermitian matrices times vectors."""
    if len(matrix) == 1:
        return [matrix[0] * vector[0]]
    (a, b, c), (x, y) = matrix, vector
    return [a * x + c * y, c.conj() * x + b * y]


def _full(matrix: list[torch.Tensor]) -> torch.Tensor:
    """Hermitian matrices written out: `(..., rows, rows)`."""
    if len(matrix) == 1:
        return matrix[0][..., None, None]
    a, b, c = matrix
    rows = torch.stack([a + 0j, c], -1), torch.stack([c.conj(), b + 0j], -1)
    return torch.stack(rows, -2)


def _square(values: torch.Tensor) -> torch.Tensor:
    """|values|^2, without the root that abs() would take first."""
    return values.real.square() + values.imag.square()
