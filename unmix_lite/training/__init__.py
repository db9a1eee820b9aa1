"""Training: excerpts, augmentation, losses, the loop and its checkpoints.

config = TrainingConfig(targets=("vocals",), minutes=10)
history = train(config, corpus.tracks("train"), corpus.tracks("valid"), "runs/mine")
"""

from .config import TrainingConfig
from .excerpts import Excerpts
from .loop import train
from .losses import LOSSES

__all__ = ["LOSSES", "Excerpts", "TrainingConfig", "train"]
