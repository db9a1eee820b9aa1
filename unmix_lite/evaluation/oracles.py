"""The oracles of SiSEC 2018: what systems of a kind could do if they knew the true sources.

Ceilings, not competitors. The campaign's used an STFT of 2048 samples with a hop of 1024, whatever
the systems beside them took; a longer window gives other ceilings (`n_fft=4096`).
"""

from collections.abc import Mapping

import torch

from ..errors import UnmixError
from ..signal import STFT, apply_mask, ideal_ratio_mask

_EPS = 1e-10
ORACLES = ("IBM1", "IBM2", "IRM1", "IRM2", "MWF")
"""The oracles of SiSEC 2018, which `oracle` computes."""


def oracle(
    name: str,
    stems: Mapping[str, torch.Tensor],
    mixture: torch.Tensor | None = None,
    n_fft: int = 2048,
    hop_length: int = 1024,
) -> dict[str, torch.Tensor]:
    """Estimates of sources by an ideal mask or filter made from the sources themselves.

    - IBM1, IBM2: a bin of a channel belongs to a source whose magnitude (1) or power (2) is more
      than half the *mixture's*; to several or to none, so these estimates do not sum to the
      mixture, unlike those of `masking.ideal_binary_mask`.
    - IRM1, IRM2: the ratio of magnitudes or of powers, in each channel by itself.
    - MWF: the multichannel Wiener filter of true powers and spatial covariances, the latter fixed
      over time (Duong, Vincent and Gribonval 2010).

    Args:
        name: one of `ORACLES`.
        stems: dict target -> true source `(channels, samples)`.
        mixture: `(channels, samples)`; None takes the sum of the stems. (MUSDB18's own differs
            from it by what coding lost, and was the campaign's.)
        n_fft, hop_length: of the STFT, in samples.

    Returns:
        dict target -> float32 `(channels, samples)`.

    Raises:
        UnmixError: there is no such oracle.
    """
    if name not in ORACLES:
        raise UnmixError(f"the oracles are {', '.join(ORACLES)}; there is no '{name}'.")
    stft = STFT(n_fft, hop_length)
    sources = stft(torch.stack(list(stems.values())).float())  # sources, channels, freq, frames
    mixture = sources.sum(0) if mixture is None else stft(mixture.float())
    if name == "MWF":
        # In double precision, since a mono source in two channels has a singular covariance.
        estimates = _multichannel_wiener(sources.to(torch.complex128), mixture).to(sources.dtype)
    else:
        power = int(name[-1])
        magnitudes = sources.abs()
        if name.startswith("IRM"):
            masks = ideal_ratio_mask(magnitudes, power)
        else:
            masks = (magnitudes**power > 0.5 * mixture.abs() ** power).float()
        estimates = apply_mask(masks, mixture)
    samples = next(iter(stems.values())).shape[-1]
    return dict(zip(stems, stft.inverse(estimates, samples)))


def _multichannel_wiener(sources: torch.Tensor, mixture: torch.Tensor) -> torch.Tensor:
    """`v_j R_j (sum_k v_k R_k)^-1 x`, of the true sources `(sources, channels, freq, frames)`."""
    y = sources.permute(0, 2, 3, 1)[..., None]  # as column vectors: sources, freq, frames, C, 1
    observed = y @ y.mH
    power = y.abs().square().mean((-2, -1))[..., None, None]
    # Where a source sits: what was observed, each frame weighted as if it were as loud as any.
    spatial = (observed / power.clamp(min=_EPS)).mean(2, keepdim=True)
    channels = mixture.shape[0]
    tiny = _EPS * torch.eye(channels, dtype=spatial.dtype)
    spatial = spatial + tiny
    # The power that explains the observed covariance best, given the place.
    inverse = torch.linalg.inv(spatial)
    power = (inverse @ observed).diagonal(dim1=-2, dim2=-1).sum(-1).real / channels
    covariance = power.clamp(min=0)[..., None, None] * spatial
    x = mixture.to(spatial.dtype).permute(1, 2, 0)[..., None]
    filtered = covariance @ torch.linalg.solve(covariance.sum(0) + tiny, x)
    return filtered[..., 0].permute(0, 3, 1, 2)
