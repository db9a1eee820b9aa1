"""The networks of a separator over a whole song, in memory that hardly grows with it."""

from collections.abc import Callable, Iterable

import torch
from torch import nn

from ..models import Folded, OpenUnmix, Sequence, concatenate, run_lstms
from ..signal import STFT

_BLOCK = 600  # frames for which matrices are multiplied at once
_IN_MEMORY = 1 << 30  # bytes; what the networks remember of a longer song lies in a file


_Estimate = Callable[[int, int, torch.Tensor], torch.Tensor]


def estimate_magnitudes(
    networks: Iterable[nn.Module],
    stft: STFT,
    song: torch.Tensor,
    on_progress: Callable[[float], object] = lambda part: None,
) -> _Estimate:
    """Prepare the networks' estimates of a song.

    Args:
        networks: magnitude `(1, channels, freq, frames)` in and out. An `OpenUnmix` is run in
            three stages, of which only the narrow one keeps the whole song; of another kind of
            network the whole estimate is kept.
        stft: of the networks. song: `(channels, samples)` at their rate.
        on_progress: told what part of this preparation has been done since it was told last.

    Returns:
        a function `(start, stop, mixture)`, with the mixture's own frames of that slice, complex
        `(channels, freq, stop - start)` -> magnitudes `(networks, channels, freq, stop - start)`.
    """
    networks = list(networks)
    frames = stft.frames(song.shape[-1])
    open_unmixes = [network for network in networks if type(network) is OpenUnmix]
    if len(open_unmixes) < len(networks):
        magnitude = stft(song).abs()[None]
        whole = torch.stack([network(magnitude)[0] for network in networks])
        on_progress(1)
        return lambda start, stop, mixture: whole[..., start:stop]
    folded = [Folded(network) for network in open_unmixes]
    encoded = _encoded(folded, stft, song, frames, on_progress)
    recurrent = run_lstms(folded, encoded, lambda part: on_progress(part / 2))

    def estimate(start: int, stop: int, mixture: torch.Tensor) -> torch.Tensor:
        now, magnitude = slice(start, stop), mixture.abs()
        masks = [
            network.decode(before[now], concatenate(after, now))
            for network, before, after in zip(folded, encoded, recurrent)
        ]
        return torch.stack(masks).mul_(magnitude)

    return estimate


def _encoded(
    folded: list[Folded],
    stft: STFT,
    song: torch.Tensor,
    frames: int,
    on_progress: Callable[[float], object],
) -> list[Sequence]:
    """The first stage of each network over the song: a `Sequence` for each."""
    size = 4 * frames * sum(network.hidden_size for network in folded)
    encoded = [
        # In, out and between two layers: three of them.
        Sequence(frames, network.hidden_size, stft.window.device, 3 * size > _IN_MEMORY)
        for network in folded
    ]
    for start in range(0, frames, _BLOCK):
        now = slice(start, min(start + _BLOCK, frames))
        magnitude = stft.block(song, now.start, now.stop).abs()
        for network, sequence in zip(folded, encoded):
            sequence[now] = network.encode(magnitude)
        on_progress((now.stop - now.start) / frames / 2)
    return encoded
