"""Names that many rooms share, apart from what they mean, so that `--help` need not load torch."""

from typing import NamedTuple

TARGETS = ("vocals", "drums", "bass", "other")
"""The stems of MUSDB18, in the order of this course."""
SPLITS = ("train", "valid", "test")
"""The parts of a data set: to learn from, to stop and choose by, to report."""

LOSSES = ("mse", "l1", "log", "multiresolution", "phase", "ratio", "sdr", "filtered")
"""What Open-Unmix can be trained with; `training.LOSSES` computes them."""
COUPLED = {"ratio", "filtered"}
"""Losses in which each target's value depends on all networks."""


class NetworkKind(NamedTuple):
    """What a recipe must know of a class of networks.

    Attributes:
        rate: of the sound that it is made for, in Hz.
        losses: what it can be trained with; the first is that of its authors, and the default.
        one_per_target: whether each target has a network of its own, rather than one for all.
    """

    rate: int
    losses: tuple[str, ...]
    one_per_target: bool = False


NETWORKS = {
    "OpenUnmix": NetworkKind(44100, LOSSES, one_per_target=True),
    "WaveUNet": NetworkKind(22050, ("mse", "l1", "sdr")),
    "DeepConvSep": NetworkKind(44100, ("dissimilarity", "mse")),
    "VocalCNN": NetworkKind(22050, ("bce", "weighted")),
    "Wavenet": NetworkKind(16000, ("l1", "mse", "sdr")),
}
"""The networks that can be trained."""
AUGMENTATIONS = (
    "remix", "shuffle", "intact", "speed", "tempo", "pitch", "filter", "loudness", "gain",
    "channelswap",
)  # fmt: skip
"""What training can change in the songs that it draws."""
SCHEDULES = ("cosine", "plateau", "constant")
"""How the learning rate may fall."""
PRECISIONS = ("float32", "bf16", "fp16")
"""What a network may compute with while it learns."""
EXPORT_FORMATS = ("onnx", "fp16", "int8")
"""What `weights.export_networks` writes."""
OPEN_UNMIX: dict[str, int | float | bool] = {
    "hidden_size": 256, "unidirectional": False, "max_bin": 1487, "dropout": 0.4,
    "n_fft": 4096, "hop_length": 1024,
}  # fmt: skip
"""The arguments of a recipe for OpenUnmix: its constructor's, and its spectrogram's. The defaults
are for a laptop; the other networks' stand in their constructors."""
