"""Open-Unmix, the network of Stöter, Uhlich, Liutkus and Mitsufuji (JOSS 2019).

One network estimates the magnitude of one target from the magnitude of the mixture. Names and
shapes of the parameters are the reference's (`openunmix` 1.3.0), so its weights load here.
"""

import torch
from torch import nn
from torch.nn import functional as F


class OpenUnmix(nn.Module):
    """Input scaling, compression, three LSTM layers, decompression, and a mask on the mixture.

    Args:
        hidden_size: width H of the recurrent core.
        nb_channels: 1 or 2 audio channels.
        max_bin: frequencies that the network sees; 1487 is 16 kHz at 44.1 kHz and n_fft 4096.
        nb_bins: frequencies of the whole spectrogram, n_fft / 2 + 1.
        unidirectional: look only into the past, so that the network can run live.
        nb_layers: LSTM layers.
        dropout: between LSTM layers, while training.
        input_mean, input_scale: mean and standard deviation of the training mixtures per bin,
            `(at least max_bin,)`; None leaves the input as it is.
    """

    def __init__(
        self,
        hidden_size: int = 512,
        nb_channels: int = 2,
        max_bin: int = 1487,
        nb_bins: int = 2049,
        unidirectional: bool = False,
        nb_layers: int = 3,
        dropout: float = 0.4,
        input_mean: torch.Tensor | None = None,
        input_scale: torch.Tensor | None = None,
    ) -> None:
        super().__init__()
        max_bin = min(max_bin, nb_bins)
        self.arguments = {
            "hidden_size": hidden_size, "nb_channels": nb_channels, "max_bin": max_bin,
            "nb_bins": nb_bins, "unidirectional": unidirectional, "nb_layers": nb_layers,
            "dropout": dropout,
        }  # fmt: skip
        self.nb_channels, self.max_bin, self.nb_bins = nb_channels, max_bin, nb_bins

        self.fc1 = nn.Linear(nb_channels * max_bin, hidden_size, bias=False)
        self.bn1 = nn.BatchNorm1d(hidden_size)
        self.lstm = nn.LSTM(
            hidden_size,
            hidden_size if unidirectional else hidden_size // 2,
            num_layers=nb_layers,
            bidirectional=not unidirectional,
            dropout=dropout if nb_layers > 1 else 0,
            batch_first=True,
        )
        self.fc2 = nn.Linear(2 * hidden_size, hidden_size, bias=False)
        self.bn2 = nn.BatchNorm1d(hidden_size)
        self.fc3 = nn.Linear(hidden_size, nb_channels * nb_bins, bias=False)
        self.bn3 = nn.BatchNorm1d(nb_channels * nb_bins)

        # Stored as the reference stores them: minus the mean, and one over the deviation.
        mean = torch.zeros(max_bin) if input_mean is None else -torch.as_tensor(input_mean).float()
        scale = (
            torch.ones(max_bin) if input_scale is None else 1 / torch.as_tensor(input_scale).float()
        )
        self.input_mean = nn.Parameter(mean[:max_bin].clone())
        self.input_scale = nn.Parameter(scale[:max_bin].clone())
        self.output_scale = nn.Parameter(torch.ones(nb_bins))
        self.output_mean = nn.Parameter(torch.ones(nb_bins))

    def forward(self, mixture: torch.Tensor) -> torch.Tensor:
        """Mixture magnitude `(batch, channels, freq, frames)` -> the target's, same shape."""
        return self.mask(mixture) * mixture

    def mask(self, mixture: torch.Tensor) -> torch.Tensor:
        """The factor, zero or more and not bounded by one, that is applied to the mixture."""
        return self.advance(mixture)[0]

    def advance(
        self, mixture: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """The mask, and the LSTM's state after the last frame.

        Handed in with the frames that follow, `state` lets a unidirectional network go on where it
        was. It is a pair of `(layers * directions, batch, hidden)`, or None for the beginning.
        """
        x = mixture.permute(0, 3, 1, 2)  # B, T, C, F
        batch, frames, channels, bins = x.shape
        if channels != self.nb_channels or bins != self.nb_bins:
            raise ValueError(
                f"this network takes {self.nb_channels} channels and {self.nb_bins} frequencies, "
                f"not {channels} and {bins}"
            )
        x = (x[..., : self.max_bin] + self.input_mean) * self.input_scale
        x = x.reshape(batch * frames, channels * self.max_bin)
        x = torch.tanh(self.bn1(self.fc1(x)))  # B*T, H
        recurrent, state = self.lstm(x.reshape(batch, frames, -1), state)  # B, T, H
        x = torch.cat([x, recurrent.reshape(batch * frames, -1)], dim=1)  # B*T, 2H: skip connection
        x = F.relu(self.bn2(self.fc2(x)))  # B*T, H
        x = self.bn3(self.fc3(x)).reshape(batch, frames, channels, bins)
        x = F.relu(torch.addcmul(self.output_mean, x, self.output_scale))
        return x.permute(0, 2, 3, 1), state  # B, C, F, T
