"""The drum kit: each piece synthesised a few times over, then struck as the score says."""

import numpy as np

from .score import Song
from .signals import bandpass, decay, highpass, lowpass, pan, place, ramp, samples

# Each piece is rolled this often and the takes alternate: no two strokes sound quite the same.
_TAKES = 3
# Partials of a metal plate, as ratios; the sound of analogue drum machines' cymbals.
_PLATE = np.array([1.0, 1.342, 1.2312, 1.6532, 1.9523, 2.1523])


def play_drums(song: Song, rate: int, rng: np.random.Generator) -> np.ndarray:
    """The stem "drums", `(2, samples)`, dry, peak near 1, for the hits in `song.drums`."""
    kit = _Kit(rate, rng)
    out = np.zeros((2, samples(song.seconds, rate)))
    hats = [hit.start for hit in song.drums if hit.piece in ("hat", "open_hat")]
    takes = {}
    for hit in song.drums:
        if hit.piece not in takes:
            takes[hit.piece] = [kit.strike(hit.piece) for _ in range(_TAKES)]
        bright, dark = takes[hit.piece][rng.integers(_TAKES)]
        # A soft stroke is not only quieter but darker.
        sound = (dark + (bright - dark) * hit.velocity) * hit.velocity**1.3
        if hit.piece == "open_hat":
            sound = _choked(sound, hit.start, hats, rate)
        place(out, sound, hit.start, rate, pan(kit.positions[hit.piece]))
    return np.tanh(out)


def _choked(sound: np.ndarray, start: float, hats: list[float], rate: int) -> np.ndarray:
    """The next stroke on the hats closes them."""
    following = next((time for time in hats if time > start + 0.02), None)
    if following is None or samples(following - start, rate) >= len(sound):
        return sound
    count = samples(following - start, rate)
    return sound[:count] * ramp(count, 1e-4, 0.01, rate)


class _Kit:
    """One song's drums: tunings and decays drawn once, each stroke with fresh noise."""

    def __init__(self, rate: int, rng: np.random.Generator) -> None:
        self.rate, self.rng = rate, rng
        self.kick_hz = rng.uniform(44, 60)
        self.kick_t60 = rng.uniform(0.28, 0.6)
        self.kick_click = rng.uniform(0.1, 0.35)
        self.snare_hz = rng.uniform(165, 230)
        self.snare_t60 = rng.uniform(0.18, 0.42)
        self.snare_wires = rng.uniform(0.5, 0.9)
        self.hat_hz = rng.uniform(4500, 7500)
        self.plate_hz = rng.uniform(320, 460)
        self.tom_hz = rng.uniform(0.85, 1.15)
        side = rng.choice([-1, 1])
        width = rng.uniform(0.5, 1.0) * side
        self.positions = {
            "kick": 0.0, "snare": 0.1 * width, "hat": 0.6 * width, "open_hat": 0.6 * width,
            "ride": -0.7 * width, "crash": -0.8 * width,
            "high_tom": 0.5 * width, "mid_tom": 0.0, "low_tom": -0.5 * width,
        }  # fmt: skip

    def strike(self, piece: str) -> tuple[np.ndarray, np.ndarray]:
        """`(bright, dark)`, two versions of one stroke, each `(samples,)`."""
        if piece == "kick":
            sound = self._kick()
        elif piece == "snare":
            sound = self._snare()
        elif piece.endswith("tom"):
            ratio = {"high_tom": 165, "mid_tom": 125, "low_tom": 90}[piece]
            sound = self._membrane(ratio * self.tom_hz, 0.5, 0.6, 0.55)
        else:
            sound = self._cymbal(piece)
        cutoff = 9000 if piece in ("hat", "open_hat", "ride", "crash") else 2500
        return sound, lowpass(sound, cutoff, self.rate, 1)

    def _membrane(self, hz: float, sweep: float, t60: float, seconds: float) -> np.ndarray:
        """A drum head whose pitch falls onto `hz` as the stroke's tension goes."""
        count = samples(seconds, self.rate)
        glide = hz * (1 + sweep * decay(count, 0.12, self.rate))
        phase = 2 * np.pi * np.cumsum(glide) / self.rate
        tone = np.sin(phase) + 0.2 * np.sin(1.59 * phase) * decay(count, t60 / 3, self.rate)
        return 0.8 * tone * decay(count, t60, self.rate) * ramp(count, 0.002, 0.02, self.rate)

    def _noise(self, seconds: float) -> np.ndarray:
        return self.rng.standard_normal(samples(seconds, self.rate))

    def _kick(self) -> np.ndarray:
        body = self._membrane(self.kick_hz, 2.2, self.kick_t60, 0.5)
        click = bandpass(self._noise(0.03), 700, 5000, self.rate)
        body[: len(click)] += self.kick_click * click * decay(len(click), 0.02, self.rate)
        return 1.3 * np.tanh(1.5 * body)

    def _snare(self) -> np.ndarray:
        head = self._membrane(self.snare_hz, 0.35, 0.16, 0.45)
        wires = bandpass(self._noise(0.45), 400, 6000, self.rate, 1)
        wires *= decay(len(wires), self.snare_t60, self.rate)
        return 0.9 * head + 0.6 * self.snare_wires * wires

    def _cymbal(self, piece: str) -> np.ndarray:
        seconds, t60, level = {
            "hat": (0.15, 0.11, 0.12), "open_hat": (0.7, 0.6, 0.12),
            "ride": (0.9, 0.9, 0.09), "crash": (2.2, 1.9, 0.17),
        }[piece]  # fmt: skip
        count = samples(seconds, self.rate)
        t = np.arange(count) / self.rate
        wobble = self.rng.uniform(0.995, 1.005, len(_PLATE)) * _PLATE * self.plate_hz * 4.1
        phases = wobble[:, None] * t + self.rng.random((len(_PLATE), 1))
        # Sines through a hard curve: square-like, dense partials, softened against aliasing.
        plate = np.tanh(3 * np.sin(2 * np.pi * phases)).mean(axis=0)
        mixed = 0.5 * plate + 0.5 * self._noise(seconds)[:count]
        low = self.hat_hz if piece != "crash" else 0.6 * self.hat_hz
        mixed = highpass(mixed, low if piece != "ride" else 0.8 * low, self.rate)
        envelope = decay(count, t60, self.rate)
        if piece == "ride":
            ping = np.sin(2 * np.pi * 0.55 * self.hat_hz * t) * decay(count, 0.25, self.rate)
            mixed = 0.6 * mixed + 0.35 * ping
        return 3 * level * mixed * envelope * ramp(count, 0.001, 0.02, self.rate)
