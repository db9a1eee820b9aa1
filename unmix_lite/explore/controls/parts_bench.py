"""The parts bench of chapter 4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...errors import AudioError
from ...signal import STFT
from ..explorable import Explorable, array, carried, figure_of, traitlets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_FFT, HOP = 2048, 512


class PartsBench(Explorable):
    """The parts of a factorisation, to hear one by one or several; see `parts_bench`.

    Attributes:
        parts: which are chosen, numbered from 1.
    """

    name = "parts_bench"
    alt = (
        "Above, the spectra of the parts as curves over frequency, numbered from the lowest to the "
        "highest. Below, their gains: curves over time with spikes at some moments"
    )
    parts: Any = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(
        self, drums: torch.Tensor, rate: int, spectra: np.ndarray, gains: np.ndarray, **state: Any
    ) -> None:
        data, back, own = carried({"drums": drums.mean(0, keepdim=True)}, rate)
        # As the page has them: in float32.
        self._spectra, self._gains = (
            torch.from_numpy(np.asarray(x, dtype=np.float32)) for x in (spectra, gains)
        )
        self._drums, self._rate = back["drums"], own
        data |= {"nFft": N_FFT, "hop": HOP, "spectra": array(spectra), "gains": array(gains)}
        every = list(range(1, spectra.shape[1] + 1))
        super().__init__(data, **{"parts": every, **state})

    def model(self) -> torch.Tensor:
        """The product of the chosen spectra and gains, `(freq, frames)`."""
        chosen = [k - 1 for k in self.parts]
        return self._spectra[:, chosen] @ self._gains[chosen]

    def estimate(self) -> torch.Tensor:
        """The chosen parts' share of the drums, `(1, samples)`."""
        stft = STFT(N_FFT, HOP)
        share = self.model() / (self._spectra @ self._gains + 1e-10)
        return stft.inverse(stft(self._drums) * share, self._drums.shape[1])

    @property
    def percent(self) -> float:
        """How much of the drums' energy is in that share."""
        return float(100 * self.estimate().square().sum() / self._drums.square().sum())

    @property
    def hertz(self) -> float:
        """The mean frequency of the chosen parts' model; 0 where none is chosen."""
        model = self.model().double().sum(1)
        frequencies = torch.linspace(0, self._rate / 2, len(model), dtype=torch.float64)
        return float((frequencies * model).sum() / model.sum().clamp(min=1e-20))

    def figure(self) -> Figure:
        import matplotlib.pyplot as plt

        from ... import plots

        count = self._spectra.shape[1]
        hertz = np.linspace(0, self._rate / 2, len(self._spectra))
        seconds = np.arange(self._gains.shape[1]) * HOP / self._rate
        with plots.style():
            _, (ax, below) = plt.subplots(2, 1, figsize=(plots.WIDTH, 5))
            # Of the many high frequencies those that the eye can tell apart.
            few = np.unique(np.geomspace(2, len(hertz) - 1, 250).astype(int))
            spectra = self._spectra.T[:, few]
            for where, x, rows in ((ax, hertz[few], spectra), (below, seconds, self._gains)):
                for k, row in enumerate(rows.numpy()):
                    up = row / row.max() + 1.1 * k
                    where.plot(x, up, color="black", linewidth=1)
                where.set_yticks(1.1 * np.arange(count), range(1, count + 1))
                where.set_ylabel("part")
            ax.set(xlim=(40, 16000), xscale="log", xlabel="frequency (Hz)", title="spectra")
            below.set(xlabel="time (s)", title="gains")
            return figure_of(ax)


def parts_bench(
    drums: torch.Tensor, rate: int, spectra: np.ndarray, gains: np.ndarray, **state: Any
) -> PartsBench:
    """A bench for NMF: each part, a spectrum and when it sounds, is a button that plays it.

    Args:
        drums: `(channels, samples)`, what was factorised; of it as much as the gains have frames
            (`STFT(2048, 512)`), in mono. rate: in Hz, 44100 or another that MP3 knows.
        spectra: `(1025, parts)`. gains: `(parts, frames)`. Their product is about the magnitudes.
        state: to begin with, `parts=[1, 2]` for example; left out, all of them.

    Returns:
        what a cell shows when it ends with it.

    Raises:
        AudioError: spectra and gains that do not fit together, or the drums are shorter.

    Source: Lee and Seung 2001; the share of each part as in Smaragdis, Raj and Shashanka 2007.
    """
    frames = gains.shape[-1]
    length = (frames - 1) * HOP
    if spectra.shape != (N_FFT // 2 + 1, len(gains)) or drums.shape[-1] < length:
        raise AudioError(
            f"parts_bench: spectra {spectra.shape}, gains {gains.shape} and {drums.shape[-1]} "
            "samples do not belong together."
        )
    return PartsBench(drums[:, :length], rate, spectra, gains, **state)
