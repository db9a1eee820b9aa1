"""Training: excerpts, augmentation, losses, the loop and its checkpoints.

A training is a recipe, songs to learn from, songs to judge by, and a folder:

    config = TrainingConfig(targets=("vocals",), minutes=10)
    history = train(config, corpus.tracks("train"), corpus.tracks("valid"), "runs/mine")
"""

from .config import TrainingConfig
from .excerpts import Excerpts
from .loop import train
from .losses import LOSSES

__all__ = ["LOSSES", "Excerpts", "TrainingConfig", "train"]
