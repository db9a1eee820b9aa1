"""Open-Unmix as its authors train it, on the songs and for the minutes that ours has.

    python benchmarks/reference_recipe.py --targets drums --minutes 5 -o runs/reference

`openunmix`'s own network class and recipe (MSE, Adam at 1e-3, batches of 16 times 6 s, a hidden
size of 512, the rate cut to 0.3 on a plateau), fed by this package's loader: its own would spend
the minutes decoding (see benchmarks/training.py). The folder it fills is one of weights like any
other, for `unmix-lite separate --model` and for book/_tools/record.py.
"""

import argparse
from pathlib import Path
from unittest import mock

import torch
from openunmix.model import OpenUnmix

from unmix_lite import models
from unmix_lite.corpora import open_corpus
from unmix_lite.training import MagnitudeTask, TrainingConfig, train


def reference_task(cls, config):
    """What `MagnitudeTask.new` gives, with the reference's class of networks."""
    (target,) = config.targets
    size, max_bin = (config.arguments[name] for name in ("hidden_size", "max_bin"))
    with torch.random.fork_rng([]):
        torch.manual_seed(config.seed)
        network = OpenUnmix(config.arguments["n_fft"] // 2 + 1, hidden_size=size, max_bin=max_bin)
    # What the file of weights says of it: parameters have the same names and shapes here.
    network.arguments = models.OpenUnmix(hidden_size=size, max_bin=max_bin).arguments
    return cls(config, {target: network})


def main(options):
    corpus = open_corpus(options.corpus)
    print(corpus)
    for target in options.targets:
        config = TrainingConfig(
            targets=(target,), arguments={"hidden_size": 512}, seconds=6.0, batch_size=16,
            loss="mse", schedule="plateau", plateau=80, minutes=options.minutes, steps=1_000_000,
            valid_every=options.valid_every,
        )  # fmt: skip
        with mock.patch.object(MagnitudeTask, "new", classmethod(reference_task)):
            train(
                config, corpus.tracks("train"), corpus.tracks("valid"), options.output,
                options.device,
            )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", default="auto")
    parser.add_argument("--targets", nargs="+", default=["drums"])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--valid-every", type=int, default=20)
    parser.add_argument("--device")
    parser.add_argument("-o", "--output", type=Path, required=True)
    main(parser.parse_args())
