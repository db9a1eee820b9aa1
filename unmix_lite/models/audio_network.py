"""What networks have in common that take the sound of a mixture and give the sound of its stems."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from ..errors import UnmixError


class AudioNetwork(nn.Module):
    """Sound in, sound out; what happens in between is each network's own affair.

    A `Separator` and a training need to know no more of it than what stands here.

    Args:
        targets: the stems that come out, in order.
        nb_channels: 2, or 1 for a network that hears every channel by itself.
        rate: of the sound that it was made for, in Hz.
        arguments: of the constructor; what it takes to build the network again.

    Attributes:
        context: samples that the network must hear on either side of those that it gives.
        segment: seconds of a song that are run at once.
        grid: the network treats all segments alike that begin at a multiple of so many samples.
        losses: what it can be trained with; the first is that of the paper.
        needs_all_targets: whether its stems add up to the mixture by construction, so that all
            sources have to be among its targets.
    """

    losses: tuple[str, ...] = ("mse", "l1", "sdr")
    needs_all_targets = False
    context, grid = 0, 1
    segment = 30.0

    def __init__(
        self, targets: Sequence[str], nb_channels: int, rate: int, arguments: dict[str, Any]
    ):
        super().__init__()
        self.targets, self.nb_channels, self.rate = tuple(targets), nb_channels, rate
        self.arguments = {**arguments, "targets": list(targets), "rate": rate}

    def forward(self, mixture: torch.Tensor) -> torch.Tensor:
        """Mixture `(batch, channels, samples)`
        -> stems `(batch, targets, channels, samples - 2 context)`."""
        raise NotImplementedError

    def training_losses(
        self, mixture: torch.Tensor, stems: torch.Tensor, loss: str
    ) -> torch.Tensor:
        """How far the network is from the truth, one value per target, differentiable.

        Args:
            mixture: `(batch, channels, samples)`.
            stems: the targets, `(batch, targets, channels, samples)`.
            loss: one of `losses`, here compared sample by sample: "mse", "l1", or "sdr", the
                negative signal-to-distortion ratio in dB.

        Returns:
            `(targets,)`.
        """
        mixture, stems = self.select_channels(mixture), self.select_channels(stems)
        # Beyond its edges an excerpt is silent, as a song is.
        estimates = self(F.pad(mixture, (self.context, self.context)))
        return _LOSSES[loss](estimates.float(), stems, mixture)

    def select_channels(self, audio: torch.Tensor) -> torch.Tensor:
        """The channels that the network is trained on: for one that hears each by itself the left,
        which random swapping makes now the one, now the other."""
        return audio[..., : self.nb_channels, :]

    @torch.inference_mode()
    def separate_segments(
        self, song: torch.Tensor, seconds: float | None = None
    ) -> Iterator[torch.Tensor]:
        """The stems of a whole song, segment by segment, in memory that does not grow with it.

        Args:
            song: `(channels, samples)`.
            seconds: length of a segment, about; None takes the network's `segment`.

        Yields:
            `(targets, channels, some samples)`, on the network's device; together the whole song.
        """
        device = next(self.parameters()).device
        samples = song.shape[-1]
        seconds = self.segment if seconds is None else seconds
        length = max(1, round(seconds * self.rate / self.grid)) * self.grid
        for start in range(0, samples, length):
            stop = min(start + length, samples)
            left, right = start - self.context, stop + self.context
            piece = F.pad(
                song[:, max(left, 0) : min(right, samples)],
                (max(-left, 0), max(right - samples, 0)),
            ).to(device)
            if self.nb_channels == 1:  # each channel by itself: as a batch of songs
                yield self(piece[:, None])[:, :, 0].transpose(0, 1)
            else:
                yield self(piece[None])[0]


def _per_target(distances: torch.Tensor) -> torch.Tensor:
    return distances.mean((0, 2, 3))


def _mse(estimates: torch.Tensor, stems: torch.Tensor, mixture: torch.Tensor) -> torch.Tensor:
    return _per_target((estimates - stems) ** 2)


def _l1(estimates: torch.Tensor, stems: torch.Tensor, mixture: torch.Tensor) -> torch.Tensor:
    return _per_target((estimates - stems).abs())


def _sdr(estimates: torch.Tensor, stems: torch.Tensor, mixture: torch.Tensor) -> torch.Tensor:
    error, energy = (x.square().sum((2, 3)) for x in (estimates - stems, stems))
    # An excerpt without its target has a finite loss: see `training.losses`. And one in which
    # nobody plays, 60 dB below full scale, asks for nothing: any error is much beside silence.
    silence = 1e-6 * stems[0, 0].numel()
    floor = 1e-3 * mixture.square().sum((1, 2))[:, None] + silence
    return (10 * torch.log10((error + floor) / (energy + floor))).mean(0)


_LOSSES = {"mse": _mse, "l1": _l1, "sdr": _sdr}


def append_residual(estimates: torch.Tensor, mixture: torch.Tensor) -> torch.Tensor:
    """All stems but the last -> all of them: the last is what the others leave of the mixture.

    Args:
        estimates: `(batch, targets - 1, channels, samples)`.
        mixture: `(batch, channels, at least as many samples)`, of which the middle is taken.

    Returns:
        `(batch, targets, channels, samples)`, which sum to the mixture exactly.
    """
    mixture = center_crop(mixture, estimates.shape[-1])
    return torch.cat([estimates, (mixture - estimates.sum(1))[:, None]], 1)


def center_crop(audio: torch.Tensor, samples: int) -> torch.Tensor:
    """The `samples` in the middle of the last axis."""
    start = (audio.shape[-1] - samples) // 2
    return audio[..., start : start + samples]


def check_input(network: AudioNetwork, mixture: torch.Tensor) -> None:
    """Raise an UnmixError unless the network can take this mixture."""
    if mixture.ndim != 3 or mixture.shape[1] != network.nb_channels:
        raise UnmixError(
            f"{type(network).__name__} takes (batch, {network.nb_channels} channels, samples), not "
            f"{tuple(mixture.shape)}."
        )
    if mixture.shape[-1] <= 2 * network.context:
        raise UnmixError(
            f"{type(network).__name__} needs more than {2 * network.context} samples, its context "
            f"on both sides; there are {mixture.shape[-1]}."
        )
