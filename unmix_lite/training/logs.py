"""Curves for TensorBoard, where it is installed; without it, nothing."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from .loop import Training

Log = Callable[[dict[str, float]], None]


@contextlib.contextmanager
def tensorboard_curves(training: "Training", folder: Path) -> Iterator[Log]:
    """A function that logs a dict of numbers, where TensorBoard is installed."""
    writers = _writers() if training.workers.is_main else None
    if writers is None:
        yield lambda values: None
        return
    logs = folder / "logs" / training.config.name
    with writers(logs, purge_step=training.step + 1) as writer:

        def log(values: dict[str, float]) -> None:
            for name, value in values.items():
                writer.add_scalar(name, value, training.step)

        yield log


def _writers() -> type["SummaryWriter"] | None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter
