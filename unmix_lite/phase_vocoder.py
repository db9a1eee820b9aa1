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


def stretch(audio, ratio, stft=None):
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
    spec = stft(audio)
    last = spec.shape[-1] - 1
    places = (torch.arange(stft.frames(length), device=audio.device) * ratio).clamp(max=last)
    here = places.long()
    following = (here + 1).clamp(max=last)

    share = places - here
    magnitude = spec.abs()
    magnitude = magnitude[..., here] * (1 - share) + magnitude[..., following] * share

    # Between two frames of the result lies one hop, in which a tone turns as far as from `here` to
    # `following`; the frames read for them are further apart, or nearer. They differ by:
    before, after = here[:-1], here[1:]
    owed = _turn(spec, before, following[:-1]) - _turn(spec, before, after)
    owed = torch.nn.functional.pad(owed.cumsum(-1), (1, 0))
    found = spec[..., here]
    turned = owed.gather(-2, _loudest(found.abs().square().sum(-3))).unsqueeze(-3)
    return stft.inverse(torch.polar(magnitude, found.angle() + turned), length)


def _turn(spec, one, other):
    """The angle `(..., freq, frames)` by which the channels together turn between two frames."""
    return (spec[..., other] * spec[..., one].conj()).sum(-3).angle()


def _loudest(power):
    """Of every bin of `(..., freq, frames)`, the one that a walk uphill from it ends in."""
    bins = torch.arange(power.shape[-2], device=power.device)[:, None]
    padded = torch.nn.functional.pad(power, (0, 0, _AROUND, _AROUND), value=-1)
    top = padded.unfold(-2, 2 * _AROUND + 1, 1).argmax(-1) - _AROUND + bins
    for _ in range(3):  # each doubles the steps: 16 bins away at the most
        top = top.gather(-2, top)
    return top
