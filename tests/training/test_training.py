"""The training loop: what is learned, what is kept of it, and what is told on the way."""

import json
import sys

import numpy as np
import pytest
import torch
from tiny_training import ARGUMENTS, fit, kept, recipe, same, validating

from unmix_lite.errors import CheckpointError, UnmixError
from unmix_lite.names import COUPLED, OPEN_UNMIX
from unmix_lite.separation import Separator
from unmix_lite.signal import STFT
from unmix_lite.training import LOSSES, Excerpts, Training, Workers, input_statistics
from unmix_lite.training.tasks import first_task
from unmix_lite.weights import load_network

pytestmark = pytest.mark.usefixtures("cache")
ALL = recipe().sources


def ready(tones, **changes):
    """A training that has not begun."""
    tracks = tones.tracks("train"), tones.tracks("valid")
    return Training(recipe(**changes), *tracks, Workers("cpu"), progress=False)


def take(training, steps):
    """Take steps by hand; returns the losses, the norms and the weights after each."""
    losses, norms, weights = [], [], []
    for _ in range(steps):
        loss, norm = training.take_step(*training.batches.read(training.step))
        training.step += 1
        state = training.networks["vocals"].state_dict()
        training.losses.append(loss)
        losses.append(loss)
        norms.append(norm)
        weights.append({name: value.clone() for name, value in state.items()})
    return losses, norms, weights


def test_input_statistics_are_the_mixtures(tones):
    excerpts = Excerpts(tones.tracks("train"), ALL, 1.0, 8000, progress=False)
    stft = STFT(512, 128)
    mixtures = [sum(track.stems().values()) for track in tones.tracks("train")]
    frames = torch.cat([stft(m).abs().mean(0) for m in mixtures], -1)
    mean, deviation = input_statistics(excerpts, stft)
    assert torch.allclose(mean, frames.mean(-1), rtol=1e-2, atol=1e-3)
    spread = frames.std(-1, correction=0)
    assert torch.allclose(deviation, spread.clamp(min=1e-4 * spread.max()), rtol=2e-2, atol=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
def test_training_learns_with_every_loss(tones, tmp_path, loss):
    """Nothing is drawn but places in the songs, so that the loss falls from step to step."""
    options = {"hidden_size": 16, "augmentations": (), "dropout": 0.0, "learning_rate": 1e-2}
    targets = ALL if loss in COUPLED else ("vocals",)
    history = fit(tones, tmp_path, loss=loss, targets=targets, steps=40, valid_every=10, **options)
    assert [row["step"] for row in history] == [10, 20, 30, 40]
    first, last = history[0]["train_loss"], history[-1]["train_loss"]
    assert last < first - 3 if loss in ("log", "sdr") else last < 0.7 * first


def test_what_was_trained_separates(tones, tmp_path):
    history = fit(tones, tmp_path)
    record = json.loads((tmp_path / "vocals.json").read_text())
    losses = [row["valid_loss"] for row in history]
    assert record["best_step"] == history[int(np.argmin(losses))]["step"]
    assert [row["valid_loss"] for row in record["history"]] == losses
    assert record["config"]["arguments"] == {**OPEN_UNMIX, **ARGUMENTS}
    separator = Separator.from_pretrained(tmp_path, device="cpu")
    assert separator.rate == 8000 and separator.stft.hop_length == 128
    assert separator(tones.tracks("valid")[0].mixture(), 8000)["vocals"].shape == (2, 8000)


def test_the_same_seed_gives_the_same_weights_and_another_does_not(tones, tmp_path):
    seeds = {"a": 1, "b": 1, "c": 2}
    histories = [fit(tones, tmp_path / name, seed=seed) for name, seed in seeds.items()]
    assert histories[0] == histories[1] != histories[2]
    weights = [kept(tmp_path / name) for name in seeds]
    assert same(weights[0], weights[1]) and not same(weights[0], weights[2])


def test_the_best_on_validation_is_kept(tones, tmp_path, monkeypatch):
    validating(monkeypatch, [3.0], [1.0], [2.0])
    fit(tones, tmp_path)
    assert json.loads((tmp_path / "vocals.json").read_text())["best_step"] == 4
    assert kept(tmp_path)[1]["training"]["step"] == 4


@pytest.mark.parametrize(("loss", "steps"), [("mse", (4, 2)), ("phase", (4, 2)), ("ratio", (4, 4))])
def test_of_a_joint_training_each_target_keeps_its_best_unless_they_are_coupled(
    tones, tmp_path, monkeypatch, loss, steps
):
    validating(monkeypatch, [3.0, 1.0], [1.0, 2.0], [2.0, 3.0])
    targets = ("vocals", "drums")
    history = fit(tones, tmp_path, targets=targets, sources=targets, loss=loss)
    assert history[1]["valid_losses"] == {"vocals": 1.0, "drums": 2.0}
    assert history[1]["valid_loss"] == 1.5
    assert tuple(kept(tmp_path, target)[1]["training"]["step"] for target in targets) == steps


def test_the_validation_is_the_loss_of_the_whole_songs(tones):
    training = ready(tones, targets=ALL)
    song = training.validation.whole(0)
    stft = training.task.stft
    targets, mixture = stft(song), stft(song.sum(0))
    networks = training.networks.eval()
    expected = [
        ((networks[name](mixture.abs()[None])[0] - target.abs()) ** 2).mean().item()
        for name, target in zip(ALL, targets)
    ]
    assert training.validate() == pytest.approx(expected, rel=1e-4)


def test_a_network_starts_the_same_whichever_others_are_trained_along(tones):
    alone, together = ready(tones), ready(tones, targets=("drums", "vocals"))
    weights = [training.networks["vocals"].state_dict() for training in (alone, together)]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_a_training_starts_from_given_weights(tones, tmp_path):
    history = fit(tones, tmp_path / "first")
    best = min(row["valid_loss"] for row in history)
    assert ready(tones, seed=9).validate() != [pytest.approx(best, rel=1e-3)]
    given = ready(tones, seed=9, initial=str(tmp_path / "first"), dropout=0.1)
    assert given.validate() == [pytest.approx(best, rel=1e-6)]
    before = kept(tmp_path / "first")[0]
    take(given, 1)
    moved = given.networks["vocals"].state_dict()
    assert all(not torch.equal(moved[name], before[name]) for name in before if "bn" not in name)
    assert given.networks["vocals"].lstm.dropout == 0.1


def test_weights_and_curves_tell_no_folders_of_the_machine(tones, tmp_path):
    fit(tones, tmp_path / "first", steps=2)
    fit(tones, tmp_path / "second", steps=2, initial=str(tmp_path / "first"))
    curve = json.loads((tmp_path / "second" / "vocals.json").read_text())
    _, card = load_network(tmp_path / "second" / "vocals.safetensors")
    for told in (curve["config"], card.training["config"]):
        assert told["initial"] == "first"
        assert str(tmp_path) not in json.dumps(told)


@pytest.mark.parametrize(
    "change",
    [{"hidden_size": 16}, {"unidirectional": True}, {"max_bin": 100}, {"n_fft": 1024},
     {"rate": 4000}, {"targets": ("drums",)}, {"initial": "nowhere"}],
)  # fmt: skip
def test_weights_that_do_not_fit_are_one_line_before_songs_are_decoded(
    tones, tmp_path, monkeypatch, change
):
    fit(tones, tmp_path, steps=2)
    monkeypatch.setattr(Excerpts, "__init__", lambda *_, **__: pytest.fail("decoded before"))
    with pytest.raises(CheckpointError) as error:
        ready(tones, **{"initial": str(tmp_path), **change})
    assert "\n" not in str(error.value)


def test_the_same_recipe_starts_from_its_own_weights(tones, tmp_path):
    """Also where max_bin lies above all there is, as the default does for short windows."""
    fit(tones, tmp_path, steps=2, max_bin=1487)
    assert ready(tones, initial=str(tmp_path), max_bin=1487).networks["vocals"].max_bin == 257


def test_the_average_is_the_running_mean_of_the_weights(tones, tmp_path):
    training = ready(tones, average=0.3)
    _, _, weights = take(training, 5)
    mean = weights[0]
    for count, current in enumerate(weights[1:], 1):
        decay = min(0.3, (1 + count) / (10 + count))  # 2/11, 3/12, then 0.3
        mean = {name: decay * mean[name] + (1 - decay) * current[name] for name in mean}
    training.validate_and_keep(tmp_path)
    tensors, _ = kept(tmp_path)
    for name in tensors.keys() - {n for n in tensors if "num_batches" in n}:
        torch.testing.assert_close(tensors[name], mean[name])
    assert not torch.allclose(tensors["fc1.weight"], weights[-1]["fc1.weight"], rtol=1e-4)


def test_clip_cuts_the_gradients_norm_and_nothing_else(tones):
    free, clipped = ready(tones), ready(tones, clip=1e-3)
    norms = [take(training, 1)[1][0] for training in (free, clipped)]
    assert norms[0] == norms[1] > 1e-2  # what is told is the norm before
    gradients = [
        torch.cat([p.grad.flatten() for p in training.networks.parameters()])
        for training in (free, clipped)
    ]
    assert gradients[1].norm() == pytest.approx(1e-3, rel=1e-3)
    torch.testing.assert_close(gradients[1] / 1e-3, gradients[0] / gradients[0].norm())


def test_patience_stops_early(tones, tmp_path, monkeypatch):
    validating(monkeypatch, [2.0], [1.0], [1.5], [1.2], [0.5])
    history = fit(tones, tmp_path, patience=2, steps=100)
    assert [row["step"] for row in history] == [2, 4, 6, 8]


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_16_bits_come_near_32(tones, precision):
    losses = [take(ready(tones, precision=p), 1)[0] for p in ("float32", precision)]
    assert losses[0] != losses[1] == pytest.approx(losses[0], rel=0.01)


def test_float16_takes_no_step_whose_gradient_overflows_and_goes_on_with_a_smaller_scale(tones):
    training = ready(tones, precision="fp16", steps=100)
    before = training.networks["vocals"].state_dict()["fc1.weight"].clone()
    _, norms, weights = take(training, 8)
    steps = [before, *(state["fc1.weight"] for state in weights)]
    moved = [not torch.equal(one, other) for one, other in zip(steps, steps[1:])]
    assert moved == [bool(np.isfinite(norm)) for norm in norms] and moved[-1]
    assert weights[-1]["fc1.weight"].isfinite().all()


@pytest.mark.parametrize("where", ["a step", "a validation"])
def test_a_loss_that_is_nan_stops_with_one_line_and_keeps_the_last_state(
    tones, tmp_path, monkeypatch, where
):
    fit(tones, tmp_path, schedule="constant", steps=2)
    kept_before = {file.name: file.read_bytes() for file in tmp_path.glob("vocals*")}
    if where == "a step":
        nan = float("nan")
        monkeypatch.setitem(LOSSES, "mse", lambda scene: scene.estimates.sum() * nan)
    else:
        validating(monkeypatch, [float("nan")])
    with pytest.raises(UnmixError, match="loss is nan at step") as error:
        fit(tones, tmp_path, schedule="constant", steps=4)
    assert "\n" not in str(error.value)
    assert {file.name: file.read_bytes() for file in tmp_path.glob("vocals*")} == kept_before


def test_curves_are_logged_for_tensorboard(tones, tmp_path):
    event = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    history = fit(tones, tmp_path, steps=20, valid_every=10, batch_size=1)
    events = event.EventAccumulator(str(tmp_path / "logs" / "vocals"))
    events.Reload()
    assert {"loss/train", "loss/valid", "gradient norm"} <= set(events.Tags()["scalars"])
    logged = [(scalar.step, scalar.value) for scalar in events.Scalars("loss/valid")]
    assert logged == [(row["step"], pytest.approx(row["valid_loss"])) for row in history]
    assert [scalar.step for scalar in events.Scalars("loss/train")] == [10, 20]


def test_without_tensorboard_the_training_is_the_same(tones, tmp_path, monkeypatch):
    expected = fit(tones, tmp_path / "with", steps=2)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)  # as if not installed
    assert fit(tones, tmp_path / "without", steps=2) == expected
    assert not (tmp_path / "without" / "logs").exists()


def test_the_history_is_shown_after_every_validation(tones, tmp_path):
    seen = []
    show = lambda history: seen.append([row["step"] for row in history])  # noqa: E731
    fit(tones, tmp_path, on_validation=show)
    assert seen == [[2], [2, 4], [2, 4, 6]]


@pytest.mark.parametrize("start", ["chance", "weights"])
def test_the_random_numbers_of_whoever_calls_stay_what_they_were(tones, tmp_path, start):
    fit(tones, tmp_path / "weights", steps=2)
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(3), np.random.rand(3)
    torch.manual_seed(5)
    np.random.seed(5)
    initial = None if start == "chance" else str(tmp_path / "weights")
    fit(tones, tmp_path / "out", steps=2, initial=initial)
    assert torch.equal(torch.rand(3), expected[0]) and (np.random.rand(3) == expected[1]).all()


def test_the_network_of_a_recipe_is_as_it_says():
    networks = first_task(recipe(targets=ALL, unidirectional=True)).networks
    assert list(networks) == list(ALL)
    mixture = torch.rand(2, 2, 257, 5)
    assert all(network(mixture).shape == mixture.shape for network in networks.values())
    assert not networks["bass"].lstm.bidirectional
    assert networks["bass"].lstm.hidden_size == ARGUMENTS["hidden_size"]


def test_a_new_network_is_scaled_to_the_training_mixtures(tones):
    training = ready(tones)
    mean, deviation = input_statistics(training.batches.excerpts, training.task.stft)
    network = training.networks["vocals"]
    torch.testing.assert_close(network.input_mean.detach(), -mean[:200])
    torch.testing.assert_close(network.input_scale.detach(), 1 / deviation[:200])
