"""Mixes the band: equaliser, room and level per stem, then sixteen bits that add up exactly."""

from collections.abc import Mapping

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from .signals import decay, highpass, lowpass, samples

SEED_ORDER = ("drums", "bass", "other", "vocals")
# Level of each stem in dB against the drums, as mean and spread over songs, and its share of the
# room in dB (the bass has none): what the 100 training songs of MUSDB18 have, roughly.
_LEVELS = {"drums": (0.5, 2.0), "bass": (-2.0, 1.8), "other": (-0.8, 1.8), "vocals": (-0.3, 1.8)}
_ROOM = {"drums": (-15, -7), "other": (-18, -9), "vocals": (-18, -9)}
PEAK_DB = -1.0


def mix(
    stems: Mapping[str, np.ndarray], rate: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Bring dry stems to their places in the mix.

    `stems` maps each of `SEED_ORDER` to `(2, samples)` floats. Returns the same with int16 samples,
    and "mixture": their sum, sample for sample, which peaks at about -1 dBFS.
    """
    count = stems["drums"].shape[-1]
    room = _room(rate, rng)
    n_fft = next_fast_len(count + room.shape[-1], real=True)
    room = rfft(room, n_fft)
    placed = {}
    for target in SEED_ORDER:
        level = rng.normal(*_LEVELS[target])
        sound = stems[target]
        if target in _ROOM:
            wet = irfft(rfft(sound.mean(axis=0), n_fft) * room, n_fft)[:, :count]
            sound = sound + 10 ** (rng.uniform(*_ROOM[target]) / 20) * wet
        sound = highpass(sound, 30 if target in ("drums", "bass") else 80, rate)
        placed[target] = sound * 10 ** (level / 20) / _loudness(sound, rate)
    placed = {target: _limited(sound) for target, sound in placed.items()}
    return _quantised({target: _faded(sound, rate) for target, sound in placed.items()})


def _loudness(sound: np.ndarray, rate: int) -> float:
    """RMS over the windows of 0.1 s in which the stem plays, so that rests do not count."""
    width = samples(0.1, rate)
    usable = sound[:, : max(width, sound.shape[-1] // width * width)]
    power = (usable**2).reshape(2, -1, min(width, usable.shape[-1])).mean(axis=(0, 2))
    playing = power > 1e-3 * power.max()
    return np.sqrt(power[playing].mean()) + 1e-12


def _limited(sound: np.ndarray) -> np.ndarray:
    """Rounds peaks beyond five times the RMS level, as mastering does."""
    ceiling = 5.5 * np.sqrt((sound**2).mean()) + 1e-12
    return ceiling * np.tanh(sound / ceiling)


def _faded(sound: np.ndarray, rate: int) -> np.ndarray:
    """An excerpt neither starts nor stops with a click."""
    count = min(samples(0.01, rate), sound.shape[-1] // 4)
    sound = sound.copy()
    sound[:, :count] *= np.linspace(0, 1, count)
    sound[:, -count:] *= np.linspace(1, 0, count)
    return sound


def _room(rate: int, rng: np.random.Generator) -> np.ndarray:
    """Impulse response `(2, samples)`: noise that dies away, the treble sooner."""
    t60 = rng.uniform(0.4, 1.6)
    count = samples(0.8 * t60, rate)
    noise = rng.standard_normal((2, count))
    warm = lowpass(noise, 2500, rate, 1) * decay(count, t60, rate)
    bright = (noise - lowpass(noise, 2500, rate, 1)) * decay(count, 0.5 * t60, rate)
    response = np.pad(warm + bright, ((0, 0), (samples(rng.uniform(0.008, 0.03), rate), 0)))
    # Low frequencies would only blur the rest.
    response = highpass(response, 200, rate)
    return response / np.sqrt((response**2).sum(axis=-1, keepdims=True))


def _quantised(stems: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rounds the stems first and adds whole numbers, so that the mixture is exactly their sum."""
    peak = np.abs(sum(stems.values())).max() + 1e-12
    # Stems may be out of phase: none may clip either.
    peak = max(peak, *(np.abs(sound).max() for sound in stems.values()))
    scale = 32767 * 10 ** (PEAK_DB / 20) / peak
    rounded = {t: np.rint(sound * scale).astype(np.int16) for t, sound in stems.items()}
    return {"mixture": sum(rounded.values()), **rounded}
