"""A training that can stop at any moment: its whole state in one file, written atomically.

The state before the last is kept beside it. A file that a full disk or a failing drive has damaged
is found out by its checksum, and the one before it is used.
"""

import contextlib
import hashlib
import json
import os
import signal
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import torch
from safetensors.torch import save_file
from tqdm import tqdm

from ..errors import CheckpointError
from ..files import atomic
from ..weights import read_safetensors

Tensors = dict[str, torch.Tensor]

_KEY = "unmix_lite_training"


def state_file(folder: Path, name: str) -> Path:
    """Where the state of a training lies; `name` is its recipe's."""
    return folder / f"{name}.state.safetensors"


def save_state(path: str | Path, tensors: Tensors, progress: dict[str, Any]) -> None:
    """Write a state; the one that was there becomes `<path>.previous`.

    Args:
        tensors: a dict of tensors. progress: anything JSON can hold.
    """
    path = Path(path)
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    text = json.dumps(progress)
    with atomic(path) as partial:
        save_file(tensors, partial, metadata={_KEY: text, "checksum": _checksum(tensors, text)})
        if path.is_file():
            os.replace(path, _previous(path))


def forget_state(path: str | Path) -> None:
    """Remove a state and the one before it, so that the training begins anew."""
    for file in (Path(path), _previous(Path(path))):
        file.unlink(missing_ok=True)


def load_state(path: str | Path) -> tuple[Tensors, dict[str, Any]] | None:
    """The newest whole state, as `(tensors, progress)`; None where there is none yet.

    Raises:
        CheckpointError: there are states, and none of them is whole.
    """
    path = Path(path)
    there = [file for file in (path, _previous(path)) if file.is_file()]
    damages = []
    for file in there:
        try:
            state = _read(file)
        except CheckpointError as error:
            damages.append(error)
            continue
        if damages:
            tqdm.write(f"{damages[0]} Going on from the state before it.")
            # Out of the way, or the next state would push the whole one out.
            with contextlib.suppress(FileNotFoundError):  # another process has done it
                os.replace(path, path.with_name(path.name + ".damaged"))
        return state
    if damages:
        names = " and ".join(str(file) for file in there)
        raise CheckpointError(f"{damages[0]} Delete {names} to train anew.")
    return None


def _read(file: Path) -> tuple[Tensors, dict[str, Any]]:
    tensors, metadata = read_safetensors(file)
    if _KEY not in metadata:
        raise CheckpointError(f"{file}: holds no training state.")
    if metadata.get("checksum") != _checksum(tensors, metadata[_KEY]):
        raise CheckpointError(f"{file}: is damaged (its checksum is another).")
    # Copies: Windows replaces no file that is still mapped into memory.
    return {name: value.clone() for name, value in tensors.items()}, json.loads(metadata[_KEY])


def _previous(path: Path) -> Path:
    return path.with_name(path.name + ".previous")


def _checksum(tensors: Tensors, text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def collect(**parts: Any) -> Tensors:
    """The tensors of modules and optimisers, each under its keyword's name."""
    tensors: Tensors = {}
    for part, holder in parts.items():
        if isinstance(holder, torch.optim.Optimizer):
            for index, moments in holder.state_dict()["state"].items():
                tensors |= {f"{part}.{index}.{key}": value for key, value in moments.items()}
        else:
            tensors |= {f"{part}.{name}": value for name, value in holder.state_dict().items()}
    return tensors


def restore(tensors: Tensors, **parts: Any) -> None:
    """Put back what `collect` took.

    Raises:
        CheckpointError: the tensors are of other networks.
    """
    for part, holder in parts.items():
        own = {
            name.removeprefix(f"{part}."): value
            for name, value in tensors.items()
            if name.startswith(f"{part}.")
        }
        if isinstance(holder, torch.optim.Optimizer):
            moments: dict[int, Tensors] = {}
            for name, value in own.items():
                index, key = name.split(".")
                moments.setdefault(int(index), {})[key] = value
            holder.load_state_dict({**holder.state_dict(), "state": moments})
            continue
        try:
            holder.load_state_dict(own)
        except RuntimeError as error:
            raise CheckpointError(
                "the state is of another network; train into another folder, or with the same "
                "options as before."
            ) from error


class Interruption:
    """Turns Ctrl-C, and a request to terminate, into a flag that a loop reads between two steps.

    So that a step is never cut in half. A second Ctrl-C interrupts at once. Outside the main
    thread, where Python delivers no signals, it does nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._kept: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._kept[number] = signal.signal(number, self._request)
        return self

    def __exit__(self, *_: type | BaseException | TracebackType | None) -> None:
        for number, handler in self._kept.items():
            signal.signal(number, handler)

    def _request(self, number: int, _: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
