"""What one had before networks: a spectrogram, an idea about one source, and a mask.

Every method here takes a song, `(channels, samples)`, and its rate in Hz, and returns two stems
that sum to the song: the one it looks for, and "residual", what is left. None is trained; `nmf` is
given the sounds of one instrument. Chapter 4 builds each of them.
"""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from scipy.ndimage import median_filter

from .audio import check_audio
from .errors import AudioError, UnmixError
from .signal import STFT, factorise

_EPS = 1e-10


def hpss(
    audio: torch.Tensor, rate: int, seconds: float = 0.36, hertz: float = 540.0, power: float = 2.0
) -> dict[str, torch.Tensor]:
    """Drums, by harmonic-percussive separation (FitzGerald 2010): medians along time keep what
    lasts, medians along frequency keep what is broad, and each bin goes to the larger of the two.

    Args:
        audio, rate: the song.
        seconds, hertz: length of the two medians.
        power: of the soft mask.

    Returns:
        dict with "drums" and "residual", float32 `(channels, samples)`.

    Raises:
        AudioError: the audio cannot be used, see `check_audio`.
    """
    stft, spec, magnitude = _analysed(audio)
    lengths = (_odd(seconds * rate / stft.hop_length), _odd(hertz * stft.n_fft / rate))
    lasting = median_filter(magnitude, (1, 1, lengths[0]), mode="reflect") ** power
    broad = median_filter(magnitude, (1, lengths[1], 1), mode="reflect") ** power
    total = lasting + broad
    # Where both medians are silent nothing can be told apart, and each gets half.
    percussive = np.where(total > 0, broad / np.maximum(total, np.finfo(total.dtype).tiny), 0.5)
    return _stems("drums", audio, stft, spec, percussive)


def beat_spectrum(magnitude: np.ndarray) -> np.ndarray:
    """How alike a spectrogram is to itself, some frames later: the mean over all frequencies of
    the autocorrelation of powers, 1 at a lag of 0 (Rafii and Pardo 2013, eq. 1 and 2).

    Args:
        magnitude: `(freq, frames)`.

    Returns:
        `(frames,)`.
    """
    power = magnitude**2
    frames = power.shape[1]
    spectrum = np.fft.rfft(power, 2 * frames, axis=1)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :frames].mean(0)
    correlation /= np.arange(frames, 0, -1)  # ever fewer pairs of frames are that far apart
    return correlation / max(correlation[0], _EPS)


def repet(
    audio: torch.Tensor,
    rate: int,
    period: float | None = None,
    shortest: float = 0.8,
    longest: float = 8.0,
    cutoff: float = 100.0,
) -> dict[str, torch.Tensor]:
    """Vocals, as what does not repeat (REPET, Rafii and Pardo 2013): the accompaniment is the
    median of all periods of the song, and never louder than the song.

    Args:
        audio, rate: the song.
        period: in seconds; None takes the highest peak of the beat spectrum.
        shortest, longest: where that peak is looked for, in seconds; three periods have to fit.
        cutoff: below this, in Hz, all is accompaniment.

    Returns:
        dict with "vocals" and "residual", float32 `(channels, samples)`.

    Raises:
        AudioError: see `hpss`; or the song is too short to repeat.
    """
    stft, spec, magnitude = _analysed(audio)
    frames = magnitude.shape[-1]
    if period is None:
        low, high = (int(t * rate / stft.hop_length) for t in (shortest, longest))
        high = min(high, frames // 3)
        if high <= low:
            raise AudioError(
                f"repet: {audio.shape[-1] / rate:.1f} s are too short for three periods of "
                f"{shortest} s."
            )
        lag = low + int(np.argmax(beat_spectrum(magnitude.mean(0))[low : high + 1]))
    else:
        lag = round(period * rate / stft.hop_length)
        if not 0 < lag <= frames:
            raise AudioError(f"repet: a period of {period} s does not fit into the song.")
    missing = -frames % lag
    padded = np.pad(magnitude, ((0, 0), (0, 0), (0, missing)), constant_values=np.nan)
    periods = padded.reshape(*magnitude.shape[:2], -1, lag)
    repeated = np.tile(np.nanmedian(periods, axis=2), periods.shape[2])[..., :frames]
    return _without(audio, rate, stft, spec, magnitude, repeated, cutoff)


def repet_sim(
    audio: torch.Tensor, rate: int, neighbours: int = 100, apart: float = 1.0, cutoff: float = 100.0
) -> dict[str, torch.Tensor]:
    """Vocals, as what does not return (REPET-SIM, Rafii and Pardo 2012): as `repet`, but the frames
    whose median is taken are those most similar to each frame, wherever they are.

    Args:
        audio, rate: the song.
        neighbours: how many frames, or as many as there are.
        apart: frames nearer than this, in seconds, do not count as a return.
        cutoff: below this, in Hz, all is accompaniment.

    Returns:
        dict with "vocals" and "residual", float32 `(channels, samples)`.

    Raises:
        AudioError: see `repet`.
    """
    stft, spec, magnitude = _analysed(audio)
    width = max(1, round(apart * rate / stft.hop_length))
    if magnitude.shape[-1] < 2 * width + 2:
        raise AudioError(
            f"repet_sim: {audio.shape[-1] / rate:.1f} s are too short for anything to return after "
            f"{apart} s."
        )
    repeated = _median_of_similar(magnitude, width, neighbours)
    return _without(audio, rate, stft, spec, magnitude, repeated, cutoff)


def centre(
    audio: torch.Tensor, rate: int, power: float = 32.0, cutoff: float = 100.0
) -> dict[str, torch.Tensor]:
    """Vocals, as what stands in the middle (after Avendano 2003): bins that are alike in both
    channels, in level and in phase.

    Args:
        audio, rate: a stereo song.
        power: of the likeness; a larger one takes only what is nearer to the middle.
        cutoff: below this, in Hz, all is accompaniment: the bass stands in the middle too.

    Returns:
        dict with "vocals" and "residual", float32 `(2, samples)`.

    Raises:
        AudioError: see `hpss`; or the song is not stereo.
    """
    stft, spec, magnitude = _analysed(audio)
    if len(magnitude) != 2:
        raise AudioError(f"centre: needs two channels, and this song has {len(magnitude)}.")
    left, right = spec
    both = 2 * (left * right.conj()).real / (left.abs() ** 2 + right.abs() ** 2 + _EPS)
    mask = both.clamp(min=0).numpy() ** power
    mask[: _bins(cutoff, rate, stft)] = 0
    return _stems("vocals", audio, stft, spec, mask)


def dictionary(
    sounds: Iterable[torch.Tensor], components: int = 32, iterations: int = 100, seed: int = 0
) -> np.ndarray:
    """Spectra that a source is made of, found by NMF in recordings of that source alone.

    Args:
        sounds: list of `(channels, samples)`, all at the rate of the songs to come.
        components: how many spectra.

    Returns:
        `(freq, components)`, each of sum 1.

    Raises:
        UnmixError: nothing to learn from.
    """
    sounds = [sound for sound in sounds if float(sound.abs().max()) > 0]
    if not sounds:
        raise UnmixError("dictionary: needs recordings of the source, and not of silence.")
    magnitude = np.concatenate([_analysed(sound)[2].mean(0) for sound in sounds], axis=1)
    return factorise(magnitude, None, components, iterations, seed)[0]


def nmf(
    audio: torch.Tensor,
    rate: int,
    spectra: np.ndarray,
    rest: np.ndarray | None = None,
    free: int = 16,
    iterations: int = 60,
    target: str = "drums",
    seed: int = 0,
) -> dict[str, torch.Tensor]:
    """A source whose spectra are known, by non-negative matrix factorisation (Lee and Seung 2001,
    Kullback-Leibler divergence; with fixed spectra as in Smaragdis, Raj and Shashanka 2007).

    The song's magnitudes are factorised into the source's spectra, those of other music, and some
    free ones for what neither knows; the mask is the source's share.

    Args:
        audio, rate: the song.
        spectra, rest: `(freq, components)` of `dictionary`, of the source and of music without it.
            With no `rest` the free spectra have to do, and the source's take what they can.
        free: how many of them.
        target: what to call the source.

    Returns:
        dict with the target and "residual", float32 `(channels, samples)`.

    Raises:
        AudioError: see `hpss`.
    """
    stft, spec, magnitude = _analysed(audio)
    known = spectra.shape[1]
    fixed = spectra if rest is None else np.concatenate([spectra, rest], axis=1)
    bases, gains = factorise(magnitude.mean(0), fixed, free, iterations, seed)
    share = bases[:, :known] @ gains[:known] / (bases @ gains + _EPS)
    return _stems(target, audio, stft, spec, share)


def _median_of_similar(magnitude: np.ndarray, width: int, count: int) -> np.ndarray:
    """For each frame the median of those most similar to it by the cosine of their angle, none of
    them nearer than `width` frames. (librosa's nn_filter takes, of too many neighbours, the
    earliest instead of the nearest: with a width, its ranking sees all of them as equal.)"""
    frames = magnitude.shape[-1]
    count = min(count, frames - 2 * width + 1)
    unit = magnitude.mean(0)
    unit = unit / (np.linalg.norm(unit, axis=0) + _EPS)
    median = np.empty_like(magnitude)
    for frame in range(frames):
        likeness = unit[:, frame] @ unit
        likeness[max(0, frame - width + 1) : frame + width] = -1
        nearest = np.argpartition(-likeness, count - 1)[:count]
        median[..., frame] = np.median(magnitude[..., nearest], axis=-1)
    return median


def _without(
    audio: torch.Tensor,
    rate: int,
    stft: STFT,
    spec: torch.Tensor,
    magnitude: np.ndarray,
    repeated: np.ndarray,
    cutoff: float,
) -> dict[str, torch.Tensor]:
    """Vocals, where the song exceeds its repeated accompaniment."""
    mask = 1 - np.minimum(repeated, magnitude) / (magnitude + _EPS)
    mask[..., : _bins(cutoff, rate, stft), :] = 0
    return _stems("vocals", audio, stft, spec, mask)


def _analysed(audio: torch.Tensor) -> tuple[STFT, torch.Tensor, np.ndarray]:
    check_audio(audio)
    stft = STFT(2048, 512)
    spec = stft(audio.detach().float().cpu())
    return stft, spec, spec.abs().numpy()


def _stems(
    target: str, audio: torch.Tensor, stft: STFT, spec: torch.Tensor, mask: np.ndarray
) -> dict[str, torch.Tensor]:
    share = torch.from_numpy(np.ascontiguousarray(mask, dtype=np.float32))
    stem = stft.inverse(spec * share, audio.shape[-1]).to(audio.device)
    return {target: stem, "residual": audio - stem}


def _bins(frequency: float, rate: int, stft: STFT) -> int:
    return int(np.ceil(frequency * stft.n_fft / rate))


def _odd(length: float) -> int:
    return 2 * int(length / 2) + 1


# By name, with the stem that each looks for; `nmf` needs spectra and is not among them.
CLASSIC: dict[str, tuple[Callable[..., dict[str, torch.Tensor]], str]] = {
    "HPSS": (hpss, "drums"),
    "REPET": (repet, "vocals"),
    "REPET-SIM": (repet_sim, "vocals"),
    "CENTRE": (centre, "vocals"),
}
