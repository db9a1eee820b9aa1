"""The Wiener bench of chapter 8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from ...audio import resample
from ...signal import STFT, wiener
from ..explorable import Explorable, carried, traitlets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 22050  # Hz
SECONDS = 3.0
N_FFT, HOP = 2048, 512
COLOURS = ("vocals", "drums")  # of source 1 and source 2


class WienerBench(Explorable):
    """Two sources in a bin of stereo, and rounds of the filter on a song; see `wiener_bench`.

    Attributes:
        pan_1, pan_2: where the sources sit, in degrees: 0 is left, 45 the middle, 90 right.
        width_1, width_2: 0 for a source at one point, 1 for one that is everywhere alike.
        level_1, level_2: of the sources, in dB.
        rounds: of the filter, on the song.
        way: "reference" measures all anew in every round; "posterior" keeps the powers, and counts
            what the filter is unsure of.
    """

    name = "wiener_bench"
    alt = (
        "Two ellipses in the plane of left and right, the spatial covariances of two sources; "
        "beside them a circle, and the narrow ellipse that the filter of source 1 makes of it"
    )
    pan_1 = traitlets.Float(30.0).tag(sync=True)
    width_1 = traitlets.Float(0.04).tag(sync=True)
    level_1 = traitlets.Float(0.0).tag(sync=True)
    pan_2 = traitlets.Float(70.0).tag(sync=True)
    width_2 = traitlets.Float(0.04).tag(sync=True)
    level_2 = traitlets.Float(0.0).tag(sync=True)
    rounds = traitlets.Int(1).tag(sync=True)
    way = traitlets.Enum(["reference", "posterior"], "reference").tag(sync=True)

    def __init__(
        self, guesses: Mapping[str, torch.Tensor], stems: Mapping[str, torch.Tensor], rate: int,
        **state: Any,
    ) -> None:  # fmt: skip
        samples = min(audio.shape[-1] for audio in (*guesses.values(), *stems.values()))
        sounds = {
            "voice guess": guesses["vocals"],
            "rest guess": torch.stack([s for n, s in guesses.items() if n != "vocals"]).sum(0),
            "song": torch.stack([*stems.values()]).sum(0),
            "voice": stems["vocals"],
        }
        sounds = {
            name: resample(audio[:, :samples].cpu(), rate, RATE)[:, : int(SECONDS * RATE)]
            for name, audio in sounds.items()
        }
        data, self._sounds, self._rate = carried(sounds, RATE)
        super().__init__({**data, "nFft": N_FFT, "hop": HOP}, **state)

    def covariance(self, source: int) -> torch.Tensor:
        """v R of a source, 1 or 2: float64 `(2, 2)`, whose trace is twice the power."""
        pan, width, level = (getattr(self, f"{n}_{source}") for n in ("pan", "width", "level"))
        angle = torch.tensor(pan, dtype=torch.float64).deg2rad()
        point = torch.stack([angle.cos(), angle.sin()])
        spatial = 2 * (1 - width) * torch.outer(point, point) + width * torch.eye(2)
        return 10 ** (level / 10) * spatial

    @property
    def filter(self) -> torch.Tensor:
        """The filter of source 1, R_1 v_1 (v_1 R_1 + v_2 R_2)^-1, `(2, 2)`, by the package's
        `wiener`: on two frames of one bin whose sources have just these powers and places, and on
        the unit vectors for a mixture."""
        estimates = torch.stack([_frames(self.covariance(source)) for source in (1, 2)])
        unit = torch.eye(2, dtype=torch.cdouble)[:, None]  # channels, freq, frames
        return wiener(estimates[:, :, None], unit)[0, :, 0].real

    @property
    def sdr(self) -> float:
        """What the filter is expected to make of source 1: its energy over its error's, in dB."""
        one = self.covariance(1)
        error = one - self.filter @ one
        return float(10 * torch.log10(one.trace() / error.trace()))

    @property
    def mask_sdr(self) -> float:
        """The same of a mask, v_1 / (v_1 + v_2), in dB."""
        one, two = self.covariance(1).trace(), self.covariance(2).trace()
        return float(10 * torch.log10((one + two) / two))

    def estimates(self) -> torch.Tensor:
        """Voice and rest of the song after the rounds: complex `(2, channels, freq, frames)`."""
        stft = STFT(N_FFT, HOP).double()
        spectra = {name: stft(_stereo(audio).double()) for name, audio in self._sounds.items()}
        guesses = torch.stack([spectra["voice guess"], spectra["rest guess"]])
        return wiener(guesses, spectra["song"], self.rounds, self.way == "posterior")

    @property
    def undecided(self) -> float:
        """How undecided the filter is about the song, in per cent: the mean of 4 m (1 - m), m being
        the voice's share of a bin's power, each bin weighted with its power in the song. 0 when all
        bins are given to one or the other, 100 when each gets one half of all."""
        power = self.estimates().abs().square().sum(1)
        share = power[0] / (power.sum(0) + 1e-20)
        song = STFT(N_FFT, HOP).double()(_stereo(self._sounds["song"]).double())
        weight = song.abs().square().sum(0)
        return float(100 * (weight * 4 * share * (1 - share)).sum() / weight.sum())

    @property
    def voice_sdr(self) -> float:
        """Of the song's voice after the rounds, in dB, over all of the excerpt."""
        truth = _stereo(self._sounds["voice"]).double()
        found = STFT(N_FFT, HOP).double().inverse(self.estimates()[0], truth.shape[-1])
        return float(10 * torch.log10(truth.square().sum() / (truth - found).square().sum()))

    @property
    def reading(self) -> list[float]:
        """All numbers that it shows, in the module's order."""
        sides = self.filter.flatten().tolist()
        return [self.sdr, self.mask_sdr, *sides, self.undecided, self.voice_sdr]

    def figure(self) -> Figure:
        import matplotlib.pyplot as plt

        from ... import plots

        turn = torch.linspace(0, 2 * torch.pi, 73, dtype=torch.float64)
        circle = torch.stack([turn.cos(), turn.sin()])
        with plots.style():
            figure, axes = plt.subplots(1, 2, figsize=(plots.WIDTH, 3.4))
            for source, name in enumerate(COLOURS, 1):
                values, vectors = torch.linalg.eigh(self.covariance(source))
                shape = vectors @ (values.sqrt()[:, None] * circle)
                axes[0].plot(*shape, color=plots.COLOURS[name], label=f"source {source}")
            axes[1].plot(*circle, "k:", label="a circle")
            axes[1].plot(*(self.filter @ circle), color=plots.COLOURS["vocals"], label="filtered")
            for ax in axes:
                ax.set(xlabel="left", ylabel="right", aspect="equal")
                ax.legend(frameon=False, loc="upper left", fontsize=9)
        return figure


def _frames(covariance: torch.Tensor) -> torch.Tensor:
    """Two complex frames `(channels, 2)` of equal power, whose mean square is v R."""
    values, vectors = torch.linalg.eigh(covariance)
    sides = vectors * values.clamp(min=0).sqrt()
    return torch.stack([sides.sum(1), sides[:, 1] - sides[:, 0]], 1).to(torch.cdouble)


def _stereo(audio: torch.Tensor) -> torch.Tensor:
    return audio.expand(2, -1)


def wiener_bench(
    guesses: Mapping[str, torch.Tensor], stems: Mapping[str, torch.Tensor], rate: int, **state: Any
) -> WienerBench:
    """A bench for the multichannel Wiener filter of chapter 8.

    Above, two sources in one bin of stereo: drag where each sits, how wide and how loud it is, and
    see the filter as numbers and what it does to a circle (Duong et al. 2010). Below, the voice and
    the rest of a song, as networks guessed them, after rounds of the filter.

    Args:
        guesses: dict name -> `(channels, samples)`, what the networks say, not filtered; `vocals`
            among them, the others are taken together. Three seconds are taken.
        stems: the true ones, `vocals` among them; their sum is the song.
        rate: in Hz. state: to begin with, `rounds=3` for example.

    Returns:
        what a cell shows when it ends with it.
    """
    return WienerBench(guesses, stems, rate, **state)
