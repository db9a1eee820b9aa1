"""Excerpts for training: songs decoded once into memory-mapped files, then cut at random.

Decoding a compressed stem takes a hundred times longer than reading it, so nothing is decoded
twice: each song becomes one int16 array `(sources, channels, samples)` on disk that the system
pages in as it is needed. Memory does not grow with the data set.
"""

import hashlib
import itertools
import json
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from ..audio import resample
from ..corpora import Track, problems
from ..errors import CorpusError
from ..files import atomic, cache_folder

FULL_SCALE = 32767


class Excerpts:
    """Random excerpts of a list of tracks.

    Args:
        tracks: each a `corpora.Track`. Mono stems become two equal channels.
        targets: names of the stems, the order of the sources.
        seconds: length of an excerpt.
        rate: in Hz; songs at another rate are resampled while decoding.
        folder: where decoded songs are kept; None uses the cache.

    Raises:
        CorpusError: no tracks, or songs that cannot be used; all of them are named, with what is
            wrong, before anything is decoded.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        targets: Sequence[str],
        seconds: float = 6.0,
        rate: int = 44100,
        folder: str | Path | None = None,
        progress: bool = True,
    ):
        if not tracks:
            raise CorpusError("there are no songs to train on.")
        folder = Path(folder) if folder else cache_folder() / "decoded"
        self.targets = tuple(targets)
        self.samples = round(seconds * rate)
        paths = [_cached(track, self.targets, rate, folder) for track in tracks]
        missing = [(track, path) for track, path in zip(tracks, paths) if not path.is_file()]
        if found := problems([track for track, _ in missing], self.targets):
            raise CorpusError(found)
        # Left out rather than False, which would overrule TQDM_DISABLE.
        quiet: dict[str, Any] = {} if progress and missing else {"disable": True}
        for track, path in tqdm(missing, "decoding", unit="song", **quiet):
            _decode(track, self.targets, rate, path)
        self.songs = [np.load(path, mmap_mode="r") for path in paths]

    def batch(self, rng: np.random.Generator, size: int, remix: bool = True) -> torch.Tensor:
        """Draw excerpts, float32 `(size, sources, channels, samples)`.

        Args:
            rng: a NumPy generator; the same state gives the same batch.
            remix: take each source from a song of its own, so that the network meets mixtures that
                nobody ever recorded (Uhlich et al. 2017); otherwise one song gives all of them.
        """
        return self.cut(*self.draw(rng, size, ("remix",) if remix else ()), as_float=True)

    def draw(
        self, rng: np.random.Generator, size: int, augmentations: Sequence[str] = ()
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which songs, and where in them (0 to 1), each `(size, sources)`.

        "remix" takes every source from a song of its own, "shuffle" from one song but from
        different places in it; with both, each excerpt is of the one or the other kind.
        """
        shape = (size, len(self.targets))
        songs, places = rng.integers(len(self.songs), size=shape), rng.random(shape)
        if "remix" in augmentations and "shuffle" in augmentations:
            apart = rng.random((size, 1)) < 0.5
        else:
            apart = np.full((len(songs), 1), "remix" in augmentations)
        songs = np.where(apart, songs, songs[:, :1])
        if "shuffle" not in augmentations:
            places = np.where(apart, places, places[:, :1])
        return songs, places

    def cut(
        self,
        songs: np.ndarray,
        places: np.ndarray,
        as_float: bool = False,
        out: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Read what `draw` drew, `(size, sources, channels, samples)`.

        int16, half as much to carry to a GPU, which calls `to_float`; or, for a CPU, float32 at
        once: another pass over so much memory would take longer than the reading.

        Args:
            out: an earlier batch of that size, to be overwritten: fresh memory costs more than
                what is written into it.
        """
        if out is None:
            kind = torch.float32 if as_float else torch.int16
            # A GPU fetches from pinned memory by itself, while the CPU goes on.
            pinned = not as_float and torch.cuda.is_available()
            out = torch.empty(*songs.shape, 2, self.samples, dtype=kind, pin_memory=pinned)
        # NumPy's, which starts no threads: torch's would quarrel with those that compute meanwhile.
        array = out.numpy()
        for row, source in np.ndindex(songs.shape):
            song = self.songs[songs[row, source]]
            start = int(places[row, source] * max(1, song.shape[-1] - self.samples + 1))
            for channel in range(2):  # so little at a time stays in the cache until it is scaled
                part = song[source, channel, start : start + self.samples]
                piece = array[row, source, channel]
                piece[: len(part)] = part
                piece[len(part) :] = 0  # a song shorter than the excerpt ends in silence
                if as_float:
                    piece *= np.float32(1 / FULL_SCALE)
        return out

    def whole(self, index: int) -> torch.Tensor:
        """All of one song, float32 `(sources, channels, samples)`."""
        return to_float(torch.from_numpy(self.songs[index].copy()))

    def __len__(self) -> int:
        return len(self.songs)


def read_ahead(read: Callable[..., tuple], first: int = 0) -> Generator[tuple, None, None]:
    """Yield `read(first, None)`, then of `first + 1` and so on; a thread reads one ahead.

    `read(step, out)` returns a tuple that begins with a batch, and writes it into `out`, the batch
    of two steps ago, if there is one: whoever asks for the next has done with the last.
    """
    memory: list[torch.Tensor | None] = [None, None]

    def fill(step: int) -> tuple:
        memory[step % 2], *others = read(step, memory[step % 2])
        return memory[step % 2], *others

    with ThreadPoolExecutor(1) as thread:
        upcoming = thread.submit(fill, first)
        for step in itertools.count(first + 1):
            current, upcoming = upcoming.result(), thread.submit(fill, step)
            yield current


def to_float(stems: torch.Tensor) -> torch.Tensor:
    """int16 -> float32 in -1..1, on whatever device it is; float32 stays as it is."""
    return stems if stems.is_floating_point() else stems.float().mul_(1 / FULL_SCALE)


def _cached(track: Track, targets: tuple[str, ...], rate: int, folder: Path) -> Path:
    """The file of a decoded song; another one as soon as the song, or what is wanted, changes."""
    stamp = [str(track.path.resolve()), targets, rate, _modified(track.path)]
    return folder / f"{hashlib.sha256(json.dumps(stamp).encode()).hexdigest()[:20]}.npy"


def _decode(track: Track, targets: tuple[str, ...], rate: int, path: Path) -> None:
    stems = track.stems(targets)
    audio = torch.stack([resample(stems[name], track.rate, rate) for name in targets])
    # A stem above full scale is scaled down with its song, never clipped.
    audio = audio.expand(-1, 2, -1) / max(1.0, float(audio.abs().max()))
    with atomic(path) as partial:
        np.save(partial, (audio * FULL_SCALE).round().to(torch.int16).numpy())


def _modified(path: Path) -> int:
    """Latest change of a track's files, so that an edited stem is decoded anew."""
    files = path.iterdir() if path.is_dir() else [path]
    return max((file.stat().st_mtime_ns for file in files), default=0)
