"""Where in a song a control takes its few seconds."""

import torch


def together(stems: torch.Tensor, length: int, step: int) -> int:
    """Where all the stems sound: the start at which the quietest of them is loudest.

    Args:
        stems: `(sources, channels, samples)`. length: of the piece, in samples. step: from one
            start that is tried to the next.

    Returns:
        the first sample of the piece; 0 where the stems are no longer than it.
    """
    starts = range(0, max(1, stems.shape[-1] - length + 1), step)
    levels = [float(stems[..., s : s + length].square().mean((1, 2)).min()) for s in starts]
    return starts[levels.index(max(levels))]
