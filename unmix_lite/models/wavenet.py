"""The Wavenet of Lluís, Pons and Serrà (Interspeech 2019, arXiv 1810.12187).

WaveNet without its blindfold: a stack of dilated convolutions that sees both past and future, and
gives all sources of a segment at once instead of one sample at a time.
"""

from collections.abc import Sequence

import torch
from torch import nn

from .audio_network import AudioNetwork, append_residual, center_crop, check_input
from .receptive_field import receptive_field


class Wavenet(AudioNetwork):
    """Residual layers of dilated, gated convolutions; their skips summed; two convolutions more.

    Each layer convolves with 3 taps that lie 1, 2, 4 ... 512 samples apart, multiplies a tanh with
    a sigmoid, adds the one half of a 1x1 convolution to its input and hands out the other as a
    skip. The last source is what the others leave of the mixture: energy is conserved.

    Args:
        targets: all sources of a mixture, in order.
        channels: of the residual and the skip path; the paper's 64.
        stacks: how often the dilations 1 ... 512 come; the paper's 4.
        final: channels of the two last convolutions; the paper's 2048 and 256.
        rate: the paper's 16,000 Hz.

    Deviations: mono, as in the paper, but run on each channel of a stereo song by itself; no
    convolution pads, so the few samples that the paper's do pad come from sound here.
    """

    losses = ("l1", "mse", "sdr")
    needs_all_targets = True

    def __init__(
        self, targets: Sequence[str] = ("vocals", "drums", "bass", "other"),
        channels: int = 64, stacks: int = 4, final: Sequence[int] = (2048, 256), rate: int = 16000,
    ):  # fmt: skip
        arguments = {"channels": channels, "stacks": stacks, "final": list(final)}
        super().__init__(targets, 1, rate, arguments)
        dilations = [2**i for i in range(10)] * stacks
        self.first = nn.Conv1d(1, channels, 3, bias=False)
        self.gated = nn.ModuleList(
            nn.Conv1d(channels, 2 * channels, 3, dilation=dilation, bias=False)
            for dilation in dilations
        )
        self.mixed = nn.ModuleList(
            nn.Conv1d(channels, 2 * channels, 1, bias=False) for _ in dilations
        )
        self.last = nn.ModuleList(
            nn.Conv1d(before, after, 3, bias=False)
            for before, after in zip((channels, *final), final)
        )
        self.out = nn.Conv1d(final[-1], len(targets) - 1, 1)
        after = [(3, 1, 1)] * len(final)  # in `last`
        self.context = receptive_field([(3, 1, 1), *((3, 1, d) for d in dilations), *after]) // 2
        self.kept = 2 * (receptive_field(after) // 2)  # samples of the skips beyond the output's

    def forward(self, mixture: torch.Tensor) -> torch.Tensor:
        """See `AudioNetwork`."""
        check_input(self, mixture)
        x = self.first(mixture)
        kept = mixture.shape[-1] - 2 * self.context + self.kept
        skips = torch.zeros((), device=mixture.device)
        for gated, mixed in zip(self.gated, self.mixed):
            value, gate = gated(x).chunk(2, 1)
            residual, skip = mixed(torch.tanh(value) * torch.sigmoid(gate)).chunk(2, 1)
            x = center_crop(x, residual.shape[-1]) + residual
            skips = skips + center_crop(skip, kept)
        x = skips
        for convolution in self.last:
            x = convolution(torch.relu(x))
        return append_residual(self.out(x)[:, :, None], mixture)
