"""How the learning rate goes, what is best, and when to give up: all from the history alone."""

import math
from typing import Any

from .config import TrainingConfig

History = list[dict[str, Any]]

_FACTOR = 0.3  # what a plateau leaves of the rate, as in the reference


def learning_rate(config: TrainingConfig, fraction: float, history: History) -> float:
    """Adam's rate when `fraction` (0 to 1) of the training is done."""
    if config.schedule == "cosine":
        return config.learning_rate * 0.5 * (1 + math.cos(math.pi * fraction))
    if config.schedule == "plateau":
        return config.learning_rate * _FACTOR ** _plateaus(history, config.plateau)
    return config.learning_rate


def is_stalled(history: History, patience: int) -> bool:
    """Whether the last `patience` validations brought nothing better; 0 has endless patience."""
    if not patience or not history:
        return False
    losses = [row["valid_loss"] for row in history]
    return len(losses) - 1 - losses.index(min(losses)) >= patience


def best_of(history: History, target: str, is_joint: bool = False) -> dict[str, Any]:
    """The validation whose network is kept for a target: its own best step, or the best of all
    together where they share one sum or one network."""
    if is_joint:
        return min(history, key=lambda row: row["valid_loss"])
    return min(history, key=lambda row: row["valid_losses"][target])


def _plateaus(history: History, patience: int) -> int:
    """How often `patience` validations in a row brought nothing better."""
    best, waited, count = math.inf, 0, 0
    for row in history:
        waited = 0 if row["valid_loss"] < best else waited + 1
        best = min(best, row["valid_loss"])
        if waited == patience:
            waited, count = 0, count + 1
    return count
