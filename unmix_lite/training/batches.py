"""Batches of a training: drawn by seed and step, cut, carried to the device and augmented.

All randomness follows from seed and step, so a resumed training needs no saved generator, and where
the songs lie changes nothing but the time: batches are the same to the bit.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..corpora import Track
from ..devices import memory_there
from ..errors import MemoryFull
from .augmentation import (
    Parameters,
    augment,
    draw_changes,
    keep_intact,
    needed_samples,
    random_intact,
)
from .config import TrainingConfig
from .excerpts import FULL_SCALE, Excerpts, to_float
from .workers import Workers

_SHARE = 0.25  # of a GPU's free memory that songs may take


class ResidentExcerpts(Excerpts):
    """Excerpts of songs that lie in a device's memory, as int16: cut there, nothing is carried.

    Ten hours of MUSDB18 with four stereo stems are 25 GB, its 7 s excerpts half a gigabyte.

    Args:
        device: where the songs go.
        arguments: those of `Excerpts`.
    """

    def __init__(self, *arguments: Any, device: torch.device, **others: Any):
        super().__init__(*arguments, **others)
        self.device = device
        self.resident = [torch.from_numpy(np.array(song)).to(device) for song in self.songs]

    def cut(
        self,
        songs: np.ndarray,
        places: np.ndarray,
        as_float: bool = False,
        out: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """See `Excerpts.cut`; the result lies on the device."""
        kind = torch.float32 if as_float else torch.int16
        if out is None:
            out = torch.empty(*songs.shape, 2, self.samples, dtype=kind, device=self.device)
        for row, source in np.ndindex(songs.shape):
            song = self.resident[songs[row, source]]
            start = int(places[row, source] * max(1, song.shape[-1] - self.samples + 1))
            part = song[source, :, start : start + self.samples]
            out[row, source, :, : part.shape[-1]] = part
            out[row, source, :, part.shape[-1] :] = 0
        return out.mul_(1 / FULL_SCALE) if as_float else out


def excerpts_for(
    tracks: Sequence[Track], config: TrainingConfig, seconds: float, workers: Workers,
    progress: bool = True,
) -> Excerpts:  # fmt: skip
    """Excerpts of these songs, in the GPU's memory where they fit into a quarter of what is free.

    Args:
        seconds: length of an excerpt, which may be longer than the config's.
    """
    arguments = (tracks, config.sources, seconds, config.rate)

    def make() -> Excerpts:
        return Excerpts(*arguments, progress=progress)

    excerpts = workers.in_turn(make)
    if workers.device.type == "cuda":
        size = sum(song.nbytes for song in excerpts.songs)
        if size < _SHARE * torch.cuda.mem_get_info(workers.device)[0]:
            return ResidentExcerpts(*arguments, progress=False, device=workers.device)
    return excerpts


class Batches:
    """What a training is fed, step by step.

    Args:
        config: a TrainingConfig.
        tracks: its songs.
        workers: of whose rows of a batch this process reads its own.

    Attributes:
        excerpts: the songs' Excerpts. samples: of an augmented excerpt.
    """

    def __init__(
        self, config: TrainingConfig, tracks: Sequence[Track], workers: Workers, progress: bool
    ):
        self.config, self.workers = config, workers
        self.samples = round(config.seconds * config.rate)
        rows = workers.rows(config.batch_size)
        # Two batches are held as float32 on a CPU. Without a limit a system promises more memory
        # than it has, and ends the process that takes it at its word.
        size = 2 * 4 * (rows.stop - rows.start) * len(config.sources) * 2 * self.samples
        if size > (there := memory_there()):
            raise MemoryFull(
                f"{config.batch_size} excerpts of {config.seconds:g} s need {size / 1e9:.0f} GB, "
                f"and there are {there / 1e9:.0f}: take a smaller batch size."
            )
        longer = needed_samples(config.augmentations, self.samples) / config.rate
        self.excerpts = excerpts_for(tracks, config, longer, workers, progress)

    def read(self, step: int, out: torch.Tensor | None = None) -> tuple[torch.Tensor, Parameters]:
        """This process's excerpts of a step, and how they are to be augmented.

        Every process draws for the whole batch, so that however many share it, each excerpt gets
        the same. `out` is memory to use again.
        """
        config, size = self.config, self.config.batch_size
        names, rng = config.augmentations, np.random.default_rng([config.seed, step])
        intact = np.zeros(size, bool)
        if "intact" in names:
            intact = random_intact(rng, size, 0.5 if "remix" in names else 1.0)
        songs, places = self.excerpts.draw(rng, size, names)
        changes = draw_changes(rng, names, size, len(config.sources))
        drawn = keep_intact({"songs": songs, "places": places, **changes}, intact)
        mine = {name: values[self.workers.rows(size)] for name, values in drawn.items()}
        on_cpu = self.workers.device.type == "cpu"
        stems = self.excerpts.cut(mine.pop("songs"), mine.pop("places"), on_cpu, out)
        return stems, mine

    @torch.no_grad()
    def augmented(self, stems: torch.Tensor, changes: Parameters) -> torch.Tensor:
        """On the device, as float32, and augmented."""
        stems = to_float(stems.to(self.workers.device, non_blocking=True))
        return augment(stems, changes, self.samples, inplace=True)
