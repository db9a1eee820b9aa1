"""A training that can stop at any moment: its whole state in one file, written atomically."""

import json
from pathlib import Path

from safetensors.torch import save_file

from ..audio import atomic
from ..errors import CheckpointError
from ..weights import read_safetensors

_KEY = "unmix_lite_training"


def save_state(path, network, optimizer, progress):
    """Network, Adam's moments, and `progress` (anything JSON can hold) in one safetensors file."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in moments.items()}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with atomic(Path(path)) as partial:
        save_file(tensors, partial, metadata={_KEY: json.dumps(progress)})


def load_state(path, network, optimizer):
    """Put a saved state back into network and optimizer; returns `progress`.

    Raises:
        CheckpointError: not a training state, or one of another network.
    """
    tensors, metadata = read_safetensors(path)
    if _KEY not in metadata:
        raise CheckpointError(f"{path}: holds no training state.")
    moments = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".")
            moments.setdefault(int(index), {})[key] = value
    try:
        network.load_state_dict(
            {n.removeprefix("network."): v for n, v in tensors.items() if n.startswith("network.")}
        )
    except RuntimeError as error:
        raise CheckpointError(
            f"{path}: the state of another network; train into another folder, or with the same "
            "options as before."
        ) from error
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return json.loads(metadata[_KEY])
