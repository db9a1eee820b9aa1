"""Python with the weights of 8 bits that a page fetches."""

import torch
from safetensors.torch import load_file

from unmix_lite.models import Folded


def with_page_weights(folder, separator, patch):
    """Let a separator of Open-Unmixes compute with the weights of 8 bits that lie in a folder."""
    plain = Folded.__init__

    def rounded(self, network):
        plain(self, network)
        target = next(t for t, n in separator.networks.items() if n is network)
        files = load_file(folder / f"{target}.int8.safetensors")

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

    patch.setattr(Folded, "__init__", rounded)
