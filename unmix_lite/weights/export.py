"""Networks for elsewhere: ONNX for other programs, folded weights for a page with its own code.

Only the network is exported. The STFT, the Wiener filter and the inverse STFT around it are the
caller's: magnitudes go in, magnitudes come out.
"""

import json
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from ..errors import UnmixError, require
from ..files import StrPath, atomic
from ..models import Folded, OpenUnmix
from ..names import EXPORT_FORMATS
from .network_files import NetworkCard

_SUFFIXES = {"onnx": "onnx", "fp16": "fp16.safetensors", "int8": "int8.safetensors"}


def export_networks(
    networks: Mapping[str, nn.Module],
    cards: Mapping[str, NetworkCard],
    folder: StrPath,
    kinds: Iterable[str] = EXPORT_FORMATS,
    overwrite: bool = False,
) -> list[Path]:
    """Write networks in other formats.

    Args:
        networks, cards: dicts target -> OpenUnmix, NetworkCard.
        folder: where the files go, of each target
            `<target>.onnx`, magnitude `(1, channels, freq, frames)` in ("mixture") and out
            ("estimate"), any number of frames; a unidirectional network also takes and returns the
            state of its LSTM ("hidden", "cell": zeros at first), to be run live;
            `<target>.fp16.safetensors`, `<target>.int8.safetensors`, the folded weights (see
            `folded_weights`), about 80 and 40 dB from the original network's output;
            and `model.json`, which says how to feed them.
        kinds: of `EXPORT_FORMATS`.
        overwrite: replace files that are there.

    Returns:
        the paths written.

    Raises:
        UnmixError: another kind of network; ONNX without the package `onnx`; or files that are
            there.
    """
    exported: dict[str, OpenUnmix] = {}
    for target, network in networks.items():
        if type(network) is not OpenUnmix:
            kind = type(network).__name__
            raise UnmixError(f"{target}: is a {kind}; only OpenUnmix can be exported.")
        exported[target] = network
    folder, written = Path(folder), []
    files = [f"{target}.{_SUFFIXES[kind]}" for target in exported for kind in kinds]
    there = [folder / name for name in (*files, "model.json") if (folder / name).exists()]
    if there and not overwrite:
        raise UnmixError(f"{there[0]}: is there already; --overwrite replaces it.")
    for target, network in exported.items():
        if "onnx" in kinds:
            written.append(_write_onnx(folder / f"{target}.onnx", network))
        for kind in set(kinds) - {"onnx"}:
            path = folder / f"{target}.{_SUFFIXES[kind]}"
            with atomic(path) as partial:
                save_file(folded_weights(network, kind), partial)
            written.append(path)
    card = next(iter(cards.values()))
    description = {
        "targets": list(networks), "rate": card.rate, "n_fft": card.n_fft,
        "hop_length": card.hop_length,
        "networks": {target: network.arguments for target, network in exported.items()},
    }  # fmt: skip
    with atomic(folder / "model.json") as partial:
        partial.write_text(json.dumps(description, indent=1) + "\n")
    return [*sorted(written), folder / "model.json"]


def folded_weights(network: OpenUnmix, kind: str = "fp16") -> dict[str, torch.Tensor]:
    """All that a network computes with, as few plain matrices; batch norms and scales are in them.

    `encode.weight` `(hidden, channels * max_bin)`, `decode.weight` `(hidden, 2 hidden)`,
    `output.weight` `(channels * freq, hidden)`, each with a `.bias`; of layer l and direction
    `forward` or `backward` the LSTM's `l.forward.input`, `l.forward.state`, its four gates in
    PyTorch's order (input, forget, cell, output), and the sum of both its biases.

    Args:
        kind: "fp16": matrices are halved; "int8": quartered, each row with a `.scale` that its
            integers are to be multiplied by before use. Biases stay float32.
    """
    folded = Folded(network)
    stages = (("encode", folded.first), ("decode", folded.second), ("output", folded.third))
    matrices = {f"{name}.weight": matrix for name, (matrix, _) in stages}
    tensors = {f"{name}.bias": bias for name, (_, bias) in stages}
    for layer, directions in enumerate(folded.directions):
        for name, lstm in zip(("forward", "backward"), directions):
            part = dict(lstm.named_parameters())
            matrices[f"{layer}.{name}.input"] = part["weight_ih_l0"]
            matrices[f"{layer}.{name}.state"] = part["weight_hh_l0"]
            tensors[f"{layer}.{name}.bias"] = part["bias_ih_l0"] + part["bias_hh_l0"]
    for name, matrix in matrices.items():
        if kind == "fp16":
            tensors[name] = matrix.half()
            continue
        scale = matrix.abs().amax(1) / 127
        tensors[name] = (matrix / scale.clamp(min=1e-30)[:, None]).round().to(torch.int8)
        tensors[f"{name}.scale"] = scale
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


class _Live(nn.Module):
    """A unidirectional network whose state goes in and out, as ONNX wants it."""

    def __init__(self, network: OpenUnmix) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, mixture: torch.Tensor, hidden: torch.Tensor, cell: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mask, (hidden, cell) = self.network.advance(mixture, (hidden, cell))
        return mask * mixture, hidden, cell


def _write_onnx(path: Path, network: OpenUnmix) -> Path:
    require("onnx", "export", "the format onnx")  # torch's exporter imports it
    arguments: dict[str, Any] = network.arguments
    mixture = torch.ones(1, arguments["nb_channels"], arguments["nb_bins"], 9)
    names = ["mixture"]
    exported: nn.Module = network
    inputs: tuple[torch.Tensor, ...] = (mixture,)
    if arguments["unidirectional"]:
        state = torch.zeros(arguments["nb_layers"], 1, arguments["hidden_size"])
        names, inputs = [*names, "hidden", "cell"], (mixture, state, state)
        exported = _Live(network)
    with atomic(path) as partial, warnings.catch_warnings():
        # The newer exporter (dynamo) fixes the number of frames without a word.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            exported.cpu().eval(), inputs, str(partial), dynamo=False, opset_version=17,
            input_names=names,
            output_names=["estimate", *(f"next_{name}" for name in names[1:])],
            dynamic_axes={"mixture": {3: "frames"}, "estimate": {3: "frames"}},
        )  # fmt: skip
    return path
