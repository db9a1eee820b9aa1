"""Audio players for notebooks and pages: MP3 inside the HTML, about a tenth of a WAV's size."""

import base64
import html
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


class Players:
    """Players side by side, one for each label; shown by a notebook's cell that ends with them."""

    def __init__(self, figures: Mapping[str, str]) -> None:
        self._figures = figures

    def _repr_html_(self) -> str:
        columns = "repeat(auto-fill,minmax(min(100%,15rem),1fr))"
        style = f"display:grid;grid-template-columns:{columns};gap:0.5rem 1rem"
        return f'<div class="players" style="{style}">{"".join(self._figures.values())}</div>'

    def __repr__(self) -> str:
        return f"Players({', '.join(self._figures)})"


def player(audio: torch.Tensor, rate: int, label: str = "audio") -> Players:
    """One player; see `players`."""
    return players({label: audio}, rate)


def players(sounds: Mapping[str, torch.Tensor], rate: int) -> Players:
    """Players for several sounds, which share one gain so that their levels compare.

    Sounds above full scale are all lowered by the same amount, and their labels say by how much.

    Args:
        sounds: a dict label -> audio, `(channels, samples)` or `(samples,)`, one or two channels.
        rate: in Hz; one that MP3 does not know is resampled to 44100 Hz.

    Returns:
        an object that notebooks show as HTML, with the sound inside as MP3.

    Raises:
        AudioError: nothing to play, more than two channels, or samples that are not finite.
    """
    compressed, note = _together(sounds, rate)
    return Players({label: _figure(label + note, mp3) for label, mp3 in compressed.items()})


def encoded(sounds: Mapping[str, torch.Tensor], rate: int) -> dict[str, bytes]:
    """The sounds of `players` as the bytes of MP3 files, at one gain: dict label -> bytes."""
    return _together(sounds, rate)[0]


def _together(sounds: Mapping[str, torch.Tensor], rate: int) -> tuple[dict[str, bytes], str]:
    """MP3 files of sounds, lowered together where one exceeds full scale; and what says so."""
    if not sounds:
        raise AudioError("players: there is no sound to play.")
    sounds = {str(label): _checked(audio, str(label)) for label, audio in sounds.items()}
    peak = max(float(audio.abs().max()) for audio in sounds.values())
    gain, note = 1.0, ""
    if peak > 1:
        gain = _LOWERED_PEAK / peak
        note = f" (lowered by {-20 * math.log10(gain):.1f} dB)"
    return {label: _mp3(gain * audio, rate) for label, audio in sounds.items()}, note


def _checked(audio: torch.Tensor, label: str) -> torch.Tensor:
    audio = torch.as_tensor(audio, dtype=torch.float32).detach().cpu()
    audio = audio[None] if audio.ndim == 1 else audio
    check_audio(audio, label)
    if audio.shape[0] > 2:
        raise AudioError(f"{label}: has {audio.shape[0]} channels; a player takes one or two.")
    return audio


def _mp3(audio: torch.Tensor, rate: int) -> bytes:
    """The sound as the bytes of an MP3 file."""
    if rate not in MP3_RATES:
        audio, rate = resample(audio, rate, 44100), 44100
    encoded = io.BytesIO()
    soundfile.write(
        encoded, audio.numpy().T, int(rate), format="MP3", subtype="MPEG_LAYER_III",
        bitrate_mode="VARIABLE", compression_level=_COMPRESSION,
    )  # fmt: skip
    return encoded.getvalue()


def _figure(label: str, mp3: bytes) -> str:
    text = html.escape(label, quote=True)
    source = f"data:audio/mpeg;base64,{base64.b64encode(mp3).decode()}"
    return (
        '<figure style="margin:0;max-width:100%">'
        f'<figcaption style="font-size:0.9em">{text}</figcaption>'
        f'<audio controls preload="none" aria-label="{text}" '
        f'style="width:100%" src="{source}"></audio></figure>'
    )
