"""The short-time Fourier transform, its exact inverse, magnitudes and decibels."""

import torch
from torch import nn

from .errors import AudioError


class STFT(nn.Module):
    """The short-time Fourier transform (the article's eq. 2, taken window by window).

    A periodic Hann window, frames centred on multiples of the hop, the edges reflected: what
    Open-Unmix uses (Stöter et al. 2019), and librosa by default but for its zero edges.

    Args:
        n_fft: window and transform length in samples.
        hop_length: samples from one frame to the next; at most half a window, or the inverse
            would not exist.
    """

    def __init__(self, n_fft=4096, hop_length=1024):
        super().__init__()
        if not 0 < hop_length <= n_fft // 2:
            raise ValueError(f"hop_length must lie in 1..{n_fft // 2}, half of n_fft: {hop_length}")
        self.n_fft = n_fft
        self.hop_length = hop_length
        # Computed, not learned, so it stays out of the state_dict.
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    @property
    def nb_bins(self):
        """Frequencies per frame, from 0 Hz to half the rate: n_fft / 2 + 1."""
        return self.n_fft // 2 + 1

    def forward(self, audio):
        """Audio `(..., samples)`, any length from one sample on -> complex `(..., freq, frames)`.

        frames = 1 + samples // hop_length, as everywhere; one more where the hop exceeds a
        quarter of the window and the last samples would otherwise lie under its vanishing tail.
        """
        samples = audio.shape[-1]
        if samples == 0:
            raise AudioError("the STFT of no samples does not exist: the audio is empty.")
        covered = samples
        if self.hop_length > self.n_fft // 4:
            covered += -samples % self.hop_length
        flat = audio.reshape(-1, samples)
        # Reflection needs more samples than it mirrors; a shorter sound continues as silence.
        flat = nn.functional.pad(flat, (0, max(covered, self.n_fft // 2 + 1) - samples))
        spec = torch.stft(
            flat, self.n_fft, self.hop_length, window=self.window, center=True,
            pad_mode="reflect", return_complex=True,
        )  # fmt: skip
        spec = spec[..., : 1 + covered // self.hop_length]
        return spec.reshape(*audio.shape[:-1], *spec.shape[-2:])

    def inverse(self, spec, length):
        """Complex `(..., freq, frames)` -> audio `(..., length)`, by weighted overlap-add.

        Exact: `stft.inverse(stft(x), x.shape[-1])` is x up to rounding, whatever the length. For
        a spectrogram that is nobody's STFT (a masked one, say) it gives the audio whose STFT is
        nearest in the least-squares sense (Griffin and Lim 1984).
        """
        flat = spec.reshape(-1, *spec.shape[-2:])
        audio = torch.istft(
            flat, self.n_fft, self.hop_length, window=self.window, center=True, length=length
        )
        return audio.reshape(*spec.shape[:-2], length)


def magnitude(spec):
    """|spec|, same shape, real."""
    return spec.abs()


def decibels(magnitudes, floor=-80.0, reference=1.0):
    """20 log10(magnitudes / reference) in dB, nothing lower than `floor`."""
    smallest = reference * 10 ** (floor / 20)
    return 20 * torch.log10(magnitudes.clamp(min=smallest) / reference)
