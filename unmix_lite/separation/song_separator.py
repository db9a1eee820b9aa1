"""From a song to its stems, whatever does it: rates, channels, lengths, and bounded memory."""

import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import nn
from tqdm import tqdm

from ..audio import check_audio, resample, resample_blocks
from ..errors import AudioError, UnmixError
from .wiener_stage import WienerFilter

if TYPE_CHECKING:
    from .stream import Stream

_BAR = "{desc}: {percentage:3.0f}% |{bar}| {elapsed}, {remaining} to go"


class SongSeparator(nn.Module):
    """A separator that is called with a song and gives its stems.

    A kind of network that separates in its own way derives from it and says what comes out
    (`targets`), which channels go in (`match_channels`) and what becomes of a song
    (`separate_blocks`).

    Args:
        rate: the networks' rate in Hz.
        complete: give "residual" or "other" what is left when all stems are taken from the song,
            so that two or more add up to it exactly: what no network claims, and what resampling
            to the networks' rate cannot carry. None does it where the stems are meant to be the
            song (`adds_up`); False never, which is the reference's output.

    Attributes:
        filter: what joins the networks' estimates, or None.
    """

    filter: WienerFilter | None = None

    def __init__(self, rate: int, complete: bool | None = None) -> None:
        super().__init__()
        self.rate, self.complete = rate, complete

    @property
    def targets(self) -> list[str]:
        """Names of the stems that come out, in order."""
        raise NotImplementedError

    @property
    def adds_up(self) -> bool:
        """Whether the stems, together, are meant to be the song."""
        raise NotImplementedError

    def match_channels(self, audio: torch.Tensor) -> torch.Tensor:
        """A song `(1 or 2 channels, samples)` with as many channels as `separate_blocks` takes."""
        raise NotImplementedError

    def separate_blocks(
        self, song: torch.Tensor, on_progress: Callable[[float], object]
    ) -> Iterator[torch.Tensor]:
        """Yield all stems, `(targets, channels, some samples)` at the networks' own rate.

        Args:
            song: `(channels, samples)`, at that rate.
            on_progress: to be told what part of all the work has been done since it was told last.
        """
        raise NotImplementedError

    @torch.inference_mode()
    def forward(self, audio: torch.Tensor, rate: int | None = None) -> dict[str, torch.Tensor]:
        """Separate a song.

        Args:
            audio: `(channels, samples)`, mono or stereo, any length. Mono is separated as two equal
                channels and comes back as one.
            rate: its sampling rate in Hz; None means the networks' own. Another rate is resampled
                on the way in and out.

        Returns:
            dict target -> float32 `(channels, samples)`, of the input's shape, rate and device.

        Raises:
            AudioError: empty, non-finite, or more than two channels.
        """
        audio = torch.as_tensor(audio)
        check_audio(audio)
        stems = {target: torch.empty_like(audio, dtype=torch.float32) for target in self.targets}
        start = 0
        for block in self.blocks(audio, rate):
            stop = start + next(iter(block.values())).shape[-1]
            for target, piece in block.items():
                stems[target][:, start:stop] = piece
            start = stop
        return stems

    @torch.inference_mode()
    def blocks(
        self, audio: torch.Tensor, rate: int | None = None, progress: bool = False
    ) -> Iterator[dict[str, torch.Tensor]]:
        """Separate a song piece by piece: the stems of `forward`, in order, some seconds at a time.

        Beyond the song itself it needs a fixed amount of memory.

        Args:
            audio, rate: as for `forward`.
            progress: show a progress bar.

        Yields:
            dicts target -> float32 `(channels, some samples)`, on the audio's device.

        Raises:
            AudioError: as `forward`.
        """
        audio = torch.as_tensor(audio)  # NumPy's arrays, too
        check_audio(audio)
        channels, samples = audio.shape
        rate = rate or self.rate
        given = self.prepare(audio)
        song = resample(given, rate, self.rate)
        home = next((target for target in ("residual", "other") if target in self.targets), None)
        # A stem on its own is no share of the song: completed, it would be all of it.
        wanted = self.adds_up if self.complete is None else self.complete
        complete = wanted and len(self.targets) > 1
        start = 0
        for block in resample_blocks(self._watched(song, progress), self.rate, rate, samples):
            stems = dict(zip(self.targets, block.to(audio.device)))
            stop = start + stems[self.targets[0]].shape[-1]
            if complete and home:
                stems[home] = stems[home] + given[:, start:stop] - sum(stems.values())
            start = stop
            yield {
                target: stem.mean(0, keepdim=True)
                if channels < len(given)
                else stem.expand(channels, -1)
                for target, stem in stems.items()
            }

    def fingerprint(self) -> str:
        """Eight letters that change with the weights and the settings that shape the stems."""
        settings = (self.rate, self.complete, self.targets, self.filter)
        digest = hashlib.sha256(repr(settings).encode())
        for name, tensor in sorted(self.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().numpy().tobytes())
        return digest.hexdigest()[:8]

    def stream(self) -> "Stream":
        """A `Stream` for live use: blocks in, blocks out.

        Raises:
            UnmixError: the networks need the whole song.
        """
        raise UnmixError(
            "these networks need the whole song; live takes unidirectional ones ('unmix-lite train "
            "--unidirectional', or umx-lite-live)."
        )

    def prepare(self, audio: torch.Tensor) -> torch.Tensor:
        """float32, with the channels that `separate_blocks` takes.

        Raises:
            AudioError: more than two channels.
        """
        if not audio.is_floating_point():
            raise AudioError(
                f"the audio is {str(audio.dtype).removeprefix('torch.')}, and full scale is 1.0 "
                "here: divide it by 32768 if it has 16 bits."
            )
        if len(audio) > 2:
            if audio.shape[1] <= 2:
                raise AudioError(
                    f"the audio is {tuple(audio.shape)}; (channels, samples) is wanted: transpose "
                    "it."
                )
            raise AudioError(
                f"the audio has {len(audio)} channels; separation takes mono or stereo: mix it "
                "down first ('ffmpeg -i song.wav -ac 2 stereo.wav')."
            )
        return self.match_channels(audio.detach().float())

    def _watched(self, song: torch.Tensor, progress: bool) -> Iterator[torch.Tensor]:
        """`separate_blocks`, with a progress bar."""
        # None: where nobody looks (a file, a pipe), no bar either.
        with tqdm(
            total=1, desc="separating", bar_format=_BAR, leave=False,
            disable=None if progress else True,
        ) as bar:  # fmt: skip
            # Rounding must not drive it beyond its end.
            yield from self.separate_blocks(song, lambda part: bar.update(min(part, 1 - bar.n)))
