"""From a song to its stems: one network per target, run as one pipeline."""

import os
from pathlib import Path

import torch
from torch import nn

from .audio import check_audio, fit_length, resample
from .errors import AudioError, CheckpointError
from .spectral import STFT
from .weights import load_network
from .wiener import wiener

PRETRAINED = Path(__file__).parent / "pretrained"
DEFAULT = "umx-lite"
_EPS = 1e-10


class Separator(nn.Module):
    """STFT, one network per target, Wiener filter, inverse STFT.

    Args:
        networks: dict target -> network, magnitude `(batch, channels, freq, frames)` in and out.
        iterations: EM iterations of the multichannel Wiener filter; 0 gives each network's own
            estimate with the mixture's phase.
        residual: add a target "residual", what the networks leave of the mixture. With a single
            network the Wiener filter needs something to set it against, so it then uses a
            residual whether or not it is returned.
        softmask: start from the ratio of the estimated magnitudes instead of the magnitudes.
        complete: give "residual" or "other" what is left when all stems are taken from the song,
            so that two or more add up to it exactly: bins that no network claims, and what
            resampling to the networks' rate cannot carry. Without it, the reference's output.
        wiener_window: frames that share one spatial covariance; 300 are 7 s.
        rate: the rate in Hz that the networks were trained at.
        n_fft, hop_length: of their STFT.
    """

    def __init__(
        self,
        networks,
        iterations=1,
        residual=False,
        softmask=False,
        complete=False,
        wiener_window=300,
        rate=44100,
        n_fft=4096,
        hop_length=1024,
    ):
        super().__init__()
        if not networks:
            raise ValueError("a separator needs at least one network")
        self.networks = nn.ModuleDict(networks)
        self.iterations, self.residual, self.softmask = iterations, residual, softmask
        self.complete, self.wiener_window, self.rate = complete, wiener_window, rate
        self.stft = STFT(n_fft, hop_length)
        self.eval()

    @property
    def targets(self):
        """Names of the stems that come out, in order."""
        return [*self.networks, "residual"] if self.residual else list(self.networks)

    @classmethod
    def from_pretrained(cls, name_or_dir=DEFAULT, device=None, targets=None, **options):
        """A separator from trained weights.

        Args:
            name_or_dir: a model that comes with the package ("umx-lite"), or a folder that
                `train` filled, one `<target>.safetensors` per target.
            device: where to run; None takes a GPU where there is one.
            targets: only these; None takes all there are.
            options: of the constructor (iterations, residual, ...).

        Raises:
            CheckpointError: no such model, no such target, or a file that cannot be used.
        """
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        folder = _find(name_or_dir)
        files = {
            file.stem: file for file in sorted(folder.glob("*.safetensors")) if "." not in file.stem
        }
        if not files:
            raise CheckpointError(f"{folder}: holds no weights (no <target>.safetensors).")
        ordered = [t for t in ("vocals", "drums", "bass", "other") if t in files]
        ordered += [t for t in files if t not in ordered]
        for target in targets or ordered:
            if target not in files:
                raise CheckpointError(
                    f"{name_or_dir}: has no target '{target}'; it has {', '.join(ordered)}."
                )
        loaded = {target: load_network(files[target]) for target in targets or ordered}
        shapes = {(card.rate, card.n_fft, card.hop_length) for _, card in loaded.values()}
        if len(shapes) > 1:
            raise CheckpointError(
                f"{folder}: its networks differ in rate or STFT; keep them apart."
            )
        rate, n_fft, hop_length = shapes.pop()
        networks = {target: network for target, (network, _) in loaded.items()}
        separator = cls(networks, rate=rate, n_fft=n_fft, hop_length=hop_length, **options)
        return separator.to(device)

    @torch.inference_mode()
    def forward(self, audio, rate=None):
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
        check_audio(audio)
        channels, samples = audio.shape
        if channels > 2:
            raise AudioError(
                f"the audio has {channels} channels; separation takes mono or stereo: mix it down "
                "first ('ffmpeg -i song.wav -ac 2 stereo.wav')."
            )
        rate = rate or self.rate
        wanted = next(iter(self.networks.values())).nb_channels
        given = audio.detach().float()
        if channels < wanted:
            given = given.expand(wanted, -1)
        elif channels > wanted:
            given = given.mean(0, keepdim=True)
        song = resample(given, rate, self.rate).to(self.stft.window.device)

        stems = {}
        for target, spec in self.spectra(self.stft(song)).items():
            stem = resample(self.stft.inverse(spec, song.shape[-1]), self.rate, rate)
            stems[target] = fit_length(stem, samples).to(audio.device)
        home = next((target for target in ("residual", "other") if target in stems), None)
        # A stem on its own is no share of the song: completed, it would be all of it.
        if self.complete and home and len(stems) > 1:
            stems[home] = stems[home] + given - sum(stems.values())
        return {
            target: stem.mean(0, keepdim=True) if channels < wanted else stem.expand(channels, -1)
            for target, stem in stems.items()
        }

    @torch.inference_mode()
    def spectra(self, mixture):
        """Complex mixture `(channels, freq, frames)` -> dict target -> complex, same shape."""
        magnitudes = mixture.abs()
        estimates = torch.stack(
            [network(magnitudes[None])[0] for network in self.networks.values()]
        )
        if self.softmask:
            # Shares of the mixture, in proportion to the estimates.
            spectra = mixture * (estimates / (_EPS + estimates.sum(0)))
        else:
            # The estimated magnitude with the mixture's phase.
            spectra = torch.polar(estimates, mixture.angle().expand_as(estimates))
        if self.residual or (len(self.networks) == 1 and self.iterations > 0):
            spectra = torch.cat([spectra, (mixture - spectra.sum(0))[None]])
        if self.iterations > 0:
            for start in range(0, mixture.shape[-1], self.wiener_window):
                window = slice(start, start + self.wiener_window)
                spectra[..., window] = wiener(
                    spectra[..., window], mixture[..., window], self.iterations
                )
        return dict(zip(self.targets, spectra))


def pretrained_names():
    """Names of the models that come with the package."""
    return sorted(folder.name for folder in PRETRAINED.iterdir() if folder.is_dir())


def _find(name_or_dir):
    """The folder of a model's weights."""
    name = os.fspath(name_or_dir)
    if (PRETRAINED / name).is_dir() and Path(name).name == name and name:
        return PRETRAINED / name
    if Path(name).is_dir():
        return Path(name)
    raise CheckpointError(
        f"'{name}': no such model; use {', '.join(pretrained_names())} or a folder of weights."
    )
