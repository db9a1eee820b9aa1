"""A server that stands for Zenodo: a record of one archive, and the archive, well or badly sent."""

import contextlib
import functools
import hashlib
import io
import json
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from unmix_lite.corpora import ARCHIVE, ZENODO_RECORD


class Zenodo(BaseHTTPRequestHandler):
    """Serves a record and one archive as its `state` dict tells; keeps the Ranges asked for."""

    def __init__(self, state, *arguments):
        self.state = state
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == f"/api/records/{ZENODO_RECORD}":
            return self.answer(200, self.state["record"])
        if self.path != f"/files/{ARCHIVE}":
            return self.answer(404, b"")
        content, asked = self.state["archive"], self.headers.get("Range")
        self.state["ranges"].append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if not asked or self.state["ignores_range"]:
            return self.answer(200, content)
        if start >= len(content):
            return self.answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        told = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return self.answer(206, content[start:], {"Content-Range": told})

    def answer(self, code, content, headers=()):
        self.send_response(code)
        for name, value in {"Content-Length": str(len(content)), **dict(headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.path.startswith("/files/"):
            time.sleep(self.state.get("slow", 0))
        cut, stalls = self.state["cut"], self.state["stalls"]
        if code in (200, 206) and self.path.startswith("/files/") and (cut or stalls):
            self.wfile.write(content[: cut or 1000])
            self.wfile.flush()
            if stalls:
                stalls.wait(20)
        else:
            self.wfile.write(content)
        self.close_connection = True


def zip_of(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@contextlib.contextmanager
def serving():
    """A running server: a dict that its answers follow, with `base`, its address, and `publish`,
    which takes an archive and changes to what the record says of it."""
    state = {"ranges": [], "ignores_range": False, "cut": None, "stalls": None}
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Zenodo, state))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    state["base"] = f"http://127.0.0.1:{server.server_port}"
    state["url"] = f"{state['base']}/files/{ARCHIVE}"

    def publish(archive, **changes):
        state["archive"] = archive
        file = {
            "key": ARCHIVE, "size": len(archive), "links": {"self": state["url"]},
            "checksum": f"md5:{hashlib.md5(archive).hexdigest()}", **changes,
        }  # fmt: skip
        state["record"] = json.dumps({"id": ZENODO_RECORD, "files": [file]}).encode()

    state["publish"] = publish
    try:
        yield state
    finally:
        if state["stalls"]:
            state["stalls"].set()
        server.shutdown()
        server.server_close()
