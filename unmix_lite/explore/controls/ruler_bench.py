"""The rulers and the fault mixer of chapter 9."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...audio import resample
from ...evaluation import bss_eval, si_sdr
from ..explorable import Explorable, carried, traitlets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 16000  # Hz: 512 taps are 32 ms
SECONDS = 2.0
TAPS = 512  # of `bss_eval`
QUIET, FADE = 700, 800  # samples: silent at the end, and the way there
BLUR = 0.8 ** np.arange(24.0)  # the filter that muffles
OFF, MOST = -40.0, 99.0  # dB: where a fader ends, and what stands for no error but rounding
RULERS = ("SDR", "SI-SDR", "ISR", "SIR", "SAR", "SDR of sources")


class RulerBench(Explorable):
    """A voice with faults, and six scores of it; see `ruler_bench`.

    Attributes:
        muffled: 0 to 100 %, how much of the voice is replaced by its low-passed self.
        drums, noise: what leaks in, in dB: the drums as they are in the song, noise as loud as the
            voice; -40 is off.
        gain: of the whole estimate, in dB. delay: of it, in ms.
    """

    name = "ruler_bench"
    alt = "Bars: six scores, in dB, of a voice that is muffled, with drums and noise in it"
    muffled = traitlets.Float(60.0).tag(sync=True)
    drums = traitlets.Float(-12.0).tag(sync=True)
    noise = traitlets.Float(-20.0).tag(sync=True)
    gain = traitlets.Float(0.0).tag(sync=True)
    delay = traitlets.Float(0.0).tag(sync=True)

    def __init__(self, voice: torch.Tensor, drums: torch.Tensor, rate: int, **state: Any) -> None:
        sounds = {
            name: resample(audio.mean(0, keepdim=True), rate, RATE)[:, : int(SECONDS * RATE)]
            for name, audio in (("voice", voice), ("drums", drums))
        }
        hiss = np.random.default_rng(0).standard_normal(sounds["voice"].shape) / 8
        data, back, own = carried({**sounds, "noise": torch.from_numpy(hiss).float()}, RATE)
        length = data["samples"]
        end = np.clip((length - QUIET - np.arange(length)) / FADE, 0, 1)
        self._voice, self._drums, noise = (
            back[name][0].double().numpy() * end for name in ("voice", "drums", "noise")
        )
        self._noise = noise * np.linalg.norm(self._voice) / np.linalg.norm(noise)
        self._dull = np.convolve(self._voice, BLUR / BLUR.sum())[:length]
        self._rate = own
        super().__init__({**data, "taps": TAPS, "quiet": QUIET, "fade": FADE}, **state)

    def estimate(self) -> np.ndarray:
        """The voice with its faults, float64 `(samples,)` at 16 kHz."""
        share = self.muffled / 100
        mixed = (1 - share) * self._voice + share * self._dull
        for db, sound in ((self.drums, self._drums), (self.noise, self._noise)):
            mixed = mixed + (10 ** (db / 20) if db > OFF else 0) * sound
        late = int(np.floor(self.delay / 1000 * self._rate + 0.5))
        return 10 ** (self.gain / 20) * np.pad(mixed, (late, 0))[: len(mixed)]

    @property
    def scores(self) -> dict[str, float]:
        """Name -> dB, by the package's `bss_eval` (one frame; the sources are voice and drums) and
        `si_sdr`; at most 99. The SDR of sources follows from SIR and SAR: the parts are orthogonal.
        """
        true = np.stack([self._voice, self._drums])[..., None]
        guess = np.stack([self.estimate(), self._drums])[..., None]
        window = true.shape[1] / self._rate
        found = {k: float(v[0, 0]) for k, v in bss_eval(true, guess, self._rate, window).items()}
        found["SI-SDR"] = float(si_sdr(true[:1], guess[:1])[0])
        interference, artefacts = (10 ** (-found[name] / 10) for name in ("SIR", "SAR"))
        errors = interference + artefacts * (1 + interference)
        found["SDR of sources"] = float(-10 * np.log10(errors)) if errors else np.inf
        return {name: min(found[name], MOST) for name in RULERS}

    @property
    def reading(self) -> list[float]:
        """The scores in the order of `RULERS`."""
        return list(self.scores.values())

    def figure(self) -> Figure:
        import matplotlib.pyplot as plt

        from ... import plots

        scores = self.scores
        with plots.style():
            figure, ax = plt.subplots(figsize=(plots.WIDTH, 2.6))
            ax.barh(range(len(scores)), list(scores.values()), color="#999999")
            ax.set_yticks(range(len(scores)), list(scores))
            ax.invert_yaxis()
            ax.set_xlabel("dB")
        return figure


def ruler_bench(stems: Mapping[str, torch.Tensor], rate: int, **state: Any) -> RulerBench:
    """A bench for the scores of chapter 9: faults on faders, gain, delay, and six rulers.

    SDR and SI-SDR compare sample by sample; ISR, SIR and SAR are those of BSS Eval v4 with its 512
    taps (Vincent et al. 2007, Stöter et al. 2018), of one frame that is the whole excerpt, in mono
    at 16 kHz. What they take for interference is the drums.

    Args:
        stems: dict name -> `(channels, samples)`, `vocals` and `drums` among them; two seconds are
            taken. rate: in Hz. state: to begin with, `delay=3` for example.

    Returns:
        what a cell shows when it ends with it.
    """
    return RulerBench(stems["vocals"], stems["drums"], rate, **state)
