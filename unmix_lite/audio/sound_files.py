"""Files to audio and back: reading and writing.

Audio is a float32 tensor of shape (channels, samples), full scale at 1.0; rates are in Hz.
"""

import contextlib
import itertools
import math
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile
import torch

from ..errors import AudioError, AudioWarning
from ..files import StrPath, atomic
from .checks import check_audio
from .contents import chained, content, for_ffmpeg, goes_on, in_words, name_for_libsndfile
from .ffmpeg import read_with_ffmpeg, reason, truncated
from .ffmpeg import there as ffmpeg_is_there
from .resampling import resample
from .truncation import announced_end, announces_length, missing

STEM_NAMES = ("mixture", "drums", "bass", "other", "vocals")
"""The order of the streams in a MUSDB18 `.stem.mp4` file (Native Instruments' Stems format)."""

# Samples per write: libsndfile's Vorbis encoder crashes on a song in one piece.
_BLOCK = 1 << 16

# Bytes that a header may promise too many: some recorders count the header itself.
_A_LITTLE = 512
# Bytes of a WAV whose header can say how long it is; beyond, RF64 has a longer field.
_WAV_HOLDS = (1 << 32) - (1 << 20)

MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""The rates that an MP3 file can have, in Hz."""


def load_audio(path: StrPath, rate: int | None = None) -> tuple[torch.Tensor, int]:
    """Read a sound file.

    What the file holds decides, not its name. WAV, FLAC, OGG, MP3 and AIFF need nothing but this
    package; all else (M4A, AAC, WMA, WavPack, the sound of a film) needs ffmpeg, and of a
    `.stem.mp4` this gives the first stream, the mixture. Several recordings in one file are all
    read.

    Args:
        path: the file.
        rate: resample to this rate in Hz; None keeps the file's own.

    Returns:
        (audio, rate): float32 `(channels, samples)`, and its rate in Hz.

    Raises:
        AudioError: missing, unreadable, truncated or empty file, or one that holds NaN.

    Warns:
        AudioWarning: what was skipped, or is odd, where no sound is missing.
    """
    path = _existing(path)
    name = content(path)
    if for_ffmpeg(name):
        audio, own_rate = _first_stream(path)
    else:
        audio, own_rate = _read_with_soundfile(path, name)
    check_audio(audio, str(path))
    if rate is not None and rate != own_rate:
        audio, own_rate = resample(audio, own_rate, rate), rate
    return audio, own_rate


def load_stems(path: StrPath) -> tuple[dict[str, torch.Tensor], int]:
    """Read the five streams of a MUSDB18 `.stem.mp4` (needs ffmpeg).

    Returns:
        (stems, rate): a dict name -> float32 `(2, samples)` with the names of `STEM_NAMES`.

    Raises:
        AudioError: no ffmpeg, no such file, a truncated one, fewer than five streams, or streams
            that differ in length, channels or rate.
    """
    path = _existing(path)
    streams, rate = read_with_ffmpeg(path, streams=len(STEM_NAMES))
    return dict(zip(STEM_NAMES, streams)), rate


def save_audio(path: StrPath, audio: torch.Tensor, rate: int) -> None:
    """Write audio so that the file is either whole or not there at all.

    The suffix chooses the format: `.wav` (24 bit; 32-bit float where the audio exceeds full scale,
    so that nothing is clipped), `.flac` (24 bit), `.ogg`, `.mp3`.

    Args:
        path: the file to write; its folder is made.
        audio: `(channels, samples)` or `(samples,)`.
        rate: in Hz.

    Raises:
        AudioError: empty or non-finite audio, an unknown suffix, a rate or number of channels that
            the format does not know, audio above full scale in a format that would clip it, or a
            folder or disk that cannot be written.
    """
    path = Path(path)
    audio = torch.as_tensor(audio, dtype=torch.float32).detach().cpu()
    audio = audio[None] if audio.ndim == 1 else audio
    check_audio(audio, str(path))
    check_format(path, audio.shape[0], rate)
    peak = float(audio.abs().max())
    if peak > 1 and path.suffix.lower() != ".wav":
        kind = path.suffix.lower().lstrip(".")
        raise AudioError(
            f"{path}: the audio peaks {20 * math.log10(peak):.1f} dB above full scale and {kind} "
            "would clip it; write .wav, or lower the level first."
        )
    write_audio(path, audio.split(_BLOCK, dim=1), audio.shape[0], rate, peak)


def check_format(path: Path, channels: int, rate: int) -> None:
    """Raise an AudioError unless a file of that suffix can hold so many channels at that rate."""
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("wav", "flac", "ogg", "mp3"):
        raise AudioError(f"{path}: cannot write '{path.suffix}'; use .wav, .flac, .ogg or .mp3.")
    if kind in ("mp3", "ogg") and channels > 2:  # Vorbis takes a sixth one for a subwoofer
        raise AudioError(
            f"{path}: has {channels} channels, and {kind} keeps one or two; write .wav or .flac."
        )
    if kind == "mp3" and rate not in MP3_RATES:
        raise AudioError(
            f"{path}: MP3 knows no {rate} Hz, only {', '.join(map(str, MP3_RATES))}; resample it, "
            "or write .wav."
        )


def write_audio(
    path: Path,
    blocks: Iterable[torch.Tensor],
    channels: int,
    rate: int,
    peak: float,
    comment: str = "",
) -> None:
    """Write blocks `(channels, samples)` of audio that peaks at `peak`, whole or not at all.

    Args:
        comment: kept in the file, where players show it and `comment_of` reads it.

    Raises:
        AudioError: a folder or disk that cannot be written.
    """
    kind = path.suffix.lower().lstrip(".")
    # 24-bit full scale is 1 - 2**-23: a sample of exactly 1.0 would clip by one step.
    subtype = {"wav": "PCM_24" if peak < 1 else "FLOAT", "flac": "PCM_24"}.get(kind)
    try:
        with atomic(path) as partial:
            _write_blocks(partial, blocks, channels, int(rate), kind.upper(), subtype, comment)
    except (soundfile.SoundFileError, RuntimeError, OSError) as error:
        raise AudioError(f"{path}: cannot be written ({reason(error)}).") from error


def _write_blocks(
    path: Path,
    blocks: Iterable[torch.Tensor],
    channels: int,
    rate: int,
    kind: str,
    subtype: str | None,
    comment: str,
) -> None:
    """Write a file; a WAV that grows too long for its header goes on as RF64."""
    most = _WAV_HOLDS // (channels * (4 if subtype == "FLOAT" else 3)) if kind == "WAV" else None
    rest, place = iter(blocks), name_for_libsndfile(path)
    with soundfile.SoundFile(place, "w", rate, channels, subtype=subtype, format=kind) as file:
        if comment:
            file.comment = comment
        for block in rest:
            if most is not None and file.frames + block.shape[1] > most:
                break
            file.write(block.numpy().T)
        else:
            return
    shorter = path.with_name(f"{path.name}.shorter")
    path.replace(shorter)
    try:
        with (
            soundfile.SoundFile(name_for_libsndfile(shorter)) as begun,
            soundfile.SoundFile(place, "w", rate, channels, subtype=subtype, format="RF64") as file,
        ):
            if comment:
                file.comment = comment
            for samples in begun.blocks(_BLOCK, dtype="float32", always_2d=True):
                file.write(samples)
            for block in itertools.chain([block], rest):
                file.write(block.numpy().T)
    finally:
        shorter.unlink(missing_ok=True)


def comment_of(path: StrPath) -> str:
    """The comment that a sound file carries; "" for none, or no sound file."""
    try:
        with soundfile.SoundFile(name_for_libsndfile(path)) as file:
            return str(file.comment)
    except (soundfile.SoundFileError, RuntimeError, OSError):
        return ""


def _existing(path: StrPath) -> Path:
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{path}: no such file.")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file is empty (0 bytes).")
    return path


def _first_stream(path: Path, strict: bool = False) -> tuple[torch.Tensor, int]:
    streams, rate = read_with_ffmpeg(path, streams=1, strict=strict)
    return streams[0], rate


def _read_with_soundfile(path: Path, name: str) -> tuple[torch.Tensor, int]:
    """By libsndfile what it reads whole, by ffmpeg the rest; `name` is that of the content."""
    try:
        with soundfile.SoundFile(name_for_libsndfile(path)) as file:
            kind, rate, promised = file.format, file.samplerate, file.frames
            end = announced_end(path) if kind == "MP3" else 0
            several = kind == "OGG" and chained(path) or goes_on(path, end)
            # Of a FLAC written to a pipe libsndfile says 2**63 - 1; of such an MP3 it would guess
            # the length from the first frames, and cut there.
            if several or promised >= 2**62 or kind == "MP3" and not announces_length(path):
                return _read_to_the_end(path, several)
            samples = _channels_first(file)
    except (soundfile.SoundFileError, RuntimeError, OSError, ValueError, MemoryError) as error:
        return _read_what_nobody_knows(path, name, error)
    gone = missing(path, kind)
    # The end of an MP3 is told by its bytes: encoders differ in how they count the last frames.
    short = kind != "MP3" and samples.shape[1] < promised
    if gone > (0 if kind in ("OGG", "MP3") else _A_LITTLE) or short and not gone:
        size = path.stat().st_size
        seconds = max(promised, samples.shape[1] * (size + gone) / size) / rate
        raise truncated(path, seconds - samples.shape[1] / rate, seconds)
    if gone:
        warnings.warn(
            f"{path}: its header promises {gone} bytes more than there are; all sound was read.",
            AudioWarning,
            stacklevel=4,
        )
    return torch.from_numpy(samples), rate


def _channels_first(file: soundfile.SoundFile) -> np.ndarray:
    """All of an open `SoundFile`, float32 `(channels, samples)`; an hour is never there twice."""
    samples, end = np.empty((file.channels, file.frames), np.float32), 0
    for block in file.blocks(1 << 20, dtype="float32", always_2d=True):
        samples[:, end : end + len(block)] = block.T
        end += len(block)
    return np.ascontiguousarray(samples[:, :end])


def _read_to_the_end(path: Path, several: bool) -> tuple[torch.Tensor, int]:
    """Read a file that libsndfile would cut: of several recordings, or of a length unknown."""
    why = "It holds several recordings" if several else "The file does not say how long it is"
    try:
        return _first_stream(path)
    except AudioError as error:
        raise AudioError(f"{error} ({why}.)") from error


def _read_what_nobody_knows(path: Path, name: str, error: Exception) -> tuple[torch.Tensor, int]:
    """What libsndfile refuses, by ffmpeg; else one line that says what the file looks like."""
    if isinstance(error, MemoryError):
        raise AudioError(f"{path}: is too long for this machine's memory; cut it.") from error
    if found := in_words(path):
        raise AudioError(
            f"{path}: cannot be read as sound: it looks like {found}, whatever its name says."
        ) from error
    if ffmpeg_is_there():
        with contextlib.suppress(AudioError):
            # What libsndfile knows and refuses is damaged, unless ffmpeg finds nothing wrong.
            return _first_stream(path, strict=name not in ("", "MP3"))
    hint = "is the file complete?" if name else "is it sound?"
    tools = "" if ffmpeg_is_there() else " With ffmpeg installed more kinds are read."
    raise AudioError(f"{path}: cannot be read as sound ({reason(error)}); {hint}{tools}") from error
