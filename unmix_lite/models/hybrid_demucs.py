"""Hybrid Demucs, the network of Défossez (2021, arXiv 2111.03600), in torchaudio's implementation.

Two U-Nets, one along the waveform and one over the spectrogram, that meet in the middle, where an
LSTM and attention look over the whole segment; it won the Music Demixing Challenge of 2021.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..errors import UnmixError
from .audio_network import AudioNetwork, check_input


class HybridDemucs(AudioNetwork):
    """torchaudio's `HDemucs` as an `AudioNetwork`.

    It has no context of its own that one could count, so segments of 8 s get 1 s on either side,
    and how a song is cut makes a small difference, as in its authors' own program.

    Args:
        targets: in the order of the weights.
        rate: 44,100 Hz.
        arguments: of torchaudio's class.

    Raises:
        UnmixError: without torchaudio, or with one of another version than torch's.
    """

    context = 44100
    segment = 8.0

    def __init__(
        self,
        targets: Sequence[str] = ("drums", "bass", "other", "vocals"),
        rate: int = 44100,
        **arguments: Any,
    ):
        super().__init__(targets, 2, rate, arguments)
        self.inner = _implementation()(
            sources=list(targets), **{"nfft": 4096, "depth": 6, **arguments}
        )

    def forward(self, mixture: torch.Tensor) -> torch.Tensor:
        """See `AudioNetwork`."""
        check_input(self, mixture)
        # It was trained on excerpts of mean 0 and deviation 1.
        mono = mixture.mean(1, keepdim=True)
        mean, deviation = mono.mean(-1, keepdim=True), mono.std(-1, keepdim=True) + 1e-8
        stems = self.inner((mixture - mean) / deviation)
        stems = stems * deviation[:, None] + mean[:, None] / len(self.targets)
        return stems[..., self.context : -self.context]


def _implementation() -> Callable[..., torch.nn.Module]:
    """torchaudio's class, imported here: nothing else in the package needs torchaudio."""
    try:
        from torchaudio.models import HDemucs
    except (ImportError, OSError, RuntimeError) as error:  # one made for another torch: all three
        torch_version = torch.__version__.partition("+")[0]
        raise UnmixError(
            f"Hybrid Demucs needs the torchaudio of torch {torch_version} ({error}): "
            f"pip install torchaudio=={torch_version}."
        ) from error
    return HDemucs
