"""Stems on their way to disk: written as they are separated, and all of them or none."""

import math
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import soundfile
import torch

from ..errors import AudioError
from ..files import begun_here, remove_leftovers, room_in
from .contents import name_for_libsndfile
from .sound_files import check_format, write_audio

_BLOCK = 1 << 16  # samples


def save_stems(
    files: Mapping[str, Path],
    blocks: Iterable[Mapping[str, torch.Tensor]],
    channels: int,
    rate: int,
    comment: str = "",
) -> float:
    """Write stems that come block by block, in memory that does not grow with the song.

    Only at the end does one know how loud they are, and with it whether 24 bits can hold them; so
    they are first written as floats, into a folder beside the files that vanishes afterwards.

    Args:
        files: dict target -> path; the suffixes choose the formats.
        blocks: dicts target -> float32 `(channels, samples)`.
        channels, rate: of all stems. comment: kept in each file.

    Returns:
        by how many dB all stems had to be lowered so that none clips, 0 for most. WAV holds any
        level and is never lowered.

    Raises:
        AudioError: a format that does not hold such audio (before the first block is asked for),
            or a disk that cannot be written. None of the files is left behind then.
    """
    for file in files.values():
        check_format(file, channels, rate)
    folder = next(iter(files.values())).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        scratch_folder = tempfile.TemporaryDirectory(prefix=f".{begun_here()}-", dir=folder)
        with scratch_folder as scratch, room_in(folder):
            raw = {target: Path(scratch) / f"{index}.w64" for index, target in enumerate(files)}
            peaks = _write_raw(raw, blocks, channels, rate)
            loudest = max(peaks.values())
            lower = loudest > 1 and any(file.suffix.lower() != ".wav" for file in files.values())
            gain = 1 / loudest if lower else 1.0
            _convert(raw, files, {t: gain * peak for t, peak in peaks.items()}, gain, comment)
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioError(f"{folder}: cannot be written ({error}).") from error
    return -20 * math.log10(gain)


def _write_raw(
    files: Mapping[str, Path],
    blocks: Iterable[Mapping[str, torch.Tensor]],
    channels: int,
    rate: int,
) -> dict[str, float]:
    """Write float files; returns the peak of each."""
    peaks = dict.fromkeys(files, 0.0)
    writers = {}
    try:
        for target, file in files.items():
            writers[target] = soundfile.SoundFile(
                name_for_libsndfile(file), "w", rate, channels, "FLOAT"
            )
        for block in blocks:
            for target, piece in block.items():
                peaks[target] = max(peaks[target], float(piece.abs().max()))
                writers[target].write(piece.cpu().numpy().T)
    finally:
        for writer in writers.values():
            writer.close()
    return peaks


def _convert(
    raw: Mapping[str, Path],
    files: Mapping[str, Path],
    peaks: Mapping[str, float],
    gain: float,
    comment: str,
) -> None:
    """Write the files that are asked for; if one fails, none of them stays."""
    written = []
    try:
        for target, file in files.items():
            with soundfile.SoundFile(name_for_libsndfile(raw[target])) as source:
                blocks = source.blocks(_BLOCK, dtype="float32", always_2d=True)
                scaled = (torch.from_numpy(block.T * gain) for block in blocks)
                write_audio(
                    file, scaled, source.channels, source.samplerate, peaks[target], comment
                )
            written.append(file)
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        raise
