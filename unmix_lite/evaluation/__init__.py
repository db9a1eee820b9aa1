"""Scores: BSS Eval v4, frame by frame, song by song, data set by data set.

Two sets of stems are compared, or a separator is scored on a whole data set:

    scores = bss_eval(references, estimates)  # (sources, samples, channels) -> SDR ISR SIR SAR
    songs = evaluate(separator, corpus.tracks("test"), "scores/my-model")
    print(table(songs))
"""

from .bss_eval_v4 import bss_eval
from .estimates import (
    OracleEstimates,
    Separates,
    Song,
    StoredEstimates,
    TrackEstimates,
    mixture_estimate,
)
from .ladder import LadderEntry, ladder_table, score_systems
from .oracles import ORACLES, oracle
from .ratios import METRICS, frame_sdr, si_sdr, utterance_sdr
from .scores import (
    TrackScores,
    aggregate,
    confidence_interval,
    load_scores,
    mean_over_targets,
    table,
    write_csv,
    write_summary,
)
from .scoring import SongsFailed, evaluate, score_song
from .sisec_frames import ScoredFrames, find_scored_frames, read_scored_frames
from .sisec_systems import KINDS, PublishedSystem, published

__all__ = [
    "KINDS",
    "METRICS",
    "ORACLES",
    "LadderEntry",
    "OracleEstimates",
    "PublishedSystem",
    "ScoredFrames",
    "Separates",
    "Song",
    "SongsFailed",
    "StoredEstimates",
    "TrackEstimates",
    "TrackScores",
    "aggregate",
    "bss_eval",
    "confidence_interval",
    "evaluate",
    "find_scored_frames",
    "frame_sdr",
    "ladder_table",
    "load_scores",
    "mean_over_targets",
    "mixture_estimate",
    "oracle",
    "published",
    "read_scored_frames",
    "score_song",
    "score_systems",
    "si_sdr",
    "table",
    "utterance_sdr",
    "write_csv",
    "write_summary",
]
