"""A recipe for a training: everything that decides what comes out of it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..errors import UnmixError
from ..names import AUGMENTATIONS, COUPLED, NETWORKS, PRECISIONS, SCHEDULES, TARGETS

UNLIMITED = 10**9
"""Steps of a training that its minutes alone will end."""


@dataclass(frozen=True)
class TrainingConfig:
    """A recipe. The defaults are for a laptop.

    Attributes:
        targets: the stems to learn, all in the same steps: with an OpenUnmix each, or with one
            network of another kind for all; sources: all stems that make up the mixture.
        network: its class, one of `models.MODELS`; arguments: of its constructor, beside those
            that stand here. hidden_size, unidirectional, max_bin, dropout: of OpenUnmix.
        initial: start from these weights, a name or a folder as `Separator.from_pretrained` takes
            them; None starts from chance.
        seconds, batch_size: length of an excerpt in s, excerpts per step (over all processes).
        steps: optimiser steps in all; None takes 2000, or as many as the minutes allow.
        minutes: of training, without decoding and validation, all calls together. It ends there
            even if steps are left; a schedule then follows the clock, so that two such runs are
            never quite the same.
        loss: of an OpenUnmix one of `training.LOSSES`: "l1" is the article's eq. 4, "mse" the
            reference's and the default; of other networks one of their `losses`.
        learning_rate, weight_decay: Adam's. schedule: "cosine" falls to 0 at the end; "plateau"
            falls to 0.3 of itself after `plateau` validations without progress, as the
            reference's does; "constant" stays.
        clip: the gradient's norm is cut to this; 0 leaves it.
        average: decay of the running mean of the weights, which is what is validated and kept
            (Polyak and Juditsky 1992); 0 keeps the weights themselves.
        augmentations: of "remix", "shuffle", "intact", "speed", "tempo", "pitch", "filter",
            "loudness", "gain", "channelswap"; "intact" treats all sources of an excerpt alike,
            with "remix" in half of them.
        valid_every: steps between validations; each also saves the state.
        patience: stop after so many validations without progress; 0 never stops.
        precision: "float32", or "bf16" or "fp16" where the device multiplies matrices faster so.
        seed: everything random follows from it and from the step.
        rate: in Hz; None takes the network's. n_fft, hop_length: of OpenUnmix's spectrogram.
    """

    targets: tuple = ("vocals",)
    sources: tuple = TARGETS
    network: str = "OpenUnmix"
    arguments: dict = field(default_factory=dict)
    hidden_size: int = 256
    unidirectional: bool = False
    max_bin: int = 1487
    dropout: float = 0.4
    initial: str | None = None
    seconds: float = 3.0
    batch_size: int = 16
    steps: int | None = None
    minutes: float | None = None
    loss: str | None = None
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    schedule: str = "cosine"
    plateau: int = 8
    clip: float = 0.0
    average: float = 0.0
    augmentations: tuple = ("remix", "gain", "channelswap")
    valid_every: int = 100
    patience: int = 0
    precision: str = "float32"
    seed: int = 42
    rate: int | None = None
    n_fft: int = 4096
    hop_length: int = 1024

    def __post_init__(self):
        if self.steps is None:
            object.__setattr__(self, "steps", UNLIMITED if self.minutes else 2000)
        if self.network not in NETWORKS:
            raise UnmixError(f"network: no '{self.network}'; there are {', '.join(NETWORKS)}.")
        rate, losses = NETWORKS[self.network]
        if self.rate is None:
            object.__setattr__(self, "rate", rate)
        if self.loss is None:
            object.__setattr__(self, "loss", "mse" if self.network == "OpenUnmix" else losses[0])
        for name in ("targets", "sources", "augmentations"):
            if isinstance(getattr(self, name), str):
                raise UnmixError(f"{name} must be a tuple of names, not '{getattr(self, name)}'.")
        choices = {
            "loss": (losses, [self.loss]),
            "schedule": (SCHEDULES, [self.schedule]),
            "precision": (PRECISIONS, [self.precision]),
            "augmentations": (AUGMENTATIONS, self.augmentations),
            "targets": (self.sources, self.targets),
        }
        for name, (there, asked) in choices.items():
            if unknown := [one for one in asked if one not in there]:
                raise UnmixError(f"{name}: no '{unknown[0]}'; there are {', '.join(there)}.")
        for name in (
            "hidden_size", "max_bin", "seconds", "batch_size", "steps", "learning_rate", "plateau",
            "valid_every", "rate", "n_fft", "hop_length",
        ):  # fmt: skip
            if not getattr(self, name) > 0:
                raise UnmixError(f"{name} must be above 0, not {getattr(self, name)}.")
        for name in ("weight_decay", "clip", "patience", "seed"):
            if not getattr(self, name) >= 0:
                raise UnmixError(f"{name} must be 0 or above, not {getattr(self, name)}.")
        if self.minutes is not None and not self.minutes > 0:
            raise UnmixError(f"minutes must be above 0, not {self.minutes}.")
        if not 0 <= self.average < 1 or not 0 <= self.dropout < 1:
            raise UnmixError("average and dropout must lie in 0..1, below 1.")
        if self.hidden_size % 2 and not self.unidirectional:
            raise UnmixError(
                f"hidden_size must be even, half for each direction: {self.hidden_size}."
            )
        if self.hop_length > self.n_fft // 2:
            raise UnmixError(
                f"hop_length must be at most half of n_fft, {self.n_fft // 2}: {self.hop_length}."
            )
        if not self.targets or len(set(self.targets)) < len(self.targets):
            raise UnmixError("targets must name one stem or more, each once.")

    @property
    def is_joint(self):
        """Whether all targets are kept from one and the same step: they are given by one network,
        or the loss couples them."""
        return self.network != "OpenUnmix" or self.loss in COUPLED

    @property
    def name(self):
        """Of this training's own files: its targets, joined."""
        return "-".join(self.targets)

    def recipe(self):
        """As a dict, for those who get the weights: of the folder in `initial` they need the name,
        not where it lies on this machine."""
        return asdict(self) | {"initial": self.initial and Path(self.initial).name}

    def differences(self, saved):
        """The fields in which a training of the recipe `saved`, a dict, cannot be gone on with."""
        now = json.loads(json.dumps(asdict(self)))
        # More minutes may be granted; and a rate that does not know the end allows more steps.
        free = {"minutes"} | ({"steps"} if self.schedule != "cosine" else set())
        return [key for key in now if key not in free and saved.get(key) != now[key]]
