"""Time is stretched and pitch is not: tones, bursts, two channels, and what is hardly there."""

import pytest
import torch

from unmix_lite.signal import STFT, time_stretch
from unmix_lite.training import SPEEDS

RATE = 8000
RATIOS = [0.5, 5 / 6, 1.1, 2.0]


def chord(seconds, *pitches):
    time = torch.arange(round(RATE * seconds), dtype=torch.float64) / RATE
    return sum(torch.sin(2 * torch.pi * pitch * time) for pitch in pitches).float()


def peaks(audio, count):
    """The loudest frequencies in Hz, of the second around the middle."""
    middle = audio.shape[-1] // 2
    piece = audio[..., middle - RATE // 2 : middle + RATE // 2]
    spectrum = torch.fft.rfft(piece * torch.hann_window(RATE)).abs()
    inside = spectrum[1:-1]
    tops = (inside > spectrum[:-2]) & (inside > spectrum[2:])
    order = (inside * tops).argsort(descending=True)[:count] + 1
    return sorted(order.tolist())


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_tones_of_a_chord_keep_their_pitch_and_their_level(ratio):
    audio = chord(4, 300, 700, 1500).expand(2, -1)
    result = time_stretch(audio, ratio)
    assert result.shape == (2, round(4 * RATE / ratio))
    assert peaks(result[0], 3) == pytest.approx([300, 700, 1500], abs=1)
    inside = slice(2000, -2000)
    level = result[0, inside].square().mean() / audio[0, inside].square().mean()
    assert 10 * level.log10() == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_burst_comes_sooner_or_later(ratio):
    audio = torch.zeros(1, 2 * RATE)
    audio[:, RATE : RATE + 200] = torch.randn(200, generator=torch.Generator().manual_seed(0))
    result = time_stretch(audio, ratio, STFT(512, 128))[0]
    power = result.square()
    centre = (power * torch.arange(len(power))).sum() / power.sum()
    assert centre == pytest.approx((RATE + 100) / ratio, abs=150)


def test_at_its_own_pace_nothing_changes():
    audio = torch.randn(3, 2, 6000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(time_stretch(audio, 1.0), audio, atol=1e-5, rtol=0)


@pytest.mark.parametrize("right", [0.0, 0.5, -1.0])
def test_what_lies_between_the_loudspeakers_stays_there(right):
    audio = chord(1, 300, 710) * torch.tensor([[1.0], [right]])
    result = time_stretch(audio, 0.9)
    torch.testing.assert_close(result[1], right * result[0], atol=1e-3, rtol=0)


@pytest.mark.parametrize("samples", [1, 100, 2048, 2500])
def test_short_sounds_and_silence_come_out_as_they_should(samples):
    result = time_stretch(torch.ones(2, samples), 5 / 6)
    assert result.shape == (2, round(samples * 6 / 5)) and torch.isfinite(result).all()
    assert not time_stretch(torch.zeros(2, samples), 5 / 6).any()


@pytest.mark.parametrize("ratio", SPEEDS)
def test_a_sound_after_digital_silence_stays_finite(ratio):
    time = torch.arange(22050) / 44100
    audio = torch.cat([torch.zeros(30000), 0.3 * torch.sin(2 * torch.pi * 100 * time)])[None]
    assert time_stretch(audio, ratio).isfinite().all()
