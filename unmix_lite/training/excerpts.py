"""Excerpts for training: songs decoded once into memory-mapped files, then cut at random.

Decoding a compressed stem takes a hundred times longer than reading it, so nothing is decoded
twice: each song becomes one int16 array `(sources, channels, samples)` on disk that the system
pages in as it is needed. Memory does not grow with the data set.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ..audio import atomic, resample
from ..corpora import cache_folder
from ..errors import CorpusError

_FULL_SCALE = 32767


class Excerpts:
    """Random excerpts of a list of tracks.

    Args:
        tracks: `corpora.Track`s.
        targets: names of the stems, the order of the sources.
        seconds: length of an excerpt.
        rate: in Hz; songs at another rate are resampled while decoding.
        folder: where decoded songs are kept; None uses the cache.

    Raises:
        CorpusError: no tracks, a missing stem, a song that is not stereo.
    """

    def __init__(self, tracks, targets, seconds=6.0, rate=44100, folder=None, progress=True):
        if not tracks:
            raise CorpusError("there are no songs to train on.")
        folder = Path(folder) if folder else cache_folder() / "decoded"
        self.targets = tuple(targets)
        self.samples = round(seconds * rate)
        # Left out rather than False, which would overrule TQDM_DISABLE.
        quiet = {} if progress else {"disable": True}
        self.songs = [
            _decoded(track, self.targets, rate, folder)
            for track in tqdm(tracks, "decoding", unit="song", **quiet)
        ]

    def batch(self, rng, size, remix=True):
        """Draw excerpts, float32 `(size, sources, channels, samples)`.

        Args:
            rng: a NumPy generator; the same state gives the same batch.
            remix: take each source from a song of its own, so that the network meets mixtures that
                nobody ever recorded (Uhlich et al. 2017); otherwise one song gives all of them.
        """
        stems = np.zeros((size, len(self.targets), 2, self.samples), np.float32)
        for row in stems:
            song = rng.integers(len(self.songs))
            start = self._start(rng, song)
            for source, excerpt in enumerate(row):
                if remix:
                    song = rng.integers(len(self.songs))
                    start = self._start(rng, song)
                cut = self.songs[song][source, :, start : start + self.samples]
                excerpt[:, : cut.shape[-1]] = cut  # a song shorter than the excerpt ends in silence
        return torch.from_numpy(stems) / _FULL_SCALE

    def whole(self, index):
        """All of one song, float32 `(sources, channels, samples)`."""
        return torch.from_numpy(self.songs[index].astype(np.float32)) / _FULL_SCALE

    def __len__(self):
        return len(self.songs)

    def _start(self, rng, song):
        return rng.integers(max(1, self.songs[song].shape[-1] - self.samples + 1))


def _decoded(track, targets, rate, folder):
    """The memory map of one song, decoded first where that has not been done."""
    stamp = [str(track.path.resolve()), targets, rate, _modified(track.path)]
    key = hashlib.sha256(json.dumps(stamp).encode()).hexdigest()[:20]
    path = folder / f"{key}.npy"
    if not path.is_file():
        stems = track.stems(targets)
        audio = torch.stack([resample(stems[name], track.rate, rate) for name in targets])
        if audio.shape[1] != 2:
            raise CorpusError(
                f"{track.path}: the stems have {audio.shape[1]} channels; training takes stereo."
            )
        # A stem above full scale is scaled down with its song, never clipped.
        audio = audio / max(1.0, float(audio.abs().max()))
        with atomic(path) as partial:
            np.save(partial, (audio * _FULL_SCALE).round().to(torch.int16).numpy())
    return np.load(path, mmap_mode="r")


def _modified(path):
    """Latest change of a track's files, so that an edited stem is decoded anew."""
    return max(file.stat().st_mtime_ns for file in ([*path.iterdir()] if path.is_dir() else [path]))
