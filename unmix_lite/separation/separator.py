"""From a song to its stems: one network per target, run as one pipeline."""

import torch
from torch import nn

from ..models import AudioNetwork
from ..signal import STFT, OverlapAdd, average_repetitions, wiener
from ..weights import DEFAULT, is_official, load_networks
from .audio_separator import AudioSeparator
from .long_song import estimate_magnitudes
from .song_separator import SongSeparator
from .stream import Stream

_EPS = 1e-10
_TIMES = 2  # that the song's repetitions are looked for, each time in better estimates


class Separator(SongSeparator):
    """STFT, one network per target, Wiener filter, inverse STFT; if wanted, the networks' guesses
    are averaged over the song's repetitions, and filtered again.

    Args:
        networks: dict target -> network, magnitude `(batch, channels, freq, frames)` in and out.
        iterations: EM iterations of the multichannel Wiener filter; 0 gives each network's own
            estimate with the mixture's phase.
        posterior: from the second iteration on, keep the networks' powers and count what the
            filter is unsure of (see `wiener`). Without it, the reference's filter.
        neighbours: after the filter, average the networks' magnitudes over this many frames in
            which a source sounds alike (see `repetition`), and filter anew. 0 averages nothing,
            as the reference; nor does anything without the filter, at 0 iterations.
        residual: add a target "residual", what the networks leave of the mixture. With a single
            network the Wiener filter needs something to set it against, so it then uses a
            residual whether or not it is returned.
        softmask: start from the ratio of the estimated magnitudes instead of the magnitudes.
        complete: give "residual" or "other" what is left when all stems are taken from the song,
            so that two or more add up to it exactly: bins that no network claims, and what
            resampling to the networks' rate cannot carry. Without it, the reference's output.
        wiener_window: frames that share one spatial covariance, and in which repetitions are
            looked for; 300 are 7 s.
        rate: the rate in Hz that the networks were trained at.
        n_fft, hop_length: of their STFT.

    Raises:
        ValueError: no network.
    """

    def __init__(
        self,
        networks,
        iterations=1,
        residual=False,
        softmask=False,
        complete=False,
        posterior=False,
        neighbours=0,
        wiener_window=300,
        rate=44100,
        n_fft=4096,
        hop_length=1024,
    ):
        super().__init__(rate, complete)
        if not networks:
            raise ValueError("a separator needs at least one network")
        self.networks = nn.ModuleDict(networks)
        self.iterations, self.residual, self.softmask = iterations, residual, softmask
        self.posterior, self.neighbours = posterior, neighbours
        self.wiener_window = wiener_window
        self.stft = STFT(n_fft, hop_length)
        self.eval()

    @property
    def targets(self):
        """Names of the stems that come out, in order."""
        return [*self.networks, "residual"] if self.residual else list(self.networks)

    @property
    def adds_up(self):
        """Whether the stems, together, are meant to be the song: the Wiener filter's doing."""
        return self.iterations > 0

    @classmethod
    def from_pretrained(
        cls,
        name_or_dir=DEFAULT,
        device=None,
        targets=None,
        iterations=None,
        posterior=None,
        neighbours=None,
        **options,
    ):
        """A separator from trained weights: a `Separator`, or an `AudioSeparator` for networks
        that do without spectrograms and Wiener filter.

        Args:
            name_or_dir: a model that comes with the package ("umx-lite", "wave-u-net-lite", ...:
                see `pretrained_names`); one that was published ("umx", "umxhq", "umxl", "umxse"
                of Open-Unmix, "hdemucs": downloaded once, 100 MB and more); or a folder that
                `train` filled.
            device: where to run; None takes a GPU where there is one.
            targets: only these; None takes all there are.
            iterations: of the Wiener filter; None means 3 with `posterior` and 1 without, but 0
                for networks that only look back: it would need the future, and shares the whole
                song among the few stems they know.
            posterior: of the Wiener filter; None means True, but False for Open-Unmix's published
                networks, which then give what `openunmix` gives.
            neighbours: see the constructor; None means 40 with `posterior` and 0 without.
            options: of the constructor (residual, ...).

        Raises:
            CheckpointError: no such model, no such target, or a file that cannot be used.
        """
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        loaded = load_networks(name_or_dir, targets)
        network, card = next(iter(loaded.values()))
        if isinstance(network, AudioNetwork):
            separator = AudioSeparator(
                network, list(loaded), iterations=iterations, posterior=posterior,
                neighbours=neighbours, **options,
            )  # fmt: skip
            return separator.to(device)
        networks = {target: network for target, (network, _) in loaded.items()}
        if posterior is None:
            posterior = not is_official(name_or_dir)
        if iterations is None:
            iterations = 0 if card.arguments.get("unidirectional") else 3 if posterior else 1
        if neighbours is None:
            neighbours = 40 if posterior else 0
        separator = cls(
            networks, iterations, posterior=posterior, neighbours=neighbours, rate=card.rate,
            n_fft=card.n_fft, hop_length=card.hop_length, **options,
        )  # fmt: skip
        return separator.to(device)

    def stream(self):
        """A `Stream` for live use: blocks in, blocks out. For unidirectional networks, without the
        Wiener filter; raises an UnmixError otherwise."""
        return Stream(self)

    def match_channels(self, audio):
        """With as many channels as the networks take."""
        channels, wanted = len(audio), next(iter(self.networks.values())).nb_channels
        if channels < wanted:
            return audio.expand(wanted, -1)
        return audio.mean(0, keepdim=True) if channels > wanted else audio

    def separate_blocks(self, song, on_progress):
        """See `SongSeparator`. It keeps `hidden_size` numbers per frame and network, which go to a
        temporary file where they are many."""
        frames = self.stft.frames(song.shape[-1])
        overlap_add = OverlapAdd(self.stft, song.shape[-1])
        estimate = estimate_magnitudes(
            self.networks.values(), self.stft, song, lambda part: on_progress(part / 2)
        )
        for start in range(0, frames, self.wiener_window):
            stop = min(start + self.wiener_window, frames)
            mixture = self.stft.block(song, start, stop)
            yield overlap_add(self._filtered(estimate(start, stop, mixture), mixture))
            on_progress((stop - start) / frames / 2)

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
        # The mixture's phase; where there is none, 0.
        phase = torch.polar(torch.ones(()), mixture.angle())
        if self.softmask:
            # Shares of the mixture, in proportion to the estimates.
            spectra = mixture * (estimates / (_EPS + estimates.sum(0)))
        else:
            spectra = phase * estimates
        if self.residual or (len(self.networks) == 1 and self.iterations > 0):
            spectra = torch.cat([spectra, (mixture - spectra.sum(0))[None]])
        refined = wiener(spectra, mixture, self.iterations, self.posterior)
        for _ in range(_TIMES if self.neighbours and self.iterations else 0):
            guesses = average_repetitions(spectra.abs(), refined.abs(), self.neighbours)
            refined = wiener(phase * guesses, mixture, self.iterations, self.posterior)
        return refined[: len(self.targets)]
