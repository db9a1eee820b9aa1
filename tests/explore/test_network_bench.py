"""The network bench: its tensors are Python's, in every browser; and who notices the future."""

import base64

import pytest
import torch

from unmix_lite import explore
from unmix_lite.explore import write_engine
from unmix_lite.explore.controls.network_bench import BOTH, NETWORKS, PAST, STAGES

STATES = [
    {},
    {"cut": 1.5, "stage": "lstm2"},
    {"cut": 2.6, "network": PAST, "stage": "fc3"},
]


@pytest.fixture(scope="module")
def bench(stems):
    """With the weights in the page itself, which then needs no server."""
    bench = explore.network_bench(sum(stems.values()), 44100)
    texts = {name: base64.b64encode(content).decode() for name, content in bench.files().items()}
    addresses = {
        name: f"data:application/octet-stream;base64,{text}" for name, text in texts.items()
    }
    bench.data = {**bench.data, "files": addresses}
    return bench


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_page_has_pythons_numbers(bench, on_page, state):
    first = bench.state
    try:
        bench.set_trait("cut", state.get("cut", first["cut"]))
        bench.network = state.get("network", first["network"])
        shown = bench.tensors()[state.get("stage", first["stage"])]
        expected = [*bench.changed.values(), float(shown.double().abs().mean())]
    finally:
        bench.cut, bench.network = first["cut"], first["network"]
    assert on_page(bench, state) == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_only_who_reads_backwards_notices_the_cut(bench):
    try:
        bench.cut = 1.5
        assert bench.changed[PAST] == 0 < bench.changed[BOTH]
        assert all(bench.changes(name)[bench.frame(1.5) :].min() > 0 for name in NETWORKS)
    finally:
        bench.cut = 3.0
    assert set(bench.changed.values()) == {0.0}


def test_its_tensors_are_the_networks(bench):
    """To what 8 bits cost."""
    from unmix_lite.weights import load_networks

    for name, (model, _) in NETWORKS.items():
        network = load_networks(model, ["vocals"])["vocals"][0].eval()
        with torch.inference_mode():
            mask = network.mask(bench._magnitude[None])[0].permute(2, 0, 1).flatten(1)
        found = bench._whole[name]
        assert tuple(found) == STAGES
        assert (found["mask"] - mask).norm() < 0.05 * mask.norm()


def test_the_files_are_those_of_a_built_book(bench, tmp_path):
    """Which the page fetches by the names that the book gives them."""
    files = bench.files()
    for name, (model, folder) in NETWORKS.items():
        (tmp_path / folder).mkdir(exist_ok=True)
        write_engine(tmp_path / folder, model)
        written = tmp_path / folder / "vocals.int8.safetensors"
        assert written.stat().st_size == len(files[name])
        assert written.read_bytes() == files[name]


def test_the_weights_travel_when_they_are_asked_for(bench):
    assert bench._files == {}
    bench._asked = True
    assert set(bench._files) == {*NETWORKS, "kernel"}
