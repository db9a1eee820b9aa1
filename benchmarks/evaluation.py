"""How fast songs are scored, and how far from museval's scores: both sides in one run.

    python benchmarks/evaluation.py --corpus MUSDB -o book/results/benchmark_evaluation.json

The corpus's validation songs, one after the other, are four stereo sources of 30 s; what umx-lite
separates of their mixture is scored. Both sides take turns in this process, with the same arrays
and as many threads as they like; medians over the turns are compared.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import museval
import numpy as np
import torch
from machine import add_options, origin, print_origin, write

from unmix_lite import Separator
from unmix_lite.audio import resample
from unmix_lite.corpora import open_corpus
from unmix_lite.evaluation import METRICS, bss_eval
from unmix_lite.names import TARGETS

RATE = 44100


def sources(corpus, seconds):
    """References and estimates, float64 `(sources, samples, channels)`, of songs end to end."""
    wanted, stems, estimates = round(seconds * RATE), [], []
    separate = Separator.from_pretrained(device="cpu")
    for track in corpus.tracks("valid"):
        song = track.stems()
        song = torch.stack([resample(song[target], track.rate, RATE) for target in TARGETS])
        stems.append(song)
        estimates.append(torch.stack(list(separate(song.sum(0), RATE).values())))
        if sum(part.shape[-1] for part in stems) >= wanted:
            break
    both = (torch.cat(parts, -1)[..., :wanted].double() for parts in (stems, estimates))
    return [signal.transpose(1, 2).numpy() for signal in both]


def timed(score):
    began = time.perf_counter()
    rows = score()
    return time.perf_counter() - began, rows


def measure(options):
    """Everything, as it goes into the JSON file."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    corpus = open_corpus(options.corpus)
    true, estimated = sources(corpus, options.seconds)

    def ours():
        return bss_eval(true, estimated, RATE, device=device)

    def reference():
        rows = museval.evaluate(true, estimated, win=RATE, hop=RATE, mode="v4", padding=False)
        return dict(zip(METRICS, rows))

    bss_eval(true[:, :RATE], estimated[:, :RATE], RATE, device=device)  # what is loaded once
    turns = {"ours": [], "reference": []}
    for _ in range(options.rounds):
        for name, score in (("ours", ours), ("reference", reference)):
            took, rows = timed(score)
            turns[name].append(took)
            if name == "ours":
                scores = rows
    frames = scores["SDR"].shape[1]
    apart = {name: float(np.nanmax(np.abs(scores[name] - rows[name][:, :frames])))
             for name in METRICS}  # fmt: skip
    speed = {name: true.shape[1] / RATE / statistics.median(took) for name, took in turns.items()}
    return {
        "what": "BSS Eval v4 by this package and by museval, the same stems, in one run",
        **origin(options, device, ("torch", "museval", "numpy", "scipy")),
        "threads": torch.get_num_threads(),
        "corpus": Path(options.corpus).name, "seconds": true.shape[1] / RATE, "sources": len(true),
        "channels": true.shape[2], "frames": frames,
        "times_real_time": {**speed, "ratio": speed["ours"] / speed["reference"]},
        "rounds": turns, "worst_difference_db": apart,
    }  # fmt: skip


def report(record):
    """Ratio and differences, in words."""
    print_origin(record)
    print(f"{record['seconds']:.0f} s of {record['sources']} stereo sources ({record['corpus']})")
    print(f"speed: {record['times_real_time']['ratio']:.1f} times museval's")
    apart = ", ".join(f"{n} {gap:.1e} dB" for n, gap in record["worst_difference_db"].items())
    print(f"furthest from museval in any frame: {apart}")


def main(arguments=None):
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--corpus", default="band", help="band, preview, or a folder (band)")
    add("--seconds", type=float, default=30, help="of music (30)")
    add("--rounds", type=int, default=3, help="turns of each side (3)")
    add_options(parser)
    options = parser.parse_args(arguments)
    record = measure(options)
    report(record)
    write(options, record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
