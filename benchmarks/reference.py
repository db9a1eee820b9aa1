"""The other side: `openunmix` 1.3's data and training step, as its authors' train.py uses them."""

import time

import torch
from openunmix.data import MUSDBDataset, aug_from_str
from openunmix.model import OpenUnmix
from openunmix.transforms import ComplexNorm, make_filterbanks

from unmix_lite.errors import CorpusError


def reference_dataset(corpus, tracks, target, seconds):
    """The reference's dataset of exactly these songs.

    Raises:
        CorpusError: ffmpeg is missing, or a song is shorter than an excerpt.
    """
    corpus.musdb(subsets="train", split="train")  # says in one line what is missing
    dataset = MUSDBDataset(
        target, str(corpus.root), is_wav=corpus.is_wav, split="train", seq_duration=seconds,
        source_augmentations=aug_from_str(["gain", "channelswap"]), random_track_mix=True,
    )  # fmt: skip
    names = {track.name for track in tracks}
    dataset.mus.tracks = [track for track in dataset.mus.tracks if track.name in names]
    if len(dataset.mus.tracks) < len(names):
        raise CorpusError(f"{corpus.root}: musdb does not find all of its songs.")
    shortest = min(dataset.mus.tracks, key=lambda track: track.duration)
    if shortest.duration < seconds:
        raise CorpusError(
            f"{shortest.name}: is {shortest.duration:.1f} s long; give --seconds less than that."
        )
    return dataset


def reference_batches(dataset, size):
    """Endless batches from the reference's dataset, in the loader that its train.py makes."""
    while True:
        yield from torch.utils.data.DataLoader(dataset, batch_size=size, shuffle=True)


def reference_steps(batches, hidden_size, max_bin, scaling, device):
    """Endless steps of the reference's train.py; yields the seconds that each waited for data."""
    mean, deviation = (values.numpy() for values in scaling)
    stft, _ = make_filterbanks(n_fft=4096, n_hop=1024, sample_rate=44100.0)
    encoder = torch.nn.Sequential(stft, ComplexNorm(mono=False)).to(device)
    network = OpenUnmix(2049, 2, hidden_size, input_mean=mean, input_scale=deviation,
                        max_bin=max_bin).to(device)  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001, weight_decay=0.00001)
    network.train()
    while True:
        began = time.perf_counter()
        x, y = next(batches)
        waited = time.perf_counter() - began
        x, y = x.to(device), y.to(device)
        optimizer.zero_grad()
        estimate = network(encoder(x))
        loss = torch.nn.functional.mse_loss(estimate, encoder(y))
        loss.backward()
        optimizer.step()
        loss.item()
        yield waited
