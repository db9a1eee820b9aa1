"""The options of `train` that are fields of a recipe.

What is left out is left to `TrainingConfig`, which also tells the defaults.
"""

import argparse
from typing import Any

from ..names import AUGMENTATIONS, NETWORKS, OPEN_UNMIX, PRECISIONS, SCHEDULES
from ..training import STEPS, TrainingConfig
from .argument_types import above_zero, argument, count, positive

SUGAR = ("hidden_size", "dropout", "unidirectional")
"""Arguments of OpenUnmix that have an option of their own beside `--set`."""


def add_recipe_options(command: argparse.ArgumentParser) -> None:
    """All of them, in the order in which `--help` tells them."""
    _add_network(command)
    _add_material(command)
    _add_descent(command)
    _add_course(command)


def recipe_of(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of a recipe that were asked for."""
    given = vars(options)
    names = TrainingConfig.__dataclass_fields__.keys() - {"targets", "arguments"}
    recipe = {name: given[name] for name in names if given.get(name) is not None}
    if options.augmentations is not None:
        recipe["augmentations"] = tuple(options.augmentations)
    sugar = {name: given[name] for name in SUGAR if given[name] is not None}
    recipe["arguments"] = {**sugar, **dict(options.arguments)}
    return recipe


def _option(command: argparse.ArgumentParser, flag: str, text: str, **settings: Any) -> None:
    """One that is None where it is left out; its help ends with the default of the field."""
    name = flag.lstrip("-").replace("-", "_")
    default = OPEN_UNMIX[name] if name in SUGAR else getattr(TrainingConfig, name)
    # None and False say nothing by themselves: there the text does.
    told = "" if default is None or default is False else f" (default: {_told(default)})"
    command.add_argument(flag, help=text.replace("%", "%%") + told, default=None, **settings)


def _told(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _add_network(command: argparse.ArgumentParser) -> None:
    _option(
        command, "--network", "kind of network; all but OpenUnmix learn all targets in one",
        choices=NETWORKS,
    )  # fmt: skip
    command.add_argument(
        "--set", dest="arguments", nargs="+", type=argument, default=[], metavar="NAME=VALUE",
        help="of the network's constructor, for example: --network WaveUNet --set filters=12; of "
        f"OpenUnmix: {', '.join(OPEN_UNMIX)}",
    )  # fmt: skip
    _option(
        command, "--hidden-size", "of OpenUnmix: width of the network", type=positive, metavar="N"
    )
    _option(command, "--dropout", "of OpenUnmix: between the LSTM layers", type=float, metavar="P")
    _option(
        command, "--unidirectional", "of OpenUnmix: look only into the past, for live use",
        action="store_true",
    )  # fmt: skip
    _option(
        command, "--initial",
        "start from these weights, for example umx-lite (default: random weights)",
        metavar="NAME_OR_DIR",
    )  # fmt: skip


def _add_material(command: argparse.ArgumentParser) -> None:
    _option(
        command, "--batch-size", "excerpts per step, over all processes", type=positive,
        metavar="N",
    )  # fmt: skip
    _option(command, "--seconds", "length of an excerpt", type=above_zero, metavar="S")
    _option(
        command, "--augmentations", f"how excerpts are varied, of {', '.join(AUGMENTATIONS)}",
        nargs="*", choices=AUGMENTATIONS, metavar="NAME",
    )  # fmt: skip


def _add_descent(command: argparse.ArgumentParser) -> None:
    losses = "; ".join(f"{name}: {', '.join(kind.losses)}" for name, kind in NETWORKS.items())
    _option(
        command, "--loss", f"what to minimise: {losses} (default: the first of them)",
        choices=sorted({loss for kind in NETWORKS.values() for loss in kind.losses}),
        metavar="NAME",
    )  # fmt: skip
    _option(command, "--learning-rate", "Adam's", type=above_zero, metavar="R")
    _option(command, "--weight-decay", "Adam's", type=float, metavar="W")
    _option(command, "--schedule", "how the learning rate goes", choices=SCHEDULES)
    _option(
        command, "--clip", "cut the gradient's norm to this; 0 leaves it", type=float, metavar="N"
    )
    _option(
        command, "--average",
        "keep a running mean of the weights with this decay, for example 0.999; 0 keeps the "
        "weights themselves",
        type=float, metavar="D",
    )  # fmt: skip
    _option(
        command, "--precision", "of matrix products; bf16 or fp16 are faster on many GPUs",
        choices=PRECISIONS,
    )  # fmt: skip


def _add_course(command: argparse.ArgumentParser) -> None:
    _option(
        command, "--steps",
        f"steps of the optimiser (default: {STEPS}, or as many as --minutes allow)",
        type=positive, metavar="N",
    )  # fmt: skip
    _option(
        command, "--minutes",
        "stop after so many minutes of training, all calls together, even if steps are left; with "
        "several targets one after the other, for each",
        type=above_zero, metavar="M",
    )  # fmt: skip
    _option(
        command, "--valid-every", "steps between validations, and states saved", type=positive,
        metavar="N",
    )  # fmt: skip
    _option(
        command, "--patience", "stop after N validations without progress; 0 never stops",
        type=count, metavar="N",
    )  # fmt: skip
    _option(command, "--seed", "everything random follows from it", type=count, metavar="N")
