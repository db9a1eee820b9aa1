"""The names a recipe may use, apart from what they mean, so that `--help` need not load torch."""

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
KINDS = ("onnx", "fp16", "int8")  # of exported files
