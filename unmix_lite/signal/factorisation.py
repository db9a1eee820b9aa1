"""Non-negative matrix factorisation (Lee and Seung 2001): sounds, and when they sound."""

import numpy as np

_EPS = 1e-10


def factorise(
    magnitude: np.ndarray, fixed: np.ndarray | None, free: int, iterations: int = 100, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """`magnitude ≈ bases @ gains`, none of them negative, by multiplicative updates.

    Args:
        magnitude: `(freq, frames)`.
        fixed: `(freq, components)` that stay as they are, before the free ones; or None.
        free: how many bases are to be found.

    Returns:
        bases `(freq, components)` of sum 1, gains `(components, frames)`.
    """
    rng = np.random.default_rng(seed)
    found = rng.uniform(0.5, 1.5, (len(magnitude), free)).astype(np.float32)
    bases = found if fixed is None else np.concatenate([fixed, found], axis=1)
    bases = bases / (bases.sum(0) + _EPS)
    known = bases.shape[1] - free
    size = magnitude.mean() * len(magnitude) / bases.shape[1]
    gains = size * rng.uniform(0.5, 1.5, (bases.shape[1], magnitude.shape[1])).astype(np.float32)
    for _ in range(iterations):
        ratio = magnitude / (bases @ gains + _EPS)
        gains *= bases.T @ ratio  # the bases sum to 1
        ratio = magnitude / (bases @ gains + _EPS)
        better = bases[:, known:] * (ratio @ gains[known:].T) / (gains[known:].sum(1) + _EPS)
        bases[:, known:] = better / (better.sum(0) + _EPS)
        gains[known:] *= better.sum(0)[:, None]
    return bases, gains
