"""unmix-lite: music source separation, from the spectrogram to a trained Open-Unmix.

    import unmix_lite
    audio, rate = unmix_lite.load_audio("song.mp3")
    stems = unmix_lite.Separator.from_pretrained()(audio, rate)

The names below, and the rooms of the package (`unmix_lite.models`, `unmix_lite.training` ...), are
loaded when they are first used: torch takes seconds, and `unmix-lite --help` does without.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .audio import load_audio as load_audio
    from .audio import save_audio as save_audio
    from .errors import AudioError, CheckpointError, CorpusError, UnmixError
    from .separation import Separator
    from .signal import STFT, wiener

__version__ = "0.1.0"

_ROOMS = {
    "STFT": "signal", "AudioError": "errors", "CheckpointError": "errors", "CorpusError": "errors",
    "Separator": "separation", "UnmixError": "errors", "load_audio": "audio",
    "save_audio": "audio", "wiener": "signal",
}  # fmt: skip

__all__ = [
    "STFT", "AudioError", "CheckpointError", "CorpusError", "Separator", "UnmixError",
    "load_audio", "save_audio", "wiener",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """A public name, or a room, at its first use (PEP 562)."""
    if name in _ROOMS:
        value = getattr(import_module(f".{_ROOMS[name]}", __name__), name)
        globals()[name] = value
        return value
    if name in {module.name for module in iter_modules(__path__)}:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *(module.name for module in iter_modules(__path__))})
