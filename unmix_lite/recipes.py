"""The names a recipe may use, apart from what they mean, so that `--help` need not load torch."""

LOSSES = ("l1", "mse", "log", "multiresolution", "phase", "ratio", "sdr")
AUGMENTATIONS = (
    "remix", "shuffle", "speed", "filter", "loudness", "gain", "channelswap",
)  # fmt: skip
SCHEDULES = ("cosine", "plateau", "constant")
PRECISIONS = ("float32", "bf16", "fp16")
KINDS = ("onnx", "fp16", "int8")  # of exported files
