"""Average the weights of several trainings of the same networks.

    python book/_tools/average.py OUTPUT_FOLDER RUN_FOLDER RUN_FOLDER ...

Trainings that began from the same weights end close enough to each other for their mean to be a
network too, and often a better one than each (Wortsman et al. 2022, "model soups"). Beside each
target's weights stand the curves of all the trainings that went into them.
"""

import json
import sys
from pathlib import Path

import torch

from unmix_lite.files import atomic
from unmix_lite.weights import load_network, save_network


def main(output, runs):
    targets = {tuple(sorted(_targets(run))) for run in runs}
    if len(targets) != 1:
        sys.exit(f"these folders hold different targets: {sorted(targets)}")
    for target in targets.pop():
        loaded = [load_network(Path(run) / f"{target}.safetensors") for run in runs]
        if any(card.arguments != loaded[0][1].arguments for _, card in loaded):
            sys.exit(f"{target}: these networks differ in shape, and cannot be averaged.")
        network, card = loaded[0]
        states = [other.state_dict() for other, _ in loaded]
        network.load_state_dict({
            name: torch.stack([state[name].double() for state in states]).mean(0).to(value.dtype)
            for name, value in states[0].items()
        })  # fmt: skip
        curves = [json.loads((Path(run) / f"{target}.json").read_text()) for run in runs]
        card.training = {"averaged": [other.training for _, other in loaded]}
        print(save_network(output, network, card))
        with atomic(Path(output) / f"{target}.json") as file:
            file.write_text(json.dumps({"averaged": curves}, indent=1) + "\n")


def _targets(run):
    return [f.stem for f in Path(run).glob("*.safetensors") if "." not in f.stem]


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
