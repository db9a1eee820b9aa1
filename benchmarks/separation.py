"""How fast songs come apart, and in how much memory: this package and the reference in one run.

    python benchmarks/separation.py -o book/results/benchmark_separation.json

Both sides separate the same noise with the same weights: four networks, one EM iteration. They run
in processes of their own, so that each has its own peak of memory, and take turns; medians over the
turns are compared. The memory is told twice, for a short and a long song: what one minute more
costs beyond its own samples, in and out, is what matters for an hour.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

import torch
from machine import add_options, origin, print_origin, write

from unmix_lite.models import OpenUnmix
from unmix_lite.names import TARGETS
from unmix_lite.separation import Separator

SIDES = ("ours", "reference")
RATE = 44100


def networks(hidden_size):
    """Four networks from chance, the same for both sides."""
    result = {}
    for seed, target in enumerate(TARGETS):
        torch.manual_seed(seed)
        result[target] = OpenUnmix(hidden_size).eval()
    return result


def separator(side, hidden_size, device):
    """A function from audio `(2, samples)` to stems."""
    ours = networks(hidden_size)
    if side == "ours":
        return Separator(ours).to(device)
    from openunmix.model import OpenUnmix as Network
    from openunmix.model import Separator as Reference

    theirs = {}
    for target, network in ours.items():
        theirs[target] = Network(2049, 2, hidden_size=hidden_size, max_bin=1487)
        theirs[target].load_state_dict(network.state_dict(), strict=True)
    reference = Reference(theirs, niter=1, nb_channels=2).to(device)
    reference.freeze()
    return lambda audio: reference(audio[None])


def worker(options):
    """One side, once: prints its seconds and its peak of memory as JSON."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    separate = separator(options.side, options.hidden_size, device)
    generator = torch.Generator().manual_seed(0)
    song = 0.1 * torch.randn(2, round(options.seconds * RATE), generator=generator).to(device)
    with torch.inference_mode():
        separate(song[:, : RATE // 2])  # what is loaded at the first call is not the song's
        before = peak_memory()
        began = time.perf_counter()
        separate(song)
        if device.type == "cuda":
            torch.cuda.synchronize()
    took = time.perf_counter() - began
    print(json.dumps({"took": took, "memory": peak_memory() - before}))


def peak_memory():
    """The most that this process ever held, in bytes; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def run(side, hidden_size, seconds):
    """One side in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--hidden-size", str(hidden_size),
               "--seconds", str(seconds)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["killed"])[-1]
        raise SystemExit(f"benchmarks/separation.py: {side} failed ({last}).")
    return json.loads(done.stdout)


def measure(options):
    """Everything, as it goes into the JSON file."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    turns = {side: [] for side in SIDES}
    for _ in range(options.rounds):
        for side in SIDES:
            turns[side].append(run(side, options.hidden_size, options.seconds))
    longer = {side: run(side, options.hidden_size, 3 * options.seconds) for side in SIDES}
    speed = {side: options.seconds / statistics.median(turn["took"] for turn in turns[side])
             for side in SIDES}  # fmt: skip
    memory = {}
    for side in SIDES:
        short, long = turns[side][0]["memory"], longer[side]["memory"]
        memory[side] = {
            "megabytes": short / 1e6, "megabytes_three_times_as_long": long / 1e6,
            "megabytes_per_second_of_song": (long - short) / 2e6 / options.seconds,
        }  # fmt: skip
    return {
        "what": "this package's separation and the reference's, the same weights, in one run",
        **origin(options, device, ("torch", "openunmix")),
        "threads": torch.get_num_threads(),
        "hidden_size": options.hidden_size, "seconds": options.seconds, "iterations": 1,
        "times_real_time": {**speed, "ratio": speed["ours"] / speed["reference"]},
        "rounds": {side: [turn["took"] for turn in turns[side]] for side in SIDES},
        "memory": memory,
        "stems_megabytes_per_second_of_song": 4 * 2 * 4 * RATE / 1e6,
    }  # fmt: skip


def report(record):
    """Ratios, in words."""
    print_origin(record)
    print(f"{record['seconds']:g} s of stereo, four networks {record['hidden_size']} wide, one EM "
          "iteration")  # fmt: skip
    print(f"speed: {record['times_real_time']['ratio']:.1f} times the reference's")
    for side, memory in record["memory"].items():
        print(f"memory, {side}: {memory['megabytes']:.0f} MB, and "
              f"{memory['megabytes_per_second_of_song']:.1f} MB for every second more")  # fmt: skip
    stems = record["stems_megabytes_per_second_of_song"]
    print(f"  (the four stems themselves are {stems:.1f} MB per second)")


def main(arguments=None):
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--seconds", type=float, default=60, help="length of the song (60)")
    add("--hidden-size", type=int, default=512, help="of the networks (512)")
    add("--rounds", type=int, default=3, help="turns of each side (3)")
    add("--side", choices=SIDES, help=argparse.SUPPRESS)
    add_options(parser)
    options = parser.parse_args(arguments)
    if options.side:
        return worker(options)
    record = measure(options)
    report(record)
    write(options, record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
