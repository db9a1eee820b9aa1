"""What may stand behind an option, for argparse: each takes the text and gives the value."""

import argparse
import json
from typing import Any


def count(text: str) -> int:
    """0, 1, 2 ..."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return number


def positive(text: str) -> int:
    """1, 2, 3 ..."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def argument(text: str) -> tuple[str, Any]:
    """`name=value`, the value as JSON writes it: a number, true, [1, 2]."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not name=number") from None


def above_zero(text: str) -> float:
    """A number above 0."""
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number
