"""Training: excerpts, augmentation, losses, the loop and its checkpoints.

A training is a recipe, songs to learn from, songs to judge by, and a folder:

    config = TrainingConfig(targets=("vocals",), minutes=10)
    history = train(config, corpus.tracks("train"), corpus.tracks("valid"), "runs/mine")
"""

from .augmentation import (
    SPEEDS,
    Intact,
    Shared,
    augment,
    change_speed,
    change_tempo,
    needed_samples,
    pitch_shift,
    random_channel_swap,
    random_filter,
    random_gain,
    random_loudness,
    random_pace,
)
from .checkpoints import Interruption, collect, load_state, restore, save_state
from .config import TrainingConfig
from .excerpts import Excerpts, read_ahead, to_float
from .loop import Training, train
from .losses import LOSSES, LossInputs
from .networks import build_networks, input_statistics
from .schedule import best_of, is_stalled, learning_rate
from .workers import SharedBatchNorm, Workers

__all__ = [
    "LOSSES",
    "SPEEDS",
    "Excerpts",
    "Intact",
    "Interruption",
    "LossInputs",
    "Shared",
    "SharedBatchNorm",
    "Training",
    "TrainingConfig",
    "Workers",
    "augment",
    "best_of",
    "build_networks",
    "change_speed",
    "change_tempo",
    "collect",
    "input_statistics",
    "is_stalled",
    "learning_rate",
    "load_state",
    "needed_samples",
    "pitch_shift",
    "random_channel_swap",
    "random_filter",
    "random_gain",
    "random_loudness",
    "random_pace",
    "read_ahead",
    "restore",
    "save_state",
    "to_float",
    "train",
]
