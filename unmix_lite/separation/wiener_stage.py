"""The stage between the networks' magnitudes and the stems: a filter with settings."""

from dataclasses import dataclass

import torch

from ..errors import UnmixError
from ..signal import average_repetitions, wiener

_EPS = 1e-10
_TIMES = 2  # that the song's repetitions are looked for, each time in better estimates


@dataclass
class WienerFilter:
    """The multichannel Wiener filter behind a separator's networks, and how it is run.

    The defaults are Open-Unmix's. The models of this package come with
    `WienerFilter(3, posterior=True, neighbours=40)`.

    Attributes:
        iterations: rounds of expectation-maximisation; 0 gives each network's own estimate with
            the mixture's phase.
        posterior: from the second round on, keep the networks' powers and include the posterior
            covariance (see `wiener`). Without it, the reference's filter.
        neighbours: after the filter, average the networks' magnitudes over this many frames in
            which a source sounds alike (see `average_repetitions`), and filter anew; 0 averages
            nothing, as the reference.
        softmask: start from the ratio of the estimated magnitudes instead of the magnitudes.
        window: frames that share one spatial covariance, and in which repetitions are looked
            for; 300 are 7 s at 44.1 kHz and a hop of 1024.

    Raises:
        UnmixError: a number that is too small, or neighbours without iterations: what the filter
            has not refined is not averaged.
    """

    iterations: int = 1
    posterior: bool = False
    neighbours: int = 0
    softmask: bool = False
    window: int = 300

    def __post_init__(self) -> None:
        for name, least in (("iterations", 0), ("neighbours", 0), ("window", 1)):
            if getattr(self, name) < least:
                raise UnmixError(f"{name} must be {least} or more, not {getattr(self, name)}.")
        if self.neighbours and not self.iterations:
            raise UnmixError(
                "neighbours need the filter: take 1 iteration or more, or no neighbours."
            )

    def __call__(
        self, magnitudes: torch.Tensor, mixture: torch.Tensor, residual: bool = False
    ) -> torch.Tensor:
        """The stems of one window of frames.

        Args:
            magnitudes: the networks' estimates `(networks, channels, freq, frames)`.
            mixture: complex `(channels, freq, frames)`.
            residual: add what the networks leave of the mixture as one more source. A single
                network gets it in any case where the filter runs: it needs something to be set
                against.

        Returns:
            complex `(networks, channels, freq, frames)`, with the residual one more.
        """
        # The mixture's phase; where there is none, 0.
        phase = torch.polar(torch.ones((), device=mixture.device), mixture.angle())
        if self.softmask:
            # Shares of the mixture, in proportion to the estimates.
            spectra = mixture * (magnitudes / (_EPS + magnitudes.sum(0)))
        else:
            spectra = phase * magnitudes
        if residual or (len(magnitudes) == 1 and self.iterations > 0):
            spectra = torch.cat([spectra, (mixture - spectra.sum(0))[None]])
        refined = wiener(spectra, mixture, self.iterations, self.posterior)
        for _ in range(_TIMES if self.neighbours and self.iterations else 0):
            guesses = average_repetitions(spectra.abs(), refined.abs(), self.neighbours)
            refined = wiener(phase * guesses, mixture, self.iterations, self.posterior)
        return refined[: len(magnitudes) + residual]
