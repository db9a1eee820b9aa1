"""What one step asks of the networks: stems in, one loss per target out.

The loop knows no more than that, so that it trains any kind of network. All that one kind does in
another way than the other stands here: how it is built, what it goes on from, what its file says.
"""

import inspect
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import nn

from ..errors import CheckpointError, UnmixError
from ..models import MODELS, AudioNetwork, OpenUnmix
from ..names import NETWORKS
from ..signal import STFT
from ..weights import NetworkCard, load_networks
from .config import OPEN_UNMIX, TrainingConfig
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
    def defaults(cls, network: str) -> dict[str, Any]:
        """The arguments that a class of networks takes, with their defaults."""
        raise NotImplementedError

    @classmethod
    def complete(cls, network: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a recipe with the defaults filled in, as JSON would give them back.

        Raises:
            UnmixError: the network has no such argument, or not of that kind.
        """
        defaults = {name: _listed(value) for name, value in cls.defaults(network).items()}
        for name, value in arguments.items():
            if name not in defaults:
                raise UnmixError(
                    f"{network}: has no argument '{name}'; it has {', '.join(defaults)}."
                )
            if not _is_like(_listed(value), defaults[name]):
                raise UnmixError(
                    f"{network}: its {name} is something like {defaults[name]}, not {value!r}."
                )
        return {**defaults, **{name: _listed(value) for name, value in arguments.items()}}

    @classmethod
    def new(cls, config: TrainingConfig) -> "TrainingTask":
        """With networks from chance.

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
    def defaults(cls, network: str) -> dict[str, Any]:
        """See `TrainingTask`."""
        return OPEN_UNMIX

    @classmethod
    def complete(cls, network: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """See `TrainingTask`; the values are checked, too."""
        complete = super().complete(network, arguments)
        for name in ("hidden_size", "max_bin", "n_fft", "hop_length"):
            if complete[name] < 1:
                raise UnmixError(f"{name} must be above 0, not {complete[name]}.")
        if not 0 <= complete["dropout"] < 1:
            raise UnmixError(f"dropout must lie in 0..1, below 1, not {complete['dropout']}.")
        width, window, hop = (complete[name] for name in ("hidden_size", "n_fft", "hop_length"))
        if width % 2 and not complete["unidirectional"]:
            raise UnmixError(f"hidden_size must be even, half for each direction: {width}.")
        if hop > window // 2:
            raise UnmixError(f"hop_length must be at most half of n_fft, {window // 2}: {hop}.")
        return complete

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
    def defaults(cls, network: str) -> dict[str, Any]:
        """See `TrainingTask`: all that the constructor takes, but what every recipe says."""
        taken = inspect.signature(MODELS[network]).parameters.values()
        return {one.name: one.default for one in taken if one.name not in ("targets", "rate")}

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


def _listed(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    return list(value) if isinstance(value, tuple) else value


def _is_like(value: Any, default: Any) -> bool:
    """Whether a value is of its default's kind; a whole number may stand for any number."""
    if isinstance(default, list):
        return isinstance(value, list) and all(_is_like(one, default[0]) for one in value)
    kinds = (int, float) if type(default) is float else (type(default),)
    return type(value) in kinds
