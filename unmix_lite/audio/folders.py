"""Folders of sound files, and what their headers say, without decoding them."""

from pathlib import Path
from typing import NamedTuple

import soundfile

from ..errors import AudioError
from ..names import TARGETS
from .contents import content, for_ffmpeg, holds_sound, name_for_libsndfile
from .ffmpeg import header_of

_USUAL = (".wav", ".flac", ".ogg", ".mp3")  # not opened to see what they hold
_CANONICAL = {*TARGETS, "mixture"}


class SoundHeader(NamedTuple):
    """What a file says of its sound: samples per channel (0: it does not say), channels, Hz."""

    samples: int
    channels: int
    rate: int


def sounds_in(folder: Path) -> dict[str, Path]:
    """The sound files in a folder, by their names without suffix, sorted; of MUSDB18's stems the
    name is in small letters, however the file's is written.

    Hidden files are left out: they are half-written, or traces of another system.

    Raises:
        AudioError: two files have one name, as vocals.wav and vocals.mp3.
    """
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if file.name.startswith(".") or not file.is_file():
            continue
        if file.suffix.lower() in _USUAL or holds_sound(file):
            name = file.stem.strip() if file.suffix else file.name
            name = name.lower() if name.lower() in _CANONICAL else name
            if name in found:
                raise AudioError(
                    f"{folder}: both {found[name].name} and {file.name} could be '{name}'; take "
                    "one of them out."
                )
            found[name] = file
    return found


def sound_header(path: Path) -> SoundHeader:
    """What a sound file's header says.

    Raises:
        AudioError: it is no sound, or needs ffmpeg, which is not there.
    """
    if not for_ffmpeg(content(path)):
        try:
            info = soundfile.info(name_for_libsndfile(path))
            return SoundHeader(info.frames, info.channels, info.samplerate)
        except (soundfile.SoundFileError, RuntimeError):
            pass  # ffmpeg knows more kinds
    return SoundHeader(0, *header_of(path))
