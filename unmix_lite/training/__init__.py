"""Training: excerpts, augmentation, losses, the loop and its checkpoints.

A training is a recipe, songs to learn from, songs to judge by, and a folder:

    config = TrainingConfig(targets=("vocals",), minutes=10)
    history = train(config, corpus.tracks("train"), corpus.tracks("valid"), "runs/mine")

The names below are loaded when they are first used: a recipe's defaults can be told without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .augmentation import (
        SPEEDS,
        Parameters,
        augment,
        change_speed,
        change_tempo,
        draw_changes,
        equalise,
        keep_intact,
        needed_samples,
        pitch_shift,
        random_curves,
        random_gains,
        random_intact,
        random_levels,
        random_paces,
        random_swaps,
        scale,
        set_loudness,
        set_paces,
        swap_channels,
    )
    from .batches import Batches, ResidentExcerpts
    from .checkpoints import (
        Interruption,
        collect,
        forget_state,
        load_state,
        restore,
        save_state,
        state_file,
    )
    from .config import STEPS, TrainingConfig
    from .excerpts import Excerpts, read_ahead, to_float
    from .loop import Training, train
    from .losses import LOSSES, LossInputs
    from .networks import input_statistics
    from .schedule import best_of, is_stalled, learning_rate
    from .tasks import MagnitudeTask, TrainingTask, WaveformTask
    from .workers import SharedBatchNorm, Workers

_MODULES = {
    "augmentation": (
        "SPEEDS", "Parameters", "augment", "change_speed", "change_tempo", "draw_changes",
        "equalise", "keep_intact", "needed_samples", "pitch_shift", "random_curves",
        "random_gains", "random_intact", "random_levels", "random_paces", "random_swaps", "scale",
        "set_loudness", "set_paces", "swap_channels",
    ),
    "batches": ("Batches", "ResidentExcerpts"),
    "checkpoints": (
        "Interruption", "collect", "forget_state", "load_state", "restore", "save_state",
        "state_file",
    ),
    "config": ("STEPS", "TrainingConfig"),
    "excerpts": ("Excerpts", "read_ahead", "to_float"),
    "loop": ("Training", "train"),
    "losses": ("LOSSES", "LossInputs"),
    "networks": ("input_statistics",),
    "schedule": ("best_of", "is_stalled", "learning_rate"),
    "tasks": ("MagnitudeTask", "TrainingTask", "WaveformTask"),
    "workers": ("SharedBatchNorm", "Workers"),
}  # fmt: skip

__all__ = [
    "LOSSES", "SPEEDS", "STEPS", "Batches", "Excerpts", "Interruption", "LossInputs",
    "MagnitudeTask", "Parameters", "ResidentExcerpts", "SharedBatchNorm", "Training",
    "TrainingConfig", "TrainingTask", "WaveformTask", "Workers", "augment", "best_of",
    "change_speed", "change_tempo", "collect", "draw_changes", "equalise", "forget_state",
    "input_statistics", "is_stalled", "keep_intact", "learning_rate", "load_state",
    "needed_samples", "pitch_shift", "random_curves", "random_gains", "random_intact",
    "random_levels", "random_paces", "random_swaps", "read_ahead", "restore", "save_state",
    "scale", "set_loudness", "set_paces", "state_file", "swap_channels", "to_float", "train",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """A public name at its first use (PEP 562)."""
    for module, names in _MODULES.items():
        if name in names:
            value = getattr(import_module(f".{module}", __name__), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
