"""Which models there are, and their networks from disk."""

import os
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

from ..errors import CheckpointError
from ..files import StrPath
from ..names import TARGETS
from .network_files import LoadedNetwork, load_network, targets_in
from .official import DEMUCS, OFFICIAL, load_demucs, load_official

PRETRAINED = Path(__file__).parents[1] / "pretrained"
"""The folder of the models that come with the package."""
DEFAULT = "umx-lite"
"""The model that is taken where none is named."""


def pretrained_names() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(folder.name for folder in PRETRAINED.iterdir() if folder.is_dir())


def load_networks(
    name_or_dir: StrPath, targets: Sequence[str] | None = None
) -> dict[str, LoadedNetwork]:
    """A dict target -> (network, card) of a model, in the order of the stems.

    Args:
        name_or_dir, targets: as for `Separator.from_pretrained`.

    Raises:
        CheckpointError: as there.
    """
    loaders = _loaders(os.fspath(name_or_dir))
    for target in targets or loaders:
        if target not in loaders:
            raise CheckpointError(
                f"{name_or_dir}: has no target '{target}'; it has {', '.join(loaders)}."
            )
    loaded = {target: loaders[target]() for target in targets or loaders}
    kinds = {(card.model, card.rate, card.n_fft, card.hop_length) for _, card in loaded.values()}
    if len(kinds) > 1:
        raise CheckpointError(
            f"{name_or_dir}: its networks differ in kind, rate or STFT; keep them apart."
        )
    return loaded


def is_official(name_or_dir: StrPath) -> bool:
    """Whether this names networks that Open-Unmix published, and no folder."""
    return os.fspath(name_or_dir) in OFFICIAL and not Path(name_or_dir).is_dir()


def targets_of(name_or_dir: StrPath) -> list[str]:
    """The stems that a model gives, in order; raises a CheckpointError if there is none."""
    return list(_loaders(os.fspath(name_or_dir)))


def _loaders(name: str) -> dict[str, Callable[[], LoadedNetwork]]:
    """Of a model's targets, in order, each with a function that gives its network and card."""
    if is_official(name):
        return {target: partial(load_official, name, target) for target in OFFICIAL[name].files}
    if name == DEMUCS and not Path(name).is_dir():
        return dict.fromkeys(TARGETS, cache(load_demucs))
    folder = _folder(name)
    files = {
        file.stem: file for file in sorted(folder.glob("*.safetensors")) if "." not in file.stem
    }
    if not files:
        raise CheckpointError(f"{folder}: holds no weights (no <target>.safetensors).")
    loaders: dict[str, Callable[[], LoadedNetwork]] = {}
    for file in files.values():
        load = cache(partial(load_network, file))  # one file may give several stems
        loaders |= dict.fromkeys(targets_in(file), load)
    ordered = [target for target in TARGETS if target in loaders]
    ordered += [target for target in loaders if target not in ordered]
    return {target: loaders[target] for target in ordered}


def _folder(name: str) -> Path:
    """The folder of a model's weights."""
    if (PRETRAINED / name).is_dir() and Path(name).name == name and name:
        return PRETRAINED / name
    if Path(name).is_dir():
        return Path(name)
    raise CheckpointError(
        f"'{name}': no such model; use {', '.join(pretrained_names())}, one that is downloaded "
        f"({', '.join([*OFFICIAL, DEMUCS])}), or a folder of weights."
    )
