"""Trainings that take a second: five songs of plain tones, and networks of eight units."""

import json
from pathlib import Path

import torch

from unmix_lite import save_audio
from unmix_lite.corpora import Corpus
from unmix_lite.names import OPEN_UNMIX, TARGETS
from unmix_lite.training import Training, TrainingConfig, train
from unmix_lite.weights import read_safetensors

RATE = 8000
SMALL = {"batch_size": 2, "seconds": 0.4, "rate": RATE, "valid_every": 2, "steps": 6}
ARGUMENTS = {"hidden_size": 8, "n_fft": 512, "hop_length": 128, "max_bin": 200}


def write_song(folder, stems, rate=RATE, pitch=200):
    """A song of 1 s: each of the named stems a tone 100 Hz above the one before, half as loud on
    the right."""
    time = torch.arange(rate) / rate
    for source, name in enumerate(stems):
        tone = 0.2 * torch.sin(2 * torch.pi * (pitch + 100 * source) * time)
        save_audio(folder / f"{name}.wav", torch.stack([tone, 0.5 * tone]), rate)
    return folder


def write_corpus(root, stems=TARGETS, rate=RATE):
    """Five such songs, the pitches of each 20 Hz above those of the one before."""
    for song in range(5):
        write_song(root / "train" / f"Song {song}", stems, rate, 200 + 20 * song)
    return Corpus("tones", root, "a test")


def recipe(**changes):
    """A small recipe with some changes; OpenUnmix's arguments may stand among them."""
    if changes.get("network", "OpenUnmix") == "OpenUnmix" and "arguments" not in changes:
        own = {name: changes.pop(name) for name in OPEN_UNMIX if name in changes}
        changes["arguments"] = {**ARGUMENTS, **own}
    return TrainingConfig(**{**SMALL, **changes})


def fit(corpus, folder, on_validation=None, **changes):
    """Train on a corpus with the small recipe and some changes; returns the untimed history."""
    tracks, valid = corpus.tracks("train"), corpus.tracks("valid")
    config, quiet = recipe(**changes), {"progress": False, "on_validation": on_validation}
    return untimed(train(config, tracks, valid, Path(folder), "cpu", **quiet))


def untimed(history):
    """A history without the seconds, in which no two trainings agree."""
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


def kept(folder, target="vocals"):
    """The weights that a training left, and what their file says of it, untimed."""
    tensors, metadata = read_safetensors(Path(folder) / f"{target}.safetensors")
    card = json.loads(metadata["unmix_lite"])
    del card["training"]["seconds"]
    return tensors, card


def same(one, other):
    """Whether two trainings left the same weights bit by bit, and tell the same of them."""
    (tensors, card), (others, other_card) = one, other
    return (
        card == other_card
        and tensors.keys() == others.keys()
        and all(torch.equal(value, others[name]) for name, value in tensors.items())
    )


def validating(monkeypatch, *losses):
    """Let the validations come out as these, a list per target."""
    rows = iter(losses)
    monkeypatch.setattr(Training, "validate", lambda self: next(rows))


def disturb(monkeypatch, stop, what):
    """Have `what()` happen in the step that follows step `stop`, after its work is done."""
    take_step = Training.take_step

    def disturbed(self, stems, changes):
        result = take_step(self, stems, changes)
        if self.step == stop:
            what()
        return result

    monkeypatch.setattr(Training, "take_step", disturbed)
