"""What pip installs, in an environment of nothing but what it asks for."""

import os
import subprocess
import sys
import zipfile
from collections import namedtuple

import pytest
import soundfile
import torch
from environments import borrowing, copy_package, lend
from packaging.requirements import Requirement
from test_dependencies import CORE, EXTRAS

from unmix_lite import load_audio, save_audio
from unmix_lite.names import TARGETS

Installed = namedtuple("Installed", "folder python")


@pytest.fixture(scope="module")
def installed(tmp_path_factory, repository):
    """A wheel of the package, unpacked beside the core's seven requirements and what they need."""
    folder = tmp_path_factory.mktemp("wheel")
    clone = copy_package(repository, folder / "clone")
    pip = [sys.executable, "-m", "pip", "-q", "--no-cache-dir", "wheel"]
    here = ["--no-index", "--no-deps", "--no-build-isolation", "-w", str(folder), str(clone)]
    subprocess.run([*pip, *here], check=True)
    (built,) = folder.glob("unmix_lite-*.whl")
    python = borrowing(folder, *CORE, pip=False)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    zipfile.ZipFile(built).extractall(site)  # all that pip does, but for the command's script
    return Installed(folder, python)


def test_pip_would_bring_the_core_and_nothing_else(installed):
    script = "import importlib.metadata as m; print(*m.requires('unmix-lite'), sep='\\n')"
    needs = [Requirement(line) for line in call(installed, "-c", script).stdout.splitlines()]
    assert {need.name for need in needs if need.marker is None} == CORE
    assert {need.name for need in needs if need.marker} == set().union(*EXTRAS.values())


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """A second of stereo noise in a file, as one song with stems, split "test": the corpus."""
    root = tmp_path_factory.mktemp("corpus")
    generator = torch.Generator().manual_seed(0)
    for name in (*TARGETS, "mixture"):
        stem = 0.1 * torch.randn(2, 44100, generator=generator)
        save_audio(root / "test" / "Noise" / f"{name}.wav", stem, 44100)
    return root


def call(installed, *arguments):
    """What `python ARGUMENTS` does there, far from the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [str(installed.python), *map(str, arguments)],
        cwd=installed.folder,
        env={**kept, "UNMIX_LITE_CACHE": str(installed.folder / "cache"), "TQDM_DISABLE": "1"},
        capture_output=True,
        text=True,
    )


def test_help_needs_no_torch(installed):
    """Looked for where every module is, which `runpy` leaves as it finds it."""
    script = (
        "import runpy, sys\n"
        "try: runpy.run_module('unmix_lite', run_name='__main__')\n"
        "except SystemExit as stop: assert not stop.code\n"
        "print(sorted({'torch', 'numpy', 'scipy', 'soundfile'} & set(sys.modules)))\n"
    )
    done = call(installed, "-c", script, "--help")
    assert done.returncode == 0, done.stderr
    assert "separate" in done.stdout and done.stdout.endswith("\n[]\n")


def test_one_song_is_separated(installed, noise):
    song, out = noise / "test" / "Noise" / "mixture.wav", installed.folder / "stems"
    done = call(installed, "-m", "unmix_lite", "separate", song, "-o", out)
    assert done.returncode == 0, done.stderr
    stems = {path.stem: load_audio(path) for path in (out / "mixture").iterdir()}
    assert set(stems) == set(TARGETS)
    assert all(soundfile.info(p).frames == 44100 for p in (out / "mixture").iterdir())
    audio, rate = load_audio(song)
    assert all(stem_rate == rate for _, stem_rate in stems.values())
    torch.testing.assert_close(sum(stem for stem, _ in stems.values()), audio, rtol=0, atol=2e-3)


def test_rooms_open_without_extras(installed):
    """Listening and evaluation too: what they need is asked for where it is needed."""
    script = (
        "import unmix_lite.evaluation, unmix_lite.listening, unmix_lite.training\n"
        "import torch, unmix_lite\n"
        "try: unmix_lite.listening.loudness(torch.rand(1, 44100), 44100)\n"
        "except unmix_lite.UnmixError as error: print(error)\n"
    )
    done = call(installed, "-c", script)
    assert done.stdout == "loudness needs pyloudnorm: pip install 'unmix-lite[course]'.\n", done


def test_evaluate_names_the_extra_it_lacks_then_scores(installed, noise):
    out = installed.folder / "scores"
    command = ["-m", "unmix_lite", "evaluate", "--model", "mixture", "--corpus", noise, "-o", out]
    done = call(installed, *command)
    assert done.returncode == 1
    assert done.stderr.startswith("unmix-lite") and done.stderr.count("\n") == 1
    assert done.stderr.endswith("needs matplotlib: pip install 'unmix-lite[course]'.\n")
    assert not out.exists(), "songs were scored first"

    lend(installed.folder / "borrowed", "matplotlib")
    done = call(installed, *command)
    assert done.returncode == 0, done.stderr
    assert "median of 1 songs" in done.stdout
    there = {path.name for path in out.rglob("*") if path.is_file()}
    assert {"Noise.json", "scores.csv", "summary.csv", "scores.png"} <= there
