"""The singer: a glottal source through moving formants, with consonants and breaths.

The source-filter model of Fant (1960), formants in cascade as in Klatt (1980). Controls move from
frame to frame (6 ms); each frame of source and noise is filtered in the frequency domain and the
frames overlap-add, so the filter glides.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.fft import irfft, rfft
from scipy.ndimage import gaussian_filter1d

from .melody import VOICES
from .phonetics import BANDWIDTHS, CONSONANTS, UPPER_FORMANTS, VOWELS, Consonant
from .score import Song, Syllable, frequency
from .signals import harmonic_table, highpass, oscillate, pan, samples

Points = list[tuple[float, Any]]
"""Times in seconds, each with the value or the values that a curve has there."""

_HOP_SECONDS = 0.006
# Frames filtered at a time, which bounds the memory a long song takes.
_CHUNK = 512


def play_voice(song: Song, rate: int, rng: np.random.Generator) -> np.ndarray:
    """The stem "vocals", `(2, samples)`, dry: the lead, and in some songs double and harmony."""
    singer = _Singer(song.voice_kind, rate, rng)
    out = singer.sing(song.vocals, song.seconds) * pan(rng.uniform(-0.1, 0.1))
    if rng.random() < 0.3:
        for side in (-0.7, 0.7):
            out += 0.3 * singer.sing(song.vocals, song.seconds) * pan(side)
    if song.harmony:
        out += (
            rng.uniform(0.25, 0.45)
            * singer.sing(song.harmony, song.seconds)
            * pan(rng.choice([-1, 1]) * rng.uniform(0.3, 0.8))
        )
    return out


class _Singer:
    """One song's voice; each `sing` is a new take with its own small inaccuracies."""

    def __init__(self, kind: str, rate: int, rng: np.random.Generator) -> None:
        self.rate, self.rng = rate, rng
        self.tract = VOICES[kind].tract * rng.uniform(0.96, 1.04)
        self.vibrato_hz = rng.uniform(5.0, 6.3)
        self.vibrato_depth = rng.uniform(0.12, 0.45)  # semitones to either side
        self.slope = rng.uniform(0.6, 0.85)
        self.presence = rng.uniform(0.8, 2.4)
        self.breathiness = rng.uniform(0.01, 0.045)
        self.hop = max(16, samples(_HOP_SECONDS, rate))

    def sing(self, syllables: Sequence[Syllable], seconds: float) -> np.ndarray:
        """`(samples,)` of the melody, level near 1."""
        count = samples(seconds, self.rate)
        if not syllables:
            return np.zeros(count)
        frames = count // self.hop + 2
        times = np.arange(frames) * self.hop / self.rate
        late = self.rng.normal(0, 0.006)
        hz = frequency(self._pitch(syllables, times - late))
        controls = _controls(syllables, times - late, self.tract)
        # Sopranos open F1 up to the fundamental; below it the voice would thin out.
        controls["formants"][:, 0] = np.maximum(controls["formants"][:, 0], 1.05 * hz)
        sample_times = np.arange((frames + 1) * self.hop) / self.rate
        phase = np.cumsum(np.interp(sample_times, times, hz)) / self.rate
        # One table for all notes; near the top of the range none of its harmonics may alias.
        source = oscillate(phase, harmonic_table(float(hz.max()), self.rate, self.slope, 9000.0))
        noise = self.rng.standard_normal(len(source), dtype=np.float32)
        sung = self._filtered(source.astype(np.float32), noise, controls)[:count]
        # Microphone and engineer lift the presence.
        sung = sung + self.presence * highpass(sung, 3000, self.rate, 1)
        return highpass(_compressed(sung, self.rate), 90, self.rate)

    def _pitch(self, syllables: Sequence[Syllable], times: np.ndarray) -> np.ndarray:
        """MIDI pitch `(frames,)`: portamento, a scoop into phrases, vibrato, drift and jitter."""
        starts = np.array([s.start for s in syllables])
        current = np.clip(np.searchsorted(starts, times + 0.02, side="right") - 1, 0, None)
        ends = np.array([s.end for s in syllables])
        # In a rest the voice is already on its way to the next phrase.
        upcoming = np.minimum(current + 1, len(starts) - 1)
        heading = np.where(times > ends[current] + 0.05, upcoming, current)
        pitch = np.array([s.pitch for s in syllables], float)[heading]
        pitch = gaussian_filter1d(pitch, 0.022 / _HOP_SECONDS)
        since = np.maximum(times - starts[current], 0)
        begins = np.array([s.begins_phrase for s in syllables])[current]
        pitch -= np.where(begins, 1.0, 0.15) * np.exp(-since / 0.035) * (since > 0)
        onset = np.clip((since - 0.18) / 0.3, 0, 1)
        turn = 2 * np.pi * self.vibrato_hz * times + self.rng.uniform(0, 2 * np.pi)
        drift = gaussian_filter1d(self.rng.standard_normal(len(times)), 0.15 / _HOP_SECONDS)
        jitter = gaussian_filter1d(self.rng.standard_normal(len(times)), 1.5)
        wander = 0.08 * drift / (drift.std() + 1e-9) + 0.04 * jitter
        return pitch + self.vibrato_depth * onset * np.sin(turn) + wander

    def _filtered(
        self, source: np.ndarray, noise: np.ndarray, controls: dict[str, np.ndarray]
    ) -> np.ndarray:
        """Overlap-add of filtered half-overlapping Hann frames; the windows sum to one."""
        hop = self.hop
        n_fft = 2 ** int(np.ceil(np.log2(6 * hop)))
        window = np.hanning(2 * hop + 1)[:-1].astype(np.float32)
        freqs = np.arange(n_fft // 2 + 1, dtype=np.float32) * self.rate / n_fft
        # A voice has next to nothing above 15 kHz: those bins stay zero.
        freqs = freqs[freqs < 15000]
        bins = len(freqs)
        out = np.zeros((len(controls["voicing"]) + 1) * hop + n_fft)
        active = controls["voicing"] + controls["breath"] + controls["noise"] > 1e-4
        wanted = np.flatnonzero(active)
        controls = {name: curve.astype(np.float32) for name, curve in controls.items()}
        for first in range(0, len(wanted), _CHUNK):
            chunk = wanted[first : first + _CHUNK]
            index = np.minimum(chunk[:, None] * hop + np.arange(2 * hop), len(source) - 1)
            voiced = rfft(source[index] * window, n_fft)[:, :bins]
            hiss = rfft(0.8 * noise[index] * window, n_fft)[:, :bins]
            voicing = controls["voicing"][chunk, None]
            breath = controls["breath"][chunk, None] + self.breathiness * voicing
            mouth = _band(freqs, controls["band"][chunk]) * controls["noise"][chunk, None]
            tract = _tract_response(controls["formants"][chunk], freqs, self.tract)
            filtered = tract * (voiced * voicing + hiss * breath) + hiss * mouth
            for frame, sound in zip(chunk, irfft(filtered, n_fft)):
                out[frame * hop : frame * hop + n_fft] += sound
        return out


def _tract_response(formants: np.ndarray, freqs: np.ndarray, tract: float) -> np.ndarray:
    """Complex response `(frames, bins)` of the formants in cascade, 1 at 0 Hz."""
    upper = np.array(UPPER_FORMANTS, np.float32)[:, None] / np.float32(tract)
    fixed = np.prod(1 - (freqs / upper) ** 2 + 0.09j * freqs / upper, axis=0)
    denominator = np.tile(fixed.astype(np.complex64), (len(formants), 1))
    factor = np.empty_like(denominator)
    for hz, bandwidth in zip(formants.T, BANDWIDTHS):
        ratio = freqs / hz[:, None]
        # The losses grow with frequency, and with them the width of the resonances.
        factor.real = 1 - ratio**2
        factor.imag = ratio * (bandwidth / hz + 0.02)[:, None]
        denominator *= factor
    return 1 / denominator


def _band(freqs: np.ndarray, band: np.ndarray) -> np.ndarray:
    """Smooth band-pass magnitude `(frames, bins)` between the two columns of `band` (Hz)."""
    below = (band[:, :1] / np.maximum(freqs, 1.0)) ** 2
    above = (freqs / band[:, 1:]) ** 2
    return 1 / ((1 + below * below) * (1 + above))


def _compressed(x: np.ndarray, rate: int) -> np.ndarray:
    """Evens out vowels and notes, as the compressor on every recorded voice does (ratio 2 to 1)."""
    block = samples(0.01, rate)
    blocks = np.pad(x, (0, -len(x) % block)).reshape(-1, block)
    envelope = np.sqrt(gaussian_filter1d((blocks**2).mean(axis=1), 3.0) + 1e-12)
    loud = np.percentile(envelope, 90) + 1e-9
    # Rests stay rests: what lies 20 dB below the loud notes is not raised any further.
    gain = (np.maximum(envelope, 0.1 * loud) / loud) ** -0.5
    centres = (np.arange(len(blocks)) + 0.5) * block
    return x * np.interp(np.arange(len(x)), centres, gain) / (3 * loud)


def _controls(
    syllables: Sequence[Syllable], times: np.ndarray, tract: float
) -> dict[str, np.ndarray]:
    """What the mouth does, frame by frame: `formants (frames, 5)`, `band (frames, 2)`, and levels.

    `voicing`, `breath` and `noise` are `(frames,)`. Each is drawn through breakpoints that the
    syllables set; a consonant takes the last moments before its note, as singers time it.
    """
    curves = {name: [(-1.0, 0.0)] for name in ("voicing", "breath", "noise")}
    formants, bands = [], []
    last_end, level = 0.0, 0.0
    for order, syllable in enumerate(syllables):
        following = syllables[order + 1] if order + 1 < len(syllables) else None
        is_last = following is None or following.begins_phrase
        consonant = CONSONANTS[syllable.consonant]
        start = syllable.start
        length = min(consonant.duration, max(0.02, 0.6 * (start - last_end)))
        if syllable.begins_phrase:
            level = 0.0
            _breathe(curves, last_end, start - length)
        _voicing(curves["voicing"], syllable, consonant, length, level, is_last)
        _noises(curves, consonant, start, length, syllable.velocity)
        first, last = (VOWELS[v] for v in (syllable.vowel[0], syllable.vowel[-1]))
        locus = (consonant.locus or first[:3]) + first[3:]
        formants += [
            (start - 0.7 * length, locus), (start - 0.2 * length, locus), (start + 0.04, first),
            (start + 0.5 * syllable.duration, first), (start + 0.9 * syllable.duration, last),
        ]  # fmt: skip
        bands += [(start - length, consonant.band), (start, consonant.band)]
        level = 0.85 * syllable.velocity
        # What is left for the next consonant: the second half of this note.
        last_end = syllable.end if is_last else start + 0.4 * syllable.duration
    controls = {name: _curve(points, times, 0.004) for name, points in curves.items()}
    controls["formants"] = _curve(formants, times, 0.012) / tract
    controls["band"] = _curve(bands, times, 0)
    return controls


def _voicing(
    points: Points,
    syllable: Syllable,
    consonant: Consonant,
    length: float,
    level: float,
    is_last: bool,
) -> None:
    start, end, loudness = syllable.start, syllable.end, syllable.velocity
    closed = consonant.voicing * loudness
    points += [
        (start - length, level), (start - 0.75 * length, closed), (start - 0.005, closed),
        (start + 0.03, loudness),
    ]  # fmt: skip
    if is_last:
        points += [(max(start + 0.04, end - 0.12), 0.8 * loudness), (end, 0.0)]


def _noises(
    curves: dict[str, Points], consonant: Consonant, start: float, length: float, loudness: float
) -> None:
    """Frication over the whole consonant, or a burst at the end of a stop, and aspiration."""
    begins = start - (0.35 if consonant.stop else 0.9) * length
    for name, level in (("noise", consonant.noise), ("breath", consonant.breath)):
        ends = start + (0.012 if name == "breath" else -0.1 * length)
        peak = level * loudness
        curves[name] += [(begins, 0.0), (begins + 0.006, peak), (ends, peak), (ends + 0.012, 0.0)]


def _breathe(curves: dict[str, Points], after: float, before: float) -> None:
    """A breath before the phrase, where there is room for one."""
    if before - after > 0.3:
        curves["breath"] += [(before - 0.28, 0.0), (before - 0.16, 0.03), (before - 0.04, 0.0)]


def _curve(points: Points, times: np.ndarray, smoothing: float) -> np.ndarray:
    """Straight lines through `points` (time, value or values), rounded off over `smoothing` s."""
    at = np.maximum.accumulate([time for time, _ in points])
    values = np.array([value for _, value in points], float)
    if values.ndim == 1:
        curve = np.interp(times, at, values)
    else:
        curve = np.stack([np.interp(times, at, column) for column in values.T], axis=1)
    return gaussian_filter1d(curve, smoothing / _HOP_SECONDS, axis=0) if smoothing else curve
