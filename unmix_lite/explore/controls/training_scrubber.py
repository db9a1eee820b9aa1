"""The training scrubber of chapter 7."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from ...audio import resample
from ...signal import STFT, decibels
from ..explorable import Explorable, carried, traitlets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 22050  # Hz
SECONDS = 3.0
N_FFT, HOP = 1024, 256


class TrainingScrubber(Explorable):
    """A network's estimates from the first step to the last; see `training_scrubber`.

    Attributes:
        checkpoint: which of the steps is shown and heard, from 0 on.
        steps: of the checkpoints.
    """

    name = "training_scrubber"
    alt = (
        "Four spectrograms of the same seconds, that of the estimate before the training, early in "
        "it and after it, and that of the true stem. Before the training the picture is full; "
        "after it much is darker, and what is left looks more like the true stem"
    )
    checkpoint = traitlets.Int(0).tag(sync=True)

    def __init__(
        self, estimates: Mapping[int, torch.Tensor], true: torch.Tensor, mixture: torch.Tensor,
        losses: Mapping[str, Sequence[float]], rate: int, target: str, **state: Any,
    ) -> None:  # fmt: skip
        self.steps = [*estimates]
        for label, row in losses.items():
            if len(row) != len(self.steps):
                raise ValueError(f"{label}: has {len(row)} losses for {len(self.steps)} steps.")
        sounds = {f"step {step}": audio for step, audio in estimates.items()}
        sounds |= {"true": true, "mixture": mixture}
        data, back, own = carried(
            {
                name: resample(audio.detach().cpu().mean(0, keepdim=True), rate, RATE)[
                    :, : int(SECONDS * RATE)
                ]
                for name, audio in sounds.items()
            },
            RATE,
        )
        self._sounds, self._rate, self._losses = back, own, dict(losses)
        super().__init__({
            **data, "nFft": N_FFT, "hop": HOP, "steps": self.steps, "target": target,
            "losses": {label: [float(loss) for loss in row] for label, row in losses.items()},
        }, **state)  # fmt: skip

    def estimate(self, checkpoint: int | None = None) -> torch.Tensor:
        """What the network hears at a checkpoint, by default the one that is set: `(1, samples)` at
        22050 Hz."""
        step = self.steps[self.checkpoint if checkpoint is None else checkpoint]
        return self._sounds[f"step {step}"]

    def sdrs(self) -> list[float]:
        """Of the estimate at each checkpoint, in dB."""
        return [self._sdr(self.estimate(index)) for index in range(len(self.steps))]

    @property
    def sdr(self) -> float:
        """Of the estimate, in dB: the energy of the true stem over that of the error."""
        return self._sdr(self.estimate())

    def _sdr(self, estimate: torch.Tensor) -> float:
        true = self._sounds["true"].double()
        return float(10 * torch.log10(true.square().sum() / (true - estimate).square().sum()))

    def figure(self) -> Figure:
        import matplotlib.pyplot as plt

        from ... import plots

        shown = [0, len(self.steps) // 2, len(self.steps) - 1]
        sounds = {f"step {self.steps[i]}": self.estimate(i) for i in dict.fromkeys(shown)}
        sounds[f"the true {self.data['target']}"] = self._sounds["true"]
        stft = STFT(N_FFT, HOP)
        spectra = {name: stft(audio)[0].abs() for name, audio in sounds.items()}
        top = float(spectra[f"step {self.steps[0]}"].max()) / 3
        with plots.style():
            fig, axes = plt.subplots(2, 2, figsize=(plots.WIDTH, 4.2), sharex=True, sharey=True)
        # 64 rows, logarithmic in frequency, suffice for a drawing.
        hz = 80 * (self._rate / 2 / 80) ** torch.linspace(0, 1, 64)
        rows = (hz / self._rate * N_FFT).round().long().clamp(max=N_FFT // 2)
        for ax, (name, values) in zip(axes.flat, spectra.items()):
            levels = decibels(values[rows, ::3] / top, floor=-60)
            ax.imshow(levels.numpy(), aspect="auto", origin="lower", cmap="magma", vmin=-60, vmax=0,
                      extent=(0, SECONDS, 0, 64), interpolation="none")  # fmt: skip
            ax.set_title(name, fontsize=11)
            marks = [100, 1000, 10000]
            places = [int((hz < mark).sum()) for mark in marks]
            ax.set_yticks(places, ["100 Hz", "1 kHz", "10 kHz"])
        for ax in axes[1]:
            ax.set_xlabel("time (s)")
        return fig


def training_scrubber(
    estimates: Mapping[int, torch.Tensor],
    true: torch.Tensor,
    mixture: torch.Tensor,
    losses: Mapping[str, Sequence[float]],
    rate: int,
    target: str = "drums",
    **state: Any,
) -> TrainingScrubber:
    """A training on a slider: the estimate at some of its steps, as picture and sound.

    Args:
        estimates: dict step -> what the network made of the song then, `(channels, samples)`; three
            seconds are taken, in mono.
        true, mixture: the stem as it is, and what it was taken from.
        losses: dict name -> of every step one number, the loss over that of silence. rate: in Hz.
        target: the stem's name.
        state: to begin with, `checkpoint=4` for example.

    Returns:
        what a cell shows when it ends with it.

    Raises:
        ValueError: another number of losses than of steps.
    """
    return TrainingScrubber(estimates, true, mixture, losses, rate, target, **state)
