"""The files that a page needs to separate songs: weights in 8 bits, and the engine as scripts."""

import hashlib
import json
import shutil
from pathlib import Path

from ..files import StrPath, atomic
from ..models import OpenUnmix
from ..separation import Separator
from ..weights import export_networks, load_networks
from .scripts import bundle

ENGINE = Path(__file__).with_name("engine")


def write_engine(folder: StrPath, name: str = "umx-lite") -> list[Path]:
    """Write all that `unmix.mjs` asks for into a folder.

    Args:
        folder: gets `model.json`, `<target>.int8.safetensors`, `kernel.wasm`, and the scripts
            `unmix.js` (for the page) and `worker.js`.
        name: the model, as `Separator.from_pretrained` takes it.

    Returns:
        the paths written. model.json lists the files that are fetched, with their sizes and
        SHA-256, and the filter that the model comes with.

    Raises:
        CheckpointError: no such model. UnmixError: not of Open-Unmixes.
    """
    folder = Path(folder)
    loaded = load_networks(name)
    networks = {target: network for target, (network, _) in loaded.items()}
    cards = {target: card for target, (_, card) in loaded.items()}
    written = export_networks(networks, cards, folder, ("int8",))
    separator = Separator.from_pretrained(name, "cpu")
    assert separator.filter is not None and all(
        isinstance(network, OpenUnmix) for network in networks.values()
    )
    shutil.copyfile(ENGINE / "kernel.wasm", folder / "kernel.wasm")
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    about["filter"] = {
        key: getattr(separator.filter, key)
        for key in ("iterations", "posterior", "neighbours", "window")
    }
    about["files"] = [
        {"name": f"{target}.int8.safetensors", "target": target} for target in networks
    ] + [{"name": "kernel.wasm"}]
    for entry in about["files"]:
        content = (folder / entry["name"]).read_bytes()
        entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    with atomic(folder / "model.json") as partial:
        partial.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    for script, module in (("unmix.js", "unmix"), ("worker.js", "worker")):
        with atomic(folder / script) as partial:
            partial.write_text(bundle(ENGINE / f"{module}.mjs"), encoding="utf-8")
    return [*written, folder / "kernel.wasm", folder / "unmix.js", folder / "worker.js"]
