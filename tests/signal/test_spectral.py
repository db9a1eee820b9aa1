"""The STFT: its convention, its inverse, its limits."""

import librosa
import pytest
import torch

from unmix_lite import STFT, AudioError
from unmix_lite.signal import decibels, magnitude


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("samples", [1, 2, 100, 1023, 1024, 2048, 2049, 4096, 44_100, 50_001])
@pytest.mark.parametrize("sizes", [(4096, 1024), (2048, 1024), (1000, 333), (512, 128)])
def test_inverse_is_exact_for_any_length(samples, sizes):
    stft, audio = STFT(*sizes), noise(2, samples)
    spec = stft(audio)
    if sizes[1] <= sizes[0] // 4:
        assert spec.shape == (2, stft.nb_bins, 1 + samples // sizes[1])
    back = stft.inverse(spec, samples)
    assert back.shape == audio.shape
    assert (back - audio).abs().max() < 1e-5


@pytest.mark.parametrize("shape", [(9000,), (3, 9000), (2, 3, 9000)])
def test_leading_axes_are_kept(shape):
    stft, audio = STFT(), noise(*shape)
    spec = stft(audio)
    assert spec.shape == (*shape[:-1], 2049, 9)
    assert torch.allclose(stft.inverse(spec, 9000), audio, atol=1e-5)


def test_equals_librosa():
    audio = noise(44_100)
    expected = librosa.stft(audio.numpy(), n_fft=4096, hop_length=1024, pad_mode="reflect")
    assert torch.allclose(STFT()(audio), torch.from_numpy(expected), atol=1e-3)


def test_a_sine_of_amplitude_one_peaks_at_half_the_window_sum():
    frequency = 100 * 44_100 / 4096  # the centre of bin 100
    audio = torch.sin(2 * torch.pi * frequency * torch.arange(44_100) / 44_100)
    frame = magnitude(STFT()(audio))[:, 20]
    assert int(frame.argmax()) == 100
    assert float(frame.max()) == pytest.approx(4096 / 4, rel=1e-3)


def test_decibels_have_a_floor():
    levels = decibels(torch.tensor([0.0, 1e-9, 0.1, 1.0, 10.0]), floor=-60)
    assert torch.allclose(levels, torch.tensor([-60.0, -60.0, -20.0, 0.0, 20.0]), atol=1e-4)


def test_empty_audio_and_a_hop_without_inverse_are_refused():
    with pytest.raises(AudioError, match="empty"):
        STFT()(torch.zeros(2, 0))
    with pytest.raises(ValueError, match="hop_length"):
        STFT(1024, 600)
