"""One process or many: who reads which excerpts, and how what they computed comes together.

Start a training with `accelerate launch` (or torchrun) and every process takes its rows of each
batch; gradients and batch statistics are averaged, so that the result is that of one process with
the whole batch. Without it there is one process, and nothing here does anything.
"""

import os
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import distributed, nn
from torch.distributed.nn.functional import all_reduce

from ..devices import device_of
from ..errors import UnmixError, require

Result = TypeVar("Result")


class Workers:
    """The processes of one training.

    Attributes:
        index, count: which process this is, of how many. device: where it computes.

    Args:
        device: None takes a GPU where there is one, each process its own.
    """

    def __init__(self, device: str | torch.device | None = None):
        self.index, self.count = 0, 1
        self.device = torch.device(device or device_of())
        if int(os.environ.get("WORLD_SIZE", 1)) > 1:
            accelerate = require("accelerate", "train", "a training of several processes")
            # Unless told so, it would take every process for the only one where there is no GPU.
            state = accelerate.PartialState(cpu=self.device.type == "cpu")
            self.index, self.count = state.process_index, state.num_processes
            self.device = state.device

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files and draws the bar."""
        return self.index == 0

    def rows(self, size: int) -> slice:
        """The rows of a batch that are this process's.

        Raises:
            UnmixError: the batch does not divide by the number of processes.
        """
        if size % self.count:
            raise UnmixError(f"a batch of {size} cannot be shared by {self.count} processes.")
        return slice(self.index * size // self.count, (self.index + 1) * size // self.count)

    def in_turn(self, function: Callable[[], Result]) -> Result:
        """Call in the first process, then in the others, which find its files in the cache."""
        if self.is_main:
            result = function()
            self.wait()
            return result
        self.wait()
        return function()

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            distributed.barrier()

    def prepare(self, network: nn.Module) -> nn.Module:
        """The network as it is to be called in training."""
        if self.count == 1:
            return network
        for module in network.modules():
            if type(module) is nn.BatchNorm1d:
                # Changes how it computes, not what it holds: the state stays everybody's.
                module.__class__ = SharedBatchNorm
        ids = [self.device.index] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(network, device_ids=ids)

    def mean(self, values: list[float]) -> list[float]:
        """The mean over all processes of a list of numbers."""
        if self.count == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(tensor)
        return (tensor / self.count).tolist()


class SharedBatchNorm(nn.BatchNorm1d):
    """Batch normalisation over the batches of all processes, which have equally many rows.

    PyTorch's own (SyncBatchNorm) does this on GPUs only; without it, each process would normalise
    by its small share of the batch, and the result would depend on their number.
    """

    # Unlike in any batch norm, they are always there, as the momentum is.
    num_batches_tracked: torch.Tensor
    running_mean: torch.Tensor
    running_var: torch.Tensor
    momentum: float

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return super().forward(x)
        count = distributed.get_world_size()
        channels_last = x.transpose(1, -1)  # (rows, features) or (batch, features, frames)
        flat = channels_last.flatten(0, -2)
        mean = all_reduce(flat.mean(0)) / count
        variance = all_reduce(((flat - mean) ** 2).mean(0)) / count
        rows = len(flat) * count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * rows / (rows - 1), self.momentum)
        scale = (variance + self.eps).rsqrt() * self.weight
        return ((channels_last - mean) * scale + self.bias).transpose(1, -1)
