"""The songs that `separate` is given, and the files that it writes."""

import contextlib
import glob
import re
from collections.abc import Iterable
from pathlib import Path

from ..errors import UnmixError

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def songs_of(inputs: Iterable[Path]) -> list[Path]:
    """Files for files, folders and patterns (which not every shell expands), each once.

    Raises:
        UnmixError: a folder without sound files, or a pattern that nothing matches.
    """
    found: dict[Path, None] = {}
    for given in inputs:
        if given.is_dir():
            files = [file for file in sorted(given.iterdir()) if _is_song(file)]
            if not files:
                raise UnmixError(f"{given}: there are no sound files in this folder.")
        elif not given.exists() and glob.has_magic(str(given)):
            files = sorted(Path(name) for name in glob.glob(str(given)) if _is_song(Path(name)))
            if not files:
                raise UnmixError(f"{given}: no sound file has a name like this.")
        else:
            files = [given]
        found.update(dict.fromkeys(files))
    return list(found)


def _is_song(file: Path) -> bool:
    from ..audio import holds_sound

    return file.is_file() and not file.name.startswith(".") and holds_sound(file)


def title_of(song: Path) -> str:
    """A song's name without what says its format."""
    return song.stem.removesuffix(".stem") if song.suffix else song.name


def folder_for(output: Path, title: str) -> Path:
    """The folder of a song's stems, made; under another name where the disk does not take its own.

    Raises:
        OSError: it cannot be made at all.
    """
    folder = output / title
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        # Some disks drop a blank or a full stop at the end of a name without a word.
        if any(entry.name == title for entry in output.iterdir()):
            return folder
    folder = output / valid(title)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def valid(name: str) -> str:
    """A name that every disk takes, Windows and FAT, too."""
    name = _FORBIDDEN.sub("_", name).rstrip(" .") or "song"
    return f"_{name}" if _RESERVED.fullmatch(name) else name
