"""Where estimates come from, if not from a `Separator`: files, the mixture, the truth itself.

`evaluate` calls what it scores with a song's mixture and rate. What has a method `of_track` is
asked with the track instead: it may look at more than the mixture.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from ..audio import load_audio, sounds_in
from ..corpora import Track
from ..errors import CorpusError, UnmixError
from ..files import StrPath
from ..names import TARGETS
from .oracles import oracle

_LITTLE = 0.25  # s by which an estimate may be longer or shorter: what an MP3 adds, and more


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

    A folder for the split may lie between, `<folder>/test/<song>/`; whatever `load_audio` reads
    will do.

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
            AudioError: a file cannot be read.
        """
        places = [self.folder / track.split / track.name, self.folder / track.name]
        place = next((place for place in places if place.is_dir()), None)
        if place is None:
            raise CorpusError(f"{self.folder}: has no folder '{track.name}' with its estimates.")
        stems = {}
        for name, file in sounds_in(place).items():
            stems[name], rate = load_audio(file)
            if rate != track.rate:
                raise CorpusError(f"{file}: has {rate} Hz, the song {track.rate} Hz.")
        if not stems:
            raise CorpusError(f"{place}: holds no sound files, so no estimates.")
        return stems

    def fingerprint(self) -> str:
        """Eight letters that change with the files: their names, sizes and times."""
        digest = hashlib.sha256()
        for file in sorted(file for file in self.folder.rglob("*") if file.is_file()):
            about = file.stat()
            digest.update(os.fsencode(file.relative_to(self.folder)))
            digest.update(f" {about.st_size} {about.st_mtime_ns}\n".encode())
        return digest.hexdigest()[:8]


def fitted(
    estimates: Mapping[str, Any], targets: Sequence[str], mixture: torch.Tensor, track: Song
) -> tuple[dict[str, torch.Tensor], str]:
    """Estimates with the mixture's shape: mono for both channels, and, as museval does it, a little
    too long cut at the end, or padded with silence.

    Args:
        estimates: dict target -> `(channels, samples)`. mixture: `(channels, samples)`.

    Returns:
        (estimates, change): a dict of the targets, and in words what had to be done, or "".

    Raises:
        UnmixError: one is missing, or has quite another shape.
    """
    found: dict[str, torch.Tensor] = {}
    changes: dict[str, None] = {}
    samples = mixture.shape[-1]
    for target in targets:
        if target not in estimates:
            raise UnmixError(
                f"{track.name}: the separator gave no '{target}', only {', '.join(estimates)}; "
                "name the targets to score."
            )
        estimate = torch.as_tensor(estimates[target]).detach().cpu()
        if len(estimate) == 1 < len(mixture):
            estimate = estimate.expand(len(mixture), -1)
            changes["mono, taken for both channels"] = None
        more = estimate.shape[-1] - samples
        if estimate.ndim != 2 or len(estimate) != len(mixture) or abs(more) > _LITTLE * track.rate:
            raise UnmixError(
                f"{track.name}: the estimate of '{target}' has shape {tuple(estimate.shape)}, the "
                f"mixture {tuple(mixture.shape)}; they must be equal."
            )
        if more:
            done = f"{more} samples longer, cut" if more > 0 else f"{-more} samples shorter, padded"
            changes[f"{done} at the end"] = None
            estimate = torch.nn.functional.pad(estimate, (0, -more))
        found[target] = estimate
    return found, f"estimates are {' and '.join(changes)}." if changes else ""


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
