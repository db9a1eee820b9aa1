"""Names that many rooms share, apart from what they mean, so that `--help` need not load torch."""

TARGETS = ("vocals", "drums", "bass", "other")
"""The stems of MUSDB18, in the order of this course."""
SPLITS = ("train", "valid", "test")

LOSSES = ("l1", "mse", "log", "multiresolution", "phase", "ratio", "sdr", "filtered")
COUPLED = {"ratio", "filtered"}  # losses in which each target's value depends on all networks
NETWORKS = {
    "OpenUnmix": (44100, LOSSES),
    "WaveUNet": (22050, ("mse", "l1", "sdr")),
    "DeepConvSep": (44100, ("dissimilarity", "mse")),
    "VocalCNN": (22050, ("bce", "weighted")),
    "Wavenet": (16000, ("l1", "mse", "sdr")),
}
"""Each network's rate in Hz, and what it can be trained with; of all but the first, whose laptop
default is "mse", the first is that of its paper."""
AUGMENTATIONS = (
    "remix", "shuffle", "intact", "speed", "tempo", "pitch", "filter", "loudness", "gain",
    "channelswap",
)  # fmt: skip
SCHEDULES = ("cosine", "plateau", "constant")
PRECISIONS = ("float32", "bf16", "fp16")
EXPORT_FORMATS = ("onnx", "fp16", "int8")
