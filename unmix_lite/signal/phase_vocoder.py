"""The phase vocoder: music faster or slower at its own pitch (Flanagan and Golden 1966).

The frames of an STFT are read at another pace than they were taken. What sounds is given by their
magnitudes, and any pace will do for these. But a frame's phases belong to its place in time: played
elsewhere it would cancel against its neighbours. So they are turned on, by as much as a tone turns
in the meantime. A tone fills several bins, which must be turned by one angle or they cancel each
other: the angle of the loudest among them (Laroche and Dolson 1999, "identity phase locking").
"""

import torch

from .spectral import STFT

_AROUND = 2  # bins to either side over which a Hann window spreads a tone


def time_stretch(audio: torch.Tensor, ratio: float, stft: STFT | None = None) -> torch.Tensor:
    """The same music at the same pitch, `ratio` times as fast.

    Both channels are turned by one angle, so that what lies between the loudspeakers stays there.
    Strokes, which have no pitch, lose a decibel or two and some of their edge.

    Args:
        audio: `(..., channels, samples)`.
        ratio: above 0; 2 halves the length.
        stft: to do it with; None takes windows of 2048 samples, on the audio's device.

    Returns:
        `(..., channels, round(samples / ratio))`.
    """
    stft = stft or STFT(2048, 512).to(audio.device)
    length = round(audio.shape[-1] / ratio)
    spec = stft(audio).mT  # frame by frame, as it lies in memory: (..., channels, frames, freq)
    last = spec.shape[-2] - 1
    places = (torch.arange(stft.frames(length), device=audio.device) * ratio).clamp(max=last)
    here = places.long()
    following = (here + 1).clamp(max=last)
    found, size = spec.index_select(-2, here), spec.abs()
    found_size, next_size = (size.index_select(-2, frames) for frames in (here, following))
    magnitude = found_size.lerp(next_size, (places - here)[:, None])

    # Between two frames of the result lies one hop, in which a tone turns as far as from `here` to
    # `following`; the frame that is read after `here` is further away, or nearer. They differ by:
    before = found[..., :-1, :]
    due = (spec.index_select(-2, following[:-1]) * before.conj()).sum(-3)
    had = (found[..., 1:, :] * before.conj()).sum(-3)
    owed = torch.nn.functional.pad((due * had.conj()).angle(), (0, 0, 1, 0)).cumsum(-2)
    turned = owed.gather(-1, _loudest(found_size.square().sum(-3))).unsqueeze(-3)
    # Where nothing was found the next frame may be loud: the quotient must stay finite.
    gain = magnitude / found_size.clamp(min=1e-20)
    return stft.inverse((found * torch.polar(gain, turned.expand_as(gain))).mT, length)


def _loudest(power: torch.Tensor) -> torch.Tensor:
    """Of every bin of `(..., frames, freq)`, the one that a walk uphill from it ends in."""
    rows = power.flatten(0, -2)
    width = 2 * _AROUND + 1
    _, top = torch.nn.functional.max_pool1d(rows, width, 1, _AROUND, return_indices=True)
    for _ in range(3):  # each doubles the steps: 16 bins away at the most
        top = top.gather(-1, top)
    return top.view_as(power)
