"""The convolutional network of Koretzky's two articles, *Audio AI: isolating vocals from stereo
music* and its hands-on sequel (2019), the references 2 and 3 of the course's article.

A window of 25 frames slides over the spectrogram of the mixture, frame by frame; the network looks
at it as at a picture and says which frequencies of the frame in the middle belong to the voice.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from ..signal import STFT
from .audio_network import AudioNetwork, check_input
from .receptive_field import receptive_field, spectral_context

_BLOCK = [(3, 1, 1), (3, 1, 1), (3, 3, 1)]  # two convolutions and a pooling
FRAMES = receptive_field(_BLOCK * 2)  # 25
_FLOOR = 1e-3


class VocalCNN(AudioNetwork):
    """Two blocks of two convolutions and a pooling, a dense layer, and one sigmoid per frequency.

    Asked for the *magnitude* of the voice such a network fails, the author found; asked for a
    *binary mask* it succeeds. The mask is applied to the mixture, with the mixture's phase.

    Args:
        targets: one stem.
        filters, hidden: channels of the convolutions, width of the dense layer.
        dropout: after each pooling, and after the dense layer, while training.
        binary: round the mask to 0 and 1, as the author does; otherwise it stays as the network
            gives it, which leaves fewer holes.
        n_fft, hop_length, rate: 1024, 256 and 22,050 Hz.

    Published are the layers and their sizes for a detector of vocals, of which the separating
    network is said to be a variant with 513 outputs; not published are its own sizes and how the
    spectrogram is scaled. Here it is the logarithm, standardised. Deviation: convolutions do not
    pad (25 frames and two poolings by 3 leave exactly one), so that neighbouring windows share
    almost all their work: see `scores`.
    """

    losses = ("bce", "weighted")

    def __init__(
        self, targets: Sequence[str] = ("vocals",), filters: int = 16, hidden: int = 128,
        dropout: Sequence[float] = (0.25, 0.5), binary: bool = True, n_fft: int = 1024,
        hop_length: int = 256, rate: int = 22050,
    ):  # fmt: skip
        if len(targets) != 1:
            raise ValueError(f"VocalCNN gives one stem, not {len(targets)}")
        if len(dropout) != 2:
            raise ValueError(f"dropout must be two numbers, not {len(dropout)}")
        arguments = {
            "filters": filters, "hidden": hidden, "dropout": list(dropout), "binary": binary,
            "n_fft": n_fft, "hop_length": hop_length,
        }  # fmt: skip
        super().__init__(targets, 1, rate, arguments)
        self.binary, self.dropout = binary, dropout
        self.stft = STFT(n_fft, hop_length)
        bins = self.stft.nb_bins
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, filters, 3) for before in (1, filters, filters, filters)
        )
        self.dense = nn.Linear(filters * (((bins - 4) // 3 - 4) // 3), hidden)
        self.out = nn.Linear(hidden, bins)
        self.norm = nn.BatchNorm1d(bins)  # standardises each frequency
        self.grid = hop_length
        self.context = spectral_context(FRAMES, n_fft, hop_length, self.grid)

    def scores(self, magnitude: torch.Tensor) -> torch.Tensor:
        """For each frame the log-odds that its frequencies belong to the target.

        Sliding a window by one frame would compute almost everything 25 times. Instead each layer
        is computed once for the whole song; where pooling by 3 would leave out frames it slides,
        too, and what comes after it takes every third.

        Args:
            magnitude: `(batch, freq, frames)`.

        Returns:
            `(batch, freq, frames - 24)`: of all frames but 12 at either end.
        """
        x = self.norm(torch.log(magnitude + _FLOOR))[:, None]
        convolution: Any
        for index, convolution in enumerate(self.convolutions):
            apart = (1, 3 if index > 1 else 1)
            x = F.conv2d(x, convolution.weight, convolution.bias, dilation=apart)
            x = F.leaky_relu(x, 0.3)
            if index % 2:
                x = F.max_pool2d(x, 3, stride=(3, 1), dilation=apart)
                x = F.dropout(x, self.dropout[0], self.training)
        x = x.flatten(1, 2).transpose(1, 2)  # batch, frames, features
        x = F.dropout(F.leaky_relu(self.dense(x), 0.3), self.dropout[1], self.training)
        return self.out(x).transpose(1, 2)

    def mask(self, magnitude: torch.Tensor) -> torch.Tensor:
        """`(batch, freq, frames)` -> the mask of all frames but 12 at either end, 0 to 1."""
        odds = self.scores(magnitude)
        return (odds > 0).to(odds.dtype) if self.binary else torch.sigmoid(odds)

    def forward(self, mixture: torch.Tensor) -> torch.Tensor:
        """See `AudioNetwork`."""
        check_input(self, mixture)
        half, hop = FRAMES // 2, self.stft.hop_length
        spec = self.stft(mixture[:, 0])
        masked = spec[..., half:-half] * self.mask(spec.abs())
        audio = self.stft.inverse(masked, (masked.shape[-1] - 1) * hop)
        start = self.context - half * hop
        samples = mixture.shape[-1] - 2 * self.context
        return audio[:, None, None, start : start + samples]

    def training_losses(
        self, mixture: torch.Tensor, stems: torch.Tensor, loss: str
    ) -> torch.Tensor:
        """Binary cross-entropy with the ideal binary mask: is the target louder than all the rest
        together? "weighted" lets each bin count as much as it sounds, by its share of the mixture's
        magnitude, so that the many that hold next to nothing do not outvote the few one hears."""
        mixture, stems = self.select_channels(mixture)[:, 0], self.select_channels(stems)[:, 0, 0]
        target, rest = self.stft(stems).abs(), self.stft(mixture - stems).abs()
        magnitude = self.stft(mixture).abs()
        middle = slice(FRAMES // 2, -(FRAMES // 2))
        louder = (target > rest).float()[..., middle]
        weight = None
        if loss == "weighted":
            sounding = magnitude[..., middle]
            weight = sounding / (sounding.mean((1, 2), keepdim=True) + 1e-8)
        odds = self.scores(magnitude)
        return F.binary_cross_entropy_with_logits(odds, louder, weight)[None]
