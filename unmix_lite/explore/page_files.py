"""The page that separates songs: the engine's files beside it, or all of it in one file."""

import base64
import hashlib
import html
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..corpora import Track, open_corpus
from ..files import StrPath, atomic
from ..models import OpenUnmix
from ..separation import Separator
from ..weights import export_networks, load_networks
from .scripts import bundle
from .sounds import encoded

HERE = Path(__file__).parent
ENGINE = HERE / "engine"
"""The folder of the engine's modules and of its kernel's source."""
_LONGEST = 30.0  # s of a song to try


def write_engine(folder: StrPath, name: str = "umx-lite") -> list[Path]:
    """Write all that the engine fetches into a folder.

    Args:
        folder: gets `model.json`, `<target>.int8.safetensors` and `kernel.wasm`.
        name: the model, as `Separator.from_pretrained` takes it.

    Returns:
        the paths written. model.json lists the files that are fetched, with their sizes and
        SHA-256, and the filter that the model comes with.

    Raises:
        CheckpointError: no such model. UnmixError: not of Open-Unmixes.
    """
    folder = Path(folder)
    loaded = load_networks(name)
    networks = {target: network for target, (network, _) in loaded.items()}
    cards = {target: card for target, (_, card) in loaded.items()}
    written = export_networks(networks, cards, folder, ("int8",), overwrite=True)
    separator = Separator.from_pretrained(name, "cpu")
    assert separator.filter is not None and all(
        isinstance(network, OpenUnmix) for network in networks.values()
    )
    shutil.copyfile(ENGINE / "kernel.wasm", folder / "kernel.wasm")
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    about["filter"] = {
        key: getattr(separator.filter, key)
        for key in ("iterations", "posterior", "neighbours", "window")
    }
    about["files"] = [
        {"name": f"{target}.int8.safetensors", "target": target} for target in networks
    ] + [{"name": "kernel.wasm"}]
    for entry in about["files"]:
        content = (folder / entry["name"]).read_bytes()
        entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    with atomic(folder / "model.json") as partial:
        partial.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return [*written, folder / "kernel.wasm"]


def write_songs(folder: StrPath, tracks: Sequence[Track] | None = None) -> list[dict[str, str]]:
    """Write songs to try, as MP3s.

    Args:
        folder: gets `song-1.mp3` and so on. tracks: by default a test song of the band.

    Returns:
        of each its `title`, its `credit` (who made it, and its licence) and its `file`.
    """
    if tracks is None:
        tracks = open_corpus("band").examples("test")[:1]
    songs = []
    for number, track in enumerate(tracks, start=1):
        mixture = track.mixture()[:, : int(_LONGEST * track.rate)]
        mp3, _, _ = encoded({"song": mixture}, track.rate)
        file = f"song-{number}.mp3"
        (Path(folder) / file).write_bytes(mp3["song"])
        songs.append({"title": track.name, "credit": track.credit, "file": file})
    return songs


def page_parts(files: str, songs: Sequence[dict[str, str]]) -> str:
    """The HTML that becomes the page: a place, the worker's script, what songs there are, and the
    script that brings it to life.

    Args:
        files: the folder of `write_engine`, as the page addresses it, with a slash at its end.
        songs: as `write_songs` tells of them.
    """
    return (
        f'<div id="unmix-separate" data-files="{html.escape(files, quote=True)}">'
        "<p>This needs JavaScript: the song is taken apart in your browser.</p></div>"
        + _island("unmix-songs", "application/json", json.dumps(list(songs)))
        + _island("unmix-worker", "text/plain", bundle(ENGINE / "worker.mjs"))
        + _script(HERE / "separate_page.mjs")
    )


def live_parts(files: str, song: str) -> str:
    """The HTML that becomes the live separator, like `page_parts`.

    Args:
        files: the folder of `write_engine(folder, "umx-lite-live")`, as the page addresses it, with
            a slash at its end.
        song: the address of a song to try.
    """
    return (
        f'<div id="unmix-live" data-explorable="live" data-files="{html.escape(files, quote=True)}"'
        f' data-song="{html.escape(song, quote=True)}">'
        "<p>This needs JavaScript: the song is taken apart in your browser.</p></div>"
        + _island("unmix-live-worklet", "text/plain", bundle(ENGINE / "live_worklet.mjs"))
        + _script(HERE / "live_page.mjs")
    )


def write_page(path: StrPath, folder: StrPath, songs: Sequence[dict[str, str]]) -> None:
    """Write the page as one HTML file with everything inside, which runs from a folder.

    Args:
        path: of the file. folder: what `write_engine` and `write_songs` wrote.
        songs: as `write_songs` tells of them.
    """
    names = ["model.json", *(song["file"] for song in songs)]
    about: dict[str, Any] = json.loads((Path(folder) / "model.json").read_text(encoding="utf-8"))
    names += [entry["name"] for entry in about["files"]]
    islands = "".join(
        _island(
            f"unmix-file-{name}",
            "text/plain",
            base64.b64encode((Path(folder) / name).read_bytes()).decode(),
        )
        for name in names
    )
    template = (HERE / "single_page.html").read_text(encoding="utf-8")
    with atomic(path) as partial:
        partial.write_text(
            template.replace("<!-- files -->", islands).replace(
                "<!-- page -->", page_parts("", songs)
            ),
            encoding="utf-8",
        )


def _island(name: str, kind: str, text: str) -> str:
    """A script element that holds what another script reads."""
    escaped = text.replace("</", "<\\/")
    return f'<script type="{kind}" id="{name}">{escaped}</script>'


def _script(module: Path) -> str:
    """A module of this folder that begins where it stands."""
    code = bundle(module).replace("</", "<\\/")
    return f'<script type="module">{code}\nbundled.start();</script>'
