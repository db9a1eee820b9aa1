"""The command line: `unmix-lite separate | train | evaluate | ladder | corpus | export`.

`parser` holds the options in words, `commands` what they do.
"""

from .commands import main

__all__ = ["main"]
