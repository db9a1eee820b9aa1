"""BSS Eval v4, as museval computes it, without repeating what can be computed once.

BSS Eval (Vincent, Gribonval and Févotte 2006; v4: Stöter, Liutkus and Ito 2018) splits an estimate
into the true source, what an allowed 512-tap filter of it explains (spatial distortion), what
filters of the other sources explain (interference), and the rest (artifacts). Each ratio of
energies, in dB, is a score: SDR against all errors, ISR, SIR and SAR against one kind.

The filters are a least-squares fit, so all they need of the signals are correlations at lags of
less than 512 samples; these are gathered block by block. One factorisation of the sources' matrix
serves all estimates. And the energy of a frame is the same in the frequency domain (Parseval),
where to filter is to multiply.
"""

import math

import numpy as np
import torch

from .ratios import METRICS, Sources, decibels, prepare, silent

TAPS = 512
_BLOCK = 1 << 13  # of the transforms that gather correlations
_FRAMES = 8  # transformed at once
_RIDGE = 1e-6  # of the mean energy, where the filters are ambiguous


def bss_eval(
    references: Sources,
    estimates: Sources,
    rate: float = 44100,
    window: float = 1.0,
    hop: float = 1.0,
    framewise: bool = False,
    device: str | torch.device | None = None,
) -> dict[str, np.ndarray]:
    """BSS Eval ("images") of all sources of one excerpt: museval's numbers.

    Where any source or estimate is silent in a frame, that frame is NaN for all of them: museval's
    rule. museval refuses an excerpt in which a source is silent from end to end. Here that source's
    rows are NaN and the others are scored as if it were not there, which changes nothing for them:
    a silent reference has nothing for a filter to explain. A silent *estimate* of a source that
    does sound is NaN as well; its reference stays among the others' possible interferences.
    (A source is called silent when its channels sum to zero, so one in exact antiphase is too.)

    A channel that is a multiple of another, as in a mono source of two channels, adds nothing and
    is left out of the fit. Where filters are still ambiguous in double precision (sources that are
    delayed copies of each other, or without anything above some frequency), museval stops or
    returns what rounding decides, such as an ISR of -80 dB; here 1e-6 of the sources' mean energy
    is then added to the diagonal, which keeps the filters short.

    Memory does not grow with the excerpt beyond its own samples: the matrix of four stereo sources
    takes 134 MB, twice.

    Args:
        references, estimates: arrays or tensors `(sources, samples, channels)`, in one order.
        rate: in Hz.
        window, hop: length of a frame, and from one frame to the next, in s.
        framewise: fit the filters to each frame anew, as v3 did ("bss_eval_images"), instead of
            once to the whole excerpt (v4).
        device: where to compute; None takes that of the tensors, the CPU for arrays and for MPS.

    Returns:
        a dict with `SDR`, `ISR`, `SIR`, `SAR`, each float64 array `(sources, frames)` in dB. An
        incomplete last frame is dropped.

    Raises:
        AudioError: unequal shapes, NaN, no samples, or less than one window of them.
    """
    true, estimated, window, hop = prepare(references, estimates, rate, window, hop)
    device = torch.device(device or true.device)
    if device.type == "mps":
        device = torch.device("cpu")  # Apple's GPUs have no double precision
    frames = (true.shape[-1] - window) // hop + 1
    scores = {name: true.new_full((len(true), frames), math.nan, dtype=torch.float64, device="cpu")
              for name in METRICS}  # fmt: skip
    sounds = ~silent(true)
    scored = sounds & ~silent(estimated)
    if scored.any():
        # A sounding source with no estimate stays as a reference, and needs some estimate: its own.
        filled = torch.where(scored[:, None, None], estimated, true)
        rows = _score(true[sounds], filled[sounds], frames, window, hop, framewise, device)
        for name, values in zip(METRICS, rows):
            scores[name][scored.cpu()] = values[scored[sounds].cpu()]
    return {name: values.numpy() for name, values in scores.items()}


def _score(
    true: torch.Tensor,
    estimated: torch.Tensor,
    frames: int,
    window: int,
    hop: int,
    framewise: bool,
    device: str | torch.device,
) -> torch.Tensor:
    """The four scores `(sources, frames)`, of sources `(sources, channels, samples)` that sound."""
    sources, channels, _ = true.shape
    length = _fast_length(window + TAPS - 1)
    whole = None if framewise else _filters(true, estimated, length, device)
    scores = torch.full((len(METRICS), sources, frames), math.nan, dtype=torch.float64)
    audible = [
        frame for frame in range(frames)
        if not silent(true[..., frame * hop : frame * hop + window]).any()
        and not silent(estimated[..., frame * hop : frame * hop + window]).any()
    ]  # fmt: skip
    size = 1 if framewise else _FRAMES
    for first in range(0, len(audible), size):
        chosen = audible[first : first + size]
        x, y = (
            torch.stack([z[..., f * hop : f * hop + window] for f in chosen]).to(device).double()
            for z in (true, estimated)
        )  # each: frames, sources, channels, samples
        alone, together = whole or _filters(x[0], y[0], length, device)
        scores[..., chosen] = _ratios(x, y, alone, together, length).cpu()
    return scores


def _ratios(
    true: torch.Tensor,
    estimated: torch.Tensor,
    alone: torch.Tensor,
    together: torch.Tensor,
    length: int,
) -> torch.Tensor:
    """SDR, ISR, SIR, SAR `(4, sources, frames)` of `(frames, sources, channels, samples)`.

    alone, together: the filters' spectra, see `_filters`.
    """
    x, y = (torch.fft.rfft(signal, length) for signal in (true, estimated))
    # What the filters make of the source itself, and of all sources: frames, sources, channels.
    spatial = torch.einsum("tjcf,jcdf->tjdf", x, alone)
    explained = torch.einsum("tpf,pdf->tdf", x.flatten(1, 2), together).view_as(y)
    pairs = [
        (x, x - y),  # all errors together are the estimate minus the truth
        (x, spatial - x),
        (spatial, explained - spatial),
        (explained, y - explained),
    ]
    return torch.stack([decibels(_energy(good, length), _energy(bad, length)).T
                        for good, bad in pairs])  # fmt: skip


def _energy(spectrum: torch.Tensor, length: int) -> torch.Tensor:
    """Of real signals, from their spectra: `(frames, sources, channels, freq)` -> the first two."""
    power = spectrum.real.square() + spectrum.imag.square()
    # All frequencies but the first and, of an even length, the last stand for two.
    total = 2 * power.sum(-1) - power[..., 0]
    if length % 2 == 0:
        total = total - power[..., -1]
    return total.sum(-1) / length


def _filters(
    true: torch.Tensor, estimated: torch.Tensor, length: int, device: str | torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """The distortion filters of all estimates, as spectra of `length`.

    Returns:
        alone `(sources, channels, channels, freq)`: from the channels of a source to those of its
        own estimate; together `(sources * channels, sources * channels, freq)`: from the channels
        of all sources to those of all estimates.
    """
    sources, channels, _ = true.shape
    size = sources * channels
    lags = _correlations(true.flatten(0, 1), estimated.flatten(0, 1), device)
    matrix, right = lags[:, :size], lags[:, size:, TAPS - 1 :]  # lags from 0 on
    together, ridge = _fit(matrix, right)
    alone = []
    for source in range(sources):
        own = slice(source * channels, (source + 1) * channels)
        alone.append(_fit(matrix[own, own], right[own, own], ridge)[0])
    return (
        torch.fft.rfft(torch.stack(alone), length),
        torch.fft.rfft(together, length),
    )


def _correlations(
    true: torch.Tensor, estimated: torch.Tensor, device: str | torch.device
) -> torch.Tensor:
    """Sums over time of `true[p, n] * other[q, n + lag]`, where other is true and estimated.

    Args:
        true, estimated: `(signals, samples)`; outside of them is silence.

    Returns:
        float64 `(len(true), len(true) + len(estimated), 2 * TAPS - 1)`, lags from -(TAPS - 1) on.
    """
    reach = TAPS - 1
    step = _BLOCK - 2 * reach
    total = torch.zeros(())
    both = (true, estimated)
    for start in range(0, true.shape[-1], step):
        begin, stop = max(0, start - reach), start + step + reach
        # With their neighbourhood on both sides, so that no lag wraps around.
        wide = torch.cat([x[:, begin:stop].to(device).double() for x in both])
        wide = torch.nn.functional.pad(wide, (begin - (start - reach), 0))
        spectrum = torch.fft.rfft(wide, _BLOCK)
        narrow = true[:, start : start + step].to(device).double()
        total = total + torch.einsum("pf,qf->pqf", torch.fft.rfft(narrow, _BLOCK).conj(), spectrum)
    return torch.fft.irfft(total, _BLOCK)[..., : 2 * TAPS - 1]


def _toeplitz(lags: torch.Tensor) -> torch.Tensor:
    """Correlations `(p, p, 2 TAPS - 1)` -> the matrix of the normal equations, `(p TAPS, p TAPS)`.

    Between tap k of signal p and tap l of signal q stands their correlation at lag k - l.
    """
    size = len(lags)
    # Row k of a block begins at lag k and goes down: a window that slides over the lags reversed.
    blocks = lags.flip(-1).unfold(-1, TAPS, 1).flip(2)  # p, q, k, l
    return blocks.transpose(1, 2).reshape(size * TAPS, size * TAPS)


def _fit(lags: torch.Tensor, right: torch.Tensor, ridge: float = 0.0) -> tuple[torch.Tensor, float]:
    """The filters from `p` true signals to `q` estimates that leave the smallest error.

    A signal that is a multiple of an earlier one, as in a mono source of two channels, explains
    nothing that the earlier one does not; it is left out, since it would make the matrix singular.

    Args:
        lags: correlations among the true signals `(p, p, 2 TAPS - 1)`.
        right: of the true signals with the estimates, `(p, q, TAPS)`.
        ridge: what to add to the diagonal; more where that does not suffice.

    Returns:
        float64 `(p, q, TAPS)`, and the ridge that it took.
    """
    products = lags[..., TAPS - 1]
    energy = products.diagonal()
    sounds = energy > 1e-30 * energy.max()
    alike = sounds & (products.square() >= (1 - 1e-12) * energy[:, None] * energy)
    kept = [p for p in range(len(lags)) if sounds[p] and not alike[p, :p].any()]
    matrix, flat = _toeplitz(lags[kept][:, kept]), right[kept].transpose(1, 2).flatten(0, 1)
    matrix.diagonal().add_(ridge)
    factor, failed = torch.linalg.cholesky_ex(matrix)
    while failed:
        matrix.diagonal().add_(_RIDGE * energy.mean())
        ridge += _RIDGE * float(energy.mean())
        factor, failed = torch.linalg.cholesky_ex(matrix)
    filters = torch.zeros_like(right)
    filters[kept] = torch.cholesky_solve(flat, factor).unflatten(0, (-1, TAPS)).transpose(1, 2)
    return filters, ridge


def _fast_length(length: int) -> int:
    """The next number that is a product of 2, 3 and 5, for which FFTs are fast; even."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1 and length % 2 == 0:
            return length
        length += 1
