"""Sounds as pages carry them: MP3, about a tenth of a WAV's size."""

import io
import math
from collections.abc import Mapping

import soundfile
import torch

from ..audio import MP3_RATES, check_audio, resample
from ..errors import AudioError

# libsndfile's 0 to 1 for LAME's variable bit rate: at most about 120 kbit/s at 44.1 kHz stereo.
_COMPRESSION = 0.55
# An MP3's waveform overshoots the original's by a few per cent, which a browser would clip.
_LOWERED_PEAK = 0.9


def encoded(sounds: Mapping[str, torch.Tensor], rate: int) -> tuple[dict[str, bytes], int, str]:
    """Sounds as MP3 files at one gain, so that their levels compare.

    Args:
        sounds: dict label -> audio, `(channels, samples)` or `(samples,)`, one or two channels.
        rate: in Hz; one that MP3 does not know is resampled to 44100 Hz.

    Returns:
        dict label -> the bytes of an MP3 file; their rate in Hz; and, where a sound exceeded full
        scale and all were lowered, what says so (else "").

    Raises:
        AudioError: nothing to play, more than two channels, or samples that are not finite.
    """
    if not sounds:
        raise AudioError("there is no sound to play.")
    sounds = {str(label): _checked(audio, str(label)) for label, audio in sounds.items()}
    peak = max(float(audio.abs().max()) for audio in sounds.values())
    gain, note = 1.0, ""
    if peak > 1:
        gain = _LOWERED_PEAK / peak
        note = f" (lowered by {-20 * math.log10(gain):.1f} dB)"
    own = rate if rate in MP3_RATES else 44100
    return {label: _mp3(gain * audio, rate, own) for label, audio in sounds.items()}, own, note


def _checked(audio: torch.Tensor, label: str) -> torch.Tensor:
    audio = torch.as_tensor(audio, dtype=torch.float32).detach().cpu()
    audio = audio[None] if audio.ndim == 1 else audio
    check_audio(audio, label)
    if audio.shape[0] > 2:
        raise AudioError(f"{label}: has {audio.shape[0]} channels; a player takes one or two.")
    return audio


def _mp3(audio: torch.Tensor, rate: int, own: int) -> bytes:
    """The sound as the bytes of an MP3 file at the rate `own`."""
    file = io.BytesIO()
    soundfile.write(
        file, resample(audio, rate, own).numpy().T, own, format="MP3", subtype="MPEG_LAYER_III",
        bitrate_mode="VARIABLE", compression_level=_COMPRESSION,
    )  # fmt: skip
    return file.getvalue()
