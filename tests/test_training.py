"""Training: what is drawn, how it is changed, and that stopping costs nothing."""

import json

import numpy as np
import pytest
import torch

from unmix_lite import load_audio, save_audio
from unmix_lite.corpora import TARGETS, Corpus, Track
from unmix_lite.errors import CheckpointError, CorpusError, UnmixError
from unmix_lite.separator import Separator
from unmix_lite.spectral import STFT
from unmix_lite.training import Excerpts, TrainingConfig, loop, train
from unmix_lite.training.augmentation import random_channel_swap, random_gain

SMALL = {"hidden_size": 8, "batch_size": 2, "seconds": 0.4, "rate": 8000, "n_fft": 512,
         "hop_length": 128, "max_bin": 200, "valid_every": 2, "steps": 6}  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Five songs of 1 s at 8 kHz whose stems are tones: source s of song n at its own pitch."""
    root = tmp_path_factory.mktemp("corpus")
    time = torch.arange(8000) / 8000
    for song in range(5):
        for source, target in enumerate(TARGETS):
            tone = 0.2 * torch.sin(2 * torch.pi * (200 + 100 * source + 20 * song) * time)
            stem = torch.stack([tone, 0.5 * tone])
            save_audio(root / "train" / f"Song {song}" / f"{target}.wav", stem, 8000)
    return Corpus("tones", root, "a test")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("UNMIX_LITE_CACHE", str(tmp_path_factory.mktemp("cache")))


def run(corpus, folder, **changes):
    config = TrainingConfig(**{**SMALL, **changes})
    return train(
        config, corpus.tracks("train"), corpus.tracks("valid"), folder, "cpu", progress=False
    )


def test_excerpts_are_cuts_of_the_stems(corpus):
    track = corpus.tracks("train")[0]
    excerpts = Excerpts([track], TARGETS, 0.25, 8000, progress=False)
    batch = excerpts.batch(np.random.default_rng(0), 3, remix=False)
    assert batch.shape == (3, 4, 2, 2000) and batch.dtype == torch.float32
    stem = load_audio(track.path / "drums.wav")[0][0]
    offsets = [
        int(((stem.unfold(0, 2000, 1) - row[1, 0]).abs().amax(-1)).argmin()) for row in batch
    ]
    assert len(set(offsets)) == 3
    for row, start in zip(batch, offsets):
        assert (stem[start : start + 2000] - row[1, 0]).abs().max() < 1e-4


def test_without_remix_all_sources_are_of_one_song_and_with_it_they_are_not(corpus):
    excerpts = Excerpts(corpus.tracks("train"), TARGETS, 0.5, 8000, progress=False)

    def songs(remix):
        """Which song each source came from, read off its pitch: 2 Hz per bin at 0.5 s."""
        batch = excerpts.batch(np.random.default_rng(1), 16, remix)
        pitch = 2 * torch.fft.rfft(batch[:, :, 0]).abs().argmax(-1)
        return (pitch - 200 - 100 * torch.arange(4)) // 20

    together, apart = songs(remix=False), songs(remix=True)
    assert all(len(set(row.tolist())) == 1 for row in together)
    assert any(len(set(row.tolist())) > 1 for row in apart)


def test_the_same_generator_draws_the_same_batch(corpus):
    excerpts = Excerpts(corpus.tracks("train"), TARGETS, 0.25, 8000, progress=False)
    draw = [excerpts.batch(np.random.default_rng([7, step]), 4) for step in (1, 1, 2)]
    assert torch.equal(draw[0], draw[1]) and not torch.equal(draw[0], draw[2])


def test_a_song_is_decoded_once_and_again_when_it_changed(corpus, monkeypatch):
    tracks = corpus.tracks("train")[:1]
    Excerpts(tracks, TARGETS, 0.25, 8000, progress=False)
    monkeypatch.setattr(Track, "stems", lambda *_: pytest.fail("decoded twice"))
    Excerpts(tracks, TARGETS, 0.25, 8000, progress=False)
    file = tracks[0].path / "bass.wav"
    file.touch()
    with pytest.raises(pytest.fail.Exception):
        Excerpts(tracks, TARGETS, 0.25, 8000, progress=False)


def test_a_song_shorter_than_the_excerpt_ends_in_silence(corpus):
    excerpts = Excerpts(corpus.tracks("train")[:1], TARGETS, 2.0, 8000, progress=False)
    batch = excerpts.batch(np.random.default_rng(0), 1)
    assert batch[..., :8000].abs().max() > 0.1 and batch[..., 8000:].abs().max() == 0


def test_mono_stems_and_no_songs_are_one_line(tmp_path):
    for target in TARGETS:
        save_audio(tmp_path / "train" / "Mono" / f"{target}.wav", torch.rand(1, 8000), 8000)
    with pytest.raises(CorpusError, match="1 channels; training takes stereo"):
        Excerpts(
            [Track("Mono", tmp_path / "train" / "Mono", "train")],
            TARGETS,
            rate=8000,
            progress=False,
        )
    with pytest.raises(CorpusError, match="no songs"):
        Excerpts([], TARGETS)


def test_gain_scales_each_source_on_its_own_within_its_range():
    gains = random_gain(torch.ones(50, 4, 2, 3), np.random.default_rng(0))
    assert torch.equal(gains, gains[:, :, :1, :1].expand_as(gains))
    assert 0.25 <= gains.min() < 0.35 and 1.15 < gains.max() <= 1.25
    assert len(gains[:, :, 0, 0].unique()) == 200


def test_channel_swap_swaps_half_of_the_sources():
    stems = torch.stack([torch.zeros(50, 4, 3), torch.ones(50, 4, 3)], 2)
    swapped = random_channel_swap(stems, np.random.default_rng(0))[:, :, 0, 0]
    assert 0.35 < swapped.mean() < 0.65
    assert torch.equal(random_channel_swap(stems, np.random.default_rng(0), 0.0), stems)


def test_input_statistics_are_the_mixtures(corpus):
    excerpts = Excerpts(corpus.tracks("train"), TARGETS, 1.0, 8000, progress=False)
    stft = STFT(512, 128)
    mixtures = [sum(track.stems().values()) for track in corpus.tracks("train")]
    frames = torch.cat([stft(m).abs().mean(0) for m in mixtures], -1)
    mean, deviation = loop.input_statistics(excerpts, stft)
    assert torch.allclose(mean, frames.mean(-1), rtol=1e-2, atol=1e-3)
    spread = frames.std(-1, correction=0)
    assert torch.allclose(deviation, spread.clamp(min=1e-4 * spread.max()), rtol=2e-2, atol=1e-3)


@pytest.mark.parametrize("loss", ["mse", "l1"])
def test_training_learns_and_its_folder_separates(corpus, tmp_path, loss):
    recipe = {"hidden_size": 32, "batch_size": 8, "augmentations": (), "loss": loss}
    history = run(corpus, tmp_path, steps=60, valid_every=20, **recipe)
    losses = [row["valid_loss"] for row in history]
    assert [row["step"] for row in history] == [20, 40, 60]
    assert history[-1]["train_loss"] < 0.7 * history[0]["train_loss"]
    record = json.loads((tmp_path / "vocals.json").read_text())
    assert (
        record["history"] == history
        and record["best_step"] == history[int(np.argmin(losses))]["step"]
    )
    stems = Separator.from_pretrained(tmp_path, device="cpu")(
        corpus.tracks("valid")[0].mixture(), 8000
    )
    assert stems["vocals"].shape == (2, 8000)


def test_the_best_on_validation_is_kept(corpus, tmp_path, monkeypatch):
    losses = iter([3.0, 1.0, 2.0])
    monkeypatch.setattr(loop, "validate", lambda *_: next(losses))
    run(corpus, tmp_path)
    assert json.loads((tmp_path / "vocals.json").read_text())["best_step"] == 4
    from unmix_lite.weights import load_network

    assert load_network(tmp_path / "vocals.safetensors")[1].training["step"] == 4


def weights(folder):
    return (folder / "vocals.safetensors").read_bytes()


def test_the_same_seed_gives_the_same_weights_and_another_does_not(corpus, tmp_path):
    histories = [
        run(corpus, tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert histories[0] == histories[1] != histories[2]
    assert weights(tmp_path / "a") == weights(tmp_path / "b")


@pytest.mark.parametrize("stop", [1, 3, 4, 5])
def test_a_stopped_training_comes_to_the_same_weights(corpus, tmp_path, monkeypatch, stop):
    whole = run(corpus, tmp_path / "whole")
    step = loop.train_step

    def stopping(network, optimizer, excerpts, stft, config, number):
        if number == stop:
            raise KeyboardInterrupt
        return step(network, optimizer, excerpts, stft, config, number)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loop, "train_step", stopping)
        run(corpus, tmp_path / "stopped")
    assert run(corpus, tmp_path / "stopped") == whole
    assert weights(tmp_path / "whole") == weights(tmp_path / "stopped")


def test_a_folder_of_another_recipe_is_refused(corpus, tmp_path):
    run(corpus, tmp_path)
    for change in ({"seed": 1}, {"hidden_size": 16}, {"loss": "l1"}):
        with pytest.raises(CheckpointError, match="another"):
            run(corpus, tmp_path, **change)


def test_a_truncated_state_is_one_line(corpus, tmp_path):
    run(corpus, tmp_path)
    state = tmp_path / "vocals.state.safetensors"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        run(corpus, tmp_path)


def test_a_loss_that_is_nan_stops_with_one_line_and_keeps_the_last_state(
    corpus, tmp_path, monkeypatch
):
    run(corpus, tmp_path, schedule="constant", steps=2)
    kept = (tmp_path / "vocals.state.safetensors").read_bytes()
    monkeypatch.setitem(
        loop.LOSSES, "mse", lambda estimate, target: (estimate * float("nan")).mean()
    )
    with pytest.raises(UnmixError, match="loss is nan at step 2"):
        run(corpus, tmp_path, schedule="constant", steps=4)
    assert (tmp_path / "vocals.state.safetensors").read_bytes() == kept


def test_the_rate_falls_to_zero_or_stays():
    config = TrainingConfig(steps=100)
    rates = [loop.learning_rate(config, step) for step in (0, 50, 100)]
    assert rates == pytest.approx([1e-3, 5e-4, 0])
    assert loop.learning_rate(TrainingConfig(schedule="constant"), 1999) == 1e-3


@pytest.mark.parametrize(
    "wrong",
    [{"target": "piano"}, {"loss": "l3"}, {"schedule": "never"}, {"augmentations": ("noise",)}],
)
def test_a_wrong_recipe_is_one_line(wrong):
    with pytest.raises(UnmixError) as error:
        TrainingConfig(**wrong)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [{"loss": "l1"}, {"augmentations": ()}, {"unidirectional": True}, {"seconds": 0.2},
     {"schedule": "constant"}, {"weight_decay": 0.1}],
)  # fmt: skip
def test_every_option_changes_the_training(corpus, tmp_path, change):
    assert run(corpus, tmp_path / "plain", steps=4) != run(
        corpus, tmp_path / "changed", steps=4, **change
    )
