"""Training: excerpts, augmentation, the loop and its checkpoints."""

from .excerpts import Excerpts
from .loop import TrainingConfig, train

__all__ = ["Excerpts", "TrainingConfig", "train"]
