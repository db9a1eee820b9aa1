"""The networks of a training: one per target, from chance or from weights that are there."""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from ..errors import CheckpointError
from ..models import OpenUnmix


class Networks(nn.ModuleDict):
    """One network per target, called with one mixture.

    Magnitude `(batch, channels, freq, frames)` -> `(batch, targets, channels, freq, frames)`.
    """

    def forward(self, mixture):
        return torch.stack([network(mixture) for network in self.values()], 1)


def build_networks(config, excerpts, stft):
    """New networks as `config` asks for, on the CPU, scaled to the training mixtures."""
    mean, deviation = input_statistics(excerpts, stft)
    networks = {}
    for target in config.targets:
        # Each from its own seed: the weights do not depend on which others are trained along.
        with torch.random.fork_rng([]):
            torch.manual_seed(config.seed)
            networks[target] = OpenUnmix(
                config.hidden_size, max_bin=config.max_bin, nb_bins=stft.nb_bins,
                unidirectional=config.unidirectional, dropout=config.dropout,
                input_mean=mean, input_scale=deviation,
            )  # fmt: skip
    return Networks(networks)


def load_networks(config):
    """Those that `config.initial` names, on the CPU.

    Raises:
        CheckpointError: there are none, or they are not what the recipe says.
    """
    from ..separator import Separator  # the separator stands above the training

    separator = Separator.from_pretrained(config.initial, "cpu", config.targets)
    if (separator.rate, separator.stft.n_fft, separator.stft.hop_length) != (
        config.rate, config.n_fft, config.hop_length,
    ):  # fmt: skip
        raise CheckpointError(
            f"{config.initial}: is for {separator.rate} Hz and an STFT of {separator.stft.n_fft}, "
            f"{separator.stft.hop_length}; start from it with these."
        )
    for target, network in separator.networks.items():
        wanted = {
            "hidden_size": config.hidden_size, "unidirectional": config.unidirectional,
            "max_bin": min(config.max_bin, separator.stft.nb_bins),
        }  # fmt: skip
        for name, value in wanted.items():
            if network.arguments.get(name) != value:
                raise CheckpointError(
                    f"{config.initial}: its {target} has {name} {network.arguments.get(name)}, the "
                    f"recipe {value}; make them the same."
                )
        network.lstm.dropout = network.arguments["dropout"] = config.dropout
    return Networks(dict(separator.networks)).requires_grad_()


def running_mean(networks, decay):
    """A copy whose weights and statistics follow those of `networks`, a step of `1 - decay` at
    each `update_parameters` (Polyak and Juditsky 1992)."""

    def follow(average, current, count):
        # Short at first, so that the beginning from chance is soon forgotten.
        keep = min(decay, (1 + float(count)) / (10 + float(count)))
        return average + (current - average) * (1 - keep)

    return AveragedModel(networks, avg_fn=follow, use_buffers=True)


@torch.inference_mode()
def input_statistics(excerpts, stft):
    """Mean and standard deviation per frequency over all training mixtures, each `(freq,)`.

    Channels are averaged first; the deviation is floored at 1e-4 of its maximum, as in the
    reference, so that silent frequencies are not blown up.
    """
    count, total, squares = 0, 0.0, 0.0
    for index in range(len(excerpts)):
        mixture = stft(excerpts.whole(index).to(stft.window.device).sum(0)).abs().mean(0).double()
        count += mixture.shape[-1]
        total = total + mixture.sum(-1)
        squares = squares + (mixture**2).sum(-1)
    mean = total / count
    deviation = (squares / count - mean**2).clamp(min=0).sqrt()
    return mean.float().cpu(), deviation.clamp(min=1e-4 * deviation.max()).float().cpu()
