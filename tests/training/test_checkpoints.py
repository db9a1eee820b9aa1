"""Stopping at any moment costs nothing, and a damaged state is found out."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from leftovers import begun_by_the_dead
from safetensors.torch import save_file
from tiny_training import disturb, fit, kept, same, untimed, write_corpus
from torch import nn

from unmix_lite.errors import CheckpointError
from unmix_lite.separation import Separator
from unmix_lite.training import Interruption, Training, collect, load_state, restore, save_state
from unmix_lite.weights import read_safetensors

pytestmark = pytest.mark.usefixtures("cache")
STATE = "vocals.state.safetensors"


@pytest.fixture(scope="module")
def whole(tones, tmp_path_factory):
    """An undisturbed training of six steps: its history and its weights."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNMIX_LITE_CACHE", str(folder / "cache"))
        return fit(tones, folder), kept(folder)


def interrupt():
    raise KeyboardInterrupt


def stopped(tones, folder, stop):
    """A training that broke off in the step after step `stop`, as if the power had failed."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        disturb(patch, stop, interrupt)
        fit(tones, folder)
    return folder / STATE


def saved_step(state):
    return load_state(state)[1]["step"]


@pytest.mark.parametrize("stop", [1, 3, 4, 5])
def test_a_stopped_training_comes_to_the_same_weights(tones, tmp_path, whole, stop):
    stopped(tones, tmp_path, stop)
    assert fit(tones, tmp_path) == whole[0] and same(kept(tmp_path), whole[1])


def test_a_stopped_average_goes_on(tones, tmp_path):
    """The running mean, the plateau and the clock of the schedule are part of the state."""
    options = {"average": 0.9, "schedule": "plateau", "plateau": 1, "clip": 0.1}
    history = fit(tones, tmp_path / "whole", **options)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        disturb(patch, 4, interrupt)
        fit(tones, tmp_path / "stopped", **options)
    assert fit(tones, tmp_path / "stopped", **options) == history
    assert same(kept(tmp_path / "stopped"), kept(tmp_path / "whole"))


def test_a_finished_training_is_left_as_it_is(tones, tmp_path, whole):
    fit(tones, tmp_path)
    before = (tmp_path / STATE).stat().st_mtime_ns
    assert fit(tones, tmp_path) == whole[0]
    assert (tmp_path / STATE).stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_step_saves_it_and_stops(tones, tmp_path, monkeypatch, whole, name):
    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        disturb(patch, 2, lambda: os.kill(os.getpid(), getattr(signal, name)))
        fit(tones, tmp_path)
    assert saved_step(tmp_path / STATE) == 3  # no validation is due there
    assert signal.getsignal(signal.SIGINT) is handler
    assert fit(tones, tmp_path) == whole[0] and same(kept(tmp_path), whole[1])


def test_a_signal_during_the_last_validation_is_not_lost(tones, tmp_path, monkeypatch):
    def validate(self):
        if self.step == 6:
            os.kill(os.getpid(), signal.SIGINT)
        return [1.0]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Training, "validate", validate)
        fit(tones, tmp_path)
    assert [row["step"] for row in fit(tones, tmp_path)] == [2, 4, 6]


def test_a_second_ctrl_c_does_not_wait():
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_training_runs_in_a_thread(tones, tmp_path, whole):
    """Where Python takes no signals: in a notebook's or a server's thread."""
    results = []
    thread = threading.Thread(target=lambda: results.append(fit(tones, tmp_path)))
    thread.start()
    thread.join(60)
    assert results == [whole[0]]


DAMAGES = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "cut by a byte": lambda data: data[:-1],
    "a bit of the length": lambda data: flipped(data, 0),
    "a bit of the header": lambda data: flipped(data, 100),
    "a bit of the history": lambda data: flipped(data, data.index(b"valid_loss")),
    "a bit of the first weight": lambda data: flipped(data, 8 + int.from_bytes(data[:8], "little")),
    "a bit of the last weight": lambda data: flipped(data, len(data) - 1),
    "another file": lambda data: b"not a state at all" * 100,
}


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_gives_way_to_the_one_before(tones, tmp_path, whole, capsys, damage):
    state = stopped(tones, tmp_path, 5)
    assert saved_step(state) == 4
    state.write_bytes(DAMAGES[damage](state.read_bytes()))
    assert saved_step(state) == 2
    assert state.with_name(f"{STATE}.damaged").is_file() and not state.exists()
    told = capsys.readouterr().out
    assert told.count("\n") == 1 and str(state) in told and "state before it" in told
    assert fit(tones, tmp_path) == whole[0] and same(kept(tmp_path), whole[1])


def test_killed_between_its_two_renames_a_state_gives_way_to_the_one_before(tones, tmp_path, whole):
    stopped(tones, tmp_path, 5).unlink()
    assert fit(tones, tmp_path) == whole[0] and same(kept(tmp_path), whole[1])


def test_two_damaged_states_are_one_line(tones, tmp_path):
    state = stopped(tones, tmp_path, 5)
    for file in (state, tmp_path / f"{STATE}.previous"):
        file.write_bytes(DAMAGES["truncated"](file.read_bytes()))
    with pytest.raises(CheckpointError) as error:
        fit(tones, tmp_path)
    assert "\n" not in str(error.value) and str(state) in str(error.value)
    assert f"Delete {state} and {state}.previous" in str(error.value)


def test_a_foreign_file_in_the_place_of_a_state_is_one_line(tones, tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / STATE)
    with pytest.raises(CheckpointError, match="holds no training state"):
        fit(tones, tmp_path)


def test_half_written_files_are_no_disturbance(tones, tmp_path, whole):
    """What a kill in the midst of writing leaves behind."""
    stopped(tones, tmp_path, 5)
    dead = begun_by_the_dead()
    for name in (".vocals", ".vocals.state"):
        (tmp_path / f"{name}.{dead}.safetensors").write_bytes(b"half")
    assert fit(tones, tmp_path) == whole[0] and same(kept(tmp_path), whole[1])
    assert Separator.from_pretrained(tmp_path, "cpu").targets == ["vocals"]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"hidden_size": 16}, {"loss": "l1"}, {"steps": 8}, {"average": 0.9}]
)
def test_the_folder_of_another_recipe_is_refused_and_kept(tones, tmp_path, change):
    fit(tones, tmp_path, steps=2)
    before = {file: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
    with pytest.raises(CheckpointError, match=f"another.* {next(iter(change))}") as error:
        fit(tones, tmp_path, **{"steps": 2, **change})
    assert "\n" not in str(error.value)
    assert before == {file: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}


def test_where_the_rate_does_not_know_the_end_more_steps_may_follow(tones, tmp_path):
    fit(tones, tmp_path / "more", schedule="constant", steps=4)
    history = fit(tones, tmp_path / "more", schedule="constant", steps=6)
    assert history == fit(tones, tmp_path / "whole", schedule="constant", steps=6)


def test_a_state_is_what_was_saved_and_the_one_before_is_kept(tmp_path):
    path = tmp_path / "a.state.safetensors"
    assert load_state(path) is None
    for step in (1, 2):
        tensors = {"weight": torch.full((2, 3), step / 3), "count": torch.tensor(step)}
        save_state(path, tensors, {"step": step, "losses": [0.1, 1e-30]})
    loaded, progress = load_state(path)
    assert progress == {"step": 2, "losses": [0.1, 1e-30]}
    assert all(torch.equal(loaded[name], value) for name, value in tensors.items())
    assert load_state(f"{path}.previous")[1]["step"] == 1


def test_networks_and_their_optimiser_go_on_as_if_never_stopped():
    def parts(seed):
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh())
        return {"network": network, "optimizer": torch.optim.Adam(network.parameters(), 0.1)}

    def step(network, optimizer):
        optimizer.zero_grad()
        network(torch.arange(12.0).reshape(4, 3).cos()).pow(3).sum().backward()
        optimizer.step()

    one, other = parts(0), parts(1)
    step(**one)
    restore({name: value.clone() for name, value in collect(**one).items()}, **other)
    step(**one)
    step(**other)
    ends = collect(**one), collect(**other)
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())
    with pytest.raises(CheckpointError, match="another network"):
        restore(ends[0], network=nn.Linear(3, 4))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork to kill and start cheaply")
def test_killed_again_and_again_a_training_comes_to_the_same_weights(tmp_path):
    """SIGKILL at twenty moments: amid files being put in their place, and wherever it may hit."""
    write_corpus(tmp_path / "songs", rate=44100)
    driver = Path(__file__).parents[1] / "helpers" / "killed_training.py"
    result = subprocess.run(
        [sys.executable, driver, tmp_path], capture_output=True, text=True, timeout=600,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == {"kills": 20}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    histories = [json.loads((f / "vocals.json").read_text())["history"] for f in (whole, killed)]
    assert untimed(histories[0]) == untimed(histories[1]) and len(histories[0]) == 60
    assert same(kept(whole), kept(killed))
    one, other = (read_safetensors(folder / STATE)[0] for folder in (whole, killed))
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())
