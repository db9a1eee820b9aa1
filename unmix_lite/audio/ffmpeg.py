"""What libsndfile does not read, through the programs ffmpeg and ffprobe."""

import json
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import AudioError, AudioWarning

_STREAM_KEYS = ("channels", "sample_rate", "duration_ts")
_TOLERATED = 0.1  # s by which a decoded stream may be shorter than its header says


def there() -> bool:
    """True if ffmpeg can be called."""
    return bool(shutil.which("ffmpeg") and shutil.which("ffprobe"))


def read_with_ffmpeg(
    path: Path, streams: int, strict: bool = False
) -> tuple[list[torch.Tensor], int]:
    """Decode the first audio streams of a file in one pass.

    Args:
        path: the file. streams: how many. strict: whatever ffmpeg complains of is an error.

    Returns:
        (audio, rate): a list of float32 `(channels, samples)`, and their rate in Hz.

    Raises:
        AudioError: no ffmpeg, a file it cannot decode, too few streams, or streams that differ in
            length, channels or rate.
    """
    found = _probe(path)
    if len(found) < streams:
        raise AudioError(
            f"{path}: holds {len(found)} audio streams where {streams} are needed; is it a "
            f"{'.stem.mp4' if streams > 1 else 'sound file'}?"
        )
    rate, channels = int(found[0]["sample_rate"]), int(found[0]["channels"])
    # ffmpeg would cut every stream to the shortest without a word.
    shapes = {tuple(stream.get(key) for key in _STREAM_KEYS) for stream in found[:streams]}
    if len(shapes) > 1:
        raise AudioError(
            f"{path}: its streams differ in length, channels or rate; export the stems alike."
        )
    merged = "".join(f"[0:a:{i}]" for i in range(streams)) + f"amerge=inputs={streams}[all]"
    select = ["-filter_complex", merged, "-map", "[all]"] if streams > 1 else ["-map", "0:a:0"]
    decoded = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-i", f"file:{path}", *select, "-f", "f32le", "-"],
        capture_output=True,
    )
    told = reason(decoded.stderr.decode(errors="replace")) if decoded.stderr else ""
    if decoded.returncode != 0 or not decoded.stdout or strict and told:
        raise AudioError(f"{path}: ffmpeg cannot decode it ({told or 'no sound'}).")
    seconds = len(decoded.stdout) / (4 * streams * channels * rate)
    if told:
        _judge(path, told, seconds, found[0])
    samples = np.frombuffer(decoded.stdout, "<f4").reshape(-1, streams * channels).T
    audio = torch.from_numpy(np.ascontiguousarray(samples))
    return list(audio.split(channels)), rate


def header_of(path: Path) -> tuple[int, int]:
    """(channels, rate in Hz) of a file's first audio stream.

    Raises:
        AudioError: no ffmpeg, or no sound.
    """
    streams = _probe(path)
    if not streams:
        raise AudioError(f"{path}: holds no sound.")
    return int(streams[0]["channels"]), int(streams[0]["sample_rate"])


def _judge(path: Path, told: str, seconds: float, stream: dict[str, Any]) -> None:
    """Something in the file was no sound: what is missing is an error, what was too much a note."""
    # Of a bare MP3 or AAC the duration is only guessed, from the size.
    promised = float(stream.get("duration") or 0)
    if stream.get("codec_name") not in ("mp3", "aac_raw") and seconds < promised - _TOLERATED:
        raise truncated(path, promised - seconds, promised)
    warnings.warn(f"{path}: something in it is no sound and was skipped ({told}).", AudioWarning)


def truncated(path: Path, gone: float, promised: float) -> AudioError:
    """What is said of a file that ends too early: how much is gone, in s, and a way on."""
    amount = f": {gone:.2g} of {promised:.1f} s are missing" if gone and promised else ""
    return AudioError(
        f"{path}: the file is truncated{amount}; copy or download it again (to keep what is there: "
        f'ffmpeg -i "{path.name}" whole.wav).'
    )


def _probe(path: Path) -> list[dict[str, Any]]:
    """What ffprobe says of each audio stream: a list of dicts."""
    if not there():
        raise AudioError(
            f"{path}: reading it needs ffmpeg; install it "
            "('apt-get install ffmpeg', 'brew install ffmpeg', 'winget install ffmpeg')."
        )
    # "file:" since ffmpeg takes what stands before a colon in a name for a protocol.
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-select_streams", "a", "-show_entries",
         "stream=codec_name,duration," + ",".join(_STREAM_KEYS), f"file:{path}"],
        capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    if probe.returncode != 0:
        raise AudioError(
            f"{path}: cannot be read as sound ({reason(probe.stderr)}); is the file complete?"
        )
    return json.loads(probe.stdout).get("streams", [])


def reason(error: object) -> str:
    """The last line of an error, without its full stop."""
    lines = str(error).strip().splitlines()
    return lines[-1].rstrip(".") if lines else "no reason given"
