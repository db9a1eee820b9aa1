"""Live in the page gives what `separator.stream()` gives."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from page_weights import with_page_weights

from unmix_lite.explore.page_files import ENGINE
from unmix_lite.separation import Separator

NODE = shutil.which("node")


@pytest.mark.skipif(not NODE, reason="needs node")
def test_live_is_pythons_stream(live_folder, song, monkeypatch):
    song.numpy().tofile(live_folder / "song.f32")
    script = Path(__file__).with_name("run_live.mjs")
    done = subprocess.run(
        [NODE, str(script), str(live_folder), str(ENGINE)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    separator = Separator.from_pretrained("umx-lite-live", "cpu")
    with_page_weights(live_folder, separator, monkeypatch)
    stream = separator.stream()
    first, last = stream(song), stream.finish()
    late = json.loads(done.stdout)["latency"]
    assert late <= stream.latency + 512  # the window's, and a frame's in four calls of 128 samples
    heard = song.shape[1] // 128 * 128
    level = float(song.square().mean().sqrt())
    rest = song[:, : heard - late].numpy().copy()
    for target in separator.targets:
        expected = np.concatenate([first[target], last[target]], 1)[:, : heard - late]
        found = np.fromfile(live_folder / f"{target}.f32", np.float32).reshape(2, -1)
        assert not found[:, :late].any()
        assert np.sqrt(np.mean((found[:, late:heard] - expected) ** 2)) < 1e-4 * level, target
        assert np.abs(expected).max() > 0.01
        rest -= found[:, late:heard]
    found = np.fromfile(live_folder / "rest.f32", np.float32).reshape(2, -1)
    assert np.abs(found[:, late:heard] - rest).max() < 1e-6
