"""Wave-U-Net, the network of Stoller, Ewert and Dixon (ISMIR 2018, arXiv 1806.03185).

A U-Net along time: the waveform is filtered and decimated level by level until one number stands
for a tenth of a second, then brought back level by level, with what each level knew before.
"""

from collections.abc import Sequence
from fractions import Fraction

import torch
from torch import nn
from torch.nn import functional as F

from .audio_network import AudioNetwork, append_residual, center_crop, check_input
from .receptive_field import Layer, receptive_field, round_up


class WaveUNet(AudioNetwork):
    """The paper's M5 in stereo: context instead of padding, linear upsampling, difference output.

    Level i has `filters * i` channels. Down: convolution of 15, LeakyReLU, every other sample is
    dropped. Up: linear interpolation, beside it what the level had before it dropped them,
    convolution of 5, LeakyReLU. At the end the mixture itself joins, and a convolution of 1 with a
    tanh gives all sources but the last, which is the rest of the mixture.

    No convolution pads: each sample that comes out has been computed from sound alone, so that no
    click marks the borders of segments (section 3.2.2 of the paper).

    Args:
        targets: all sources of a mixture, in order.
        filters: channels that each level adds; the paper's 24.
        levels: the paper's 12. The context halves with each level less.
        nb_channels, rate: of the sound; the paper's 2 and 22,050 Hz.

    Deviations: any length is taken (the paper's inputs have 147,443 samples, of which 16,389 come
    out); it is not clipped to -1..1 in use.
    """

    needs_all_targets = True

    def __init__(
        self, targets: Sequence[str] = ("vocals", "drums", "bass", "other"),
        filters: int = 24, levels: int = 12, nb_channels: int = 2, rate: int = 22050,
    ):  # fmt: skip
        arguments = {"filters": filters, "levels": levels, "nb_channels": nb_channels}
        super().__init__(targets, nb_channels, rate, arguments)
        widths = [nb_channels, *(filters * (i + 1) for i in range(levels + 1))]
        self.down = nn.ModuleList(nn.Conv1d(widths[i], widths[i + 1], 15) for i in range(levels))
        self.bottom = nn.Conv1d(widths[levels], widths[levels + 1], 15)
        self.up = nn.ModuleList(
            nn.Conv1d(widths[i + 1] + widths[i], widths[i], 5) for i in range(levels, 0, -1)
        )
        self.out = nn.Conv1d(widths[1] + nb_channels, nb_channels * (len(targets) - 1), 1)
        self.grid = 2**levels
        down: list[Layer] = [(15, 1, 1), (1, 2, 1)]
        up: list[Layer] = [(1, Fraction(1, 2), 1), (5, 1, 1)]
        self.reach = receptive_field([*down * levels, (15, 1, 1), *up * levels]) // 2
        self.context = round_up(self.reach, self.grid)

    def forward(self, mixture: torch.Tensor) -> torch.Tensor:
        """See `AudioNetwork`."""
        check_input(self, mixture)
        samples = mixture.shape[-1] - 2 * self.context
        # Lengths that survive all halving give 5 samples more than a multiple of the grid.
        surplus = (5 - samples) % self.grid
        spare = self.context - self.reach
        return self.paper(F.pad(mixture, (-spare, surplus - spare)))[..., :samples]

    def paper(self, mixture: torch.Tensor) -> torch.Tensor:
        """The network as published: `(batch, channels, samples)` -> `(batch, targets, channels,
        samples - 32 grid + 18)`, for lengths of `grid * n - 13`, as 147,443 -> 16,389."""
        x, before = mixture, []
        for convolution in self.down:
            x = F.leaky_relu(convolution(x), 0.2)
            before.append(x)
            x = x[..., ::2]
        x = F.leaky_relu(self.bottom(x), 0.2)
        for convolution in self.up:
            # Between n samples lie n - 1 new ones: nothing beyond the ends is made up.
            x = F.interpolate(x, size=2 * x.shape[-1] - 1, mode="linear", align_corners=True)
            x = torch.cat([x, center_crop(before.pop(), x.shape[-1])], 1)
            x = F.leaky_relu(convolution(x), 0.2)
        x = torch.cat([x, center_crop(mixture, x.shape[-1])], 1)
        sources = torch.tanh(self.out(x)).unflatten(1, (-1, self.nb_channels))
        return append_residual(sources, mixture)
