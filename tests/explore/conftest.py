"""The engine's files, a song, and Python's separator with the weights that the page has."""

import pytest
import torch
from safetensors.torch import load_file

from unmix_lite.corpora import open_corpus
from unmix_lite.explore import write_engine
from unmix_lite.models import Folded
from unmix_lite.separation import Separator

SECONDS = 4.0


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory):
    """What the page fetches."""
    folder = tmp_path_factory.mktemp("engine")
    write_engine(folder)
    return folder


@pytest.fixture(scope="session")
def song(band):
    """Four seconds of the band, (2, samples) at 44100 Hz."""
    return open_corpus(band).tracks("train")[0].mixture()[:, : int(SECONDS * 44100)].contiguous()


@pytest.fixture(scope="session")
def separator(engine_folder):
    """`umx-lite` in Python, with the page's weights of 8 bits; its stems do not add up yet."""
    separator = Separator.from_pretrained("umx-lite", "cpu", complete=False)
    plain = Folded.__init__

    def rounded(self, network):
        plain(self, network)
        target = next(t for t, n in separator.networks.items() if n is network)
        files = load_file(engine_folder / f"{target}.int8.safetensors")

        def matrix(name):
            return files[name].float() * files[f"{name}.scale"][:, None]

        for stage, name in (("first", "encode"), ("second", "decode"), ("third", "output")):
            setattr(self, stage, (matrix(f"{name}.weight"), files[f"{name}.bias"]))
        for layer, directions in enumerate(self.directions):
            for name, lstm in zip(("forward", "backward"), directions):
                state = {
                    "weight_ih_l0": matrix(f"{layer}.{name}.input"),
                    "weight_hh_l0": matrix(f"{layer}.{name}.state"),
                    "bias_ih_l0": files[f"{layer}.{name}.bias"],
                }
                lstm.load_state_dict(
                    {**state, "bias_hh_l0": torch.zeros_like(state["bias_ih_l0"])}, assign=True
                )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Folded, "__init__", rounded)
        yield separator
