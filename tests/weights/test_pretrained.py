"""What comes with the package: every model is small, described, and opens."""

import json

import pytest

from unmix_lite.models import AudioNetwork
from unmix_lite.separation import Separator
from unmix_lite.weights import PRETRAINED, load_networks, pretrained_names, targets_of

MEGABYTE = 10**6
LITE = {"OpenUnmix": 9 * MEGABYTE}  # per target; all others 6


@pytest.mark.parametrize("name", pretrained_names())
class TestModel:
    def test_it_is_small(self, name):
        for network, card in load_networks(name).values():
            file = PRETRAINED / name / f"{card.target}.safetensors"
            assert file.stat().st_size <= LITE.get(type(network).__name__, 6 * MEGABYTE)

    def test_it_is_described(self, name):
        card = (PRETRAINED / name / "README.md").read_text()
        for word in ("**Data.**", "**Recipe.**", "**Scores.**", "**Limits.**", "**Licence.**"):
            assert word in card
        assert f"--model {name} " in card

    def test_its_curves_are_beside_it(self, name):
        for file in (PRETRAINED / name).glob("*.safetensors"):
            record = json.loads(file.with_suffix(".json").read_text())
            assert record.get("history") or record["averaged"]

    def test_it_opens(self, name):
        separator = Separator.from_pretrained(name, "cpu")
        assert separator.targets == targets_of(name)


def test_there_is_one_of_every_kind():
    kinds = {type(load_networks(name).popitem()[1][0]).__name__ for name in pretrained_names()}
    assert {"OpenUnmix", "WaveUNet", "DeepConvSep", "VocalCNN", "Wavenet"} == kinds
    assert issubclass(type(Separator.from_pretrained("wavenet-lite").network), AudioNetwork)
