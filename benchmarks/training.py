"""How fast songs become batches, and batches steps: this package and the reference in one run.

    python benchmarks/training.py --corpus preview -o book/results/benchmark_training.json

The reference is `openunmix` as its authors' train.py uses it. Both sides read the same songs and
make (mixture, vocals) batches of random excerpts, each source from a song, at a level and with a
channel order of its own. They take turns, and medians over the turns are compared: whatever else
the machine does slows both. The ratios say something of another machine; the speeds do not.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
import torch
from machine import add_options, origin, print_origin, write
from reference import reference_batches, reference_dataset, reference_steps
from tqdm import tqdm

from unmix_lite.corpora import open_corpus
from unmix_lite.errors import UnmixError
from unmix_lite.names import TARGETS
from unmix_lite.training import (
    Excerpts,
    Training,
    TrainingConfig,
    Workers,
    augment,
    draw_changes,
    input_statistics,
    read_ahead,
    to_float,
)

FULL = {"seconds": 6.0, "batch_size": 16, "hidden_sizes": [512, 256], "songs": 24, "rounds": 5}
QUICK = {"seconds": 1.0, "batch_size": 2, "hidden_sizes": [16], "songs": 2, "rounds": 2}
TURN = 5.0  # a turn of ours ends after so many seconds; one of the reference's is a single batch

TARGET = "vocals"
AUGMENTATIONS = ("remix", "gain", "channelswap")  # what train.py does if nothing else is asked for


def measure(corpus, options):
    """Everything, as it goes into the JSON file."""
    tracks = corpus.tracks("train")[: options.songs]
    dataset = reference_dataset(corpus, tracks, TARGET, options.seconds)
    device = Workers().device
    record = {
        "what": "this package's training and the reference's, on the same songs in one run",
        **origin(options, device, ("torch", "numpy", "openunmix", "musdb", "stempeg")),
        "threads": torch.get_num_threads(),
        "corpus": corpus.name, "songs": len(tracks), "seconds": options.seconds,
        "batch_size": options.batch_size, "augmentations": AUGMENTATIONS,
    }  # fmt: skip

    began = time.perf_counter()
    excerpts = Excerpts(tracks, TARGETS, options.seconds)
    decoding = time.perf_counter() - began

    ours = counted(our_batches(excerpts, options.batch_size, device), device)
    theirs = counted(reference_batches(dataset, options.batch_size), device)
    speeds = compared(take_turns("excerpts", ours, theirs, options.rounds, device), sum)
    record["excerpts_per_second"] = speeds
    record["decoding"] = {
        "seconds_per_song": decoding / len(tracks),
        "excerpts_until_it_has_paid": decoding / (1 / speeds["reference"] - 1 / speeds["ours"]),
    }
    record["steps_per_second"] = {
        str(size): steps(size, tracks, dataset, options, device) for size in options.hidden_sizes
    }
    return record


def steps(hidden_size, tracks, dataset, options, device):
    """Whole training steps, with their data, of networks of one size."""
    config = TrainingConfig(
        targets=(TARGET,), arguments={"hidden_size": hidden_size}, seconds=options.seconds,
        loss="mse", batch_size=options.batch_size, augmentations=AUGMENTATIONS, steps=1_000_000,
    )  # fmt: skip
    training = Training(config, tracks, tracks[:1], Workers(device), progress=False)
    statistics_of_input = input_statistics(training.batches.excerpts, training.task.stft)
    theirs = reference_steps(
        reference_batches(dataset, options.batch_size), hidden_size,
        config.arguments["max_bin"], statistics_of_input, device,
    )  # fmt: skip
    utilisation = Utilisation(device)
    what = f"steps, {hidden_size} wide"
    turns = take_turns(what, our_steps(training), theirs, options.rounds, device, utilisation)
    waits = [statistics.median(sum(came) / took for took, came in side) for side in zip(*turns)]
    return {
        **compared(turns, len),
        "share_of_time_waiting_for_data": {"ours": waits[0], "reference": waits[1]},
        "gpu_utilisation": utilisation.median,
    }


def our_batches(excerpts, size, device):
    """Endless (mixture, target) batches, made as `Training` makes them."""
    target = TARGETS.index(TARGET)

    def read(step, out):
        rng = np.random.default_rng([0, step])
        drawn = excerpts.draw(rng, size, AUGMENTATIONS)
        changes = draw_changes(rng, AUGMENTATIONS, size, len(TARGETS))
        return excerpts.cut(*drawn, as_float=device.type == "cpu", out=out), changes

    mixture = torch.empty(0, device=device)  # whose memory is used again
    for stems, changes in read_ahead(read):
        stems = to_float(stems.to(device, non_blocking=True))
        stems = augment(stems, changes, excerpts.samples, inplace=True)
        yield torch.sum(stems, 1, out=mixture), stems[:, target]


def our_steps(training):
    """Endless steps as `Training.run` takes them; yields the seconds that each waited for data."""
    batches = read_ahead(training.batches.read)
    while True:
        began = time.perf_counter()
        stems = next(batches)
        waited = time.perf_counter() - began
        training.take_step(*stems)
        yield waited


def counted(batches, device):
    """The sizes of batches, once they have arrived where they are needed."""
    for x, y in batches:
        x, y = x.to(device), y.to(device)
        yield len(x)


def take_turns(what, ours, theirs, rounds, device, watch=contextlib.nullcontext()):
    """Rounds of a turn of ours and one of theirs, each `(seconds, items)`; ours while watched."""
    turns = []
    for _ in tqdm(range(rounds), what, unit="round"):
        reference = turn(theirs, 0, device)
        next(ours)  # what was read ahead while it was not our turn counts for nobody
        with watch:
            turns.append((turn(ours, min(reference[0], TURN), device), reference))
    return turns


def turn(items, seconds, device):
    """Take items for so many seconds, at least one; returns the seconds it took, and the items."""
    came, began = [], now(device)
    while not came or now(device) - began < seconds:
        came.append(next(items))
    return now(device) - began, came


def now(device):
    """Seconds, once the device has done all it was told to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def compared(turns, amount):
    """Medians over the rounds of `amount(items)` per second, and how many times theirs is ours."""
    rounds = [[amount(items) / seconds for seconds, items in pair] for pair in turns]
    ours, theirs = (statistics.median(side) for side in zip(*rounds))
    return {"ours": ours, "reference": theirs, "ratio": ours / theirs, "rounds": rounds}


class Utilisation:
    """While entered, notes every now and then how busy nvidia-smi says the GPU is, in per cent."""

    def __init__(self, device):
        self.there = device.type == "cuda" and shutil.which("nvidia-smi")
        self.index, self.values = device.index or 0, []

    def __enter__(self):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    @property
    def median(self):
        """In per cent; None where there is no GPU, or none that tells."""
        return statistics.median(self.values) if self.values else None

    def _watch(self):
        query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
        while self.there and not self.over.wait(0.2):
            told = subprocess.run([*query, "-i", str(self.index)], capture_output=True, text=True)
            if told.stdout.strip().isdigit():
                self.values.append(int(told.stdout))


def report(record):
    """Ratios, in words."""
    ratio = record["excerpts_per_second"]["ratio"]
    decoding = record["decoding"]
    print_origin(record)
    print(f"{record['songs']} songs of {record['corpus']}; batches of {record['batch_size']} times "
          f"{record['seconds']:g} s")  # fmt: skip
    print(f"excerpts per second: {ratio:.0f} times the reference's, once the songs are decoded;")
    print(f"  decoding them has paid after {decoding['excerpts_until_it_has_paid']:.0f} excerpts")
    for size, result in record["steps_per_second"].items():
        waits = result["share_of_time_waiting_for_data"]
        print(f"steps per second, hidden size {size}: {result['ratio']:.1f} times the reference's;")
        print(f"  of its time it waits for data: {100 * waits['ours']:.0f} %, "
              f"the reference {100 * waits['reference']:.0f} %")  # fmt: skip
        if result["gpu_utilisation"] is not None:
            print(f"  the GPU is busy {result['gpu_utilisation']:.0f} % of the time")


def main(arguments=None):
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--corpus", default="auto", metavar="NAME_OR_DIR", help="as for unmix-lite train")
    add("--seconds", type=float, help="length of an excerpt (6)")
    add("--batch-size", type=int, help="excerpts per batch (16)")
    add("--hidden-sizes", type=int, nargs="+", help="of the networks (512 256)")
    add("--songs", type=int, help="use the first so many songs (24)")
    add("--rounds", type=int, help="turns of each side (5)")
    add("--quick", action="store_true", help="seconds instead of minutes, to see that it works")
    add_options(parser)
    options = parser.parse_args(arguments)
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)

    try:
        # A cache of its own, so that decoding is measured however often this runs.
        corpus = open_corpus(options.corpus)
        with tempfile.TemporaryDirectory() as cache:
            os.environ["UNMIX_LITE_CACHE"] = cache
            record = measure(corpus, options)
    except UnmixError as error:
        print(f"benchmarks/training.py: {error}", file=sys.stderr)
        return 1
    report(record)
    write(options, record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
