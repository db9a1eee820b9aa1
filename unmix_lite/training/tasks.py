"""What one step asks of the networks: stems in, one loss per target out.

The loop knows no more than that, so that it trains any kind of network.
"""

import torch
from torch import nn

from ..signal import STFT
from .losses import LOSSES, LossInputs


class TrainingTask(nn.Module):
    """Networks and how wrong they are.

    Args:
        config: the TrainingConfig.
        networks: dict name -> network; the name is that of the file it will be kept in.
    """

    def __init__(self, config, networks):
        super().__init__()
        self.config, self.networks = config, nn.ModuleDict(networks)
        self.indices = [config.sources.index(target) for target in config.targets]

    def forward(self, stems):
        """All sources of some excerpts, `(batch, sources, channels, samples)` -> one loss per
        target, `(targets,)`."""
        raise NotImplementedError

    def autocast(self, device):
        """Matrix products in 16 bits, where the recipe says so."""
        precision = self.config.precision
        kind = torch.float16 if precision == "fp16" else torch.bfloat16
        return torch.autocast(device.type, kind, enabled=precision != "float32")


class MagnitudeTask(TrainingTask):
    """For `OpenUnmix`, one per target: magnitudes in, magnitudes out, compared by a function of
    `training.losses`."""

    def __init__(self, config, networks):
        super().__init__(config, networks)
        self.stft = STFT(config.n_fft, config.hop_length)

    def forward(self, stems):
        """See `TrainingTask`."""
        with torch.no_grad():
            targets, mixture = self.spectra(stems)
        with self.autocast(stems.device):
            heard = mixture[:, 0].abs()
            estimates = torch.stack([network(heard) for network in self.networks.values()], 1)
        inputs = LossInputs(estimates.float(), targets, mixture, self.stft, stems.shape[-1])
        return LOSSES[self.config.loss](inputs)

    def spectra(self, stems):
        """Stems -> the complex targets `(batch, targets, channels, freq, frames)`, and the mixture
        with 1 in place of the targets."""
        return self.stft(stems[:, self.indices]), self.stft(stems.sum(1, keepdim=True))


class WaveformTask(TrainingTask):
    """For one `AudioNetwork`, which knows its own losses."""

    def forward(self, stems):
        """See `TrainingTask`."""
        (network,) = self.networks.values()
        with self.autocast(stems.device):
            return network.training_losses(stems.sum(1), stems[:, self.indices], self.config.loss)
