"""A recipe for a training: everything that decides what comes out of it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UnmixError
from ..names import AUGMENTATIONS, COUPLED, NETWORKS, PRECISIONS, SCHEDULES, TARGETS

STEPS = 2000
"""Of a training for which neither steps nor minutes are given."""
UNLIMITED = 10**9
"""Steps of a training that its minutes alone will end."""


@dataclass(frozen=True)
class TrainingConfig:
    """A recipe. The defaults are for a laptop.

    Attributes:
        targets: the stems to learn, all in the same steps: with an OpenUnmix each, or with one
            network of another kind for all; sources: all stems that make up the mixture.
        network: its class, one of `models.MODELS`; arguments: what that class takes beside the
            targets and the rate, for OpenUnmix see `names.OPEN_UNMIX`. What is left out is filled
            in, so that the recipe says all of what was trained.
        initial: start from these weights, a name or a folder as `Separator.from_pretrained` takes
            them; None starts from random weights.
        seconds, batch_size: length of an excerpt in s, excerpts per step (over all processes).
        steps: optimiser steps in all; None takes `STEPS`, or as many as the minutes allow.
        minutes: of training, without decoding and validation, all calls together. It ends there
            even if steps are left; a schedule then follows the clock, so that two such runs are
            never quite the same.
        loss: of an OpenUnmix one of `training.LOSSES`: "l1" is the article's eq. 4, "mse" the
            reference's and the default; of other networks one of their `losses`.
        learning_rate, weight_decay: Adam's. schedule: "cosine" falls to 0 at the end; "plateau"
            falls to 0.3 of itself after `plateau` validations without progress, as the
            reference's does; "constant" stays.
        clip: the gradient's norm is cut to this; 0 leaves it.
        average: decay of the exponential moving average of the weights, which is what is validated
            and kept (Polyak and Juditsky 1992 take the plain mean); 0 keeps the weights themselves.
        augmentations: of "remix", "shuffle", "intact", "speed", "tempo", "pitch", "filter",
            "loudness", "gain", "channelswap"; "intact" treats all sources of an excerpt alike,
            with "remix" in half of them.
        valid_every: steps between validations; each also saves the state.
        patience: stop after so many validations without progress; 0 never stops.
        precision: "float32", or "bf16" or "fp16" where the device multiplies matrices faster so.
        seed: everything random follows from it and from the step.
        rate: in Hz; None takes the network's.

    Raises:
        UnmixError: a recipe that makes no sense; the message names the field.
    """

    targets: tuple[str, ...] = ("vocals",)
    sources: tuple[str, ...] = TARGETS
    network: str = "OpenUnmix"
    arguments: dict[str, Any] = field(default_factory=dict)
    initial: str | None = None
    seconds: float = 3.0
    batch_size: int = 16
    # `steps`, `loss` and `rate` are never None afterwards: `__post_init__` fills them in.
    steps: int = None  # type: ignore[assignment]
    minutes: float | None = None
    loss: str = None  # type: ignore[assignment]
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    schedule: str = "cosine"
    plateau: int = 8
    clip: float = 0.0
    average: float = 0.0
    augmentations: tuple[str, ...] = ("remix", "gain", "channelswap")
    valid_every: int = 100
    patience: int = 0
    precision: str = "float32"
    seed: int = 42
    rate: int = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise UnmixError(f"network: no '{self.network}'; there are {', '.join(NETWORKS)}.")
        self._fill_in()
        self._check_names()
        self._check_numbers()
        if self.loss in COUPLED and set(self.targets) != set(self.sources):
            raise UnmixError(
                f"loss: '{self.loss}' judges all stems by each other, so train them together: "
                f"targets {' '.join(self.sources)}, on the command line with --joint."
            )

    def _fill_in(self) -> None:
        """What was left to the network, or to be worked out."""
        # Brings torch, which `unmix-lite train --help` does without.
        from .arguments import complete_arguments

        kind = NETWORKS[self.network]
        filled = {
            "steps": (UNLIMITED if self.minutes else STEPS) if self.steps is None else self.steps,
            "rate": kind.rate if self.rate is None else self.rate,
            "loss": kind.losses[0] if self.loss is None else self.loss,
            "arguments": complete_arguments(self.network, self.arguments),
        }  # fmt: skip
        for name, value in filled.items():
            object.__setattr__(self, name, value)

    def _check_names(self) -> None:
        for name in ("targets", "sources", "augmentations"):
            if isinstance(getattr(self, name), str):
                raise UnmixError(f"{name} must be a tuple of names, not '{getattr(self, name)}'.")
        choices = {
            "loss": (NETWORKS[self.network].losses, [self.loss]),
            "schedule": (SCHEDULES, [self.schedule]),
            "precision": (PRECISIONS, [self.precision]),
            "augmentations": (AUGMENTATIONS, self.augmentations),
            "targets": (self.sources, self.targets),
        }
        for name, (there, asked) in choices.items():
            if unknown := [one for one in asked if one not in there]:
                raise UnmixError(f"{name}: no '{unknown[0]}'; there are {', '.join(there)}.")
        if not self.targets or len(set(self.targets)) < len(self.targets):
            raise UnmixError("targets must name one stem or more, each once.")

    def _check_numbers(self) -> None:
        for name in (
            "seconds", "batch_size", "steps", "minutes", "learning_rate", "plateau", "valid_every",
            "rate",
        ):  # fmt: skip
            if getattr(self, name) is not None and not getattr(self, name) > 0:
                raise UnmixError(f"{name} must be above 0, not {getattr(self, name)}.")
        for name in ("weight_decay", "clip", "patience", "seed"):
            if not getattr(self, name) >= 0:
                raise UnmixError(f"{name} must be 0 or above, not {getattr(self, name)}.")
        if not 0 <= self.average < 1:
            raise UnmixError(f"average must lie in 0..1, below 1, not {self.average}.")

    @property
    def is_joint(self) -> bool:
        """Whether all targets are kept from one and the same step: they are given by one network,
        or the loss couples them."""
        return not NETWORKS[self.network].one_per_target or self.loss in COUPLED

    @property
    def name(self) -> str:
        """Of this training's own files: its targets, joined."""
        return "-".join(self.targets)

    def recipe(self) -> dict[str, Any]:
        """As a dict, for those who get the weights: of the folder in `initial` they need the name,
        not where it lies on this machine."""
        return asdict(self) | {"initial": self.initial and Path(self.initial).name}

    def differences(self, saved: dict[str, Any]) -> list[str]:
        """The fields, and the arguments of the network, in which a training of the recipe `saved`,
        a dict, cannot be gone on with."""
        now, saved = _flat(json.loads(json.dumps(asdict(self)))), _flat(saved)
        # More minutes may be granted; and a rate that does not know the end allows more steps.
        free = {"minutes"} | ({"steps"} if self.schedule != "cosine" else set())
        return [key for key in now if key not in free and saved.get(key) != now[key]]


def _flat(recipe: dict[str, Any]) -> dict[str, Any]:
    """The network's arguments beside the fields, so that each can be named by itself."""
    return {**recipe, **recipe.get("arguments", {}), "arguments": None}
