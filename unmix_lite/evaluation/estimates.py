"""Where estimates come from, if not from a `Separator`: files, the mixture, the truth itself.

`evaluate` calls what it scores with a song's mixture and rate. What has a method `of_track` is
asked with the track instead: it may look at more than the mixture.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from ..audio import load_audio
from ..corpora import Track
from ..errors import CorpusError, UnmixError
from ..files import StrPath
from ..names import TARGETS
from .oracles import oracle

_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")


class Song(Protocol):
    """What `evaluate` asks of a song; a corpus's `Track` is one, and so may be your own."""

    @property
    def name(self) -> str: ...

    @property
    def rate(self) -> int: ...

    def mixture(self) -> torch.Tensor: ...

    def stems(self) -> dict[str, torch.Tensor]: ...


class TrackEstimates(Protocol):
    """What is asked with the song itself; see above."""

    def of_track(self, track: Any) -> Mapping[str, torch.Tensor]: ...


Separates = Callable[[torch.Tensor, int], Mapping[str, torch.Tensor]] | TrackEstimates
"""What `evaluate` scores."""


def mixture_estimate(
    audio: torch.Tensor, rate: int | None = None, targets: Sequence[str] = TARGETS
) -> dict[str, torch.Tensor]:
    """The baseline that separates nothing: every target gets an equal share of the mixture.

    With the four targets this is the `MIX` of SiSEC 2018, a quarter of the mixture for each; the
    whole mixture would score some 6 dB lower. Use it where `evaluate` wants a separator.
    """
    return {target: audio / len(targets) for target in targets}


class StoredEstimates:
    """Anybody's stems on disk: `<folder>/<song>/<target>.wav`, as SiSEC's participants sent them.

    A folder for the split may lie between, `<folder>/test/<song>/`; WAV, FLAC, OGG and MP3 do.

    Raises:
        UnmixError: there is no such folder.
    """

    def __init__(self, folder: StrPath) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise UnmixError(f"{folder}: there is no such folder of estimates.")

    def of_track(self, track: Track) -> dict[str, torch.Tensor]:
        """The song's stems, dict target -> float32 `(channels, samples)`.

        Raises:
            CorpusError: there is no folder for the song, or nothing in it; the rate differs.
        """
        places = [self.folder / track.split / track.name, self.folder / track.name]
        place = next((place for place in places if place.is_dir()), None)
        if place is None:
            raise CorpusError(f"{self.folder}: has no folder '{track.name}' with its estimates.")
        stems = {}
        for file in sorted(place.iterdir()):
            if file.suffix.lower() in _SUFFIXES:
                stems[file.stem], rate = load_audio(file)
                if rate != track.rate:
                    raise CorpusError(f"{file}: has {rate} Hz, the song {track.rate} Hz.")
        if not stems:
            raise CorpusError(f"{place}: holds no estimates ({', '.join(_SUFFIXES)}).")
        return stems


class OracleEstimates:
    """One of the campaign's oracles, made from the true stems of each song.

    Args:
        name: one of `ORACLES`.
        settings: of `oracle`: n_fft, hop_length.
    """

    def __init__(self, name: str, **settings: int) -> None:
        self.name, self.settings = name, settings

    def of_track(self, track: Song) -> dict[str, torch.Tensor]:
        return oracle(self.name, track.stems(), track.mixture(), **self.settings)
