"""Killed at twenty moments each and started again: nothing is lost, nothing half-written is taken
for whole, and nothing is left behind."""

import functools
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from untrained import folder_of_networks, noise

from unmix_lite.audio import save_audio
from unmix_lite.corpora import ARCHIVE, ZENODO_RECORD
from unmix_lite.names import TARGETS

DRIVER = Path(__file__).parents[1] / "helpers" / "killed_command.py"
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork to start cheaply")


def killed(command, folder, **variables):
    """What the driver found: a dict."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", **variables}
    done = subprocess.run(
        [sys.executable, DRIVER, command, folder], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@needs_fork
def test_separate(tmp_path):
    folder_of_networks(tmp_path / "model")
    for number in range(2):
        song = noise(2, 30_000, number).clamp(-0.9, 0.9)
        save_audio(tmp_path / "songs" / f"{number}.wav", song, 44100)
    assert killed("separate", tmp_path)["kills"] == 20


@needs_fork
def test_evaluate(tmp_path):
    for number in range(2):
        for seed, target in enumerate(TARGETS):
            stem = noise(2, 12_000, 10 * number + seed).clamp(-0.9, 0.9)
            save_audio(tmp_path / f"corpus/test/Song {number}/{target}.wav", stem, 8000)
    assert killed("evaluate", tmp_path)["kills"] == 20


@needs_fork
def test_the_band(tmp_path):
    assert killed("band", tmp_path)["kills"] == 20


@needs_fork
def test_grade(tmp_path):
    for student in ("Ada", "Bo", "Cy"):
        (tmp_path / "submissions" / student).mkdir(parents=True)
        (tmp_path / "submissions" / student / "A1.ipynb").write_text(f"answers of {student}")
    before = set(Path("/var/tmp").glob(".partial-*"))
    assert killed("grade", tmp_path)["kills"] == 20
    assert set(Path("/var/tmp").glob(".partial-*")) <= before


class Zenodo(BaseHTTPRequestHandler):
    """Serves the record and the archive of `answers`, the latter also in part."""

    def __init__(self, answers, *arguments):
        self.answers = answers
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def do_GET(self):
        content, asked = self.answers[self.path], self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if asked:
            end = len(content)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        self.end_headers()
        self.wfile.write(content[start:])


@needs_fork
def test_the_preview(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(6):
            split = "test" if number % 3 == 0 else "train"
            archive.writestr(f"{split}/A - {number}.stem.mp4", os.urandom(20_000))
    answers = {f"/files/{ARCHIVE}": packed.getvalue()}
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Zenodo, answers))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    content = answers[f"/files/{ARCHIVE}"]
    entry = {
        "key": ARCHIVE, "size": len(content), "links": {"self": f"{base}/files/{ARCHIVE}"},
        "checksum": f"md5:{hashlib.md5(content).hexdigest()}",
    }  # fmt: skip
    answers[f"/api/records/{ZENODO_RECORD}"] = json.dumps({"files": [entry]}).encode()
    try:
        found = killed("preview", tmp_path, UNMIX_LITE_ZENODO=base, no_proxy="127.0.0.1")
    finally:
        server.shutdown()
        server.server_close()
    assert found["kills"] == 20
