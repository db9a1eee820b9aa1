"""`unmix-lite separate`: songs in, a folder of stems for each."""

import contextlib
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ..devices import device_of, memory_for
from ..errors import AudioError, UnmixError
from ..files import remove_leftovers
from .song_files import folder_for, songs_of, title_of

if TYPE_CHECKING:
    from ..separation import SongSeparator

MP3_RATE = 48000  # Hz: the highest that MP3 knows


def separate(options: Namespace) -> int:
    """Separate each input into OUTPUT/<song>/<target>.<format>; a failing song is reported."""
    from tqdm import tqdm

    from ..separation import Separator

    songs: dict[str, Path] = {}
    for path in songs_of(options.inputs):
        title = title_of(path)
        if title in songs:
            raise UnmixError(
                f"{songs[title]} and {path} would both be written to {options.output / title}; "
                "separate them into different folders."
            )
        songs[title] = path
    settings = {} if options.iterations is None else {"iterations": options.iterations}
    separator = Separator.from_pretrained(
        options.model, device_of(options.device), options.targets, options.residual, **settings
    )
    comment = f"unmix-lite {options.model} {separator.fingerprint()}"
    failed = 0
    # One bar for several songs; a single song says what it is doing in words.
    for title, path in tqdm(songs.items(), unit="song", disable=len(songs) == 1 or None):
        try:
            with memory_for(str(path), "close other programs, cut it, or take --device cpu"):
                _separate_one(separator, path, title, comment, options)
        except UnmixError as error:
            print(f"unmix-lite: {error}", file=sys.stderr)
            failed = 1
    return failed


def _separate_one(
    separator: "SongSeparator", path: Path, title: str, comment: str, options: Namespace
) -> None:
    folder = folder_for(options.output, title)
    if folder.name != title:
        print(f"{path}: this disk takes no folder of that name; its stems go to {folder}.")
    remove_leftovers(folder)
    prefix = f"{folder.name} - " if options.song_names else ""
    files = {t: folder / f"{prefix}{t}.{options.format}" for t in separator.targets}
    if not options.overwrite and _are_there(path, files, comment):
        print(f"{path}: its stems are in {folder} already; --overwrite separates it again.")
        return
    try:
        _write_stems(separator, path, files, comment)
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()  # an empty one: nothing was written


def _write_stems(
    separator: "SongSeparator", path: Path, files: dict[str, Path], comment: str
) -> None:
    from ..audio import MP3_RATES, load_audio, resample, save_stems

    audio, rate = load_audio(path)
    first = next(iter(files.values()))
    kind = first.suffix.lstrip(".")
    if rate < 16000:
        print(f"{path}: at {rate} Hz it holds nothing above {rate // 2} Hz, nor will its stems.")
    if kind == "mp3" and rate not in MP3_RATES:
        own = min((r for r in MP3_RATES if r >= rate), default=MP3_RATE)
        print(f"{path}: MP3 knows no {rate} Hz; its stems have {own} Hz.")
        audio, rate = resample(audio, rate, own), own
    try:
        blocks = separator.blocks(audio, rate, progress=True)
        lowered = save_stems(files, blocks, len(audio), rate, comment)
    except AudioError as error:
        raise AudioError(f"{path}: {error}") from error
    if lowered:
        # All stems by the same amount, so that they still add up to the song, only softer.
        print(f"{path}: lowered by {lowered:.1f} dB so that nothing clips in {kind}.")
    print(f"{path}: {', '.join(file.name for file in files.values())} in {first.parent}")


def _are_there(path: Path, files: dict[str, Path], comment: str) -> bool:
    """True if the stems are there, as this run would make them.

    Raises:
        UnmixError: some are there, of an interrupted run or of the user's own, or all of another
            model: it is not for us to decide which are wanted.
    """
    from ..audio import comment_of

    there = [file for file in files.values() if file.exists()]
    if not there or len(there) < len(files) and all(comment_of(f) == comment for f in there):
        return False  # or of this very run, which was killed while it put them in their places
    if len(there) < len(files):
        raise UnmixError(f"{path}: {there[0]} is there already; --overwrite replaces it.")
    made = comment_of(there[0])
    if made.startswith("unmix-lite ") and made != comment:
        raise UnmixError(
            f"{path}: its stems in {there[0].parent} are of another run ({made}), and this one is "
            f"{comment}; --overwrite replaces them, or take another --output."
        )
    return True
