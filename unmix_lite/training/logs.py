"""Curves for TensorBoard, where it is installed; without it, nothing."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

Log = Callable[[int, dict[str, float]], None]


@contextlib.contextmanager
def tensorboard_curves(folder: Path | None, first: int) -> Iterator[Log]:
    """A function that logs the numbers of a step, a dict, where TensorBoard is installed.

    Args:
        folder: where the curves go; None logs nothing.
        first: the first step to come; what an interrupted run logged from there on is forgotten.
    """
    writers = _writers() if folder else None
    if writers is None:
        yield lambda step, values: None
        return
    with writers(folder, purge_step=first) as writer:

        def log(step: int, values: dict[str, float]) -> None:
            for name, value in values.items():
                writer.add_scalar(name, value, step)

        yield log


def _writers() -> type["SummaryWriter"] | None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter
