"""unmix-lite: music source separation, from the spectrogram to a trained Open-Unmix.

    import unmix_lite
    audio, rate = unmix_lite.load_audio("song.mp3")
    stems = unmix_lite.Separator.from_pretrained()(audio, rate)
"""

from .audio import load_audio, save_audio
from .errors import AudioError, CheckpointError, CorpusError, UnmixError
from .separator import Separator
from .spectral import STFT
from .wiener import wiener

__version__ = "0.1.0"

__all__ = [
    "STFT", "AudioError", "CheckpointError", "CorpusError", "Separator", "UnmixError",
    "load_audio", "save_audio", "wiener",
]  # fmt: skip
