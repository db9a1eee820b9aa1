"""What a network is built with: the arguments of a recipe, completed and checked."""

import inspect
from typing import Any

from ..errors import UnmixError
from ..models import MODELS
from ..names import NETWORKS, OPEN_UNMIX


def complete_arguments(network: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a recipe with the defaults filled in, as JSON would give them back.

    Args:
        network: a class of networks, one of `models.MODELS`.
        arguments: those that the recipe names.

    Raises:
        UnmixError: the network has no such argument, or not of that kind or size.
    """
    defaults = {name: _listed(value) for name, value in _defaults(network).items()}
    for name, value in arguments.items():
        if name not in defaults:
            raise UnmixError(f"{network}: has no argument '{name}'; it has {', '.join(defaults)}.")
        if not _is_like(_listed(value), defaults[name]):
            raise UnmixError(
                f"{network}: its {name} is something like {defaults[name]}, not {value!r}."
            )
    complete = {**defaults, **{name: _listed(value) for name, value in arguments.items()}}
    if NETWORKS[network].one_per_target:
        _check_open_unmix(complete)
    return complete


def _defaults(network: str) -> dict[str, Any]:
    """For a laptop; of the other networks all that the constructor takes, but what every recipe
    says."""
    if NETWORKS[network].one_per_target:
        return OPEN_UNMIX
    taken = inspect.signature(MODELS[network]).parameters.values()
    return {one.name: one.default for one in taken if one.name not in ("targets", "rate")}


def _check_open_unmix(arguments: dict[str, Any]) -> None:
    for name in ("hidden_size", "max_bin", "n_fft", "hop_length"):
        if arguments[name] < 1:
            raise UnmixError(f"{name} must be above 0, not {arguments[name]}.")
    if not 0 <= arguments["dropout"] < 1:
        raise UnmixError(f"dropout must lie in 0..1, below 1, not {arguments['dropout']}.")
    width, window, hop = (arguments[name] for name in ("hidden_size", "n_fft", "hop_length"))
    if width % 2 and not arguments["unidirectional"]:
        raise UnmixError(f"hidden_size must be even, half for each direction: {width}.")
    if hop > window // 2:
        raise UnmixError(f"hop_length must be at most half of n_fft, {window // 2}: {hop}.")


def _listed(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    return list(value) if isinstance(value, tuple) else value


def _is_like(value: Any, default: Any) -> bool:
    """Whether a value is of its default's kind; a whole number may stand for any number."""
    if isinstance(default, list):
        return isinstance(value, list) and all(_is_like(one, default[0]) for one in value)
    kinds = (int, float) if type(default) is float else (type(default),)
    return type(value) in kinds
