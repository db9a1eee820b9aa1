"""Sound files: read, checked, resampled and written.

What reads a file gives float32 `(channels, samples)` and a rate in Hz; what writes one writes it
whole or not at all.
"""

from .checks import check_audio
from .contents import holds_sound
from .folders import SoundHeader, sound_header, sounds_in
from .resampling import fit_length, resample, resample_blocks
from .sound_files import (
    MP3_RATES,
    STEM_NAMES,
    check_format,
    comment_of,
    load_audio,
    load_stems,
    save_audio,
    write_audio,
)
from .stem_files import save_stems

__all__ = [
    "MP3_RATES",
    "STEM_NAMES",
    "SoundHeader",
    "check_audio",
    "check_format",
    "comment_of",
    "fit_length",
    "holds_sound",
    "load_audio",
    "load_stems",
    "resample",
    "resample_blocks",
    "save_audio",
    "save_stems",
    "sound_header",
    "sounds_in",
    "write_audio",
]
