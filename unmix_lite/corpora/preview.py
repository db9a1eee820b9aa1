"""The 7 s preview of MUSDB18: downloaded once from Zenodo, verified, unpacked into the cache."""

import os
import shutil
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ..download import download, fetch_json
from ..errors import CorpusError, DownloadError
from ..files import StrPath, alone_with, begun_here, remove_leftovers, room_in

ZENODO_RECORD = 3270814
"""Of "MUSDB18-7: 7 second excerpts of 144 songs", https://doi.org/10.5281/zenodo.3270814"""
ARCHIVE = "MUSDB18-7-STEMS.zip"
"""The file in the record that holds the songs."""
_FOLDER = "musdb18-7"
# Written last, with the archive's checksum inside: a folder without it is not complete.
_MARKER = "complete.txt"


def record_url() -> str:
    """The preview's record in Zenodo's API; `UNMIX_LITE_ZENODO` names another host, a mirror."""
    base = os.environ.get("UNMIX_LITE_ZENODO") or "https://zenodo.org"
    return f"{base.rstrip('/')}/api/records/{ZENODO_RECORD}"


def fetch_preview(
    cache: StrPath, record: str | None = None, progress: bool = True
) -> tuple[Path, str]:
    """The 7 s preview of MUSDB18, downloaded at the first call (147 MB).

    Args:
        cache: the folder below which `musdb18-7/` with `train/` and `test/` lies or is made.
        record: the URL of the record that lists the archive; None takes `record_url()`.
        progress: show a progress bar.

    Returns:
        (root, how): the corpus's folder, and a few words on where it came from.

    Raises:
        CorpusError: no network (known within about five seconds), a download that broke off (the
            next call resumes it), stalled or came out wrong, or an archive that is not a corpus.
    """
    cache = Path(cache)
    root = cache / _FOLDER
    remove_leftovers(cache)
    if (root / _MARKER).is_file():
        if (cache / ARCHIVE).exists():
            (cache / ARCHIVE).unlink()  # of a process killed at its very end
        return root, "downloaded before"
    record = record or record_url()
    try:
        with alone_with(root):
            if (root / _MARKER).is_file():
                return root, "downloaded by another process"
            url, size, checksum = _find_archive(fetch_json(record), record)
            archive = download(url, cache / ARCHIVE, size, checksum, progress=progress)
            _unpack(archive, root, checksum)
    except DownloadError as error:
        raise CorpusError(str(error)) from error
    except OSError as error:
        raise CorpusError(f"{cache}: {error.strerror or error}; is it writable?") from error
    return root, f"downloaded from {record}"


def _find_archive(found: Any, record: str) -> tuple[str, int, str]:
    """(url, size in bytes, checksum) of the archive in a record as Zenodo's API gives it."""
    try:
        entry = next(file for file in found["files"] if file["key"] == ARCHIVE)
        return entry["links"]["self"], int(entry["size"]), str(entry["checksum"])
    except (StopIteration, LookupError, TypeError, ValueError):
        raise CorpusError(f"{record}: the record does not list {ARCHIVE}.") from None


def _unpack(archive: Path, root: Path, checksum: str) -> None:
    """Unpack beside `root` and rename, so that a folder of that name is a whole corpus."""
    partial = root.with_name(f".{root.name}.{begun_here()}")
    try:
        with zipfile.ZipFile(archive) as zipped:
            for name in zipped.namelist():
                _check_inside(archive, name)
            with room_in(root.parent):
                zipped.extractall(partial)
        # Some archives hold the two folders themselves, others one folder around them.
        tops = [partial, *(path for path in partial.iterdir() if path.is_dir())]
        top = next((t for t in tops if (t / "train").is_dir() and (t / "test").is_dir()), None)
        if top is None:
            raise CorpusError(f"{archive}: holds no train/ and test/; it is not the preview.")
        (top / _MARKER).write_text(f"{checksum}\n")
        shutil.rmtree(root, ignore_errors=True)
        os.replace(top, root)
    except zipfile.BadZipFile as error:
        raise CorpusError(f"{archive}: is no zip archive ({error}).") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        archive.unlink(missing_ok=True)


def _check_inside(archive: Path, name: str) -> None:
    """Raise a CorpusError for a name that would be unpacked outside of the folder meant for it."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive:
        raise CorpusError(
            f"{archive}: the entry '{name}' leads out of the archive's folder; it is not unpacked."
        )
