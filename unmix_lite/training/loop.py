"""The training loop: one network, one target, Adam, and the best weights on validation songs."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm

from ..audio import atomic
from ..corpora import TARGETS
from ..errors import CheckpointError, UnmixError
from ..models import OpenUnmix
from ..spectral import STFT
from ..weights import NetworkCard, save_network
from .augmentation import AUGMENTATIONS
from .checkpoints import load_state, save_state
from .excerpts import Excerpts

LOSSES = {"l1": F.l1_loss, "mse": F.mse_loss}


@dataclass(frozen=True)
class TrainingConfig:
    """A recipe. The defaults are the article's and the reference's, at a size for a laptop.

    Attributes:
        target: the stem to learn; sources: all stems that make up the mixture.
        hidden_size, unidirectional, max_bin: of the network (see OpenUnmix).
        seconds, batch_size: length of an excerpt in s, excerpts per step.
        steps: optimiser steps in all.
        loss: "l1" (the article's eq. 4) or "mse" (the reference), between magnitudes.
        learning_rate, weight_decay: Adam's. schedule: "cosine" lets the rate fall to 0 at the last
            step, "constant" keeps it.
        augmentations: of "remix", "gain", "channelswap".
        valid_every: steps between validations; each also saves the state.
        seed: everything random follows from it and from the step.
        rate, n_fft, hop_length: of the spectrogram, in Hz and samples.
    """

    target: str = "vocals"
    sources: tuple = TARGETS
    hidden_size: int = 256
    unidirectional: bool = False
    max_bin: int = 1487
    seconds: float = 3.0
    batch_size: int = 16
    steps: int = 2000
    loss: str = "mse"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    schedule: str = "cosine"
    augmentations: tuple = ("remix", "gain", "channelswap")
    valid_every: int = 100
    seed: int = 42
    rate: int = 44100
    n_fft: int = 4096
    hop_length: int = 1024

    def __post_init__(self):
        unknown = set(self.augmentations) - {"remix", *AUGMENTATIONS}
        if self.target not in self.sources:
            raise UnmixError(f"the target '{self.target}' is not among {', '.join(self.sources)}.")
        if self.loss not in LOSSES or self.schedule not in ("cosine", "constant") or unknown:
            raise UnmixError(
                f"unknown loss '{self.loss}', schedule '{self.schedule}' or augmentations "
                f"{sorted(unknown)}; there are l1, mse; cosine, constant; remix, gain, channelswap."
            )


def train(config, tracks, valid_tracks, folder, device=None, progress=True):
    """Train one network, and leave the best on validation in `folder`.

    `<target>.safetensors` is the network with the lowest validation loss, `<target>.json` the
    recipe and the curve, `<target>.state.safetensors` what a restart needs: calling again with
    the same config goes on from the last validation, however the last call ended, and comes to
    the same weights.

    Args:
        config: a TrainingConfig.
        tracks, valid_tracks: lists of `corpora.Track`, disjoint.
        folder: where results go.
        device: None takes a GPU where there is one.

    Returns:
        the history: a list of dicts with step, train_loss, valid_loss.

    Raises:
        CheckpointError: `folder` holds the training of another recipe.
        UnmixError: the loss became NaN.
    """
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    folder = Path(folder)
    excerpts = Excerpts(tracks, config.sources, config.seconds, config.rate, progress=progress)
    validation = Excerpts(valid_tracks, config.sources, 1, config.rate, progress=progress)
    stft = STFT(config.n_fft, config.hop_length).to(device)

    torch.manual_seed(config.seed)
    mean, deviation = input_statistics(excerpts, stft)
    network = OpenUnmix(
        config.hidden_size, max_bin=config.max_bin, nb_bins=stft.nb_bins,
        unidirectional=config.unidirectional, input_mean=mean, input_scale=deviation,
    ).to(device)  # fmt: skip
    optimizer = torch.optim.Adam(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )

    state = folder / f"{config.target}.state.safetensors"
    step, history = _resume(state, network, optimizer, config)
    losses = []
    # Left out rather than False, which would overrule TQDM_DISABLE.
    quiet = {} if progress else {"disable": True}
    bar = tqdm(total=config.steps, initial=step, desc=config.target, **quiet)
    try:
        while step < config.steps:
            losses.append(train_step(network, optimizer, excerpts, stft, config, step))
            step += 1
            bar.update()
            bar.set_postfix(loss=f"{losses[-1]:.4f}", refresh=False)
            if step % config.valid_every == 0 or step == config.steps:
                valid = validate(network, validation, stft, config)
                history.append(
                    {"step": step, "train_loss": float(np.mean(losses)), "valid_loss": valid}
                )
                losses = []
                _keep(folder, network, config, history)
                save_state(state, network, optimizer, _progress(step, config, history))
    finally:
        bar.close()
    return history


def train_step(network, optimizer, excerpts, stft, config, step):
    """One step: draw, augment, mix, transform, predict, compare (eq. 4), descend; the loss."""
    device = stft.window.device
    # All randomness follows from seed and step, so a resumed training needs no saved generator.
    rng = np.random.default_rng([config.seed, step])
    torch.manual_seed(config.seed * 1_000_003 + step)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(config, step)

    stems = excerpts.batch(rng, config.batch_size, remix="remix" in config.augmentations).to(device)
    for name, augment in AUGMENTATIONS.items():
        if name in config.augmentations:
            stems = augment(stems, rng)
    target = stft(stems[:, config.sources.index(config.target)]).abs()
    mixture = stft(stems.sum(1)).abs()

    network.train()
    optimizer.zero_grad()
    loss = LOSSES[config.loss](network(mixture), target)
    if not torch.isfinite(loss):
        raise UnmixError(
            f"the loss is {loss.item()} at step {step}; the last good state is kept: lower the "
            "learning rate and start again."
        )
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.inference_mode()
def validate(network, validation, stft, config):
    """Mean loss over whole, untouched validation songs, one at a time."""
    network.eval()
    losses = []
    for index in range(len(validation)):
        stems = validation.whole(index).to(stft.window.device)
        target = stft(stems[config.sources.index(config.target)]).abs()
        estimate = network(stft(stems.sum(0)).abs()[None])[0]
        losses.append(LOSSES[config.loss](estimate, target).item())
    return float(np.mean(losses))


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
    return mean.float(), deviation.clamp(min=1e-4 * deviation.max()).float()


def learning_rate(config, step):
    """Adam's rate at a step."""
    if config.schedule == "constant":
        return config.learning_rate
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * step / config.steps))


def _progress(step, config, history):
    return {"step": step, "config": asdict(config), "history": history}


def _resume(state, network, optimizer, config):
    """The step to go on with, and the history so far."""
    if not state.is_file():
        return 0, []
    progress = load_state(state, network, optimizer)
    saved = json.loads(json.dumps(asdict(config)))
    # A constant rate does not know where it ends, so such a training may be lengthened.
    free = {"steps"} if config.schedule == "constant" else set()
    differ = [k for k in saved if k not in free and progress["config"].get(k) != saved[k]]
    if differ:
        raise CheckpointError(
            f"{state}: a training with another {', '.join(differ)}; choose another folder, or the "
            "same options to go on with it."
        )
    return progress["step"], progress["history"]


def _keep(folder, network, config, history):
    """Write the curve, and the network if it is the best so far."""
    best = min(history, key=lambda row: row["valid_loss"])
    record = {"config": asdict(config), "best_step": best["step"], "history": history}
    if best is history[-1]:
        card = NetworkCard(
            config.target, "OpenUnmix", network.arguments, config.n_fft, config.hop_length,
            config.rate, {"config": asdict(config), **best},
        )  # fmt: skip
        save_network(folder, network, card)
    with atomic(Path(folder) / f"{config.target}.json") as partial:
        partial.write_text(json.dumps(record, indent=1))
