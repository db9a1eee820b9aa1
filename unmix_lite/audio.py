"""Files to audio and back: reading, writing, resampling.

Audio is a float32 tensor of shape (channels, samples), full scale at 1.0; rates are in Hz.
"""

import contextlib
import json
import math
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from .errors import AudioError

# The order of the streams in a MUSDB18 `.stem.mp4` file (Native Instruments' Stems format).
STEM_NAMES = ("mixture", "drums", "bass", "other", "vocals")

# libsndfile reads the rest (WAV, FLAC, OGG, MP3, AIFF ...); these containers hold AAC.
_FFMPEG_SUFFIXES = {".mp4", ".m4a", ".aac", ".mov", ".mkv", ".webm", ".wma"}


def load_audio(path, rate=None):
    """Read a sound file.

    WAV, FLAC, OGG, MP3 and AIFF need nothing but this package; MP4/M4A/AAC need ffmpeg, and of a
    `.stem.mp4` this gives the first stream, the mixture.

    Args:
        path: the file.
        rate: resample to this rate in Hz; None keeps the file's own.

    Returns:
        (audio, rate): float32 `(channels, samples)`, and its rate in Hz.

    Raises:
        AudioError: missing, unreadable, truncated or empty file, or one that holds NaN.
    """
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{path}: no such file.")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file is empty (0 bytes).")
    if path.suffix.lower() in _FFMPEG_SUFFIXES:
        audio, own_rate = _read_with_ffmpeg(path, streams=1)
        audio = audio[0]
    else:
        audio, own_rate = _read_with_soundfile(path)
    check_audio(audio, str(path))
    if rate is not None and rate != own_rate:
        audio, own_rate = resample(audio, own_rate, rate), rate
    return audio, own_rate


def load_stems(path):
    """Read the five streams of a MUSDB18 `.stem.mp4` (needs ffmpeg).

    Returns:
        (stems, rate): a dict name -> float32 `(2, samples)` with the names of `STEM_NAMES`.

    Raises:
        AudioError: no ffmpeg, no such file, or a file with fewer than five streams.
    """
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{path}: no such file.")
    streams, rate = _read_with_ffmpeg(path, streams=len(STEM_NAMES))
    return dict(zip(STEM_NAMES, streams)), rate


def save_audio(path, audio, rate):
    """Write audio so that the file is either whole or not there at all.

    The suffix chooses the format: `.wav` (24 bit; 32-bit float where the audio exceeds full scale,
    so that nothing is clipped), `.flac` (24 bit), `.ogg`, `.mp3`.

    Args:
        path: the file to write; its folder is made.
        audio: `(channels, samples)` or `(samples,)`.
        rate: in Hz.

    Raises:
        AudioError: empty or non-finite audio, an unknown suffix, or audio above full scale in a
            format that would clip it.
    """
    path = Path(path)
    audio = torch.as_tensor(audio, dtype=torch.float32).detach().cpu()
    audio = audio[None] if audio.ndim == 1 else audio
    check_audio(audio, str(path))
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("wav", "flac", "ogg", "mp3"):
        raise AudioError(f"{path}: cannot write '{path.suffix}'; use .wav, .flac, .ogg or .mp3.")
    peak = float(audio.abs().max())
    if peak > 1 and kind != "wav":
        raise AudioError(
            f"{path}: the audio peaks {20 * math.log10(peak):.1f} dB above full scale and {kind} "
            "would clip it; write .wav, or lower the level first."
        )
    # 24-bit full scale is 1 - 2**-23: a sample of exactly 1.0 would clip by one step.
    subtype = {"wav": "PCM_24" if peak < 1 else "FLOAT", "flac": "PCM_24"}.get(kind)
    with atomic(path) as partial:
        soundfile.write(
            partial, audio.numpy().T, int(rate), subtype=subtype, format=kind.upper()
        )


def resample(audio, from_rate, to_rate):
    """Change the sampling rate with soxr at its very high quality.

    Args:
        audio: float32 `(channels, samples)`.
        from_rate, to_rate: in Hz.

    Returns:
        `(channels, ceil(samples * to_rate / from_rate))`.
    """
    if from_rate == to_rate:
        return audio
    samples = math.ceil(audio.shape[-1] * to_rate / from_rate)
    resampled = soxr.resample(audio.detach().cpu().numpy().T, from_rate, to_rate, quality="VHQ")
    return fit_length(torch.from_numpy(np.ascontiguousarray(resampled.T)), samples).to(audio.device)


def fit_length(audio, samples):
    """Cut or zero-pad `(..., n)` to `(..., samples)`."""
    return torch.nn.functional.pad(audio, (0, samples - audio.shape[-1]))


def check_audio(audio, what="audio"):
    """Raise an AudioError unless `audio` is `(channels, samples)`, not empty, and all finite."""
    if audio.ndim != 2:
        raise AudioError(
            f"{what}: expected audio of shape (channels, samples), got {tuple(audio.shape)}."
        )
    if audio.shape[0] == 0 or audio.shape[1] == 0:
        raise AudioError(f"{what}: holds no samples.")
    if not torch.isfinite(audio).all():
        count = int((~torch.isfinite(audio)).sum())
        raise AudioError(
            f"{what}: {count} samples are NaN or infinite; export the file again, or repair it."
        )


@contextlib.contextmanager
def atomic(path):
    """Write a file whole or not at all: yields a temporary path that becomes `path` at the end."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _read_with_soundfile(path):
    """Read in blocks and compare with what the header promised: libsndfile is silent on loss."""
    try:
        with soundfile.SoundFile(path) as file:
            promised = file.frames
            samples = file.read(dtype="float32", always_2d=True)
            rate, kind = file.samplerate, file.format
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise AudioError(
            f"{path}: cannot be read as sound ({_reason(error)}); is the file complete, and is it "
            "WAV, FLAC, OGG or MP3?"
        ) from error
    if kind in ("WAV", "WAVEX", "RF64"):
        promised = max(promised, _wav_promise(path))
    if len(samples) < promised:
        raise AudioError(
            f"{path}: the file is truncated: {len(samples)} of {promised} samples are there; "
            "copy or download it again."
        )
    return torch.from_numpy(np.ascontiguousarray(samples.T)), rate


def _wav_promise(path):
    """Samples that the `data` chunk of a WAV announces (libsndfile trusts the file's length)."""
    with open(path, "rb") as file:
        file.seek(12)
        align = 0
        while len(header := file.read(8)) == 8:
            name, size = header[:4], int.from_bytes(header[4:], "little")
            if name == b"fmt ":
                align = int.from_bytes(file.read(size)[12:14], "little")
                continue
            if name == b"data":
                # 0 and 2**32 - 1 are what streaming writers leave: no promise.
                return size // align if align and 0 < size < 2**32 - 1 else 0
            file.seek(size + size % 2, os.SEEK_CUR)
    return 0


def _read_with_ffmpeg(path, streams):
    """Decode the first `streams` audio streams in one pass; returns a list and the rate."""
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        raise AudioError(
            f"{path}: reading {path.suffix} needs ffmpeg; install it "
            "('apt-get install ffmpeg', 'brew install ffmpeg', 'winget install ffmpeg')."
        )
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-select_streams", "a", "-show_entries",
         "stream=channels,sample_rate", str(path)],
        capture_output=True, text=True,
    )  # fmt: skip
    found = json.loads(probe.stdout or "{}").get("streams", []) if probe.returncode == 0 else []
    if len(found) < streams:
        raise AudioError(
            f"{path}: holds {len(found)} audio streams where {streams} are needed"
            + (f" ({_reason(probe.stderr)})." if probe.stderr else "; is it a .stem.mp4?")
        )
    rate, channels = int(found[0]["sample_rate"]), int(found[0]["channels"])
    merged = "".join(f"[0:a:{i}]" for i in range(streams)) + f"amerge=inputs={streams}[all]"
    select = ["-filter_complex", merged, "-map", "[all]"] if streams > 1 else ["-map", "0:a:0"]
    decoded = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), *select, "-f", "f32le", "-"],
        capture_output=True,
    )
    if decoded.returncode != 0 or decoded.stderr:
        raise AudioError(
            f"{path}: ffmpeg cannot decode it ({_reason(decoded.stderr.decode(errors='replace'))})."
        )
    samples = np.frombuffer(decoded.stdout, "<f4").reshape(-1, streams * channels).T
    audio = torch.from_numpy(np.ascontiguousarray(samples))
    return list(audio.split(channels)), rate


def _reason(error):
    """The last line of an error, without its full stop."""
    lines = str(error).strip().splitlines()
    return lines[-1].rstrip(".") if lines else "no reason given"
