"""Plays songs, and writes a corpus of them in the layout of MUSDB18-HQ."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from tqdm import tqdm

from ...errors import CorpusError
from ...files import StrPath, atomic, begun_here, remove_leftovers, room_in
from .bass import play_bass
from .compose import compose
from .drums import play_drums
from .guitar import play_guitar
from .keys import play_keys
from .mix import SEED_ORDER, mix
from .names import SONGS_WITH_A_NAME, name_song
from .other_parts import GUITARS
from .score import Song
from .signals import samples
from .voice import play_voice

# Raised whenever the same parameters would sound different, so that old renderings are noticed.
VERSION = 1
MARKER = "band.json"
# Stands in a corpus that is not finished yet, with the same content.
_UNFINISHED = "band.unfinished.json"


def play_other(song: Song, rate: int, rng: np.random.Generator) -> np.ndarray:
    """The stem "other", `(2, samples)`, dry: guitars and keyboards together."""
    out = np.zeros((2, samples(song.seconds, rate)))
    for rank, part in enumerate(song.other):
        play = play_guitar if part.instrument in GUITARS else play_keys
        sound = play(part, song.seconds, rate, rng)
        # The first instrument leads; equal levels would hide the second one's part in it.
        out += sound * (1.0 if rank == 0 else 0.6) / (np.sqrt((sound**2).mean()) + 1e-6)
    return out


PLAYERS = {"drums": play_drums, "bass": play_bass, "other": play_other, "vocals": play_voice}


def play(song: Song, rate: int = 44100, seed: int | Sequence[int] = 0) -> dict[str, np.ndarray]:
    """Play and mix a `Song`.

    Returns a dict with int16 arrays `(2, samples)`: "mixture", which is exactly the sum of
    "drums", "bass", "other" and "vocals". `seed` (an int, or a sequence of them) fixes the players'
    small inaccuracies and the sounds they choose. Each stem has its own random numbers, so that one
    may be changed without touching the others.
    """
    root = list(np.atleast_1d(seed))
    stems = {
        target: PLAYERS[target](song, rate, np.random.default_rng([*root, 100 + order]))
        for order, target in enumerate(SEED_ORDER)
    }
    return mix(stems, rate, np.random.default_rng([*root, 200]))


def render_band(
    root: StrPath,
    train: int = 20,
    test: int = 5,
    seconds: float = 10.0,
    rate: int = 44100,
    seed: int = 0,
    progress: bool = True,
) -> Path:
    """Write a corpus of generated songs in the layout of MUSDB18-HQ, and return its folder.

    Each song is a folder `<Artist - Title>` below `train` or `test` with `mixture.wav`,
    `drums.wav`, `bass.wav`, `other.wav` and `vocals.wav`, stereo, 16-bit PCM. The same arguments
    give the same samples, and song number i of a split does not depend on how many there are.

    root: folder to write to, new, empty, or one that an interrupted call left, which is completed.
    train, test: numbers of songs. seconds: length of each, 2 to 600. rate: Hz, 8000 to 48000.
    Raises `CorpusError` for arguments out of range, and for a folder that holds anything else or
    cannot be written.
    """
    root = Path(root).expanduser()
    parameters = _checked(train, test, seconds, rate, seed)
    songs = [
        (split, index, " - ".join(name_song(seed, split, index)))
        for split, count in (("train", train), ("test", test))
        for index in range(count)
    ]
    try:
        is_finished = _claim(root, parameters)
        missing = [song for song in songs if not _is_whole(root / song[0] / song[2])]
        if missing or not is_finished:
            _render(root, missing, parameters, progress)
    except (OSError, soundfile.LibsndfileError) as error:
        raise CorpusError(f"Cannot write the band to {root}: {error}") from error
    return root


def _render(
    root: Path,
    missing: Sequence[tuple[str, int, str]],
    parameters: Mapping[str, Any],
    progress: bool,
) -> None:
    """Play and write the missing songs, then tidy up and mark the corpus as finished."""
    seconds, rate, seed = (parameters[key] for key in ("seconds", "rate", "seed"))
    for split in ("train", "test"):
        (root / split).mkdir(exist_ok=True)
    # `disable=False` would overrule the environment's TQDM_DISABLE.
    quiet = {} if progress else {"disable": True}
    for split, index, name in tqdm(missing, desc="The band", unit="song", **quiet):
        song = compose(seed, seconds, split, index)
        sounds = play(song, rate, [seed, 1 if split == "test" else 0, index])
        _write_song(root, root / split / name, sounds, rate)
    _write_marker(root / MARKER, parameters)
    (root / _UNFINISHED).unlink(missing_ok=True)


def _checked(train: int, test: int, seconds: float, rate: int, seed: int) -> dict[str, Any]:
    """The parameters as the marker stores them; one line of complaint if they cannot be played."""
    if min(train, test) < 0 or not 0 < train + test <= SONGS_WITH_A_NAME:
        raise CorpusError(f"Cannot render {train} + {test} songs: give at least one in all.")
    if not 2 <= seconds <= 600:
        raise CorpusError(f"Songs of {seconds} s cannot be rendered: give 2 to 600 seconds.")
    if not (8000 <= rate <= 48000 and rate == int(rate)):
        raise CorpusError(f"The band cannot play at {rate} Hz: give a whole rate, 8000 to 48000.")
    if seed < 0:
        raise CorpusError(f"The seed is {seed}: give a whole number, 0 or more.")
    return {
        "format": "unmix-lite band", "version": VERSION, "train": train, "test": test,
        "seconds": float(seconds), "rate": int(rate), "seed": int(seed),
    }  # fmt: skip


def _claim(root: Path, parameters: Mapping[str, Any]) -> bool:
    """Mark `root` as this corpus's, unless it is taken. True if it was finished before."""
    if root.exists() and not root.is_dir():
        raise CorpusError(f"{root} is a file: name a folder for the band.")
    remove_leftovers(root)
    for marker in (root / MARKER, root / _UNFINISHED):
        if marker.exists():
            found = _read_marker(marker)
            if found != parameters:
                raise CorpusError(
                    f"{root} holds another rendering of the band "
                    f"({_differences(found, parameters)}): choose another folder, or delete this."
                )
            if marker.name == MARKER and (root / _UNFINISHED).exists():
                (root / _UNFINISHED).unlink()  # of a process killed at its very end
            return marker.name == MARKER
    if root.is_dir() and any(root.iterdir()):
        raise CorpusError(f"{root} is not empty and not the band's: choose another folder.")
    root.mkdir(parents=True, exist_ok=True)
    _write_marker(root / _UNFINISHED, parameters)
    return False


def _read_marker(marker: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(marker.read_text()))
    except (ValueError, TypeError):
        raise CorpusError(f"{marker} is damaged: delete its folder and render again.") from None


def _write_marker(path: Path, parameters: Mapping[str, Any]) -> None:
    with atomic(path) as partial:
        partial.write_text(json.dumps(parameters, indent=2) + "\n")


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key} {found.get(key)} instead of {value}"
        for key, value in wanted.items()
        if found.get(key) != value
    )


def _is_whole(folder: Path) -> bool:
    """True if the song is there, False if not; one that lost a file is the user's matter."""
    if not folder.is_dir():
        return False
    for name in ("mixture", *SEED_ORDER):
        if not (folder / f"{name}.wav").is_file():
            raise CorpusError(f"{folder} lacks {name}.wav: delete that folder and render again.")
    return True


def _write_song(root: Path, folder: Path, sounds: Mapping[str, np.ndarray], rate: int) -> None:
    """Write under a temporary name and rename, so that a song is there whole or not at all."""
    # Not inside the split's folder: musdb takes every folder there for a song.
    partial = root / f".{begun_here()}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        for name, sound in sounds.items():
            with room_in(root):
                soundfile.write(partial / f"{name}.wav", sound.T, rate, subtype="PCM_16")
        try:
            os.replace(partial, folder)
        except OSError:
            if not _is_whole(folder):  # else another process was faster with the same song
                raise
            shutil.rmtree(partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
