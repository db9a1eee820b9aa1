"""DeepConvSep, the network of Chandna, Miron, Janer and Gómez (LVA/ICA 2017).

A spectrogram is read by tall filters, each a timbre, then by wide ones, each a course in time; a
narrow layer says which of them are there, and for each source they are put together again.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from ..signal import STFT
from .audio_network import AudioNetwork, check_input
from .receptive_field import receptive_field, spectral_context

_EPS = 1e-8


class DeepConvSep(AudioNetwork):
    """An autoencoder of 30 frames whose decoders, one per source, share the encoder's filters.

    Vertical convolution (all frequencies, one frame), horizontal convolution (15 frames), a dense
    layer of 128; then for each source a dense layer and both convolutions transposed, with the
    same weights. The outputs are not taken as they are but made into ratio masks.

    Args:
        targets: all sources, "other" last if there is one.
        filters, bottleneck: the paper's 50 and 128.
        frames, overlap: frames in a window, and how many of them the next one shares; 30 and 25.
        n_fft, hop_length, rate: 1024, 512 and 44,100 Hz.

    Deviations: a Hann window as in the rest of this package (the paper's is Blackman-Harris); mono,
    as in the paper, but run on each channel of a stereo song by itself; trained by Adam instead of
    Adadelta; "other" has a term of its own in the loss. The published code decodes "other" from
    the bass by mistake; this does what the paper describes.
    """

    losses = ("dissimilarity", "mse")
    needs_all_targets = True
    scale = 0.3  # of the magnitudes, as in the published code

    def __init__(
        self, targets: Sequence[str] = ("vocals", "drums", "bass", "other"),
        filters: int = 50, bottleneck: int = 128, frames: int = 30, overlap: int = 25,
        n_fft: int = 1024, hop_length: int = 512, rate: int = 44100,
    ):  # fmt: skip
        arguments = {
            "filters": filters, "bottleneck": bottleneck, "frames": frames, "overlap": overlap,
            "n_fft": n_fft, "hop_length": hop_length,
        }  # fmt: skip
        super().__init__(targets, 1, rate, arguments)
        self.frames, self.step = frames, frames - overlap
        self.stft = STFT(n_fft, hop_length)
        self.vertical = nn.Conv2d(1, filters, (self.stft.nb_bins, 1))
        self.horizontal = nn.Conv2d(filters, filters, (1, frames // 2))
        self.inner = (filters, 1, frames - frames // 2 + 1)
        width = filters * self.inner[-1]
        self.dense = nn.Linear(width, bottleneck)
        self.decoders = nn.ModuleList(nn.Linear(bottleneck, width) for _ in targets)
        self.bias = nn.Parameter(torch.zeros(len(targets)))
        self.grid = self.step * hop_length
        # A frame is in windows of 30 frames, each of which depends on all of its own.
        heard = receptive_field([(frames, 1, 1)] * 2)
        self.context = spectral_context(heard, n_fft, hop_length, self.grid)

    def magnitudes(self, mixture: torch.Tensor) -> torch.Tensor:
        """The decoders' outputs for windows `(windows, freq, frames)` -> `(windows, targets, freq,
        frames)`, zero or more."""
        x = self.horizontal(self.vertical(self.scale * mixture[:, None]))
        x = F.relu(self.dense(x.flatten(1)))
        sources = []
        for decoder in self.decoders:
            y = F.relu(decoder(x)).unflatten(1, self.inner)
            y = F.conv_transpose2d(y, self.horizontal.weight)
            sources.append(F.conv_transpose2d(y, self.vertical.weight))
        return F.relu(torch.cat(sources, 1) + self.bias[:, None, None])

    def masks(self, mixture: torch.Tensor) -> torch.Tensor:
        """Magnitudes of windows `(windows, freq, frames)` -> each target's share of them,
        `(windows, targets, freq, frames)`; the shares sum to one."""
        sources = self.magnitudes(mixture) + _EPS
        return sources / sources.sum(1, keepdim=True)

    def forward(self, mixture: torch.Tensor) -> torch.Tensor:
        """See `AudioNetwork`. Each frame gets the mean of the masks of all windows it is in."""
        check_input(self, mixture)
        samples = mixture.shape[-1] - 2 * self.context
        # Whole steps on the right, so that there, too, a frame is in as many windows as elsewhere.
        spec = self.stft(F.pad(mixture[:, 0], (0, -mixture.shape[-1] % self.grid)))
        windows = self._scaled(spec.abs()).unfold(-1, self.frames, self.step).permute(0, 2, 1, 3)
        masks = torch.stack([self.masks(song) for song in windows])
        total = self._overlapped(masks, spec.shape[-1])
        count = self._overlapped(torch.ones_like(masks[:, :, :1, :1]), spec.shape[-1])
        spectra = spec[:, None] * (total / count.clamp(min=1))
        audio = self.stft.inverse(spectra, (spec.shape[-1] - 1) * self.stft.hop_length)
        return audio[..., self.context : self.context + samples][:, :, None]

    def training_losses(
        self, mixture: torch.Tensor, stems: torch.Tensor, loss: str
    ) -> torch.Tensor:
        """Squared error of the magnitudes; "dissimilarity" subtracts a little of the squared error
        to the *other* sources, so that a stem is paid for being unlike them (the paper's L_diff:
        0.001, and between the sources and "other" 0.01, for vocals 0.03)."""
        mixture, stems = self.select_channels(mixture), self.select_channels(stems)
        seen, true = (
            self._scaled(self.stft(x).abs()).unfold(-1, self.frames, self.frames)
            for x in (mixture[:, 0], stems[:, :, 0])
        )
        seen = seen.movedim(-2, 1).flatten(0, 1)  # windows, freq, frames
        true = true.movedim(-2, 1).flatten(0, 1)  # windows, targets, freq, frames
        estimates = self.masks(seen) * seen[:, None]
        # Of each target's estimate (rows) to each true source (columns).
        differences = estimates[:, :, None] - true[:, None]
        errors = differences.square().mean((0, 3, 4))
        if loss == "mse":
            return errors.diagonal()
        return (errors * self._unlike(errors)).sum(1)

    def _unlike(self, errors: torch.Tensor) -> torch.Tensor:
        """The weights of the loss: 1 on the diagonal, and small negative ones beside it."""
        weights = torch.full_like(errors, -0.001)
        if "other" in self.targets:
            other = self.targets.index("other")
            weights[:, other] = -0.01
            if "vocals" in self.targets:
                weights[self.targets.index("vocals"), other] = -0.03
            weights[other] = 0.0
        return weights.fill_diagonal_(1.0)

    def _scaled(self, magnitude: torch.Tensor) -> torch.Tensor:
        return magnitude / self.stft.n_fft**0.5

    def _overlapped(self, windows: torch.Tensor, frames: int) -> torch.Tensor:
        """Windows `(batch, windows, targets, freq, frames)` added where they overlap
        -> `(batch, targets, freq, frames)`."""
        batch, count, targets, bins, _ = windows.shape
        windows = windows.expand(-1, -1, -1, -1, self.frames)
        flat = windows.permute(0, 2, 3, 4, 1).reshape(-1, self.frames, count)
        total = F.fold(flat, (1, frames), (1, self.frames), stride=(1, self.step))
        return total.reshape(batch, targets, bins, frames)
