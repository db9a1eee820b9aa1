"""Networks. They know no files.

`OpenUnmix` estimates magnitudes of one target from magnitudes of the mixture. The others are
each an `AudioNetwork`: sound in, the sound of all its targets out.
"""

from typing import Any

from torch import nn

from .audio_network import AudioNetwork
from .deep_conv_sep import DeepConvSep
from .folded import Folded, Sequence, concatenate, run_lstms
from .hybrid_demucs import HybridDemucs
from .open_unmix import OpenUnmix
from .vocal_cnn import VocalCNN
from .wave_u_net import WaveUNet
from .wavenet import Wavenet

MODELS: dict[str, type[nn.Module]] = {
    model.__name__: model for model in (OpenUnmix, WaveUNet, DeepConvSep, VocalCNN, Wavenet)
}
"""The networks that can be trained and stored, by the name that a checkpoint states."""


def build(name: str, **arguments: Any) -> nn.Module:
    """A network by the name that a checkpoint states, with the arguments that stand beside it.

    Raises:
        ValueError: an unknown name.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model '{name}'; known: {', '.join(MODELS)}")
    return MODELS[name](**arguments)


__all__ = [
    "MODELS",
    "AudioNetwork",
    "DeepConvSep",
    "Folded",
    "HybridDemucs",
    "OpenUnmix",
    "Sequence",
    "VocalCNN",
    "WaveUNet",
    "Wavenet",
    "build",
    "concatenate",
    "run_lstms",
]
