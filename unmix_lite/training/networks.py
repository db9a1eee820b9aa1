"""The networks of a training as a whole: what they hear on average, and their running mean."""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from ..signal import STFT
from .excerpts import Excerpts


def exponential_average(networks: nn.Module, decay: float) -> AveragedModel:
    """A copy of a module whose weights and statistics follow its own, a step of `1 - decay` at each
    `update_parameters` (Polyak and Juditsky 1992)."""

    def follow(
        average: torch.Tensor, current: torch.Tensor, count: torch.Tensor | int
    ) -> torch.Tensor:
        # Short at first, so that the random beginning is soon forgotten.
        keep = min(decay, (1 + float(count)) / (10 + float(count)))
        return average + (current - average) * (1 - keep)

    return AveragedModel(networks, avg_fn=follow, use_buffers=True)


@torch.inference_mode()
def input_statistics(excerpts: Excerpts, stft: STFT) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation per frequency over all training mixtures, each `(freq,)`.

    Channels are averaged first; the deviation is floored at 1e-4 of its maximum, as in the
    reference, so that silent frequencies are not blown up.
    """
    count = 0
    # Sums in double precision, on the CPU: not every device has it.
    total = squares = torch.zeros(stft.nb_bins, dtype=torch.float64)
    for index in range(len(excerpts)):
        mixture = stft(excerpts.whole(index).to(stft.window.device).sum(0)).abs().mean(0)
        mixture = mixture.cpu().to(torch.float64)
        count += mixture.shape[-1]
        total = total + mixture.sum(-1)
        squares = squares + (mixture**2).sum(-1)
    mean = total / count
    deviation = (squares / count - mean**2).clamp(min=0).sqrt()
    return mean.float(), deviation.clamp(min=1e-4 * deviation.max()).float()
