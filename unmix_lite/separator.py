"""From a song to its stems: one network per target, run as one pipeline."""

import os
from functools import partial
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from .audio import check_audio, resample, resampled
from .corpora import TARGETS
from .errors import AudioError, CheckpointError
from .long_song import long_song
from .official import OFFICIAL, load_official
from .spectral import STFT, OverlapAdd
from .stream import Stream
from .weights import load_network
from .wiener import wiener

PRETRAINED = Path(__file__).parent / "pretrained"
DEFAULT = "umx-lite"
_EPS = 1e-10
_BAR = "{desc}: {percentage:3.0f}% |{bar}| {elapsed}, {remaining} to go"


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
    def from_pretrained(
        cls, name_or_dir=DEFAULT, device=None, targets=None, iterations=None, **options
    ):
        """A separator from trained weights.

        Args:
            name_or_dir: a model that comes with the package ("umx-lite"), one that the authors of
                Open-Unmix published ("umx", "umxhq", "umxl", "umxse": downloaded once, some
                100 MB and more), or a folder that `train` filled, one `<target>.safetensors` per
                target.
            device: where to run; None takes a GPU where there is one.
            targets: only these; None takes all there are.
            iterations: of the Wiener filter; None means 1, but 0 for networks that only look back:
                it would need the future, and shares the whole song among the few stems they know.
            options: of the constructor (residual, ...).

        Raises:
            CheckpointError: no such model, no such target, or a file that cannot be used.
        """
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        loaded = load_networks(name_or_dir, targets)
        _, card = next(iter(loaded.values()))
        networks = {target: network for target, (network, _) in loaded.items()}
        if iterations is None:
            iterations = 0 if card.arguments.get("unidirectional") else 1
        separator = cls(
            networks, iterations, rate=card.rate, n_fft=card.n_fft, hop_length=card.hop_length,
            **options,
        )  # fmt: skip
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
        stems = {target: torch.empty_like(audio, dtype=torch.float32) for target in self.targets}
        start = 0
        for block in self.blocks(audio, rate):
            stop = start + next(iter(block.values())).shape[-1]
            for target, piece in block.items():
                stems[target][:, start:stop] = piece
            start = stop
        return stems

    @torch.inference_mode()
    def blocks(self, audio, rate=None, progress=False):
        """Separate a song piece by piece: the stems of `forward`, in order, some seconds at a time.

        Beyond the song itself it needs a fixed amount of memory, and one of `hidden_size` numbers
        per frame and network, which go to a temporary file where they are many.

        Args:
            audio, rate: as for `forward`.
            progress: show a progress bar.

        Yields:
            dicts target -> float32 `(channels, some samples)`, on the audio's device.

        Raises:
            AudioError: as `forward`.
        """
        check_audio(audio)
        channels, samples = audio.shape
        rate = rate or self.rate
        given = self._as_trained(audio.detach().float())
        song = resample(given, rate, self.rate)
        home = next((target for target in ("residual", "other") if target in self.targets), None)
        # A stem on its own is no share of the song: completed, it would be all of it.
        complete = self.complete and home and len(self.targets) > 1
        start = 0
        for stems in resampled(self._separated(song, progress), self.rate, rate, samples):
            stems = dict(zip(self.targets, stems.to(audio.device)))
            stop = start + stems[self.targets[0]].shape[-1]
            if complete:
                stems[home] = stems[home] + given[:, start:stop] - sum(stems.values())
            start = stop
            yield {
                target: stem.mean(0, keepdim=True)
                if channels < len(given)
                else stem.expand(channels, -1)
                for target, stem in stems.items()
            }

    def stream(self):
        """A `Stream` for live use: blocks in, blocks out. For unidirectional networks, without the
        Wiener filter; raises an UnmixError otherwise."""
        return Stream(self)

    def _as_trained(self, audio):
        """With as many channels as the networks take."""
        channels, wanted = len(audio), next(iter(self.networks.values())).nb_channels
        if channels > 2:
            raise AudioError(
                f"the audio has {channels} channels; separation takes mono or stereo: mix it down "
                "first ('ffmpeg -i song.wav -ac 2 stereo.wav')."
            )
        if channels < wanted:
            return audio.expand(wanted, -1)
        return audio.mean(0, keepdim=True) if channels > wanted else audio

    def _separated(self, song, progress):
        """Yield all stems, `(targets, channels, some samples)` at the networks' own rate."""
        frames = self.stft.frames(song.shape[-1])
        overlap_add = OverlapAdd(self.stft, song.shape[-1])
        # None: where nobody looks (a file, a pipe), no bar either.
        with tqdm(
            total=1, desc="separating", bar_format=_BAR, leave=False,
            disable=None if progress else True,
        ) as bar:  # fmt: skip

            def tick(part):  # rounding must not drive it beyond its end
                bar.update(min(part, 1 - bar.n))

            estimate = long_song(
                self.networks.values(), self.stft, song, lambda part: tick(part / 2)
            )
            for start in range(0, frames, self.wiener_window):
                stop = min(start + self.wiener_window, frames)
                mixture = self.stft.block(song, start, stop)
                yield overlap_add(self._filtered(estimate(start, stop, mixture), mixture))
                tick((stop - start) / frames / 2)

    @torch.inference_mode()
    def spectra(self, mixture):
        """Complex mixture `(channels, freq, frames)` -> dict target -> complex, same shape."""
        magnitude = mixture.abs()[None]
        estimates = torch.stack([network(magnitude)[0] for network in self.networks.values()])
        windows = [
            self._filtered(estimates[..., start:stop], mixture[..., start:stop])
            for start in range(0, mixture.shape[-1], self.wiener_window)
            for stop in [start + self.wiener_window]
        ]
        return dict(zip(self.targets, torch.cat(windows, -1)))

    def _filtered(self, estimates, mixture):
        """Estimated magnitudes `(networks, channels, freq, frames)` and the mixture of one window
        -> complex stems `(targets, channels, freq, frames)`."""
        if self.softmask:
            # Shares of the mixture, in proportion to the estimates.
            spectra = mixture * (estimates / (_EPS + estimates.sum(0)))
        else:
            # The estimated magnitude with the mixture's phase; where there is none, 0.
            phase = torch.polar(torch.ones(()), mixture.angle())
            spectra = phase * estimates
        if self.residual or (len(self.networks) == 1 and self.iterations > 0):
            spectra = torch.cat([spectra, (mixture - spectra.sum(0))[None]])
        return wiener(spectra, mixture, self.iterations)[: len(self.targets)]


def pretrained_names():
    """Names of the models that come with the package."""
    return sorted(folder.name for folder in PRETRAINED.iterdir() if folder.is_dir())


def load_networks(name_or_dir, targets=None):
    """A dict target -> (network, card) of a model, in the order of the stems.

    Args:
        name_or_dir, targets: as for `Separator.from_pretrained`.

    Raises:
        CheckpointError: as there.
    """
    loaders = _loaders(os.fspath(name_or_dir))
    for target in targets or loaders:
        if target not in loaders:
            raise CheckpointError(
                f"{name_or_dir}: has no target '{target}'; it has {', '.join(loaders)}."
            )
    loaded = {target: loaders[target]() for target in targets or loaders}
    if len({(card.rate, card.n_fft, card.hop_length) for _, card in loaded.values()}) > 1:
        raise CheckpointError(
            f"{name_or_dir}: its networks differ in rate or STFT; keep them apart."
        )
    return loaded


def _loaders(name):
    """Of a model's targets, in order, each with a function that gives its network and card."""
    if name in OFFICIAL and not Path(name).is_dir():
        return {target: partial(load_official, name, target) for target in OFFICIAL[name].files}
    folder = _folder(name)
    files = {
        file.stem: file for file in sorted(folder.glob("*.safetensors")) if "." not in file.stem
    }
    if not files:
        raise CheckpointError(f"{folder}: holds no weights (no <target>.safetensors).")
    ordered = [target for target in TARGETS if target in files]
    ordered += [target for target in files if target not in ordered]
    return {target: partial(load_network, files[target]) for target in ordered}


def _folder(name):
    """The folder of a model's weights."""
    if (PRETRAINED / name).is_dir() and Path(name).name == name and name:
        return PRETRAINED / name
    if Path(name).is_dir():
        return Path(name)
    raise CheckpointError(
        f"'{name}': no such model; use {', '.join(pretrained_names())}, one that is downloaded "
        f"({', '.join(OFFICIAL)}), or a folder of weights."
    )
