"""Scores: BSS Eval v4, frame by frame, song by song, data set by data set.

    scores = bss_eval(references, estimates)     # (sources, samples, channels) -> SDR ISR SIR SAR
    songs = evaluate(separator, corpus.tracks("test"), "scores/my-model")
    print(table(songs))
"""

from .bss_eval import bss_eval
from .campaign import Excerpt, find_excerpts, read_excerpts
from .estimates import OracleEstimates, StoredEstimates, mixture_estimate
from .evaluate import evaluate, score_song
from .listening import (
    AbxTest,
    MushraTest,
    at_sdr,
    guessing,
    loudness,
    low_pass,
    match_loudness,
    read_ratings,
    summarize_ratings,
    unreliable,
)
from .oracles import ORACLES, oracle
from .published import KINDS, PublishedSystem, published
from .ratios import METRICS, frame_sdr, si_sdr, utterance_sdr
from .scores import (
    TrackScores,
    aggregate,
    confidence_interval,
    load_scores,
    mean_over_targets,
    table,
    write_csv,
)  # fmt: skip

__all__ = [
    "KINDS", "METRICS", "ORACLES", "AbxTest", "Excerpt", "MushraTest", "OracleEstimates",
    "PublishedSystem", "StoredEstimates", "TrackScores", "aggregate", "at_sdr", "bss_eval",
    "confidence_interval", "evaluate", "find_excerpts", "frame_sdr", "guessing", "load_scores",
    "loudness", "low_pass", "match_loudness", "mean_over_targets", "mixture_estimate", "oracle",
    "published", "read_excerpts", "read_ratings", "score_song", "si_sdr", "summarize_ratings",
    "table", "unreliable", "utterance_sdr", "write_csv",
]  # fmt: skip
