"""Exported networks compute what the original does: in onnxruntime, and from folded weights."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from untrained import folder_of_networks, noise, small

from unmix_lite.cli import main
from unmix_lite.names import EXPORT_FORMATS
from unmix_lite.separation import Separator
from unmix_lite.weights import NetworkCard, export_networks, folded_weights, load_networks


def mixture(channels, frames):
    return noise(channels, 2049 * frames).abs().reshape(1, channels, 2049, frames)


def exported(network, folder, kinds=EXPORT_FORMATS):
    return export_networks({"a": network}, {"a": NetworkCard("a", "OpenUnmix", {})}, folder, kinds)


def session(path):
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    return runtime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("frames", [1, 30])
def test_onnx_agrees_with_torch_for_any_number_of_frames(tmp_path, channels, frames):
    network, x = small(0, channels), mixture(channels, frames)
    exported(network, tmp_path, ["onnx"])
    (estimate,) = session(tmp_path / "a.onnx").run(None, {"mixture": x.numpy()})
    with torch.inference_mode():
        expected = network(x).numpy()
    assert estimate.shape == expected.shape
    assert np.linalg.norm(estimate - expected) < 1e-5 * np.linalg.norm(expected)


def test_onnx_of_a_unidirectional_network_goes_on_where_it_was(tmp_path):
    network, x = small(0, unidirectional=True), mixture(2, 40)
    exported(network, tmp_path, ["onnx"])
    live, state = session(tmp_path / "a.onnx"), [np.zeros((3, 1, 32), np.float32)] * 2
    pieces = []
    for part in x.split([1, 7, 20, 12], -1):
        inputs = {"mixture": part.numpy(), "hidden": state[0], "cell": state[1]}
        piece, *state = live.run(["estimate", "next_hidden", "next_cell"], inputs)
        pieces.append(piece)
    with torch.inference_mode():
        expected = network(x).numpy()
    error = np.linalg.norm(np.concatenate(pieces, -1) - expected)
    assert error < 1e-5 * np.linalg.norm(expected)


def by_hand(tensors, magnitude, max_bin):
    """The network from its exported weights alone, as a page would compute it."""

    def matrix(name):
        scale = tensors.get(f"{name}.scale")
        return tensors[name].float() * (1 if scale is None else scale[:, None])

    channels, bins, frames = magnitude.shape
    seen = magnitude[:, :max_bin].permute(2, 0, 1).flatten(1)
    x = values = torch.tanh(seen @ matrix("encode.weight").T + tensors["encode.bias"])
    for layer in range(3):
        outputs = []
        for name in ("forward", "backward"):
            w, u = (matrix(f"{layer}.{name}.{of}") for of in ("input", "state"))
            h = c = torch.zeros(u.shape[1])
            steps = []
            for frame in values if name == "forward" else values.flip(0):
                i, f, g, o = (w @ frame + u @ h + tensors[f"{layer}.{name}.bias"]).chunk(4)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
                steps.append(h)
            outputs.append(torch.stack(steps if name == "forward" else steps[::-1]))
        values = torch.cat(outputs, 1)
    x = torch.cat([x, values], 1) @ matrix("decode.weight").T + tensors["decode.bias"]
    mask = torch.relu(torch.relu(x) @ matrix("output.weight").T + tensors["output.bias"])
    return mask.unflatten(1, (channels, bins)).permute(1, 2, 0) * magnitude


@pytest.mark.parametrize(("kind", "decibels"), [("fp16", 60), ("int8", 30)])
def test_folded_weights_are_the_network(kind, decibels):
    network, x = small(), mixture(2, 25)[0]
    with torch.inference_mode():
        expected = network(x[None])[0]
        error = by_hand(folded_weights(network, kind), x, network.max_bin) - expected
    assert 20 * torch.log10(expected.norm() / error.norm()) > decibels


def test_umx_lite_in_eight_bits_stays_close():
    """On real weights: what the help promises."""
    loaded = load_networks("umx-lite", ["drums"])
    network, x = loaded["drums"][0], 10 * mixture(2, 30)[0]
    with torch.inference_mode():
        expected = network(x[None])[0]
        for kind, decibels in (("fp16", 60), ("int8", 30)):
            error = by_hand(folded_weights(network, kind), x, network.max_bin) - expected
            assert 20 * torch.log10(expected.norm() / error.norm()) > decibels


def test_the_command_writes_all_that_a_page_needs(tmp_path, capsys):
    model = folder_of_networks(tmp_path / "model")
    arguments = ["export", "--model", model, "-o", tmp_path / "out", "--targets", "bass", "drums"]
    assert main([str(argument) for argument in arguments]) == 0
    files = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert set(files) == {"model.json"} | {
        f"{target}.{kind}" for target in ("bass", "drums")
        for kind in ("onnx", "fp16.safetensors", "int8.safetensors")
    }  # fmt: skip
    told = json.loads(files["model.json"].read_text())
    assert told["targets"] == ["bass", "drums"] and told["rate"] == 44100
    assert (told["n_fft"], told["hop_length"]) == (4096, 1024)
    assert told["networks"]["bass"] == Separator.from_pretrained(model).networks["bass"].arguments
    sizes = [files[f"bass.{kind}.safetensors"].stat().st_size for kind in ("fp16", "int8")]
    assert sizes[1] < 0.6 * sizes[0]
    assert load_file(files["bass.int8.safetensors"])["output.weight"].dtype == torch.int8
    assert capsys.readouterr().out.count("MB") == 7
