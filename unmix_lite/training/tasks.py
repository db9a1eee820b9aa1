"""What one step asks of the networks: stems in, one loss per target out.

The loop knows no more than that, so that it trains any kind of network. All that one kind does in
another way than the other stands here: how it is built, what it goes on from, what its file says.
Which arguments it takes: `arguments`.
"""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import nn

from ..errors import CheckpointError, UnmixError
from ..models import MODELS, AudioNetwork, OpenUnmix
from ..names import NETWORKS
from ..signal import STFT
from ..weights import NetworkCard, load_networks
from .config import TrainingConfig
from .excerpts import Excerpts
from .losses import LOSSES, LossInputs
from .networks import input_statistics

Loaded = dict[str, tuple[Any, NetworkCard]]  # by target, as `load_networks` gives them


class TrainingTask(nn.Module):
    """Networks and how wrong they are.

    Args:
        config: the TrainingConfig.
        networks: dict name -> network; the name is that of the file it will be kept in.
    """

    def __init__(self, config: TrainingConfig, networks: Mapping[str, nn.Module]):
        super().__init__()
        self.config, self.networks = config, nn.ModuleDict(networks)
        self.indices = [config.sources.index(target) for target in config.targets]

    @classmethod
    def new(cls, config: TrainingConfig) -> "TrainingTask":
        """With networks of random weights.

        Raises:
            UnmixError: the network cannot be built so.
        """
        raise NotImplementedError

    @classmethod
    def continued(cls, config: TrainingConfig, loaded: Loaded) -> "TrainingTask":
        """With networks that are there already.

        Raises:
            CheckpointError: they are not what the recipe says.
        """
        raise NotImplementedError

    def listen(self, excerpts: Excerpts) -> None:
        """Fit new networks to the songs before the first step; where there is nothing to fit,
        nothing."""

    def card(self, name: str, training: dict[str, Any]) -> NetworkCard:
        """What the file of a network says of it."""
        network: Any = self.networks[name]
        return NetworkCard(
            name, type(network).__name__, network.arguments, rate=self.config.rate,
            training=training,
        )  # fmt: skip

    def forward(self, stems: torch.Tensor) -> torch.Tensor:
        """All sources of some excerpts, `(batch, sources, channels, samples)` -> one loss per
        target, `(targets,)`."""
        raise NotImplementedError

    def autocast(self, device: torch.device) -> torch.autocast:
        """Matrix products in 16 bits, where the recipe says so."""
        precision = self.config.precision
        kind = torch.float16 if precision == "fp16" else torch.bfloat16
        return torch.autocast(device.type, kind, enabled=precision != "float32")


class MagnitudeTask(TrainingTask):
    """For `OpenUnmix`, one per target: magnitudes in, magnitudes out, compared by a function of
    `training.losses`."""

    def __init__(self, config: TrainingConfig, networks: Mapping[str, nn.Module]):
        super().__init__(config, networks)
        self.stft = STFT(config.arguments["n_fft"], config.arguments["hop_length"])

    @classmethod
    def new(cls, config: TrainingConfig) -> "MagnitudeTask":
        """See `TrainingTask`."""
        arguments = dict(config.arguments)
        bins = arguments.pop("n_fft") // 2 + 1
        del arguments["hop_length"]
        networks = {}
        for target in config.targets:
            # Each from its own seed: the weights do not depend on which others are trained along.
            with torch.random.fork_rng([]):
                torch.manual_seed(config.seed)
                networks[target] = OpenUnmix(nb_bins=bins, **arguments)
        return cls(config, networks)

    @classmethod
    def continued(cls, config: TrainingConfig, loaded: Loaded) -> "MagnitudeTask":
        """See `TrainingTask`. Dropout may be another: it is no part of the weights."""
        for target, (network, card) in loaded.items():
            given = {**network.arguments, "n_fft": card.n_fft, "hop_length": card.hop_length}
            wanted = {**config.arguments, "dropout": given["dropout"]}
            wanted["max_bin"] = min(wanted["max_bin"], wanted["n_fft"] // 2 + 1)
            _check_same(config, target, given, wanted)
            network.lstm.dropout = network.arguments["dropout"] = config.arguments["dropout"]
        return cls(config, {target: network for target, (network, _) in loaded.items()})

    @torch.no_grad()
    def listen(self, excerpts: Excerpts) -> None:
        """Scale the networks' input to the training mixtures."""
        mean, deviation = input_statistics(excerpts, self.stft)
        network: Any
        for network in self.networks.values():
            # As the reference stores them: minus the mean, and one over the deviation.
            network.input_mean.copy_(-mean[: len(network.input_mean)])
            network.input_scale.copy_(1 / deviation[: len(network.input_scale)])

    def card(self, name: str, training: dict[str, Any]) -> NetworkCard:
        """See `TrainingTask`; with the spectrogram that the network is fed."""
        card = super().card(name, training)
        card.n_fft, card.hop_length = self.stft.n_fft, self.stft.hop_length
        return card

    def forward(self, stems: torch.Tensor) -> torch.Tensor:
        """See `TrainingTask`."""
        with torch.no_grad():
            targets, mixture = self.spectra(stems)
        with self.autocast(stems.device):
            heard = mixture[:, 0].abs()
            estimates = torch.stack([network(heard) for network in self.networks.values()], 1)
        inputs = LossInputs(estimates.float(), targets, mixture, self.stft, stems.shape[-1])
        return LOSSES[self.config.loss](inputs)

    def spectra(self, stems: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Stems -> the complex targets `(batch, targets, channels, freq, frames)`, and the mixture
        with 1 in place of the targets."""
        return self.stft(stems[:, self.indices]), self.stft(stems.sum(1, keepdim=True))


class WaveformTask(TrainingTask):
    """For one `AudioNetwork`, which knows its own losses."""

    @classmethod
    def new(cls, config: TrainingConfig) -> "WaveformTask":
        """See `TrainingTask`."""
        model: Any = MODELS[config.network]
        if model.needs_all_targets and set(config.targets) != set(config.sources):
            raise UnmixError(
                f"{config.network}: its stems add up to the song, so it needs all of them as "
                f"targets: {', '.join(config.sources)}."
            )
        with torch.random.fork_rng([]):
            torch.manual_seed(config.seed)
            try:
                network = model(targets=config.targets, rate=config.rate, **config.arguments)
            except (TypeError, ValueError, RuntimeError) as error:
                reason = str(error).partition("\n")[0]
                raise UnmixError(f"{config.network}: cannot be built so ({reason}).") from error
        return cls(config, {config.name: network})

    @classmethod
    def continued(cls, config: TrainingConfig, loaded: Loaded) -> "WaveformTask":
        """See `TrainingTask`."""
        network, _ = next(iter(loaded.values()))
        wanted = {**config.arguments, "targets": list(config.targets)}
        _check_same(config, "network", network.arguments, wanted)
        return cls(config, {config.name: network})

    def forward(self, stems: torch.Tensor) -> torch.Tensor:
        """See `TrainingTask`."""
        network = cast(AudioNetwork, self.networks[self.config.name])
        with self.autocast(stems.device):
            return network.training_losses(stems.sum(1), stems[:, self.indices], self.config.loss)


def task_of(network: str) -> type[TrainingTask]:
    """How a class of networks is trained."""
    return MagnitudeTask if NETWORKS[network].one_per_target else WaveformTask


def first_task(config: TrainingConfig) -> TrainingTask:
    """A training's task before its first step, on the CPU: with new networks, or with those that
    `config.initial` names.

    Raises:
        UnmixError: the network cannot be built so.
        CheckpointError: `config.initial` is not there, or not what the recipe says.
    """
    task = task_of(config.network)
    if not config.initial:
        return task.new(config)
    loaded = load_networks(config.initial, config.targets)
    card = next(iter(loaded.values()))[1]
    if card.model != config.network or card.rate != config.rate:
        raise CheckpointError(
            f"{config.initial}: is a {card.model} for {card.rate} Hz, the recipe is for a "
            f"{config.network} and {config.rate} Hz; make them the same."
        )
    return task.continued(config, loaded).requires_grad_()


def _check_same(
    config: TrainingConfig, what: str, given: dict[str, Any], wanted: dict[str, Any]
) -> None:
    """Raise a CheckpointError unless all that is wanted is given."""
    for name, value in wanted.items():
        if given.get(name) != value:
            raise CheckpointError(
                f"{config.initial}: its {what} has {name} {given.get(name)}, the recipe {value}; "
                "make them the same."
            )
