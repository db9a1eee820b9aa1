"""Networks: magnitude of the mixture in, magnitude of one target out. They know no files."""

from .open_unmix import OpenUnmix

MODELS = {"OpenUnmix": OpenUnmix}


def build(name, **arguments):
    """A network by the name that a checkpoint states, with the arguments that stand beside it.

    Raises:
        ValueError: an unknown name.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model '{name}'; known: {', '.join(MODELS)}")
    return MODELS[name](**arguments)


__all__ = ["MODELS", "OpenUnmix", "build"]
