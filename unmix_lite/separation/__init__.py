"""Separation: a song in, its stems out, in memory that does not grow with the song.

`Separator` runs networks that estimate magnitudes, `AudioSeparator` one that gives sound, and
`Stream` separates a song while it plays.
"""

from .audio_separator import AudioSeparator
from .ensemble import Ensemble
from .long_song import estimate_magnitudes
from .separator import Separator
from .song_separator import SongSeparator
from .stream import Stream
from .wiener_stage import WienerFilter

__all__ = [
    "AudioSeparator",
    "Ensemble",
    "Separator",
    "SongSeparator",
    "Stream",
    "WienerFilter",
    "estimate_magnitudes",
]
