"""Several networks that answer as one."""

from collections.abc import Iterable

import torch
from torch import nn


class Ensemble(nn.Module):
    """Several networks for one target; their answer is the mean of their answers.

    Args:
        networks: magnitude `(batch, channels, freq, frames)` in and out, all alike in shape.

    Raises:
        ValueError: no network.
    """

    def __init__(self, networks: Iterable[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        if not self.networks:
            raise ValueError("an ensemble needs at least one network")
        self.nb_channels = self.networks[0].nb_channels

    def forward(self, mixture: torch.Tensor) -> torch.Tensor:
        """Magnitude `(batch, channels, freq, frames)` of the mixture -> the target's."""
        return torch.stack([network(mixture) for network in self.networks]).mean(0)
