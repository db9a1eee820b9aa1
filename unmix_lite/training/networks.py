"""The networks of a training: from chance, or from weights that are there."""

import torch
from torch.optim.swa_utils import AveragedModel

from ..errors import CheckpointError, UnmixError
from ..models import MODELS, AudioNetwork, OpenUnmix
from ..signal import STFT
from ..weights import load_networks
from .tasks import MagnitudeTask, WaveformTask


def initial_task(config):
    """The lesson, as far as it needs no music: with the networks that `config.initial` names, or a
    new `AudioNetwork`; None for a new OpenUnmix, which wants to hear its mixtures first.

    Raises:
        UnmixError: the network cannot be built so.
        CheckpointError: `config.initial` is not there, or not what the recipe says.
    """
    if config.initial:
        return continued_task(config)
    if config.network == "OpenUnmix":
        return None
    return WaveformTask(config, {config.name: build_audio_network(config)})


def new_open_unmix_task(config, excerpts, device):
    """The lesson of a new OpenUnmix per target, scaled to the training mixtures."""
    stft = STFT(config.n_fft, config.hop_length).to(device)
    return MagnitudeTask(config, build_networks(config, excerpts, stft))


def build_audio_network(config):
    """An `AudioNetwork` from chance.

    Raises:
        UnmixError: it has no such arguments, or needs other targets.
    """
    model = MODELS[config.network]
    if model.needs_all_targets and set(config.targets) != set(config.sources):
        raise UnmixError(
            f"{config.network}: its stems add up to the song, so it needs all of them as targets: "
            f"{', '.join(config.sources)}."
        )
    with torch.random.fork_rng([]):
        torch.manual_seed(config.seed)
        try:
            return model(targets=config.targets, rate=config.rate, **config.arguments)
        except (TypeError, ValueError) as error:
            raise UnmixError(f"{config.network}: {error}.") from error


def build_networks(config, excerpts, stft):
    """One new `OpenUnmix` per target, scaled to the training mixtures: a dict."""
    if config.arguments:
        raise UnmixError("OpenUnmix: its arguments have fields of their own; leave `arguments`.")
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
    return networks


def continued_task(config):
    """The lesson that goes on with the networks `config.initial` names, on the CPU.

    Raises:
        CheckpointError: there are none, or they are not what the recipe says.
    """
    loaded = load_networks(config.initial, config.targets)
    network, card = next(iter(loaded.values()))
    if card.model != config.network or card.rate != config.rate:
        raise CheckpointError(
            f"{config.initial}: is a {card.model} for {card.rate} Hz, the recipe is for a "
            f"{config.network} and {config.rate} Hz; make them the same."
        )
    if isinstance(network, AudioNetwork):
        _check_arguments(config, network)
        return WaveformTask(config, {config.name: network}).requires_grad_()
    if (card.n_fft, card.hop_length) != (config.n_fft, config.hop_length):
        raise CheckpointError(
            f"{config.initial}: is for an STFT of {card.n_fft}, {card.hop_length}; start from it "
            "with these."
        )
    networks = {target: network for target, (network, _) in loaded.items()}
    for target, network in networks.items():
        wanted = {
            "hidden_size": config.hidden_size, "unidirectional": config.unidirectional,
            "max_bin": min(config.max_bin, network.nb_bins),
        }  # fmt: skip
        for name, value in wanted.items():
            if network.arguments.get(name) != value:
                raise CheckpointError(
                    f"{config.initial}: its {target} has {name} {network.arguments.get(name)}, the "
                    f"recipe {value}; make them the same."
                )
        network.lstm.dropout = network.arguments["dropout"] = config.dropout
    return MagnitudeTask(config, networks).requires_grad_()


def _check_arguments(config, network):
    for name, value in {**config.arguments, "targets": list(config.targets)}.items():
        if network.arguments.get(name) != value:
            raise CheckpointError(
                f"{config.initial}: its network has {name} {network.arguments.get(name)}, the "
                f"recipe {value}; make them the same."
            )


def exponential_average(networks, decay):
    """A copy of a module whose weights and statistics follow its own, a step of `1 - decay` at each
    `update_parameters` (Polyak and Juditsky 1992)."""

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
