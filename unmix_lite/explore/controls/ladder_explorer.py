"""The ladder of chapters 11 and 13."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...audio import resample
from ...evaluation import published
from ...names import TARGETS
from ..explorable import Explorable, carried, traitlets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 22050  # Hz
SECONDS = 3.0
KINDS = (
    "all", "methods without training", "networks trained on MUSDB18", "networks trained on more",
    "oracles",
)  # fmt: skip

_CAMPAIGN = "Stöter, Liutkus and Ito 2018, the campaign's report"
# Of the systems of SiSEC 2018, by how their names begin; all others are in the report.
_PAPERS = {
    "HPSS": "FitzGerald 2010", "REP1": "Rafii and Pardo 2013", "REP2": "Rafii and Pardo 2012",
    "STL": "Stoller, Ewert and Dixon 2018", "TAK": "Takahashi, Goswami and Mitsufuji 2018",
    "UHL": "Uhlich and others 2017", "TAU": "Uhlich and others 2017; Takahashi and others 2018",
}  # fmt: skip
_OURS = {
    "mixture": ("a quarter of the song for every stem", ""),
    "HPSS": ("median filters, harmonic against percussive", "FitzGerald 2010"),
    "CENTRE": ("what is alike in both channels is the voice", "Avendano 2003"),
    "REPET": ("what repeats with one period is accompaniment", "Rafii and Pardo 2013"),
    "REPET-SIM": ("what returns at any time is accompaniment", "Rafii and Pardo 2012"),
    "NMF": ("spectra of drums, learned from songs", "Smaragdis, Raj and Shashanka 2007"),
    "vocal-cnn-lite": ("25 frames in, yes or no for each frequency", "Koretzky 2019"),
    "wavenet-lite": ("dilated convolutions on samples", "Lluís, Pons and Serrà 2019"),
    "deep-conv-sep-lite": ("tall and wide filters, a narrow place", "Chandna and others 2017"),
    "wave-u-net-lite": ("a U-Net on samples", "Stoller, Ewert and Dixon 2018"),
    "umx-lite": ("Open-Unmix: three LSTM layers and a filter", "Stöter and others 2019"),
    "umx-lite-live": ("Open-Unmix that hears no future", "Stöter and others 2019"),
}


class LadderExplorer(Explorable):
    """Systems on the same songs; see `ladder_explorer`.

    Attributes:
        stem: by whose SDR they are sorted, or "mean", that of the four medians.
        kind: which are shown, one of `KINDS`.
        view: "ladder", or the SDR against "seconds" or "weights".
        chosen: the name of one.
    """

    name = "ladder_explorer"
    alt = "Systems sorted by their SDR: a dot each, with its 95 % interval where there is one"
    stem = traitlets.Enum(["mean", *TARGETS], "vocals").tag(sync=True)
    kind = traitlets.Enum(KINDS, "all").tag(sync=True)
    view = traitlets.Enum(["ladder", "seconds", "weights"], "ladder").tag(sync=True)
    chosen = traitlets.Unicode("umx-lite").tag(sync=True)

    def __init__(
        self, ladder: Mapping[str, Any], costs: Mapping[str, Any],
        sounds: Mapping[str, torch.Tensor], rate: int, **state: Any,
    ) -> None:  # fmt: skip
        heard = {
            name: resample(audio.mean(0, keepdim=True).cpu(), rate, RATE)[:, : int(SECONDS * RATE)]
            for name, audio in sounds.items()
        }
        data = carried(heard, RATE)[0] if heard else {}
        taken = {rung["system"] for rung in ladder["rungs"] if rung["published"]}
        self._rungs = [
            _rung(rung, taken, costs.get("systems", {}), heard) for rung in ladder["rungs"]
        ]
        super().__init__({**data, "rungs": self._rungs}, **state)

    def shown(self) -> dict[str, float]:
        """The systems that it shows: name -> SDR in dB, the best first."""
        found = {
            rung["name"]: rung["values"][self.stem][0]
            for rung in self._rungs
            if self.stem in rung["values"]
            and self.kind in ("all", rung["kind"])
            and (self.view == "ladder" or rung[self.view] > 0)
        }
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    @property
    def reading(self) -> list[float]:
        """Of the chosen one its place, among how many, its SDR in dB, and what it costs in the
        unit of the view (0 on the ladder); zeros if it is not shown."""
        shown = self.shown()
        if self.chosen not in shown:
            return [0, len(shown), 0, 0]
        rung = next(rung for rung in self._rungs if rung["name"] == self.chosen)
        cost = 0 if self.view == "ladder" else rung[self.view]
        return [[*shown].index(self.chosen) + 1, len(shown), shown[self.chosen], cost]

    def figure(self) -> Figure:
        import matplotlib.pyplot as plt

        from ... import plots

        shown = self.shown()
        ours = {rung["name"]: rung["ours"] for rung in self._rungs}
        ends = {rung["name"]: rung["values"].get(self.stem) for rung in self._rungs}
        with plots.style():
            figure, ax = plt.subplots(figsize=(plots.WIDTH, 0.9 + 0.19 * len(shown)))
            for row, (name, value) in enumerate(shown.items()):
                if ends[name][1] is not None:
                    ax.plot(ends[name][1:], [row, row], color="#999999")
                ax.plot(value, row, "o", color="black", mfc="black" if ours[name] else "none")
            ax.set_yticks(range(len(shown)), list(shown), fontsize=9)
            ax.set(xlabel=f"SDR, {self.stem} (dB)", ylim=(len(shown) - 0.4, -0.6))
        return figure


def _rung(
    rung: Mapping[str, Any], taken: set[str], costs: Mapping[str, Any], sounds: Mapping[str, Any]
) -> dict[str, Any]:
    """A system as the page has it: its name, which no other has, what it is, scores and costs."""
    name, ours = rung["system"], not rung["published"]
    plain = name.removesuffix(" (ours)")
    if ours and plain in _OURS:
        what, paper = _OURS[plain]
    else:
        what = published()[plain].what
        known = next((text for start, text in _PAPERS.items() if plain.startswith(start)), "")
        paper = known or ("" if ours else _CAMPAIGN)
    values = {
        stem: [scores["median"], scores["low"], scores["high"]]
        for stem, scores in rung["targets"].items()
    }
    if all(stem in values for stem in TARGETS):
        mean = float(np.mean([values[stem][0] for stem in TARGETS]))
        values = {"mean": [round(mean, 4), None, None], **values}
    cost = costs.get(plain, {}) if ours else {}
    return {
        "name": f"{plain} (ours)" if ours and plain in taken else plain,
        "kind": rung["kind"],
        "ours": ours,
        "what": what,
        "paper": paper,
        "values": values,
        "seconds": round(cost.get("seconds_per_minute", 0), 3),
        "weights": cost.get("weights", 0),
        "sound": ours and plain in sounds,
    }


def ladder_explorer(
    ladder: Mapping[str, Any],
    costs: Mapping[str, Any] | None = None,
    sounds: Mapping[str, torch.Tensor] | None = None,
    rate: int = 44100,
    **state: Any,
) -> LadderExplorer:
    """The ladder of systems, to be sorted, looked at against costs, and heard.

    The scores are medians over the test clips' songs of medians over seconds (BSS Eval v4); those
    of SiSEC 2018 were published by Stöter, Liutkus and Ito.

    Args:
        ladder: what `unmix-lite ladder` wrote, read from JSON. costs: what `benchmarks/costs.py`
            wrote, or None.
        sounds: dict label -> `(channels, samples)`; of labels that are names of our systems the
            rung gets its sound. Three seconds are taken, in mono.
        rate: in Hz. state: to begin with, `stem="drums"` for example.

    Returns:
        what a cell shows when it ends with it.
    """
    return LadderExplorer(ladder, costs or {}, sounds or {}, rate, **state)
