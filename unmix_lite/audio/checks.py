"""What every function that takes audio may rely on."""

import torch

from ..errors import AudioError


def check_audio(audio: torch.Tensor, what: str = "audio") -> None:
    """Raise an AudioError unless `audio` is `(channels, samples)`, not empty, and all finite."""
    if audio.ndim != 2:
        raise AudioError(
            f"{what}: expected audio of shape (channels, samples), got {tuple(audio.shape)}."
        )
    if audio.shape[0] == 0 or audio.shape[1] == 0:
        raise AudioError(f"{what}: holds no samples.")
    # In pieces, since `isfinite` needs more memory than what it looks at.
    if count := sum(int((~torch.isfinite(x)).sum()) for x in audio.split(1 << 20, dim=1)):
        raise AudioError(
            f"{what}: {count} samples are NaN or infinite; export the file again, or repair it."
        )
