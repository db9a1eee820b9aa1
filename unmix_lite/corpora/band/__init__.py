"""The band: a generated data set, so that everything runs without a network.

Songs are composed from a seed and synthesised with NumPy and SciPy, stem by stem:

    compose(seed) -> Song -> play_drums, play_bass, play_other, play_voice -> mix -> files
"""

from .compose import compose
from .render import play, render_band
from .score import Song

__all__ = ["Song", "compose", "play", "render_band"]
