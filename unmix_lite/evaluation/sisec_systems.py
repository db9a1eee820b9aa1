"""What other systems score: the submissions of SiSEC 2018, song by song.

The signal separation evaluation campaign of 2018 (Stöter, Liutkus and Ito) had 30 systems, oracles
among them, separate the 50 test songs of MUSDB18, and published museval's scores of every second.
`sisec2018.csv.gz` holds their medians twice: over whole songs, and over just the seconds that lie
in the preview's 7 s clips, on which `evaluate` scores a model too. What each system is was taken
from its description among the submissions (github.com/sigsep/sigsep-mus-2018).
"""

import csv
import functools
import gzip
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import UnmixError
from .ratios import METRICS
from .scores import TrackScores

_FILE = Path(__file__).with_name("sisec2018.csv.gz")
_NETWORKS = "networks trained on MUSDB18"
_MORE = "networks trained on more"
_CLASSIC = "methods without training"
_ORACLE = "oracles"
KINDS = ("mixture", _CLASSIC, _NETWORKS, _MORE, _ORACLE)
"""What a published system is, from the least to the most that it knows of the song."""

_SYSTEMS = {
    "MIX": ("mixture", "the mixture, an equal share for each stem"),
    "2DFT": (_CLASSIC, "repetition, from a 2D Fourier transform of the spectrogram"),
    "HPLP": (_CLASSIC, "a high-pass and a low-pass filter at 100 Hz"),
    "HPSS": (_CLASSIC, "median filters: harmonic against percussive"),
    "MELO": (_CLASSIC, "a mask along the pitch of the melody"),
    "REP1": (_CLASSIC, "REPET: what repeats with one period is accompaniment"),
    "REP2": (_CLASSIC, "REPET-SIM: what returns at any time is accompaniment"),
    "RPCA": (_CLASSIC, "a low-rank accompaniment and a sparse voice"),
    "HEL1": (_NETWORKS, "recurrent network, soft masks"),
    "JY1": (_NETWORKS, "denoising auto-encoder with skip connections"),
    "JY2": (_NETWORKS, "as JY1, with an enhancement behind it"),
    "JY3": (_NETWORKS, "denoising auto-encoder with other skip connections"),
    "MDL1": (_NETWORKS, "masker and denoiser, recurrent"),
    "MDLT": (_NETWORKS, "masker and denoiser, with thresholds"),
    "RGT1": (_NETWORKS, "convolutional, eleven frames to one, ratio masks"),
    "RGT2": (_NETWORKS, "convolutional, eleven frames to one, binary masks"),
    "STL1": (_MORE, "Wave-U-Net on waveforms, vocals only"),
    "STL2": (_NETWORKS, "Wave-U-Net on waveforms, four stems"),
    "TAK1": (_NETWORKS, "MMDenseLSTM: dense convolutions with LSTMs"),
    "TAK2": (_MORE, "TAK1 with 804 songs more"),
    "TAK3": (_MORE, "MMDenseNet, with 804 songs more"),
    "TAU1": (_MORE, "TAK3 and UHL3 blended"),
    "UHL1": (_NETWORKS, "three BLSTM layers of 500 and a Wiener filter, as in Open-Unmix"),
    "UHL2": (_NETWORKS, "UHL1 twice, from two seeds, blended"),
    "UHL3": (_MORE, "UHL1 trained on 804 other songs"),
    "WK": (_NETWORKS, "bidirectional GRUs at 32 kHz"),
    "IBM1": (_ORACLE, "ideal binary mask, of magnitudes"),
    "IBM2": (_ORACLE, "ideal binary mask, of powers"),
    "IRM1": (_ORACLE, "ideal ratio mask, of magnitudes"),
    "IRM2": (_ORACLE, "ideal ratio mask, of powers"),
    "MWF": (_ORACLE, "ideal multichannel Wiener filter"),
}


@dataclass(frozen=True)
class PublishedSystem:
    """One submission.

    Args:
        name: the campaign's.
        kind: one of `KINDS`.
        what: in a few words.
        songs: a list of `TrackScores`, one per test song. Each holds a single "frame", the median
            over the frames; the targets are those that were submitted (`accompaniment` among them).
    """

    name: str
    kind: str
    what: str
    songs: list[TrackScores]

    def values(
        self, target: str, metric: str = "SDR", tracks: Iterable[str] | None = None
    ) -> np.ndarray:
        """The songs' medians in dB, `(songs,)`; of these tracks, in their order, or of all 50.

        NaN for songs of which nothing was published, or not for this target.
        """
        scores = {song.track: song for song in self.songs}
        chosen = [scores.get(name) for name in (scores if tracks is None else tracks)]
        return np.array([song.median(target, metric) if song else np.nan for song in chosen])


def published(seconds: str = "clips") -> dict[str, PublishedSystem]:
    """The systems of SiSEC 2018, by name, from the mixture to the oracles.

    Args:
        seconds: "clips": medians over the frames that lie in the preview's clips, to be compared
            with `evaluate` on the preview; "songs": over whole songs, as in the campaign's report.

    Returns:
        dict name -> PublishedSystem.

    Raises:
        UnmixError: other `seconds`.
    """
    if seconds not in ("clips", "songs"):
        raise UnmixError(f"scores were published of 'clips' and 'songs', not of '{seconds}'.")
    rows = _rows()
    systems = {}
    for name, (kind, what) in _SYSTEMS.items():
        songs = []
        for track, targets in rows[name].items():
            values = {
                target: {metric: np.array([scores[f"{metric} {seconds}"]]) for metric in METRICS}
                for target, scores in targets.items()
            }
            songs.append(TrackScores(track, values))
        systems[name] = PublishedSystem(name, kind, what, songs)
    return systems


@functools.cache
def _rows() -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """system -> track -> target -> column -> dB."""
    rows: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    with gzip.open(_FILE, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            scores = rows.setdefault(row.pop("system"), {}).setdefault(row.pop("track"), {})
            target = row.pop("target")
            scores[target] = {column: float(text or math.nan) for column, text in row.items()}
    return rows
