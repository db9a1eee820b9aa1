"""The methods before networks: each finds what its idea says it finds, in sounds made for it."""

import numpy as np
import pytest
import torch

from unmix_lite import classic
from unmix_lite.errors import AudioError, UnmixError
from unmix_lite.evaluation import utterance_sdr

RATE = 22050


def tones(frequencies, seconds, start=0.0):
    """Steady tones, `(samples,)`."""
    time = torch.arange(int(seconds * RATE)) / RATE + start
    return sum(0.1 * torch.sin(2 * torch.pi * f * time) for f in frequencies)


def clicks(seconds, every=0.25):
    """Short bursts of noise."""
    generator = torch.Generator().manual_seed(0)
    sound = torch.zeros(int(seconds * RATE))
    burst = torch.randn(200, generator=generator) * torch.linspace(1, 0, 200)
    for start in range(500, len(sound) - 200, int(every * RATE)):
        sound[start : start + 200] += burst
    return sound


def loop(length=1.0, times=6):
    """A second of accompaniment, again and again."""
    generator = torch.Generator().manual_seed(1)
    steps = [tones(100 * torch.randint(3, 12, (3,), generator=generator), length / 4)
             for _ in range(4)]  # fmt: skip
    return torch.cat(steps).repeat(times)


def melody(samples):
    """Ever new notes, high above the loop."""
    generator = torch.Generator().manual_seed(2)
    notes = [tones([float(f)], 0.21) for f in torch.rand(80, generator=generator) * 2000 + 2500]
    return torch.cat(notes)[:samples]


def sdr(truth, stem):
    return float(utterance_sdr([truth.T], [stem.T])[0])


def stereo(sound):
    return sound.expand(2, -1).clone()


LENGTH = len(loop())
SONG = stereo(loop() + melody(LENGTH) + clicks(6)[:LENGTH])
SPECTRA = classic.dictionary([stereo(clicks(2))], 4, iterations=20)
METHODS = {
    "hpss": ("drums", classic.hpss),
    "repet": ("vocals", classic.repet),
    "repet_sim": ("vocals", classic.repet_sim),
    "centre": ("vocals", classic.centre),
    "nmf": ("drums", lambda audio, rate: classic.nmf(audio, rate, SPECTRA, iterations=5)),
}


@pytest.mark.parametrize("method", METHODS)
class TestEach:
    def test_stems_sum_to_the_song(self, method):
        target, separate = METHODS[method]
        song = SONG + 0.01 * torch.randn(SONG.shape, generator=torch.Generator().manual_seed(3))
        stems = separate(song, RATE)
        assert list(stems) == [target, "residual"]
        assert all(stem.shape == song.shape and stem.dtype == torch.float32
                   for stem in stems.values())  # fmt: skip
        torch.testing.assert_close(sum(stems.values()), song, rtol=0, atol=1e-6)
        energies = [float(stem.square().sum()) for stem in stems.values()]
        assert min(energies) > 0

    def test_silence_stays_silent(self, method):
        stems = METHODS[method][1](torch.zeros(2, 6 * RATE), RATE)
        assert all(float(stem.abs().max()) < 1e-5 for stem in stems.values())

    def test_bad_audio_is_refused(self, method):
        song = SONG.clone()
        song[0, 100] = torch.nan
        for audio in (song, torch.zeros(2, 0)):
            with pytest.raises(AudioError):
                METHODS[method][1](audio, RATE)

    def test_mono(self, method):
        separate = METHODS[method][1]
        if method == "centre":
            with pytest.raises(AudioError, match="two channels"):
                separate(SONG[:1], RATE)
        else:
            assert next(iter(separate(SONG[:1], RATE).values())).shape == SONG[:1].shape


def test_hpss_tells_clicks_from_tones():
    beats = stereo(clicks(4))
    stems = classic.hpss(beats + stereo(tones([300, 700, 1500], 4)), RATE)
    assert sdr(beats, stems["drums"]) > 8


def half_silent_stereo():
    """A song whose channels differ, with two seconds of nothing in its middle."""
    noise = 0.02 * torch.randn(2, LENGTH, generator=torch.Generator().manual_seed(4))
    song = torch.stack([SONG[0], 0.5 * SONG[0].flip(0)]) + noise
    song[:, 2 * RATE : 4 * RATE] = 0
    return song


@pytest.mark.parametrize(
    "song",
    [SONG[:1], half_silent_stereo(), torch.zeros(2, 3 * RATE)],
    ids=["mono", "stereo", "silence"],
)
def test_hpss_is_librosas(song):
    """The same medians and masks, by SciPy alone."""
    librosa = pytest.importorskip("librosa", reason="needs the reference, librosa")
    stems = classic.hpss(song, RATE)
    stft, spec, _ = classic._analysed(song)
    lengths = (classic._odd(0.36 * RATE / 512), classic._odd(540 * 2048 / RATE))
    parts = librosa.decompose.hpss(spec.numpy(), kernel_size=lengths, power=2.0)
    for stem, part in zip((stems["residual"], stems["drums"]), parts):
        expected = stft.inverse(torch.from_numpy(part), song.shape[-1])
        torch.testing.assert_close(stem, expected, rtol=0, atol=2e-6)
    loud = [float(stem.abs().max()) > 0.1 for stem in stems.values()]
    assert loud == [bool(song.any())] * 2


class TestRepet:
    song = stereo(loop() + melody(LENGTH))
    voice = stereo(melody(LENGTH))

    def test_the_beat_spectrum_peaks_at_the_period(self):
        magnitude = np.abs(classic._analysed(self.song)[2].mean(0))
        beats = classic.beat_spectrum(magnitude)
        lags = np.arange(len(beats)) * 512 / RATE
        near = (lags > 0.8) & (lags < 1.9)
        assert beats[0] == pytest.approx(1)
        assert lags[near][np.argmax(beats[near])] == pytest.approx(1.0, abs=0.03)

    def test_what_repeats_is_taken_away(self):
        found = classic.repet(self.song, RATE)["vocals"]
        given = classic.repet(self.song, RATE, period=1.0)["vocals"]
        assert sdr(self.voice, found) > 8 and sdr(self.voice, given) > 8
        assert sdr(self.voice, classic.repet(self.song, RATE, period=0.37)["vocals"]) < 5

    def test_what_returns_irregularly_is_taken_away_by_sim_alone(self):
        one = loop(times=1)
        gaps = [0.31, 0.57, 0.13, 0.71, 0.42]
        pieces = [torch.cat([one, torch.zeros(int(gap * RATE))]) for gap in gaps]
        accompaniment = torch.cat([*pieces, one])
        voice = stereo(melody(len(accompaniment)))
        song = voice + stereo(accompaniment)
        scores = [sdr(voice, f(song, RATE)["vocals"]) for f in (classic.repet, classic.repet_sim)]
        assert scores[1] > 5 and scores[1] > scores[0] + 2

    def test_too_short_to_repeat(self):
        for separate in (classic.repet, classic.repet_sim):
            with pytest.raises(AudioError, match="too short"):
                separate(self.song[:, :RATE], RATE)
        with pytest.raises(AudioError, match="does not fit"):
            classic.repet(self.song, RATE, period=60.0)


def test_the_centre_is_found_between_the_sides():
    voice, left, right = (tones(f, 3) for f in ([400, 800], [530], [1210]))
    song = torch.stack([voice + left, voice + right])
    assert sdr(stereo(voice), classic.centre(song, RATE)["vocals"]) > 15


class TestNmf:
    def test_known_spectra_are_found_again(self):
        beats = stereo(clicks(4))
        rest = stereo(tones([330, 990], 4))
        drums, other = (classic.dictionary([sound], 6, 50) for sound in (beats, rest))
        stems = classic.nmf(beats + rest, RATE, drums, other, free=2)
        assert sdr(beats, stems["drums"]) > 8

    def test_the_divergence_falls_and_fixed_spectra_stay(self):
        rng = np.random.default_rng(0)
        magnitude = rng.uniform(0.1, 1, (30, 40)).astype(np.float32)
        fixed = rng.uniform(0.1, 1, (30, 3)).astype(np.float32)
        fixed /= fixed.sum(0)
        divergences = []
        for iterations in (1, 3, 10, 40):
            bases, gains = classic.factorise(magnitude, fixed, 4, iterations)
            model = bases @ gains
            divergences.append(np.sum(magnitude * np.log(magnitude / model) - magnitude + model))
            np.testing.assert_allclose(bases[:, :3], fixed, rtol=1e-5)
            np.testing.assert_allclose(bases.sum(0), 1, rtol=1e-4)
        assert divergences == sorted(divergences, reverse=True)

    def test_nothing_to_learn_from(self):
        for sounds in ([], [torch.zeros(2, RATE)]):
            with pytest.raises(UnmixError, match="silence"):
                classic.dictionary(sounds)
