"""What a training minimises: eight ways to say how far an estimate is from its target.

Each takes a `LossInputs` and returns one value per target, `(targets,)`, differentiable; the loop
minimises their mean. The first three compare magnitudes alone; the others know that the estimate
will be played with the phase of the mixture.
"""

from dataclasses import dataclass

import torch

from ..signal import STFT, wiener

_EPS = 1e-8


@dataclass(frozen=True)
class LossInputs:
    """What there is to compare.

    Attributes:
        estimates: magnitudes from the networks, `(batch, targets, channels, freq, frames)`.
        targets: complex spectrograms of the true stems, same shape.
        mixture: the complex mixture, `(batch, 1, channels, freq, frames)`.
        stft: the transform that made them. samples: the length of the audio behind them.
    """

    estimates: torch.Tensor
    targets: torch.Tensor
    mixture: torch.Tensor
    stft: STFT
    samples: int

    def spectra(self) -> torch.Tensor:
        """The estimates with the mixture's phase, complex: what would be heard."""
        return self.estimates * (self.mixture / (self.mixture.abs() + _EPS))

    def audio(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Estimated and true audio, each `(batch, targets, channels, samples)`."""
        inverse = self.stft.inverse
        return inverse(self.spectra(), self.samples), inverse(self.targets, self.samples)


def mse(inputs: LossInputs) -> torch.Tensor:
    """Mean squared difference of the magnitudes: what the reference minimises."""
    return _per_target((inputs.estimates - inputs.targets.abs()) ** 2)


def l1(inputs: LossInputs) -> torch.Tensor:
    """Mean absolute difference of the magnitudes: the article's eq. 4."""
    return _per_target((inputs.estimates - inputs.targets.abs()).abs())


def log(inputs: LossInputs) -> torch.Tensor:
    """Error energy over target energy of each excerpt's magnitudes, in dB.

    Loud and soft excerpts count alike, where in `mse` the loud ones decide (after Heitkaemper et
    al. 2020).
    """
    error = _energy(inputs.estimates - inputs.targets.abs())
    return _decibels(error, _energy(inputs.targets), _energy(inputs.mixture))


def multiresolution(inputs: LossInputs) -> torch.Tensor:
    """L1 between magnitudes at windows of 1024, 2048 and 8192 samples of the audio that would be
    heard (after Yamamoto, Song and Kim 2020): a click and a hum are judged at their own scale."""
    estimate, target = inputs.audio()
    total = torch.zeros((), device=target.device)
    for n_fft in (1024, 2048, 8192):
        stft = STFT(n_fft, n_fft // 4).to(target.device)
        # A longer window gathers more of a tone: put all resolutions on one scale.
        difference = (stft(estimate).abs() - stft(target).abs()).abs()
        total = total + _per_target(difference) * (inputs.stft.n_fft / n_fft) ** 0.5
    return total / 3


def phase(inputs: LossInputs) -> torch.Tensor:
    """Squared distance of the complex spectrograms, with the mixture's phase on the estimate.

    Where target and mixture disagree in phase the best magnitude is smaller than the target's, by
    the cosine of the angle between them: the phase-sensitive approximation (Erdogan et al. 2015).
    """
    return _per_target((inputs.estimates - _projected(inputs)) ** 2)


def ratio(inputs: LossInputs) -> torch.Tensor:
    """As `phase`, for the shares `estimate / sum of estimates` of the mixture.

    Couples the targets: all networks answer for one sum, as in the Wiener filter that follows them
    (after Sawata et al. 2021, who join the networks of Open-Unmix in training). For all sources at
    once; with some of them missing, their shares would fall to the others.
    """
    power = inputs.estimates**2
    shares = power / (power.sum(1, keepdim=True) + _EPS)
    return _per_target((shares * inputs.mixture.abs() - _projected(inputs)) ** 2)


def sdr(inputs: LossInputs) -> torch.Tensor:
    """Minus the signal-to-distortion ratio of each excerpt's audio, in dB (Vincent et al. 2006,
    without the filter)."""
    estimate, target = inputs.audio()
    mixture = inputs.stft.inverse(inputs.mixture, inputs.samples)
    return _decibels(_energy(estimate - target), _energy(target), _energy(mixture))


def filtered(inputs: LossInputs) -> torch.Tensor:
    """Error energy over target energy, in dB as `log`, of what leaves the Wiener filter.

    The networks answer for the stems that are played: one iteration of expectation-maximisation
    over the excerpt stands between them and the error, as it will in use, where it counts who sits
    where between the loudspeakers and who claims the same bin. For all sources at once.
    """
    pairs = zip(inputs.spectra(), inputs.mixture)
    spectra = torch.stack([wiener(estimates, mixture[0]) for estimates, mixture in pairs])
    error = _energy(spectra - inputs.targets)
    return _decibels(error, _energy(inputs.targets), _energy(inputs.mixture))


LOSSES = {
    "mse": mse, "l1": l1, "log": log, "multiresolution": multiresolution, "phase": phase,
    "ratio": ratio, "sdr": sdr, "filtered": filtered,
}  # fmt: skip
"""By the names that `TrainingConfig.loss` takes."""


def _projected(inputs: LossInputs) -> torch.Tensor:
    """The part of the target in phase with the mixture, real."""
    unit = inputs.mixture.conj() / (inputs.mixture.abs() + _EPS)
    return (inputs.targets * unit).real


def _per_target(distances: torch.Tensor) -> torch.Tensor:
    """Mean over all axes but the second."""
    return distances.mean((0, 2, 3, 4))


def _energy(signal: torch.Tensor) -> torch.Tensor:
    """Sum of squares of each excerpt and target, `(batch, targets)`."""
    return (signal.abs() ** 2).flatten(2).sum(-1)


def _decibels(error: torch.Tensor, reference: torch.Tensor, mixture: torch.Tensor) -> torch.Tensor:
    """10 log10(error / reference), mean over the excerpts.

    Both are lifted by a thousandth of the mixture's energy: an excerpt without its target has a
    finite loss, and 30 dB below the mixture there is nothing left to win.
    """
    floor = 1e-3 * mixture + _EPS
    return (10 * torch.log10((error + floor) / (reference + floor))).mean(0)
