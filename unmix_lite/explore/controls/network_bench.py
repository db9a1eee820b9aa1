"""The network bench of chapter 6: Open-Unmix opened, and the future cut."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from ...audio import resample
from ...errors import AudioError
from ...signal import STFT
from ...weights import folded_weights, load_networks
from ..explorable import Explorable, carried, traitlets
from ..page_files import ENGINE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE, N_FFT, HOP = 44100, 4096, 1024  # what the networks were trained with
SECONDS = 3.0
BOTH, PAST = "both ways", "past only"
NETWORKS = {BOTH: ("umx-lite", ""), PAST: ("umx-lite-live", "live/")}
"""Name -> the model whose vocals network it is, and the folder of its weights beside a page's."""
UNITS, SIGNED = ("fc1", "lstm1", "lstm2", "lstm3", "skip", "fc2"), ("fc3",)
STAGES = ("mixture", *UNITS, "fc3", "mask", "estimate")
_ROWS = {"units": 48, "bins": 64}  # of a stage's picture
_LOW, _HIGH = 60.0, 16000.0  # Hz, of a picture's frequencies
_SPAN = 60.0  # dB, of a picture of levels
_COLOURS = ("#4aa8e8", "#10101c", "#ff8a3d")  # below zero, zero, above


class NetworkBench(Explorable):
    """A network whose every tensor can be looked at, live; see `network_bench`.

    Attributes:
        network: "both ways", a bidirectional network, or "past only", a unidirectional one.
        stage: whose tensor is shown, one of `STAGES`.
        cut: the second from which on the sound is silent; the last one leaves it whole.
    """

    name = "network_bench"
    network = traitlets.Enum([*NETWORKS], BOTH).tag(sync=True)
    stage = traitlets.Enum([*STAGES], "mask").tag(sync=True)
    cut = traitlets.Float(SECONDS).tag(sync=True)
    # The weights, 7 MB, travel when the page asks for them.
    _asked = traitlets.Bool(False).tag(sync=True)
    _files: Any = traitlets.Dict().tag(sync=True)

    def __init__(self, mixture: torch.Tensor, rate: int, **state: Any) -> None:
        # In the browser's precision, on the processor, as it comes back from MP3.
        sound = resample(mixture.detach().cpu().float(), rate, RATE)[:, : int(SECONDS * RATE)]
        if sound.shape[0] != 2:
            raise AudioError(f"the networks take two channels, not {sound.shape[0]}.")
        data, back, _ = carried({"mixture": sound}, RATE)
        self._magnitude = STFT(N_FFT, HOP)(back["mixture"]).abs()
        self._weights = {}
        arguments = {}
        for name, (model, _) in NETWORKS.items():
            net = load_networks(model, ["vocals"])["vocals"][0]
            self._weights[name] = folded_weights(net, "int8")  # type: ignore[arg-type]
            arguments[name] = net.arguments
        whole = self._whole = {name: self._run(name, SECONDS) for name in NETWORKS}
        self._peaks = {name: _peaks(found) for name, found in whole.items()}
        pictures = {stage: _packed(self._bytes(BOTH, stage, whole[BOTH])) for stage in STAGES}
        super().__init__({
            **data, "nFft": N_FFT, "hop": HOP, "seconds": SECONDS, "networks": arguments,
            "peaks": self._peaks, "pictures": pictures, "rows": _ROWS,
            "files": {name: f"{folder}vocals.int8.safetensors"
                      for name, (_, folder) in NETWORKS.items()} | {"kernel": "kernel.wasm"},
            "folder": "../_static/unmix/",
        }, **state)  # fmt: skip
        self.observe(self._give, "_asked")

    def files(self) -> dict[str, bytes]:
        """What the page computes with: the weights of 8 bits of each network, and the kernel."""
        from safetensors.torch import save

        return {name: save(tensors) for name, tensors in self._weights.items()} | {
            "kernel": (ENGINE / "kernel.wasm").read_bytes()
        }

    def _give(self, change: Any) -> None:
        if change["new"]:
            self._files = self.files()

    def frame(self, cut: float) -> int:
        """The first frame that is silent where the sound is cut at a second."""
        frames = self._magnitude.shape[-1]
        return frames if cut >= SECONDS else min(frames, int(cut * RATE / HOP + 0.5))

    def tensors(self) -> dict[str, torch.Tensor]:
        """Every tensor of the chosen network as it is cut: stage -> `(frames, numbers)`."""
        return self._cut(self.network)

    def _cut(self, name: str) -> dict[str, torch.Tensor]:
        return self._whole[name] if self.cut >= SECONDS else self._run(name, self.cut)

    @torch.inference_mode()
    def _run(self, name: str, cut: float) -> dict[str, torch.Tensor]:
        stored = self._weights[name]

        def matrix(part: str) -> torch.Tensor:
            return stored[part].float() * stored[f"{part}.scale"][:, None]

        def linear(values: torch.Tensor, part: str) -> torch.Tensor:
            return F.linear(values, matrix(f"{part}.weight"), stored[f"{part}.bias"])

        magnitude = self._magnitude.clone()
        magnitude[..., self.frame(cut) :] = 0
        found = {"mixture": magnitude.permute(2, 0, 1).flatten(1)}
        seen = matrix("encode.weight").shape[1] // 2
        rows = linear(magnitude[:, :seen].permute(2, 0, 1).flatten(1), "encode").tanh()
        found["fc1"] = rows
        for layer in range(3):
            sides = []
            for way in ("forward", "backward")[: 2 if name == BOTH else 1]:
                W, U = (matrix(f"{layer}.{way}.{part}") for part in ("input", "state"))
                bias = stored[f"{layer}.{way}.bias"]
                lstm = torch.nn.LSTM(W.shape[1], U.shape[1])
                names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
                lstm.load_state_dict(dict(zip(names, (W, U, bias, torch.zeros_like(bias)))))
                ahead = way == "forward"
                out = lstm(rows if ahead else rows.flip(0))[0]
                sides.append(out if ahead else out.flip(0))
            rows = found[f"lstm{layer + 1}"] = torch.cat(sides, 1)
        found["skip"] = torch.cat([found["fc1"], rows], 1)
        found["fc2"] = linear(found["skip"], "decode").relu()
        found["fc3"] = linear(found["fc2"], "output")
        found["mask"] = found["fc3"].relu()
        found["estimate"] = found["mask"] * found["mixture"]
        return found

    def changes(self, name: str) -> torch.Tensor:
        """By how much the cut moves a network's mask, per frame: the mean absolute change in per
        cent of the mean of the mask."""
        whole, other = self._whole[name]["mask"], self._cut(name)["mask"]
        return 100 * (whole - other).abs().mean(1) / whole.mean()

    @property
    def changed(self) -> dict[str, float]:
        """By how much the cut moves each network's mask in the second before it, in per cent."""
        end = self.frame(self.cut)
        second = slice(max(0, end - round(RATE / HOP)), end)
        return {name: float(self.changes(name)[second].mean()) for name in NETWORKS}

    def _bytes(self, name: str, stage: str, tensors: dict[str, torch.Tensor]) -> np.ndarray:
        """A stage as a picture, `(rows, frames)` of 0 to 255, the top row first."""
        values, peak = tensors[stage].numpy(), self._peaks[name][stage]
        frames, width = values.shape
        if stage in UNITS:
            rows = _ROWS["units"]
            shown = values[:, (np.arange(rows) * width) // rows]
        else:
            rows, bins = _ROWS["bins"], width // 2
            hz = _LOW * (_HIGH / _LOW) ** (1 - (np.arange(rows) + 0.5) / rows)
            bin_of = np.round(hz / (RATE / N_FFT)).astype(int)
            shown = (values[:, bin_of] + values[:, bins + bin_of]) / 2
        if stage in ("mixture", "estimate"):
            level = 1 + 20 * np.log10(shown / peak + 1e-9) / _SPAN
        elif stage in ("fc2", "mask"):
            level = shown / peak
        else:
            level = 0.5 + 0.5 * shown / peak
        return np.floor(255 * level.clip(0, 1) + 0.5).astype(np.uint8).T

    def figure(self) -> Figure:
        import matplotlib.pyplot as plt
        from matplotlib.colors import LinearSegmentedColormap

        from ... import plots

        tensors = self.tensors()
        signed = LinearSegmentedColormap.from_list("signed", _COLOURS)
        drawn = ("mixture", "fc1", "lstm1", "lstm3", "fc2", "mask")
        titles = ("mixture", "fc1, bn1, tanh", "LSTM, layer 1", "LSTM, layer 3",
                  "fc2, bn2, ReLU", "mask")  # fmt: skip
        with plots.style():
            fig, axes = plt.subplots(2, 3, figsize=(plots.WIDTH, 4), sharex=True)
        for ax, stage, title in zip(axes.flat, drawn, titles):
            picture = self._bytes(self.network, stage, tensors)[:, ::2]
            colours = signed if stage in ("fc1", "lstm1", "lstm3") else "magma"
            ax.imshow(picture, aspect="auto", cmap=colours, vmin=0, vmax=255,
                      extent=(0, SECONDS, 0, 1), interpolation="none")  # fmt: skip
            ax.set_title(f"{title}: {tensors[stage].shape[1]} a frame", fontsize=10)
            ax.set_yticks([])
        for ax in axes[1]:
            ax.set_xlabel("time (s)")
        return fig

    alt = (
        "Six pictures of the same three seconds: the mixture's magnitudes; three layers of the "
        "network, whose rows are units, restless in the first and in long stripes in the last; "
        "the layer after them, zero where it is dark; and the mask, bright where the network "
        "hears the voice"
    )


def _packed(picture: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(picture).tobytes()).decode()


def _peaks(tensors: dict[str, torch.Tensor]) -> dict[str, float]:
    """Of each stage the value that its picture shows brightest."""
    found = dict.fromkeys(STAGES, 1.0)  # tanh, LSTM and the mask
    for stage in ("mixture", "estimate"):
        found[stage] = float(tensors["mixture"].max()) / 3
    found["fc2"] = float(np.quantile(tensors["fc2"].numpy(), 0.99)) or 1.0
    return found


def network_bench(mixture: torch.Tensor, rate: int, **state: Any) -> NetworkBench:
    """Open-Unmix opened: a diagram of a network with the live tensors of a real sound.

    Clicking on a stage shows its tensor. The network runs in JavaScript, with the weights of 8 bits
    that a built book has beside its pages, or that Python hands over. A slider silences the sound
    after a moment, and it is measured by how much the mask changes *before* that, of the network
    that looks both ways and of one that knows the past only.

    Args:
        mixture: `(2, samples)`; three seconds are taken. rate: in Hz.
        state: to begin with, `cut=1.5` for example.

    Returns:
        what a cell shows when it ends with it.

    Raises:
        AudioError: not of two channels.
    """
    return NetworkBench(mixture, rate, **state)
