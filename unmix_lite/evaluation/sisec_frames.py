"""The very seconds that SiSEC 2018 scored, as far as they lie in MUSDB18's 7 s preview.

The campaign (Stöter, Liutkus and Ito 2018) cut each song into frames of 1 s from its start; a clip
of the preview begins somewhere between two of them. A data set's `excerpts.csv` says how far into
the clip the first whole frame lies, so that an SDR on those frames compares directly with the
published ones. (Only the SDR: the filters behind ISR, SIR and SAR were fitted to whole songs.)
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import CorpusError
from ..files import StrPath
from .estimates import Song


@dataclass(frozen=True)
class ScoredFrames:
    """Which seconds of a clip to score: `frames` frames of 1 s from `offset` s on."""

    offset: float
    frames: int

    def cut(self, audio: torch.Tensor, rate: int, what: str = "audio") -> torch.Tensor:
        """Cut `(..., samples)` to `(..., frames * rate)`.

        The offset is rounded to the nearest sample; it is a whole number of them at 44.1 kHz.

        Raises:
            CorpusError: the audio ends before the last frame does.
        """
        start = round(self.offset * rate)
        stop = start + self.frames * rate
        if audio.shape[-1] < stop:
            raise CorpusError(
                f"{what}: {audio.shape[-1] / rate:.2f} s long, but excerpts.csv asks for "
                f"{self.frames} s from {self.offset} s on; is this the 7 s preview?"
            )
        return audio[..., start:stop]


def read_scored_frames(root: StrPath) -> dict[str, ScoredFrames]:
    """Read `excerpts.csv` in the root of a data set.

    Its columns used here are track, clip_offset_s and frames.

    Returns:
        dict song -> Excerpt; empty where there is no such file.

    Raises:
        CorpusError: a column is missing, or a row is not what it should be.
    """
    path = Path(root) / "excerpts.csv"
    if not path.is_file():
        return {}
    excerpts = {}
    with open(path, newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                offset, frames = float(row["clip_offset_s"]), int(row["frames"])
                if not (0 <= offset < math.inf and frames > 0):
                    raise ValueError("clip_offset_s must be 0 or more, frames 1 or more")
                excerpts[row["track"]] = ScoredFrames(offset, frames)
            except (KeyError, TypeError, ValueError) as error:
                raise CorpusError(f"{path}, line {number}: {error!r}.") from error
    return excerpts


def find_scored_frames(track: Song) -> ScoredFrames | None:
    """The Excerpt for a track of an opened corpus, or None: then the whole clip is scored.

    `excerpts.csv` lies in the root, two levels above the song.
    """
    path = getattr(track, "path", None)
    return read_scored_frames(Path(path).parent.parent).get(track.name) if path else None
