"""Scores: BSS Eval v4, frame by frame, song by song, data set by data set.

    scores = bss_eval(references, estimates)     # (sources, samples, channels) -> SDR ISR SIR SAR
    songs = evaluate(separator, corpus.tracks("test"), "scores/my-model")
    print(table(songs))
"""

from .bss_eval import METRICS, bss_eval, frame_sdr
from .campaign import Excerpt, find_excerpts, read_excerpts
from .evaluate import evaluate, mixture_estimate, score_song
from .scores import TrackScores, aggregate, load_scores, mean_over_targets, table, write_csv

__all__ = [
    "METRICS", "Excerpt", "TrackScores", "aggregate", "bss_eval", "evaluate", "find_excerpts",
    "frame_sdr", "load_scores", "mean_over_targets", "mixture_estimate", "read_excerpts",
    "score_song", "table", "write_csv",
]  # fmt: skip
