"""The engine in the page gives what Python gives with the same 8-bit weights."""

import json
import shutil
import subprocess

import numpy as np
import pytest
import torch

from unmix_lite.explore import bundle
from unmix_lite.explore.page_files import ENGINE

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(not NODE, reason="needs node")
SETTINGS = {
    "the reference's": {"iterations": 1, "posterior": False, "neighbours": 0},
    # Single precision itself, in either language, ends here: a source in one point makes matrices
    # that are nearly singular, and without the posterior nothing loosens them.
    "two of its rounds": {"iterations": 2, "posterior": False, "neighbours": 0},
    "the default": {"iterations": 3, "posterior": True, "neighbours": 40},
}


def in_node(engine_folder, song, kind, settings):
    """The engine's stems: dict target -> (2, samples)."""
    song.numpy().tofile(engine_folder / "song.f32")
    command = [NODE, __file__.replace("test_engine.py", "run_engine.mjs"), engine_folder, kind,
               json.dumps(settings), ENGINE]  # fmt: skip
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    targets = json.loads((engine_folder / "model.json").read_text())["targets"]
    return {t: np.fromfile(engine_folder / f"{t}.f32", np.float32).reshape(2, -1) for t in targets}


@needs_node
@pytest.mark.parametrize("name", SETTINGS)
def test_stems_are_pythons_to_a_ten_thousandth_of_the_song(engine_folder, song, separator, name):
    settings = SETTINGS[name] | {"window": 300}
    for key, value in settings.items():
        setattr(separator.filter, key, value)
    expected = separator(song)
    found = in_node(engine_folder, song, "wasm", settings)
    level = float(song.square().mean().sqrt())
    assert set(found) == set(expected)
    for target, stem in expected.items():
        error = float(np.sqrt(np.mean((found[target] - stem.numpy()) ** 2)))
        assert error < (5e-4 if name == "two of its rounds" else 1e-4) * level, target
        assert float(stem.square().mean().sqrt()) > 100 * error


@needs_node
def test_without_simd_it_is_the_same(engine_folder, song):
    settings = SETTINGS["the default"] | {"window": 300}
    short = song[:, : 44100 // 2].contiguous()
    fast, plain = (in_node(engine_folder, short, kind, settings) for kind in ("wasm", "plain"))
    level = float(short.square().mean().sqrt())
    for target, stem in fast.items():
        assert np.sqrt(np.mean((plain[target] - stem) ** 2)) < 1e-4 * level, target


@needs_node
@pytest.mark.parametrize("samples", [1, 1000, 4097, 44100])
def test_songs_of_any_length_and_silence(engine_folder, samples):
    silence = torch.zeros(2, samples)
    for target, stem in in_node(
        engine_folder, silence, "wasm", {**SETTINGS["the default"], "window": 300}
    ).items():
        assert stem.shape == (2, samples) and not stem.any(), target


def test_what_is_fetched_is_listed_with_its_checksum(engine_folder):
    about = json.loads((engine_folder / "model.json").read_text())
    total = sum(file["bytes"] for file in about["files"])
    assert total < 13e6 and {file["name"] for file in about["files"]} <= {
        path.name for path in engine_folder.iterdir()
    }
    assert about["filter"] == {**SETTINGS["the default"], "window": 300}


@pytest.mark.skipif(not shutil.which("clang") or not shutil.which("wasm-ld"), reason="needs clang")
def test_the_kernel_is_what_its_source_says(tmp_path):
    built = tmp_path / "kernel.wasm"
    done = subprocess.run(
        ["sh", str(ENGINE / "build.sh"), str(built)], capture_output=True, text=True
    )
    if "No available targets" in done.stderr:
        pytest.skip("this clang has no WebAssembly")
    assert done.returncode == 0, done.stderr
    version = subprocess.run(["clang", "--version"], capture_output=True, text=True).stdout
    if "version 14." not in version:
        pytest.skip("another compiler writes other bytes")
    assert built.read_bytes() == (ENGINE / "kernel.wasm").read_bytes()


def test_modules_are_bundled_in_the_order_in_which_they_need_each_other(tmp_path):
    (tmp_path / "a.mjs").write_text('import {two as b} from "./b.mjs";\nexport const c = b + 1;\n')
    (tmp_path / "b.mjs").write_text("const one = 1;\nexport const two = one + 1;\n")
    script = bundle(tmp_path / "a.mjs")
    assert script.index("module_b =") < script.index("module_a =")
    assert "import" not in script and "export" not in script
    if NODE:
        done = subprocess.run(
            [NODE, "-e", f"{script}\nconsole.log(bundled.c)"], capture_output=True, text=True
        )
        assert done.stdout.strip() == "3"


def test_what_cannot_be_bundled_is_refused(tmp_path):
    (tmp_path / "a.mjs").write_text('import {b} from "./b.mjs";\nexport const a = 1;\n')
    (tmp_path / "b.mjs").write_text('import {a} from "./a.mjs";\nexport const b = 1;\n')
    with pytest.raises(ValueError, match="imports itself"):
        bundle(tmp_path / "a.mjs")
    (tmp_path / "c.mjs").write_text("export default 1;\n")
    with pytest.raises(ValueError, match="cannot be bundled|can be bundled"):
        bundle(tmp_path / "c.mjs")
