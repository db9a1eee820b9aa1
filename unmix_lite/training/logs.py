"""Curves for TensorBoard, where it is installed; without it, nothing."""

import contextlib


@contextlib.contextmanager
def tensorboard_curves(training, folder):
    """A function that logs a dict of numbers, where TensorBoard is installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        SummaryWriter = None
    if SummaryWriter is None or not training.workers.is_main:
        yield lambda values: None
        return
    logs = folder / "logs" / training.config.name
    with SummaryWriter(logs, purge_step=training.step + 1) as writer:

        def log(values):
            for name, value in values.items():
                writer.add_scalar(name, value, training.step)

        yield log
