"""As much training as a data-centre GPU does in some minutes: one command, which can go on.

    python benchmarks/campaign.py --pack packed --corpus musdb       # on any machine, once
    python benchmarks/campaign.py --corpus packed -o campaign        # on the GPU

The first writes the training split as Ogg, at most 60 MB, to be carried to a machine without a
network. The second trains the stages of a plan one after the other, each from the weights of the
one before; the songs lie in the GPU's memory and are cut, remixed and augmented there. Every two
minutes it writes into the folder: `<stage>/<target>.safetensors` (float16, at most 16 MiB a file)
and `record.json` (plan, curve, speed, machine). Run again with the same folder it goes on: from the
state that training keeps, or, where only those small files were brought back, from the weights.

Only songs of the training split are learned from and validated on.
"""

import argparse
import json
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import soundfile
import torch
from machine import add_options, origin
from tqdm import tqdm

from unmix_lite.corpora import open_corpus
from unmix_lite.errors import UnmixError
from unmix_lite.files import atomic
from unmix_lite.names import TARGETS
from unmix_lite.training import TrainingConfig, Workers, train
from unmix_lite.weights import load_network, save_network

MINUTES = 11.0
EVERY = 120.0  # seconds between two copies of weights and record
LARGEST = 16 * 2**20  # bytes of a file that a lent machine gives back
PACKED = 60 * 10**6  # bytes of all songs


@dataclass(frozen=True)
class Stage:
    """A part of a campaign.

    Attributes:
        name: of its folder. share: of the campaign's minutes, 0 to 1.
        recipe: what differs from the defaults of `TrainingConfig`.
    """

    name: str
    share: float
    recipe: dict[str, Any] = field(default_factory=dict)


_JOINT = {"targets": TARGETS, "precision": "bf16", "average": 0.99, "valid_every": 100}
_TOY = {
    "targets": TARGETS, "arguments": {"hidden_size": 8}, "seconds": 1.0, "batch_size": 2,
    "valid_every": 2, "average": 0.9,
}  # fmt: skip
PLANS = {
    # First each stem for itself, with all that makes nine minutes last; then together, for ratios.
    "open-unmix": (
        Stage("alone", 0.7, {**_JOINT, "arguments": {"hidden_size": 256}, "seconds": 6.0,
              "batch_size": 64, "loss": "multiresolution", "learning_rate": 2e-3,
              "augmentations": ("remix", "speed", "filter", "gain", "channelswap")}),
        Stage("together", 0.3, {**_JOINT, "arguments": {"hidden_size": 256}, "seconds": 6.0,
              "batch_size": 64, "loss": "ratio", "learning_rate": 5e-4,
              "augmentations": ("remix", "intact", "speed", "gain", "channelswap")}),
    ),
    "toy": (
        Stage("alone", 0.5, {**_TOY, "loss": "l1"}),
        Stage("together", 0.5, {**_TOY, "loss": "ratio", "learning_rate": 1e-4}),
    ),
}  # fmt: skip


class Campaign:
    """The stages of a plan, and what was reached.

    Args:
        options: `plan`, `minutes`, `output`, `every`, `machine`.
        corpus: whose training split is learned from.
    """

    def __init__(self, options: argparse.Namespace, corpus: Any):
        self.options, self.corpus = options, corpus
        self.plan, self.folder = PLANS[options.plan], Path(options.output)
        self.workers = Workers()
        self.written = time.monotonic()
        self.stages: dict[str, list] = {}
        self.file = self.folder / "record.json"
        if self.file.is_file():
            told = json.loads(self.file.read_text(encoding="utf-8"))
            if told["plan"] != options.plan or told["minutes"] != options.minutes:
                raise UnmixError(
                    f"{self.folder}: holds a campaign of {told['minutes']:g} minutes by the plan "
                    f"'{told['plan']}'; choose another folder, or the same options to go on."
                )
            self.stages = told["stages"]

    def run(self) -> None:
        """All stages that are not over yet."""
        before = None
        for stage in self.plan:
            self.run_stage(stage, before)
            before = stage

    def run_stage(self, stage: Stage, before: Stage | None) -> None:
        """One stage: from its own state, its own weights, or those of the stage before."""
        minutes = stage.share * self.options.minutes
        recipe = {**stage.recipe, "minutes": minutes}
        state = self.work(stage) / f"{'-'.join(recipe['targets'])}.state.safetensors"
        earlier = self.stages.get(stage.name, [])
        if earlier and not state.is_file():
            # Only weights and record came back: on from those, for the minutes that are left.
            left = minutes - earlier[-1]["seconds"] / 60
            if left <= 0:
                return
            recipe |= {"initial": str(self.folder / stage.name), "minutes": left,
                       "learning_rate": earlier[-1]["learning_rate"]}  # fmt: skip
        elif before is not None:
            recipe["initial"] = str(self.folder / before.name)
        offset = earlier[-1] if earlier and not state.is_file() else None

        def report(history: list) -> None:
            self.stages[stage.name] = (earlier if offset else []) + [
                _later(row, offset) for row in history
            ]
            if time.monotonic() - self.written >= self.options.every:
                self.write(stage)

        train(
            TrainingConfig(**recipe), self.corpus.tracks("train"), self.corpus.tracks("valid"),
            self.work(stage), self.workers.device, on_validation=report,
        )  # fmt: skip
        self.write(stage)

    def work(self, stage: Stage) -> Path:
        """Where a stage trains: files too large to be brought back."""
        return self.folder / "work" / stage.name

    def write(self, stage: Stage) -> None:
        """The best weights so far in 16 bits, and the record."""
        for file in sorted(self.work(stage).glob("*.safetensors")):
            if ".state" in file.name:
                continue
            network, card = load_network(file)
            small = save_network(self.folder / stage.name, network, card, half=True)
            if small.stat().st_size > LARGEST:
                raise UnmixError(f"{small}: over 16 MiB; give the stage a smaller network.")
            shutil.copy(file.with_suffix(".json"), small.with_suffix(".json"))
        with atomic(self.file) as partial:
            partial.write_text(json.dumps(self.record(), indent=1) + "\n", encoding="utf-8")
        self.written = time.monotonic()

    def record(self) -> dict:
        """All that is known of it, for JSON."""
        device = self.workers.device
        return {
            "what": "a campaign: training songs alone, songs in the device's memory",
            **origin(self.options, device, ("torch", "numpy")),
            "plan": self.options.plan, "minutes": self.options.minutes,
            "corpus": self.corpus.name, "songs": len(self.corpus.tracks("train")),
            "recipes": {stage.name: stage.recipe for stage in self.plan},
            "steps_per_second": {
                name: rows[-1]["step"] / rows[-1]["seconds"] for name, rows in self.stages.items()
            },
            "stages": self.stages,
        }  # fmt: skip


def _later(row: dict, offset: dict | None) -> dict:
    """A row of a history that went on from another's last row."""
    if offset is None:
        return row
    return {**row, "step": row["step"] + offset["step"],
            "seconds": row["seconds"] + offset["seconds"]}  # fmt: skip


def pack(corpus: Any, folder: Path, largest: int = PACKED) -> int:
    """Write the training split's stems as Ogg Vorbis, the best quality that fits; returns bytes.

    Raises:
        UnmixError: the folder is not empty, or not even the lowest quality fits.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UnmixError(f"{folder}: is not empty; choose a new folder.")
    tracks = [*corpus.tracks("train"), *corpus.tracks("valid")]
    for coarseness in (0.3, 0.5, 0.7, 0.9):  # of libsndfile: 0 is the best quality
        size = 0
        for track in tqdm(tracks, "packing", unit="song"):
            home = folder / "train" / track.name
            home.mkdir(parents=True, exist_ok=True)
            for name, audio in track.stems(TARGETS).items():
                file = home / f"{name}.ogg"
                soundfile.write(file, audio.T.numpy(), track.rate, format="OGG", subtype="VORBIS",
                                compression_level=coarseness)  # fmt: skip
                size += file.stat().st_size
            if size > largest:
                break
        else:
            return size
        shutil.rmtree(folder)
    raise UnmixError(f"{folder}: the songs do not fit into {largest / 1e6:.0f} MB.")


def main(arguments=None):
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--corpus", default="auto", metavar="NAME_OR_DIR", help="as for unmix-lite train")
    add("--pack", type=Path, metavar="DIR", help="write the training split there, and stop")
    add("--plan", choices=sorted(PLANS), default="open-unmix", help="what to train (open-unmix)")
    add("--minutes", type=float, default=MINUTES, help="of training in all (11)")
    add("--every", type=float, default=EVERY, help="seconds between two copies (120)")
    add_options(parser)
    options = parser.parse_args(arguments)
    try:
        corpus = open_corpus(options.corpus)
        if options.pack:
            print(f"{options.pack}: {pack(corpus, options.pack) / 1e6:.1f} MB")
            return 0
        if not options.output:
            raise UnmixError("say where the weights go: -o FOLDER.")
        campaign = Campaign(options, corpus)
        campaign.run()
    except UnmixError as error:
        print(f"benchmarks/campaign.py: {error}", file=sys.stderr)
        return 1
    for name, rows in campaign.stages.items():
        best = min(rows, key=lambda row: row["valid_loss"])
        print(f"{name}: {rows[-1]['step']} steps, best validation loss {best['valid_loss']:.4f}")
    if campaign.workers.device.type == "cuda":
        print(f"peak of GPU memory: {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
