"""Masks: how much of each time-frequency bin of the mixture belongs to a source.

The ideal masks know the true sources. They are oracles: a ceiling for every system that keeps
the mixture's phase, not something one can have.
"""

import torch

_EPS = 1e-10


def ideal_binary_mask(magnitudes: torch.Tensor) -> torch.Tensor:
    """1 where a source is the loudest of all, 0 elsewhere (Wang 2005).

    >>> ideal_binary_mask(torch.tensor([[3.0, 1.0], [1.0, 2.0]]))
    tensor([[1., 0.],
            [0., 1.]])

    Args:
        magnitudes: of the true sources, `(sources, ...)`.

    Returns:
        masks `(sources, ...)`, 0 or 1; in every bin exactly one source has it (the first of
        equals), so the masked mixtures sum to the mixture.
    """
    winner = magnitudes.argmax(0)
    sources = torch.arange(len(magnitudes), device=magnitudes.device)
    return (winner == sources.reshape(-1, *[1] * winner.ndim)).to(magnitudes.dtype)


def ideal_ratio_mask(magnitudes: torch.Tensor, power: float = 1) -> torch.Tensor:
    """Each source's share: `m_i**power / sum_j m_j**power`, in 0..1.

    power=1 is the ratio of magnitudes, power=2 the ratio of powers: the single-channel Wiener
    filter (Liutkus and Badeau 2015 discuss the exponents between). With estimated instead of
    true magnitudes this is a soft mask that any system can use.

    >>> ideal_ratio_mask(torch.tensor([[3.0, 1.0], [1.0, 1.0]]))
    tensor([[0.7500, 0.5000],
            [0.2500, 0.5000]])

    Args:
        magnitudes: non-negative, `(sources, ...)`.

    Returns:
        masks `(sources, ...)` that sum to 1 in every bin, silent ones included.
    """
    powers = magnitudes**power
    total = powers.sum(0)
    masks = powers / total.clamp(min=_EPS**power)
    return torch.where(total > _EPS**power, masks, torch.full_like(masks, 1 / len(magnitudes)))


def phase_aware_mask(
    source: torch.Tensor, mixture: torch.Tensor, limit: float | None = 1.0
) -> torch.Tensor:
    """The best real mask there is: `Re(S / Y)`, cut to `0..limit` (Erdogan et al. 2015).

    It shrinks a bin whose phase differs from the mixture's, because what the mask lets through
    carries the mixture's phase.

    Args:
        source, mixture: complex spectrograms of one shape.
        limit: the largest value; None leaves it unbounded.
    """
    ratio = (source * mixture.conj()).real / mixture.abs().square().clamp(min=_EPS**2)
    return ratio.clamp(min=0, max=limit)


def complex_mask(
    source: torch.Tensor, mixture: torch.Tensor, limit: float | None = None
) -> torch.Tensor:
    """`S / Y`, which changes the phase too: the mask that leaves nothing to be desired.

    Args:
        source, mixture: complex spectrograms of one shape.
        limit: the largest absolute value, since a quiet mixture bin needs a huge mask; None: none.
    """
    mask = source * mixture.conj() / mixture.abs().square().clamp(min=_EPS**2)
    if limit is None:
        return mask
    return mask * (limit / mask.abs().clamp(min=limit))


def apply_mask(mask: torch.Tensor, mixture: torch.Tensor) -> torch.Tensor:
    """The mask times the mixture, bin by bin (the article's eq. 3, with the mixture's phase kept).

    Args:
        mask: real or complex, of the mixture's shape or `(sources, ...)` of it.
        mixture: complex spectrogram (or magnitudes).
    """
    return mask * mixture
