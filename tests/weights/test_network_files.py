"""Weights on disk: the same network back, and one clear line for every file that is not one."""

import json

import pytest
import torch
from safetensors.torch import save_file

from unmix_lite.errors import CheckpointError
from unmix_lite.models import OpenUnmix
from unmix_lite.weights import NetworkCard, load_network, save_network


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = OpenUnmix(hidden_size=16, unidirectional=True, input_mean=torch.rand(2049))
    network(torch.rand(2, 2, 2049, 9))  # batch norms that have seen something
    return network.eval()


def card(network):
    return NetworkCard("vocals", "OpenUnmix", network.arguments, training={"note": "a test"})


def test_round_trip(network, tmp_path):
    path = save_network(tmp_path, network, card(network))
    loaded, read = load_network(path)
    x = torch.rand(1, 2, 2049, 9)
    assert torch.equal(loaded(x), network(x)) and not loaded.training
    assert read == card(network)


def test_half_precision_is_half_the_size_and_nearly_the_same(network, tmp_path):
    whole = save_network(tmp_path / "whole", network, card(network))
    half = save_network(tmp_path / "half", network, card(network), half=True)
    # Matrices are halved; this small network is mostly batch norms and scales.
    assert half.stat().st_size < 0.65 * whole.stat().st_size
    x = torch.rand(1, 2, 2049, 9)
    error = (load_network(half)[0](x) - network(x)).norm() / network(x).norm()
    assert 0 < error < 1e-3


def fails(path, words):
    with pytest.raises(CheckpointError) as error:
        load_network(path)
    assert words in str(error.value) and path.name in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_truncated_and_foreign_files(network, tmp_path):
    fails(tmp_path / "none.safetensors", "no such file")
    path = save_network(tmp_path, network, card(network))
    whole = path.read_bytes()
    for size in (0, 5, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        fails(path, "not a whole safetensors file")
    path.write_bytes(b"x" * 10_000)
    fails(path, "not a whole safetensors file")
    save_file({"weight": torch.zeros(3)}, path)
    fails(path, "not one of unmix-lite's networks")


def test_another_models_weights(network, tmp_path):
    path = tmp_path / "vocals.safetensors"
    described = {"target": "vocals", "model": "OpenUnmix", "arguments": {"hidden_size": 16}}
    tensors = OpenUnmix(hidden_size=32).state_dict()
    save_file(tensors, path, metadata={"unmix_lite": json.dumps(described)})
    fails(path, "do not fit")
    save_file(tensors, path, metadata={"unmix_lite": json.dumps({**described, "model": "UNet"})})
    fails(path, "unknown model 'UNet'")


def test_a_file_of_a_newer_format_asks_for_an_update(network, tmp_path):
    newer = card(network)
    newer.format = 2
    path = save_network(tmp_path, network, newer)
    with pytest.raises(CheckpointError, match="format 2.*update") as error:
        load_network(path)
    assert "\n" not in str(error.value)


def test_a_file_from_before_the_format_was_counted_is_of_the_first(network, tmp_path):
    old = {name: value for name, value in vars(card(network)).items() if name != "format"}
    path = tmp_path / "vocals.safetensors"
    save_file(network.state_dict(), path, metadata={"unmix_lite": json.dumps(old)})
    assert load_network(path)[1].format == 1
