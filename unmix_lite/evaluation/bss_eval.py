"""BSS Eval v4 through museval, the reference implementation, and its SDR on its own.

BSS Eval (Vincent, Gribonval and Févotte 2006; v4: Stöter, Liutkus and Ito 2018) splits an estimate
into the true source, what an allowed 512-tap filter of it explains (spatial distortion), what
filters of the other sources explain (interference), and the rest (artifacts). Each ratio of
energies, in dB, is a score: SDR against all errors, ISR, SIR and SAR against one kind.
"""

import numpy as np
import torch

from ..errors import AudioError, UnmixError

METRICS = ("SDR", "ISR", "SIR", "SAR")
_FILTER_TAPS = 512


def bss_eval(references, estimates, rate=44100, window=1.0, hop=1.0):
    """BSS Eval v4 ("images") of all sources of one excerpt, by museval.

    The distortion filters are estimated once, on the whole excerpt; the ratios are taken frame by
    frame, and an incomplete last frame is dropped. Where any source or estimate is silent in a
    frame, that frame is NaN for all of them: museval's rule.

    museval refuses an excerpt in which a source is silent from end to end. Here that source's rows
    are NaN and the others are scored as if it were not there, which changes nothing for them: a
    silent reference has nothing for a filter to explain. A silent *estimate* of a source that does
    sound is NaN as well; its reference stays among the others' possible interferences. (museval
    calls a source silent when its channels sum to zero, so one in exact antiphase is too.)

    Sources that cannot be told apart (two alike, one that is mono in two channels) can make the
    filters ambiguous, and museval stop; they are then found with a ridge of 1e-12 of the trace,
    which leaves the scores the same to about a thousandth of a dB.

    Args:
        references, estimates: arrays or tensors `(sources, samples, channels)`, in one order.
        rate: in Hz.
        window, hop: length of a frame, and from one frame to the next, in s.

    Returns:
        a dict with `SDR`, `ISR`, `SIR`, `SAR`, each float64 `(sources, frames)` in dB.

    Raises:
        AudioError: unequal shapes, NaN, no samples, or less than one window of them.
        UnmixError: museval or the ffmpeg it asks for is not installed.
    """
    references, estimates, window, hop = _prepare(references, estimates, rate, window, hop)
    frames = (references.shape[1] - window) // hop + 1
    scores = {name: np.full((len(references), frames), np.nan) for name in METRICS}
    sounds = ~_silent(references)
    scored = sounds & ~_silent(estimates)
    if not scored.any():
        return scores
    # A sounding source with no estimate stays as a reference, and needs some estimate: its own.
    filled = np.where(scored[:, None, None], estimates, references)
    values = _museval(references[sounds], filled[sounds], window, hop)
    for name, rows in zip(METRICS, values):
        scores[name][scored] = rows[scored[sounds], :frames]
    return scores


def frame_sdr(references, estimates, rate=44100, window=1.0, hop=1.0):
    """The SDR of BSS Eval v4, which needs no filters: 10 log10(|s|² / |s - ŝ|²) per frame.

    The three errors of the decomposition add up to ŝ - s whatever the filters are, so this equals
    museval's SDR (the article's eq. 6) at a thousandth of the time. Silent frames and sources are
    NaN as in `bss_eval`; a perfect estimate scores infinity.

    Args, Raises: as `bss_eval` (museval is not needed).

    Returns:
        float64 `(sources, frames)` in dB.
    """
    references, estimates, window, hop = _prepare(references, estimates, rate, window, hop)
    frames = (references.shape[1] - window) // hop + 1
    sdr = np.full((len(references), frames), np.nan)
    sounds = ~_silent(references)
    scored = sounds & ~_silent(estimates)
    for frame in range(frames):
        here = slice(frame * hop, frame * hop + window)
        source, estimate = references[:, here], estimates[:, here]
        if _silent(source[sounds]).any() or _silent(estimate[scored]).any():
            continue
        energy = np.sum(source[scored] ** 2, axis=(1, 2))
        error = np.sum((source[scored] - estimate[scored]) ** 2, axis=(1, 2))
        with np.errstate(divide="ignore"):
            sdr[scored, frame] = 10 * np.log10(energy / error)
    return sdr


def _silent(sources):
    """Which of `(sources, samples, channels)` museval calls silent: the channels sum to zero."""
    return np.all(sources.sum(axis=2) == 0, axis=1)


def _prepare(references, estimates, rate, window, hop):
    """Checked float64 arrays, and window and hop in samples."""
    references, estimates = _array(references, "references"), _array(estimates, "estimates")
    if references.shape != estimates.shape:
        raise AudioError(
            f"references {references.shape} and estimates {estimates.shape} differ in shape; both "
            "must be (sources, samples, channels) and equally long."
        )
    window, hop = round(window * rate), round(hop * rate)
    if window < 1 or hop < 1:
        raise AudioError(f"window and hop must be at least one sample long: {window}, {hop}.")
    if references.shape[1] < window:
        raise AudioError(
            f"{references.shape[1]} samples are less than one window of {window}; score a longer "
            "excerpt or shorten the window (the shape must be (sources, samples, channels))."
        )
    return references, estimates, window, hop


def _array(sources, what):
    if isinstance(sources, torch.Tensor):
        sources = sources.detach().cpu().numpy()
    try:
        # Sums of squares over seconds of audio need more digits than float32 has.
        array = np.asarray(sources, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise AudioError(f"{what}: the sources are not equally long arrays of numbers.") from error
    if array.ndim != 3:
        raise AudioError(f"{what}: expected shape (sources, samples, channels), got {array.shape}.")
    if array.size == 0:
        raise AudioError(f"{what}: hold no samples, their shape being {array.shape}.")
    if not np.isfinite(array).all():
        count = np.count_nonzero(~np.isfinite(array))
        raise AudioError(f"{what}: {count} samples are NaN or infinite and cannot be scored.")
    return array


def _museval(references, estimates, window, hop):
    """SDR, ISR, SIR, SAR `(sources, frames or one more)`, of sources none of which is silent."""
    try:
        import museval
    except (ImportError, RuntimeError) as error:  # stempeg looks for ffmpeg at import
        raise UnmixError(
            f"BSS Eval needs museval, and museval needs ffmpeg ({str(error).splitlines()[0]}); "
            "install both ('pip install museval', and ffmpeg from your system)."
        ) from error
    arguments = {"win": window, "hop": hop, "mode": "v4", "padding": False}
    try:
        return museval.evaluate(references, estimates, **arguments)
    except (np.linalg.LinAlgError, AttributeError):
        # A singular matrix; museval 0.4.1 then looks for an error class that NumPy 2 no longer has.
        return museval.evaluate(*_with_ridge(references, estimates), **arguments)


def _with_ridge(references, estimates):
    """Append what adds `ridge` to the diagonal of the references' correlation matrix.

    One impulse per channel of each source, alone within the filters' reach: its autocorrelation is
    the ridge, and its correlation with everything else, the estimates included, is zero.
    """
    sources, _, channels = references.shape
    ridge = 1e-12 * _FILTER_TAPS * np.sum(references**2)
    gap = 2 * _FILTER_TAPS
    tail = np.zeros((sources, gap * (sources * channels + 1), channels))
    for index in range(sources * channels):
        tail[index // channels, gap * (index + 1), index % channels] = np.sqrt(ridge)
    return (
        np.concatenate([references, tail], axis=1),
        np.concatenate([estimates, np.zeros_like(tail)], axis=1),
    )
