"""The same in Python as in a page: its weights of 8 bits, and its sounds after MP3."""

import base64
import io

import soundfile
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


def with_plain_sounds(control):
    """A control's HTML whose sounds are arrays: those that Python decoded."""
    from unmix_lite.explore.explorable import array

    data = dict(control.data)
    if "sounds" in data:
        data["sounds"] = {}
        for label, text in control.data["sounds"].items():
            audio, _ = soundfile.read(io.BytesIO(base64.b64decode(text)), always_2d=True)
            data["sounds"][label] = array(audio.T[:, : data["samples"]])
    stored, control.data = control.data, data
    try:
        return control.page()
    finally:
        control.data = stored
