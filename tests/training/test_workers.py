"""Several processes that share a batch come to what one would have come to with all of it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tiny_training import kept, recipe, write_corpus
from torch import distributed, nn

from unmix_lite.cli import main
from unmix_lite.errors import UnmixError
from unmix_lite.training import SharedBatchNorm, Training, Workers

OPTIONS = ["--targets", "vocals", "drums", "--joint", "--dropout", "0", "--steps", "6",
           "--valid-every", "2", "--batch-size", "4", "--seconds", "0.3", "--hidden-size", "8",
           "--average", "0.5", "--clip", "0.1", "--device", "cpu"]  # fmt: skip
LAUNCHERS = {
    "torchrun": ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"],
    # Without a GPU, --multi_gpu is what makes it start several processes; --cpu starts one.
    "accelerate": ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
                   "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
                   "--main_process_port", "0"],
}  # fmt: skip


def unmix_in_two(launcher, *arguments):
    """`unmix-lite` in two processes; returns what `subprocess.run` does."""
    return subprocess.run(
        [sys.executable, "-m", *LAUNCHERS[launcher], "-m", "unmix_lite", *map(str, arguments)],
        capture_output=True, text=True, timeout=600, cwd=Path(__file__).parents[2],
        env={**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """The tones at the CLI's rate."""
    root = tmp_path_factory.mktemp("tones at 44.1 kHz")
    write_corpus(root, rate=44100)
    return root


@pytest.fixture(scope="module")
def alone(songs, tmp_path_factory):
    """What one process comes to."""
    folder = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNMIX_LITE_CACHE", str(folder / "cache"))
        patch.setenv("TQDM_DISABLE", "1")
        assert main(["train", "--corpus", str(songs), "-o", str(folder), *OPTIONS]) == 0
    return folder


def history(folder):
    return json.loads((folder / "vocals.json").read_text())["history"]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_come_to_the_weights_of_one(songs, alone, tmp_path, cache, launcher):
    pytest.importorskip("accelerate")
    result = unmix_in_two(launcher, "train", "--corpus", songs, "-o", tmp_path / "two", *OPTIONS)
    assert result.returncode == 0, result.stderr
    for mine, theirs in zip(history(alone), history(tmp_path / "two"), strict=True):
        assert theirs["train_loss"] == pytest.approx(mine["train_loss"], rel=1e-5)
        # Looser, for the reason given below.
        assert theirs["valid_losses"] == pytest.approx(mine["valid_losses"], rel=1e-2)
    for target in ("vocals", "drums"):
        (one, card), (two, other_card) = kept(alone, target), kept(tmp_path / "two", target)
        assert card["training"]["step"] == other_card["training"]["step"]
        assert one.keys() == two.keys()
        # Batch normalisation takes away whatever is the same in all frames, so that the gradient
        # of input_mean is nothing but rounding, which Adam makes steps of like of any other; and
        # the mean that is taken away moves with it.
        for name in one.keys() - {"input_mean", "bn1.running_mean"}:
            torch.testing.assert_close(one[name], two[name], rtol=1e-4, atol=1e-5)


def test_a_batch_that_cannot_be_shared_is_refused_before_anything_is_decoded(tones, cache):
    workers = Workers("cpu")
    workers.count = 3
    with pytest.raises(UnmixError, match="a batch of 4 cannot be shared by 3 processes"):
        Training(recipe(batch_size=4), tones.tracks("train"), tones.tracks("valid"), workers)
    assert not cache.exists()


def test_the_processes_share_a_batch_row_by_row():
    workers = Workers("cpu")
    assert workers.rows(6) == slice(0, 6) and workers.is_main
    workers.count = 3
    parts = []
    for workers.index in range(3):
        parts += [*range(6)][workers.rows(6)]
    assert parts == [*range(6)] and not workers.is_main
    with pytest.raises(UnmixError, match="a batch of 7 cannot be shared by 3 processes"):
        workers.rows(7)


def test_the_processes_share_the_validation_song_by_song(tones, cache, monkeypatch):
    training = Training(recipe(), tones.tracks("valid"), tones.tracks("train")[:3],
                        Workers("cpu"), progress=False)  # fmt: skip
    whole, told = training.validate(), []
    monkeypatch.setattr(Workers, "mean", lambda self, values: told.append(values) or values)
    training.workers.count = 2
    for training.workers.index in range(2):
        training.validate()
    (sums, samples), (more, others) = told
    assert samples == 2 * others == 2 * 8000
    assert whole == [pytest.approx((sums + more) / (samples + others))]


def test_one_process_is_left_alone():
    """Nothing here needs accelerate, or more than the one process, where there is but one."""
    workers, network = Workers("cpu"), nn.BatchNorm1d(3)
    assert workers.prepare(network) is network and type(network) is nn.BatchNorm1d
    assert workers.mean([1.0, 2.0]) == [1.0, 2.0] and workers.in_turn(lambda: "read") == "read"
    workers.wait()


def test_without_accelerate_several_processes_are_one_line(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(UnmixError, match=r"needs accelerate: pip install 'unmix-lite\[train\]'"):
        Workers("cpu")


def test_without_a_gpu_and_a_word_several_processes_compute_on_the_cpu(monkeypatch):
    def state(cpu):
        # As accelerate: without cpu=True it sees one process where there is no GPU.
        place = {"process_index": 1, "num_processes": 2} if cpu else {"num_processes": 1}
        return SimpleNamespace(device=torch.device("cpu"), **{"process_index": 0, **place})

    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setitem(sys.modules, "accelerate", SimpleNamespace(PartialState=state))
    workers = Workers()
    assert (workers.index, workers.count, workers.device.type) == (1, 2, "cpu")


@pytest.fixture
def group(tmp_path):
    """A group of this one process."""
    if not distributed.is_available():
        pytest.skip("this torch was built without torch.distributed")
    distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/group", rank=0, world_size=1
    )
    yield
    distributed.destroy_process_group()


@pytest.mark.usefixtures("group")
def test_shared_batch_normalisation_is_the_usual_one():
    torch.manual_seed(0)
    usual, shared = nn.BatchNorm1d(5), SharedBatchNorm(5)
    x = 2 * torch.randn(20, 5) + 1
    weights = torch.randn(20, 5)
    outputs, gradients = [], []
    for norm in (usual, shared):
        given = x.clone().requires_grad_()
        output = norm(given)
        (output * weights).sum().backward()
        outputs.append(output)
        gradients.append(given.grad)
    torch.testing.assert_close(outputs[1], outputs[0])
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(shared.state_dict(), usual.state_dict())
    torch.testing.assert_close(shared.eval()(x), usual.eval()(x))
