"""Make a finished training the weights that come with the package.

    python book/_tools/ship.py RUN_FOLDER NAME

copies each target's best network, halved in size, and its curve into
unmix_lite/pretrained/NAME. A training that began from the weights which it replaces keeps their
curves, as what it `began_from`. The card beside them is written by hand.
"""

import json
import sys
from pathlib import Path

from unmix_lite.files import atomic
from unmix_lite.weights import PRETRAINED, load_network, save_network


def main(run, name):
    for file in sorted(Path(run).glob("*.safetensors")):
        if file.name.endswith(".state.safetensors"):
            continue
        network, card = load_network(file)
        written = save_network(PRETRAINED / name, network, card, half=True)
        curve = json.loads(file.with_suffix(".json").read_text())
        kept = written.with_suffix(".json")
        if any(part["config"]["initial"] == name for part in curve.get("averaged", [curve])):
            curve["began_from"] = json.loads(kept.read_text())
        with atomic(kept) as replaced:
            replaced.write_text(json.dumps(curve, indent=1) + "\n")
        print(f"{written}: {written.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
