"""The augmentation bench of chapter 5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...audio import resample
from ...names import TARGETS
from ...signal import STFT
from ...training import random_gains, random_swaps, scale, swap_channels
from ..explorable import Explorable, carried, traitlets
from .pieces import together

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 22050  # Hz: half the data
SECONDS = 2.0
N_FFT, HOP = 2048, 512
DRAWS = 40


class AugmentationBench(Explorable):
    """Stems changed before they are mixed, and what the network is fed; see `augmentation_bench`.

    Attributes:
        draw: the number of the draw, from 0 on.
        remix, gain, channelswap: which of the three changes are made.
        songs, gains, swaps: set by hand: for each source the song's number, the factor, and 1 where
            left and right are exchanged; None leaves it to the draw.
        target: what the network is to find.
    """

    name = "augmentation_bench"
    alt = (
        "Two spectrograms, one below the other: the mixture that is the network's input, and the "
        "target, which has less in it"
    )
    draw = traitlets.Int(0).tag(sync=True)
    remix = traitlets.Bool(False).tag(sync=True)
    gain = traitlets.Bool(False).tag(sync=True)
    channelswap = traitlets.Bool(False).tag(sync=True)
    songs: Any = traitlets.List().tag(sync=True)
    gains: Any = traitlets.List().tag(sync=True)
    swaps: Any = traitlets.List().tag(sync=True)
    target = traitlets.Unicode("vocals").tag(sync=True)

    def __init__(
        self,
        songs: Sequence[torch.Tensor],
        rate: int,
        names: Sequence[str],
        titles: Sequence[str],
        seed: int,
        **state: Any,
    ) -> None:
        sounds = {}
        for number, song in enumerate(songs):
            length = int(SECONDS * rate)
            start = together(song, length, rate // 2)
            for name, stem in zip(names, song):
                piece = stem.expand(2, -1)[:, start : start + length]
                sounds[f"{name} {number}"] = resample(piece, rate, RATE)
        data, self._sounds, self._rate = carried(sounds, RATE)
        self._names = tuple(names)
        shape, rng = (DRAWS, len(names)), np.random.default_rng(seed)
        self._table = {
            "songs": rng.integers(len(songs), size=shape),
            "gains": random_gains(rng, shape).round(4),
            "swaps": random_swaps(rng, shape).astype(int),
        }
        table = [
            {kind: values[row].tolist() for kind, values in self._table.items()}
            for row in range(DRAWS)
        ]
        data |= {"nFft": N_FFT, "hop": HOP, "names": list(names), "titles": list(titles)}
        hands = {kind: [None] * len(names) for kind in self._table}
        super().__init__({**data, "table": table}, **{"target": names[0], **hands, **state})

    def changes(self) -> dict[str, np.ndarray]:
        """What happens to each source: "songs", "gains" and "swaps", `(1, sources)` each, as
        `training.augment` takes them."""
        plain = {"songs": 0, "gains": 1, "swaps": 0}
        switches = {"songs": self.remix, "gains": self.gain, "swaps": self.channelswap}
        found = {}
        for kind, values in self._table.items():
            row = values[self.draw % DRAWS] if switches[kind] else [plain[kind]] * len(self._names)
            hand = getattr(self, kind)
            found[kind] = np.array([[v if h is None else h for h, v in zip(hand, row)]])
        return found

    def stems(self) -> torch.Tensor:
        """The stems after all that, `(sources, 2, samples)` at 22050 Hz; their sum is the input."""
        now = self.changes()
        drawn = torch.stack(
            [self._sounds[f"{name} {song}"] for name, song in zip(self._names, now["songs"][0])]
        )
        return swap_channels(scale(drawn[None], now["gains"]), now["swaps"])[0]

    def fed(self) -> tuple[torch.Tensor, torch.Tensor]:
        """What the network is fed: magnitudes of the input and of the target, `(2, freq, frames)`
        each."""
        stft, stems = STFT(N_FFT, HOP), self.stems()
        return stft(stems.sum(0)).abs(), stft(stems[self._names.index(self.target)]).abs()

    @property
    def over_rest(self) -> float:
        """The level of the target over that of the rest, in dB."""
        stems, at = self.stems(), self._names.index(self.target)
        return _decibels(stems[at], stems.sum(0) - stems[at])

    @property
    def balance(self) -> float:
        """The level of the mixture's left channel over its right, in dB."""
        left, right = self.stems().sum(0)
        return _decibels(left, right)

    def figure(self) -> Figure:
        from ... import plots

        # The mean of both channels, and coarse: lighter, and enough to see.
        mixture, target = self.fed()
        figure = plots.spectrograms({"input": mixture, "target": target}, self._rate, HOP)
        figure.set_dpi(60)
        return figure


def _decibels(one: torch.Tensor, other: torch.Tensor) -> float:
    powers = [x.double().square().mean() + 1e-9 for x in (one, other)]
    return float(10 * torch.log10(powers[0] / powers[1]))


def augmentation_bench(
    songs: Sequence[torch.Tensor],
    rate: int,
    names: Sequence[str] = TARGETS,
    titles: Sequence[str] = (),
    seed: int = 0,
    **state: Any,
) -> AugmentationBench:
    """A bench for augmentation: remix, gain and channel swap by switch or by hand, and what the
    network is then fed.

    Args:
        songs: two or more, each `(sources, channels, samples)`; of each two seconds are taken,
            where all its stems sound. rate: in Hz.
        names: of the sources. titles: of the songs, with whom to credit.
        seed: of the draws; the gains and swaps are those of `training.random_gains` and
            `training.random_swaps`.
        state: to begin with, `remix=True` for example.

    Returns:
        what a cell shows when it ends with it.

    Source: Uhlich et al. 2017.
    """
    titles = titles or [f"song {number + 1}" for number in range(len(songs))]
    return AugmentationBench(songs, rate, names, titles, seed, **state)
