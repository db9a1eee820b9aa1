"""What can go wrong, each as one line that says what is wrong and what to do."""

from importlib import import_module
from typing import Any


class UnmixError(Exception):
    """The base of every error that is the input's fault; its message is one readable line."""


class AudioError(UnmixError):
    """Audio that cannot be read, written or separated."""


class AudioWarning(UserWarning):
    """Something in a sound file was not as it should be, and nothing is missing for it."""


class CorpusError(UnmixError):
    """A data set that is missing, incomplete or not what it should be."""


class CheckpointError(UnmixError):
    """Weights or a training state that cannot be used."""


class DownloadError(UnmixError):
    """A download that failed: no network, a broken connection, or other bytes than promised."""


class DiskFull(UnmixError):
    """A folder whose disk takes no more; its message names it."""


class MemoryFull(UnmixError):
    """More memory was needed than there is."""


def require(module: str, extra: str, user: str) -> Any:
    """Import a module that `pip install unmix-lite` alone does not bring.

    Args:
        module: its name, for example "matplotlib.pyplot".
        extra: of ours, that brings it.
        user: who needs it, as the error's first words.

    Raises:
        UnmixError: it cannot be imported; says what to install.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise UnmixError(f"{user} needs {package}: pip install 'unmix-lite[{extra}]'.") from error
