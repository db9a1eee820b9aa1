"""Another sampling rate, for whole songs and for songs that come in blocks."""

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import soxr
import torch


def resample(audio: torch.Tensor, from_rate: int, to_rate: int) -> torch.Tensor:
    """Change the sampling rate with soxr at its very high quality.

    >>> resample(torch.zeros(2, 44100), 44100, 16000).shape
    torch.Size([2, 16000])

    Args:
        audio: float32 `(channels, samples)`.
        from_rate, to_rate: in Hz.

    Returns:
        `(channels, ceil(samples * to_rate / from_rate))`.
    """
    if from_rate == to_rate:
        return audio
    samples = math.ceil(audio.shape[-1] * to_rate / from_rate)
    resample_blocks = soxr.resample(
        audio.detach().cpu().numpy().T, from_rate, to_rate, quality="VHQ"
    )
    return fit_length(torch.from_numpy(np.ascontiguousarray(resample_blocks.T)), samples).to(
        audio.device
    )


def resample_blocks(
    blocks: Iterable[torch.Tensor], from_rate: int, to_rate: int, samples: int
) -> Iterator[torch.Tensor]:
    """As `resample`, of audio that comes in blocks `(..., channels, n)`, to `samples` in all."""
    if from_rate == to_rate:
        yield from blocks
        return
    stream: Any = None
    given = 0
    # None is the end, at which the stream gives its last.
    fed: Iterator[torch.Tensor | None] = itertools.chain(blocks, [None])
    for block in fed:
        if block is not None:
            shape, device = block.shape[:-1], block.device
            stream = stream or soxr.ResampleStream(
                from_rate, to_rate, shape.numel(), "float32", "VHQ"
            )
            chunk = block.flatten(0, -2).T.cpu().contiguous().numpy()
            done = stream.resample_chunk(chunk)
        else:
            done = stream.resample_chunk(np.zeros((0, shape.numel()), np.float32), last=True)
        done = torch.from_numpy(np.ascontiguousarray(done.T))
        wanted = samples - given
        done = fit_length(done, wanted) if block is None else done[:, :wanted]
        given += done.shape[-1]
        if done.shape[-1]:
            yield done.unflatten(0, shape).to(device)


def fit_length(audio: torch.Tensor, samples: int) -> torch.Tensor:
    """Cut or zero-pad `(..., n)` to `(..., samples)`.

    >>> fit_length(torch.tensor([[1.0, 2.0, 3.0]]), 4)
    tensor([[1., 2., 3., 0.]])
    """
    return torch.nn.functional.pad(audio, (0, samples - audio.shape[-1]))
