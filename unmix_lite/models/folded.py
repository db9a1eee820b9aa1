"""Open-Unmix for long songs: three stages, of which only the narrow middle one sees all of time.

The first and the last layers look at one frame at a time, so they can be run block by block; the
LSTM needs the whole song, but of every frame only `hidden_size` numbers. Batch norms and scales are
constants once training is over: they are multiplied into the matrices beside them.
"""

import itertools
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
from torch import nn

from ..files import room_in
from .open_unmix import OpenUnmix

_CHUNK = 4096  # frames that an LSTM is given at once; it needs some 16 kB for each

Job = tuple[nn.LSTM, "list[Sequence]", "Sequence", bool]  # from what, into what, backward


class Folded:
    """An `OpenUnmix` in eval mode, as three stages; a copy, made from its weights as they are now.

    `encode` and `decode` take any frames, also one at a time; between them `run_lstms` (below) runs
    `directions` over the whole song.
    """

    def __init__(self, network: OpenUnmix):
        channels, bins = network.nb_channels, network.nb_bins
        self.shape, self.max_bin = (channels, bins), network.max_bin
        self.hidden_size = network.fc1.out_features
        shift, scale = _exact(network.input_mean), _exact(network.input_scale)
        first = _exact(network.fc1.weight).unflatten(1, (channels, -1)) * scale
        first, bias = _fold(network.bn1, first.flatten(1), (first * shift).sum((1, 2)))
        second = _fold(network.bn2, _exact(network.fc2.weight), 0.0)
        third, last = _fold(network.bn3, _exact(network.fc3.weight), 0.0)
        scale = _exact(network.output_scale).repeat(channels)
        shift = _exact(network.output_mean).repeat(channels)
        device = network.fc1.weight.device
        self.first, self.second, self.third = (
            (matrix.float().to(device), bias.float().to(device))
            for matrix, bias in (
                (first, bias), second, (third * scale[:, None], last * scale + shift)
            )
        )  # fmt: skip
        self.directions = _directions(network.lstm)

    def encode(self, magnitude: torch.Tensor) -> torch.Tensor:
        """Magnitude `(channels, freq, frames)` of the mixture -> `(frames, hidden)`."""
        seen = magnitude[:, : self.max_bin].permute(2, 0, 1).flatten(1)
        matrix, bias = self.first
        return torch.addmm(bias, seen, matrix.T).tanh_()

    def decode(self, encoded: torch.Tensor, recurrent: torch.Tensor) -> torch.Tensor:
        """What `encode` gave and what the LSTM made of it, each `(frames, hidden)` -> the mask,
        `(channels, freq, frames)`."""
        matrix, bias = self.second
        x = torch.addmm(bias, encoded, matrix[:, : self.hidden_size].T)
        x = x.addmm_(recurrent, matrix[:, self.hidden_size :].T).relu_()
        matrix, bias = self.third
        return torch.addmm(bias, x, matrix.T).relu_().unflatten(1, self.shape).permute(1, 2, 0)


class Sequence:
    """Numbers of a whole song, `(frames, width)`: in memory, or in a file that goes with it.

    Read and written by slices of frames, as float32 tensors; by several threads at once.
    """

    def __init__(self, frames: int, width: int, device: torch.device, on_disk: bool = False):
        self.frames, self.width, self.device, self.on_disk = frames, width, device, on_disk
        self._lock = threading.Lock()
        if on_disk:
            with room_in(tempfile.gettempdir()):
                self._file = tempfile.TemporaryFile()
        else:
            self._values = torch.empty(frames, width, device=device)

    def __getitem__(self, frames: slice) -> torch.Tensor:
        if not self.on_disk:
            return self._values[frames]
        with self._lock:
            self._file.seek(4 * self.width * frames.start)
            values = np.fromfile(self._file, np.float32, self.width * (frames.stop - frames.start))
        return torch.from_numpy(values).unflatten(0, (-1, self.width)).to(self.device)

    def __setitem__(self, frames: slice, values: torch.Tensor) -> None:
        if not self.on_disk:
            self._values[frames] = values
            return
        with self._lock:
            with room_in(tempfile.gettempdir()):
                self._file.seek(4 * self.width * frames.start)
                values.cpu().contiguous().numpy().tofile(self._file)
                self._file.flush()


def run_lstms(
    networks: list[Folded],
    encoded: list[Sequence],
    on_progress: Callable[[float], object] = lambda part: None,
) -> list[list[Sequence]]:
    """The LSTMs of several networks over a whole song.

    A long song is run in chunks, each direction carrying its state from one to the next in its own
    order, so that the result is that of the whole.

    Args:
        networks: `Folded`, all with the same number of layers.
        encoded: a `Sequence` for each.
        on_progress: told what part of all the work has been done since it was told last, 0 to 1.

    Returns:
        for each a list of `Sequence`, one per direction, whose numbers belong side by side.
    """
    current = [[sequence] for sequence in encoded]
    threads = torch.get_num_threads()
    on_cpu = encoded[0].device.type == "cpu"
    # One frame's step is too small to be shared by several threads; whole directions are shared.
    pool = ThreadPoolExecutor(threads if on_cpu else 1, initializer=partial(_use_threads, 1))
    try:
        with pool:
            for layer in range(len(networks[0].directions)):
                jobs: list[Job] = []
                results: list[list[Sequence]] = []
                for network, parts in zip(networks, current):
                    directions = network.directions[layer]
                    first = parts[0]
                    results.append([
                        Sequence(first.frames, lstm.hidden_size, first.device, first.on_disk)
                        for lstm in directions
                    ])  # fmt: skip
                    jobs += zip(directions, itertools.repeat(parts), results[-1], (False, True))
                for _ in pool.map(_run_direction, jobs):
                    on_progress(1 / (len(jobs) * len(networks[0].directions)))
                current = results
    finally:
        _use_threads(threads)  # which the initializer changed for threads yet to come
    return current


def concatenate(sequences: list[Sequence], frames: slice) -> torch.Tensor:
    """The same frames of one `Sequence` or more, `(frames, sum of their widths)`."""
    return torch.cat([sequence[frames] for sequence in sequences], 1)


def _exact(tensor: torch.Tensor) -> torch.Tensor:
    """In double precision, since means and deviations of a bin nearly cancel; and on the CPU, since
    not every device has it."""
    return tensor.detach().cpu().to(torch.float64)


def _fold(
    norm: nn.BatchNorm1d, matrix: torch.Tensor, bias: torch.Tensor | float
) -> tuple[torch.Tensor, torch.Tensor]:
    """A matrix and a bias, and after them a batch norm, as one matrix and one bias: all exact."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None and variance is not None  # as in all batch norms of this package
    scale = _exact(norm.weight) / torch.sqrt(_exact(variance) + norm.eps)
    return matrix * scale[:, None], (bias - _exact(mean)) * scale + _exact(norm.bias)


def _directions(lstm: nn.LSTM) -> list[list[nn.LSTM]]:
    """Per layer a list of one-layer LSTMs: forward, and, where there is one, backward in time."""
    layers: list[list[nn.LSTM]] = []
    for layer in range(lstm.num_layers):
        layers.append([])
        for suffix in ("", "_reverse") if lstm.bidirectional else ("",):
            weights = {
                f"{name}_l0": getattr(lstm, f"{name}_l{layer}{suffix}").detach()
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
            one = nn.LSTM(weights["weight_ih_l0"].shape[1], lstm.hidden_size, device="meta")
            one.load_state_dict(weights, assign=True)
            layers[-1].append(one.requires_grad_(False).eval())
    return layers


def _run_direction(job: Job) -> None:
    """One LSTM over one song, chunk by chunk, from its beginning or from its end."""
    lstm, parts, result, backward = job
    starts, state = range(0, result.frames, _CHUNK), None
    for start in reversed(starts) if backward else starts:
        frames = slice(start, min(start + _CHUNK, result.frames))
        chunk = concatenate(parts, frames)
        with torch.inference_mode():
            output, state = lstm(chunk.flip(0) if backward else chunk, state)
            result[frames] = output.flip(0) if backward else output


def _use_threads(count: int) -> None:
    torch.set_num_threads(count)
