"""Networks on disk: one safetensors file per target, with what it takes to rebuild it inside.

The file's header holds a JSON text: model, arguments, STFT, rate, target, and how it was trained.
A folder of such files is a separator (`Separator.from_pretrained(folder)`).
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from .. import models
from ..errors import CheckpointError
from ..files import StrPath, atomic

_KEY = "unmix_lite"


FORMAT = 1
"""Version of the description in a file; a higher one means that an older package misreads it."""


@dataclass
class NetworkCard:
    """What a network is and how it must be fed.

    Attributes:
        target: the stem that it estimates; of a network that gives several, all, joined.
        model: its class, a name of `models.MODELS`; arguments: the constructor's.
        n_fft, hop_length: of the STFT that it was trained on, in samples; without meaning for
            networks that take sound.
        rate: in Hz.
        training: how it was trained, for the record (free form).
        format: version of this description; files without it are of version 1.
    """

    target: str
    model: str
    arguments: dict[str, Any]
    n_fft: int = 4096
    hop_length: int = 1024
    rate: int = 44100
    training: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT


# What constructors and lookups raise when a description holds what nobody expects there.
_BAD_VALUES = (ValueError, TypeError, AttributeError, RuntimeError, LookupError, ArithmeticError)

LoadedNetwork = tuple[nn.Module, NetworkCard]
"""A network, and what it is."""


def save_network(
    folder: StrPath, network: nn.Module, card: NetworkCard, half: bool = False
) -> Path:
    """Write `folder/<target>.safetensors`, atomically.

    Args:
        half: store floating-point parameters as float16, half the size. What must stay exact,
            the running statistics and the per-bin scales (1e-4 apart in size), stays float32.
    """
    tensors = {}
    for name, value in network.state_dict().items():
        shrink = half and value.ndim >= 2
        tensors[name] = (
            value.detach().cpu().to(torch.float16 if shrink else value.dtype).contiguous()
        )
    path = Path(folder) / f"{card.target}.safetensors"
    with atomic(path) as partial:
        save_file(tensors, partial, metadata={_KEY: json.dumps(asdict(card))})
    return path


def load_network(path: StrPath, device: str | torch.device = "cpu") -> LoadedNetwork:
    """Read a network and its card; the network is in eval mode, float32.

    Raises:
        CheckpointError: missing, truncated or foreign file, or weights that do not fit the model.
    """
    tensors, metadata = read_safetensors(path)
    if _KEY not in metadata:
        raise CheckpointError(
            f"{path}: a safetensors file, but not one of unmix-lite's networks (its header has no "
            f"'{_KEY}' entry)."
        )
    card = _read_card(path, metadata[_KEY])
    try:
        with torch.device("meta"):  # takes no memory, whatever the description asks for
            _fit(models.build(card.model, **card.arguments), tensors)
        network = models.build(card.model, **card.arguments)
    except _Misfit as error:
        raise CheckpointError(
            f"{path}: the weights do not fit a {card.model} ({error})."
        ) from error
    except _BAD_VALUES as error:
        raise CheckpointError(
            f"{path}: its description is not understood ({_first_line(error)})."
        ) from error
    network.load_state_dict({k: _float32(v) for k, v in tensors.items()}, strict=True)
    return network.to(device).eval(), card


class _Misfit(Exception):
    """Weights of another shape than the network's."""


def _fit(network: nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    for name in sorted({*wanted, *found}):
        if wanted.get(name) != found.get(name):
            raise _Misfit(
                f"{name}: {found.get(name, 'is missing')}, where {wanted.get(name, 'nothing')} "
                "is expected"
            )


def _read_card(path: StrPath, text: str) -> NetworkCard:
    """The description in a file, checked field by field: any program may have written it."""
    try:
        description = json.loads(text)
        if description.get("format", FORMAT) > FORMAT:
            raise CheckpointError(
                f"{path}: is of format {description['format']}, and this unmix-lite reads up to "
                f"{FORMAT}; update it: pip install -U unmix-lite."
            )
        card = NetworkCard(**description)
        for name, kind in (("target", str), ("model", str), ("arguments", dict)):
            if not isinstance(getattr(card, name), kind):
                raise TypeError(f"{name} is {getattr(card, name)!r}")
        for name, most in (("n_fft", 1 << 20), ("hop_length", 1 << 19), ("rate", 10**6)):
            value = getattr(card, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
                raise ValueError(f"{name} is {value!r}")
    except _BAD_VALUES as error:
        raise CheckpointError(
            f"{path}: its description is not understood ({_first_line(error)})."
        ) from error
    return card


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:160]


def targets_in(path: StrPath) -> list[str]:
    """The stems that the network in a file gives; told by its name if the file is unreadable."""
    try:
        with safe_open(path, "pt") as file:
            card = json.loads((file.metadata() or {})[_KEY])
        return card["arguments"].get("targets") or [card["target"]]
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return [Path(path).stem]


def read_safetensors(path: StrPath) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """All tensors and the metadata of a safetensors file.

    Raises:
        CheckpointError: missing, truncated or another kind of file.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file.")
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path}: not a whole safetensors file ({error}); copy or train it again."
        ) from error


def _float32(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value
