"""What runs out: disks, memory, and devices without double precision. One line each, and whatever
was finished stays."""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from tiny_training import fit, kept, recipe, write_corpus
from untrained import folder_of_networks, noise

from unmix_lite import devices
from unmix_lite.audio import save_audio
from unmix_lite.cli import main
from unmix_lite.corpora.band import render_band
from unmix_lite.errors import DiskFull, MemoryFull, UnmixError
from unmix_lite.files import cache_folder
from unmix_lite.models.folded import Sequence
from unmix_lite.separation import Separator
from unmix_lite.training import train


@pytest.fixture
def small_disk(tmp_path):
    """A function that makes a disk of so many kB; skips where none can be mounted."""
    mounted = []

    def make(kilobytes, name="disk"):
        folder = tmp_path / name
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)]
        if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("needs the right to mount a small disk")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def files_of_at_most(size):
    """As on a full disk, without one: no file of this process may grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_under_the_stems_is_named_and_the_song_before_stays(
    tmp_path, small_disk, capsys
):
    model, disk = folder_of_networks(tmp_path / "model"), small_disk(4000)
    for name, seconds in (("a", 1), ("b", 30)):
        save_audio(tmp_path / f"{name}.wav", noise(2, seconds * 44100).clamp(-0.9, 0.9), 44100)
    songs = [str(tmp_path / name) for name in ("a.wav", "b.wav")]
    assert main(["separate", *songs, "-o", str(disk), "--model", str(model)]) == 1
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert told.startswith(f"unmix-lite: {disk / 'b'}: there is no room left on its disk")
    assert len(list((disk / "a").glob("*.wav"))) == 4
    assert [path.name for path in disk.iterdir()] == ["a"]  # nothing half-written


def test_a_training_on_a_disk_that_fills_up_goes_on_from_its_last_state(tmp_path):
    corpus = write_corpus(tmp_path / "songs")
    whole = fit(corpus, tmp_path / "whole", steps=8)
    with pytest.raises(DiskFull, match="there is no room left on its disk"):
        states = []

        def fill_up(history):
            states.append(history[-1]["step"])
            if len(states) == 2:
                limit.enter_context(files_of_at_most(2000))

        with contextlib.ExitStack() as limit:
            fit(corpus, tmp_path / "cut", fill_up, steps=8)
    assert fit(corpus, tmp_path / "cut", steps=8) == whole
    assert kept(tmp_path / "cut")[0].keys() == kept(tmp_path / "whole")[0].keys()
    assert all(
        torch.equal(kept(tmp_path / "cut")[0][name], value)
        for name, value in kept(tmp_path / "whole")[0].items()
    )


def test_a_band_that_finds_no_room_names_its_folder_and_is_completed_later(small_disk):
    disk = small_disk(1500)
    with pytest.raises(DiskFull, match=f"^{disk / 'band'}: there is no room"):
        render_band(disk / "band", 3, 0, 3.0, 22050, progress=False)
    assert len(list((disk / "band" / "train").iterdir())) == 1
    assert not list(disk.rglob(".*"))
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    render_band(disk / "band", 3, 0, 3.0, 22050, progress=False)
    assert len(list((disk / "band" / "train").glob("*/*.wav"))) == 15


def test_a_full_folder_for_what_a_long_song_needs_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    numbers = Sequence(1000, 64, torch.device("cpu"), on_disk=True)
    with files_of_at_most(10_000), pytest.raises(DiskFull, match=f"^{tmp_path}: "):
        numbers[slice(0, 1000)] = torch.zeros(1000, 64)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate "
                     "memory: you tried to allocate 99 bytes."),
        RuntimeError("can't start new thread"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    ],
    ids=["python", "system", "torch", "threads", "cuda"],
)  # fmt: skip
def test_memory_that_runs_out_is_one_line(error):
    place = "the GPU's memory" if "CUDA" in str(error) else "this machine's memory"
    with pytest.raises(MemoryFull, match=f"^a song: needs more than {place}; cut it.$"):
        with devices.memory_for("a song", "cut it"):
            raise error


def test_other_errors_are_not_taken_for_memory():
    with pytest.raises(RuntimeError, match="^shape$"), devices.memory_for("a song", "cut it"):
        raise RuntimeError("shape")


def test_a_song_that_memory_does_not_hold_ends_no_batch(tmp_path, monkeypatch, capsys):
    model = folder_of_networks(tmp_path / "model")
    for number, name in enumerate(("a", "b", "c")):
        save_audio(tmp_path / f"{name}.wav", noise(2, 44100 + number).clamp(-0.9, 0.9), 44100)
    blocks = Separator.blocks

    def crowded(self, audio, *arguments, **others):
        if audio.shape[-1] == 44101:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return blocks(self, audio, *arguments, **others)

    monkeypatch.setattr(Separator, "blocks", crowded)
    output = tmp_path / "out"
    assert main(["separate", str(tmp_path), "-o", str(output), "--model", str(model)]) == 1
    assert f"{tmp_path / 'b.wav'}: needs more than the GPU's memory" in capsys.readouterr().err
    assert sorted(path.name for path in output.iterdir()) == ["a", "c"]


def test_a_batch_that_memory_cannot_hold_is_refused_before_the_system_ends_it(tmp_path):
    corpus = write_corpus(tmp_path / "songs")
    tracks, valid = corpus.tracks("train"), corpus.tracks("valid")
    with pytest.raises(MemoryFull, match="take a smaller batch size"):
        train(recipe(batch_size=10_000_000), tracks, valid, tmp_path / "out", "cpu", False)


def test_memory_that_the_system_limits_is_one_line(tmp_path):
    """The command itself, in as much address space as it needs to load, and two gigabytes more."""
    write_corpus(tmp_path / "songs")
    script = (
        "import resource, sys, torch, unmix_lite.training, unmix_lite.evaluation\n"
        "import unmix_lite.training.loop\n"
        "from unmix_lite.cli import main\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2 * 2**30, resource.RLIM_INFINITY))\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [
        sys.executable, "-c", script, "train", "--corpus", str(tmp_path / "songs"), "--targets",
        "vocals", "--batch-size", "250", "--seconds", "6", "--steps", "1", "--device", "cpu",
        "--hidden-size", "8", "-o", str(tmp_path / "out"),
    ]  # fmt: skip
    if not os.path.exists("/proc/self/statm"):
        pytest.skip("needs Linux's /proc")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    *_, last = done.stderr.strip().splitlines()
    assert last.startswith("unmix-lite: ") and "take a smaller" in last, done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def no_double_precision(monkeypatch):
    """As on Apple's GPUs."""

    def double(self):
        raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework "
                        "doesn't support float64.")  # fmt: skip

    monkeypatch.setattr(torch.Tensor, "double", double)


@pytest.mark.usefixtures("no_double_precision")
def test_nothing_needs_double_precision_on_the_device(tmp_path):
    history = fit(write_corpus(tmp_path / "songs"), tmp_path / "model", targets=("vocals",))
    assert history[-1]["step"] == 6
    separator = Separator.from_pretrained("umx-lite", "cpu", targets=["vocals", "drums"])
    stems = separator(noise(2, 20000), 44100)
    assert all(stem.isfinite().all() for stem in stems.values())


def test_a_gpu_of_apple_is_chosen_where_it_works(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    made = torch.zeros
    monkeypatch.setattr(torch, "zeros", lambda *shape, device=None: made(*shape))
    assert devices.device_of() == "mps"


def test_a_gpu_that_cannot_be_used_is_told_and_left(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    if torch.cuda.device_count():
        pytest.skip("there is a GPU that works")
    with pytest.warns(UserWarning, match="cannot be used .* computing on the CPU"):
        assert devices.device_of() == "cpu"
    with pytest.raises(UnmixError, match="is not there"):
        devices.device_of("cuda:7")


def test_a_home_that_is_read_only_is_told_and_another_folder_taken(small_disk, monkeypatch):
    home = small_disk(100, "home")
    subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
    for name in ("UNMIX_LITE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    with pytest.warns(UserWarning, match="cannot be made; songs are kept in"):
        folder = cache_folder()
    assert folder.parent == Path(tempfile.gettempdir()) and cache_folder() == folder
    monkeypatch.setenv("HOME", str(home.parent))
    assert cache_folder() == home.parent / ".cache" / "unmix-lite"
