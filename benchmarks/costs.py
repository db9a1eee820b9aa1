"""What every system costs: weights, seconds of a CPU per minute of music, and memory.

    python benchmarks/costs.py -o book/results/costs.json

Each system separates the same minute, songs of the embedded band end to end, on one core, in a
process of its own. Times are also told as a share of umx-lite's in the same run, which says more
about other machines than seconds do. Chapter 11 reads the record.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict

import torch
from machine import add_options, origin, write
from separation import peak_memory

from unmix_lite import classic
from unmix_lite.corpora import open_corpus
from unmix_lite.models import HybridDemucs
from unmix_lite.separation import AudioSeparator, Separator
from unmix_lite.weights import PRETRAINED, pretrained_names

PEER = "umx-lite"
DEMUCS = "hdemucs"


def systems():
    """Names, cheapest kinds first. Hybrid Demucs costs the same with weights from chance."""
    return [*classic.CLASSIC, *pretrained_names(), DEMUCS]


def made(name):
    """A system, a function of audio and rate, and the number of its weights."""
    if name in classic.CLASSIC:
        return classic.CLASSIC[name][0], 0
    if name == DEMUCS:
        system = AudioSeparator(HybridDemucs())
    else:
        system = Separator.from_pretrained(name, "cpu")
    return system, sum(parameter.numel() for parameter in system.parameters())


def identity(name, system):
    """What tells this system from a later one of its name: the digest of its weights, and the
    settings of the filter behind them. A test asks whether the package still has them."""
    told = {}
    if files := sorted((PRETRAINED / name).glob("*.safetensors")):
        content = b"".join(file.read_bytes() for file in files)
        told["sha256"] = hashlib.sha256(content).hexdigest()[:16]
    if joined := getattr(system, "filter", None):
        told["filter"] = asdict(joined)
    return told


def music(seconds):
    """So many seconds of stereo, and their rate."""
    tracks = open_corpus("band").tracks("train")
    songs, rate = [], tracks[0].rate
    while sum(song.shape[-1] for song in songs) < seconds * rate:
        songs.append(tracks[len(songs) % len(tracks)].mixture())
    return torch.cat(songs, 1)[:, : round(seconds * rate)], rate


def worker(options):
    """One system, once: prints what it cost as JSON."""
    torch.set_num_threads(1)
    separate, weights = made(options.worker)
    song, rate = music(options.seconds)
    separate(song[:, : 4 * rate], rate)  # what is loaded at the first call is not the song's
    before, began = peak_memory(), time.process_time()
    separate(song, rate)
    spent = time.process_time() - began
    print(json.dumps({
        "weights": weights, **identity(options.worker, separate),
        "seconds_per_minute": spent * 60 / options.seconds,
        "megabytes": (peak_memory() - before) / 1e6,
    }))  # fmt: skip


def run(name, seconds):
    """One system in a process of its own."""
    command = [sys.executable, __file__, "--worker", name, "--seconds", str(seconds)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | threads)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["killed"])[-1]
        raise SystemExit(f"benchmarks/costs.py: {name} failed ({last}).")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main(arguments=None):
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--seconds", type=float, default=60, help="of music (60)")
    add("--systems", nargs="+", metavar="NAME", help=f"only these, and {PEER} (all)")
    add("--worker", help=argparse.SUPPRESS)
    add_options(parser)
    options = parser.parse_args(arguments)
    if options.worker:
        return worker(options)
    names = [name for name in systems() if name in {*(options.systems or systems()), PEER}]
    costs = {}
    for name in names:
        costs[name] = run(name, options.seconds)
        told = costs[name]
        print(f"{name:20s} {told['weights']:>10,} weights, {told['seconds_per_minute']:6.1f} s of "
              f"CPU and {told['megabytes']:5.0f} MB for a minute", flush=True)  # fmt: skip
    for cost in costs.values():
        cost["ratio"] = cost["seconds_per_minute"] / costs[PEER]["seconds_per_minute"]
    record = {
        "what": "each system separating the same minute of stereo on one core",
        **origin(options, torch.device("cpu"), ("torch", "torchaudio", "librosa")),
        "seconds": options.seconds, "peer": PEER, "systems": costs,
    }  # fmt: skip
    write(options, record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
