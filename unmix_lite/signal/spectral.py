"""The short-time Fourier transform, its exact inverse, magnitudes and decibels."""

import math

import torch
from torch import nn

from ..errors import AudioError


class STFT(nn.Module):
    """The short-time Fourier transform (the article's eq. 2, taken window by window).

    A periodic Hann window, frames centred on multiples of the hop, the edges reflected: what
    Open-Unmix uses (Stöter et al. 2019), and librosa by default but for its zero edges.

    Args:
        n_fft: window and transform length in samples.
        hop_length: samples from one frame to the next; at most half a window. The inverse exists
            for longer hops, too, but would magnify what is changed where windows hardly overlap.
    """

    window: torch.Tensor

    def __init__(self, n_fft: int = 4096, hop_length: int = 1024) -> None:
        super().__init__()
        if not 0 < hop_length <= n_fft // 2:
            raise ValueError(f"hop_length must lie in 1..{n_fft // 2}, half of n_fft: {hop_length}")
        self.n_fft = n_fft
        self.hop_length = hop_length
        # Computed, not learned, so it stays out of the state_dict.
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    @property
    def nb_bins(self) -> int:
        """Frequencies per frame, from 0 Hz to half the rate: n_fft / 2 + 1."""
        return self.n_fft // 2 + 1

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Audio `(..., samples)`, any length from one sample on -> complex `(..., freq, frames)`.

        frames = 1 + samples // hop_length, as everywhere; one more where the hop exceeds a
        quarter of the window and the last samples would otherwise lie under its vanishing tail.
        """
        return self.block(audio, 0, self.frames(audio.shape[-1]))

    def frames(self, samples: int) -> int:
        """How many frames the transform of so many samples has.

        Raises:
            AudioError: there are no samples.
        """
        return 1 + self._covered(samples) // self.hop_length

    def block(self, audio: torch.Tensor, first: int, last: int) -> torch.Tensor:
        """The frames `first` up to `last` of `self(audio)`, and no more work than they take.

        `audio` may lie on another device than the transform.

        Returns:
            complex `(..., freq, last - first)`. In memory it is frame by frame, as the FFT makes it
            and as matrices want it.
        """
        half = self.n_fft // 2
        # Reflection needs more samples than it mirrors; a shorter sound continues as silence.
        length = max(self._covered(audio.shape[-1]), half + 1)
        begin, end = first * self.hop_length - half, (last - 1) * self.hop_length + half
        piece = audio[..., max(begin, 0) : min(end, audio.shape[-1])]
        if begin < 0 or end > audio.shape[-1]:
            piece = self._reflected(audio, begin, end, length)
        # Of a long song the device is given no more than it needs now.
        piece = piece.to(self.window.device)
        framed = piece.unfold(-1, self.n_fft, self.hop_length) * self.window
        return torch.fft.rfft(framed).transpose(-1, -2)

    def _covered(self, samples: int) -> int:
        """Samples under the frames: all, and a few more where the last would otherwise lie under
        the vanishing tail of a window."""
        if samples == 0:
            raise AudioError("the STFT of no samples does not exist: the audio is empty.")
        return samples + (-samples % self.hop_length if self.hop_length > self.n_fft // 4 else 0)

    def _reflected(self, audio: torch.Tensor, begin: int, end: int, length: int) -> torch.Tensor:
        """The samples `begin` to `end` of audio that ends in silence at `length` and goes on on
        either side as its mirror image."""
        place = torch.arange(begin, end, device=audio.device).abs()
        place = torch.where(place < length, place, 2 * (length - 1) - place)
        inside = place < audio.shape[-1]
        return audio[..., place.where(inside, 0)] * inside

    def inverse(self, spec: torch.Tensor, length: int) -> torch.Tensor:
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


class OverlapAdd:
    """The inverse STFT, fed block by block: what comes out is that of the whole, to rounding.

    Each frame is transformed back, windowed again and added to its neighbours where they overlap;
    then the sum of the squared windows is divided out.

    Args:
        stft: the transform to invert.
        length: samples of the whole audio; None if it is not known yet (see `ends_at`).

    Attributes:
        frames: how many there are in all, infinitely many while that is not known.
    """

    def __init__(self, stft: STFT, length: int | None = None) -> None:
        self.stft = stft
        self.length: float = math.inf
        self.frames: float = math.inf
        self.frame = 0  # the next to come
        self.pending: torch.Tensor | None = None  # sums that the next frame will add to
        if length is not None:
            self.ends_at(length)

    def ends_at(self, length: int) -> None:
        """Tell the length in samples, before the last frame is given."""
        self.length, self.frames = length, self.stft.frames(length)

    def __call__(self, spec: torch.Tensor) -> torch.Tensor:
        """The next frames, complex `(..., freq, frames)` -> the samples that they complete,
        `(..., samples)`; after the last frame all that is left."""
        n_fft, hop = self.stft.n_fft, self.stft.hop_length
        pieces = torch.fft.irfft(spec.transpose(-1, -2), n_fft) * self.stft.window
        first, self.frame = self.frame, self.frame + pieces.shape[-2]
        sums = _overlapped(pieces, hop)
        if self.pending is not None:
            sums[..., : n_fft - hop] += self.pending
        start = first * hop - n_fft // 2  # where in the audio the sums begin
        stop = self.frame * hop - n_fft // 2  # from here on they will be added to
        done = sums if self.frame == self.frames else sums[..., : stop - start]
        self.pending = sums[..., stop - start :].clone()
        done = done / self._weights(start, done.shape[-1])
        end = int(min(done.shape[-1], max(self.length - start, 0)))
        return done[..., max(-start, 0) : end]

    def _weights(self, start: int, samples: int) -> torch.Tensor:
        """The sum of the squared windows of all frames, of `samples` from `start` on."""
        hop, half = self.stft.hop_length, self.stft.n_fft // 2
        # The frames whose windows reach in here; outside of the audio only those that there are.
        first = max(0, (start - half) // hop)
        last = int(min(self.frames, (start + samples + half) // hop + 1))
        squares = self.stft.window.square().expand(last - first, -1)
        total = _overlapped(squares, hop)
        begin = start - (first * hop - half)
        total = nn.functional.pad(total, (max(-begin, 0), samples))[..., max(begin, 0) :]
        # Nothing lies under the first sample of the first window but its zero: it is cut off.
        return total[..., :samples].clamp(min=1e-11)


def _overlapped(pieces: torch.Tensor, hop: int) -> torch.Tensor:
    """Frames `(..., frames, n)` added up where they overlap -> `(..., (frames - 1) hop + n)`."""
    *batch, frames, n_fft = pieces.shape
    total = pieces.new_zeros(*batch, (frames - 1) * hop + n_fft)
    # Frames that do not touch one another are one write; there are n / hop kinds of them.
    apart = -(-n_fft // hop)
    for kind in range(min(apart, frames)):
        chosen = pieces[..., kind::apart, :]
        target = total[..., kind * hop :].unfold(-1, n_fft, apart * hop)
        target[..., : chosen.shape[-2], :] += chosen
    return total


def magnitude(spec: torch.Tensor) -> torch.Tensor:
    """`|spec|`, same shape, real."""
    return spec.abs()


def decibels(
    magnitudes: torch.Tensor, floor: float = -80.0, reference: float = 1.0
) -> torch.Tensor:
    """`20 log10(magnitudes / reference)` in dB, nothing lower than `floor`.

    >>> decibels(torch.tensor([1.0, 0.1, 0.0]))
    tensor([  0., -20., -80.])
    """
    smallest = reference * 10 ** (floor / 20)
    return 20 * torch.log10(magnitudes.clamp(min=smallest) / reference)
