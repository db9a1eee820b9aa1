"""Building blocks of the players: filters, decays, wavetables and the plucked string.

Signals are float64 arrays, mono `(samples,)` or stereo `(2, samples)`; rates and cutoffs in Hz.
"""

from functools import lru_cache

import numpy as np
from scipy.signal import butter, sosfilt

TABLE_SIZE = 4096


@lru_cache(maxsize=256)
def _design(order: int, cutoff: float, kind: str, rate: int) -> np.ndarray:
    return butter(order, cutoff, kind, fs=rate, output="sos")


def _filter(x: np.ndarray, kind: str, cutoff: float, rate: int, order: int) -> np.ndarray:
    return sosfilt(_design(order, float(cutoff), kind, rate), x, axis=-1)


def lowpass(x: np.ndarray, cutoff: float, rate: int, order: int = 2) -> np.ndarray:
    """Butterworth low-pass; a cutoff at or above the top of the band leaves `x` as it is."""
    return x if cutoff >= 0.45 * rate else _filter(x, "lowpass", cutoff, rate, order)


def highpass(x: np.ndarray, cutoff: float, rate: int, order: int = 2) -> np.ndarray:
    """Butterworth high-pass; at low rates the cutoff stays low enough for something to be left."""
    return _filter(x, "highpass", min(cutoff, 0.3 * rate), rate, order)


def bandpass(x: np.ndarray, low: float, high: float, rate: int, order: int = 2) -> np.ndarray:
    return lowpass(highpass(x, low, rate, order), high, rate, order)


def samples(seconds: float, rate: int) -> int:
    """Number of samples in `seconds`, at least one."""
    return max(1, int(round(seconds * rate)))


def decay(count: int, t60: float, rate: int) -> np.ndarray:
    """Exponential `(count,)` that falls by 60 dB in `t60` seconds."""
    return np.exp(np.arange(count) * (-np.log(1000.0) / (t60 * rate)))


def ramp(count: int, attack: float, release: float, rate: int) -> np.ndarray:
    """Envelope `(count,)`: linear attack and release (s) around ones, for clickless notes."""
    t = np.arange(count) / rate
    end = count / rate
    return np.minimum(1.0, np.minimum((t + 1 / rate) / attack, (end - t) / release))


def pan(position: float) -> np.ndarray:
    """Gains `(2, 1)` of a constant-power panorama, from -1 (left) to 1 (right)."""
    angle = (position + 1) * np.pi / 4
    return np.sqrt(2.0) * np.array([[np.cos(angle)], [np.sin(angle)]])


def place(
    out: np.ndarray, sound: np.ndarray, time: float, rate: int, gain: float | np.ndarray = 1.0
) -> None:
    """Add `sound` to `out` from `time` (s) on, cut at the end of `out`; `gain` broadcasts."""
    start = int(round(time * rate))
    count = min(sound.shape[-1], out.shape[-1] - start)
    if count > 0:
        out[..., start : start + count] += gain * sound[..., :count]


@lru_cache(maxsize=512)
def harmonic_table(
    frequency: float,
    rate: int,
    slope: float = 1.0,
    cutoff: float = 2000.0,
    steepness: float = 2.0,
    odd_only: bool = False,
) -> np.ndarray:
    """One period `(TABLE_SIZE + 1,)` of a low-passed, band-limited sawtooth or square-like wave.

    Harmonic k has amplitude `k ** -slope`, through a low-pass at `cutoff` (Hz) that falls with
    the power `steepness`. Harmonics above 0.45 of the rate are left out, so nothing aliases.
    """
    count = max(1, min(int(0.45 * rate / frequency), 200))
    k = np.arange(1, count + 1)
    amplitude = k ** (-float(slope)) / (1.0 + (k * frequency / cutoff) ** steepness)
    if odd_only:
        amplitude[1::2] = 0.0
    return wavetable(amplitude)


def wavetable(amplitude: np.ndarray) -> np.ndarray:
    """One period `(TABLE_SIZE + 1,)` of the sine harmonics with these amplitudes, peak 1."""
    spectrum = np.zeros(TABLE_SIZE // 2 + 1, complex)
    spectrum[1 : len(amplitude) + 1] = -0.5j * TABLE_SIZE * np.asarray(amplitude)
    table = np.fft.irfft(spectrum)
    table /= np.abs(table).max()
    return np.append(table, table[0])


def oscillate(phase: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Read a wavetable at `phase` (in periods, any shape), with linear interpolation."""
    position = (phase % 1.0) * (len(table) - 1)
    index = position.astype(np.int64)
    fraction = position - index
    return table[index] + fraction * (table[index + 1] - table[index])


def pluck(
    frequency: float,
    seconds: float,
    rate: int,
    rng: np.random.Generator,
    brightness: float = 0.5,
    t60: float = 3.0,
    position: float = 0.2,
) -> np.ndarray:
    """A plucked string `(samples,)`: Karplus and Strong (1983), tuned as Jaffe and Smith (1983).

    A burst of noise one period long runs round a delay line, which loses a little treble at each
    turn. `brightness` 0 to 1 sets how little, `t60` (s) how long the string rings, `position` where
    along it the finger stands, which takes out the harmonics with a node there.
    """
    period = rate / frequency
    delay = int(period) - 2
    # The rest of the period: one sample from the symmetric loss filter, and a fractional delay
    # between one and two samples through quadratic interpolation (Lagrange).
    d = period - delay - 1
    fractional = np.array([(d - 1) * (d - 2) / 2, d * (2 - d), d * (d - 1) / 2])
    loss = 0.22 * (1 - brightness) ** 2 + 0.002
    loop = np.convolve(fractional, [loss, 1 - 2 * loss, loss]) * 10 ** (-3 / (t60 * frequency))
    lag = len(loop) - 1

    count = samples(seconds, rate)
    y = np.zeros(count + 2 * delay + lag + 2)
    length = delay + lag
    burst = rng.uniform(-1, 1, length)
    burst = lowpass(burst, 800 + 9000 * brightness, rate, 1)
    burst -= burst.mean()
    burst -= 0.8 * np.roll(burst, max(1, int(position * length)))
    y[:length] = burst
    # No tap reaches back less than `delay` samples, so that many are computed at once.
    for start in range(length, count + length, delay):
        y[start : start + delay] = np.convolve(y[start - delay - lag : start], loop, "valid")
    tone = y[length : length + count]
    return tone / (np.abs(tone[: samples(0.05, rate)]).max() + 1e-9)
