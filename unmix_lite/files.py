"""Where files go: whole or not at all, and the folder of what can be fetched again."""

import contextlib
import errno
import functools
import hashlib
import os
import re
import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm import tqdm

from .errors import DiskFull, UnmixError

StrPath = str | os.PathLike[str]
"""What names a file or a folder."""


# Short, whatever the machine is called: sockets lie in such a folder, whose paths have a limit.
_HERE = f"partial-{hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]}"
_LEFTOVER = re.compile(re.escape(_HERE) + r"-(\d+)")


def begun_here() -> str:
    """In the name of what this process has begun to write: its machine and number."""
    return f"{_HERE}-{os.getpid()}"


def remove_leftovers(folder: Path) -> None:
    """Remove what processes of this machine began to write in a folder before they were killed."""
    for entry in folder.glob(".*partial-*"):
        found = _LEFTOVER.search(entry.name)
        if not found or _lives(int(found[1])):
            continue
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):  # another was faster, or the disk is read-only
                entry.unlink()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Of libraries that keep the system's number to themselves: safetensors, NumPy.
_NO_ROOM_IN_WORDS = re.compile(r"No space left|File too large|requested and \d+ written")
_ALMOST_NOTHING = 1 << 16  # bytes


@contextlib.contextmanager
def room_in(folder: StrPath) -> Iterator[None]:
    """Raise a DiskFull that names the folder where what is written inside finds no room there."""
    try:
        yield
    except UnmixError:
        raise
    except Exception as error:
        if not _is_of_disk(error, Path(folder)):
            raise
        raise DiskFull(
            f"{Path(folder).absolute()}: there is no room left on its disk; make room, or take "
            "another folder. What was finished is kept."
        ) from error


def _is_of_disk(error: Exception, folder: Path) -> bool:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return True
    if _NO_ROOM_IN_WORDS.search(str(error)):
        return True
    # Of libsndfile one hears "System error", and nothing more.
    if "system error" not in str(error).lower() or not folder.exists():
        return False
    return shutil.disk_usage(folder).free < _ALMOST_NOTHING


@contextlib.contextmanager
def atomic(path: StrPath) -> Iterator[Path]:
    """Write a file whole or not at all: yields a temporary path that becomes `path` at the end.

    Raises:
        DiskFull: there is no room for it.
    """
    path = Path(path)
    with room_in(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent)
        partial = path.with_name(f".{path.stem}.{begun_here()}{path.suffix}")
        # Some writers make files that only their owner may read, which no web server could serve.
        partial.touch()
    mode = partial.stat().st_mode
    partial.unlink()
    try:
        with room_in(path.parent):
            yield partial
            partial.chmod(mode)
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Let one process of many make what lies at `path`; the others wait here until it is done.

    A process that ends, however it does, lets the next one in. The lock is a file among the
    system's temporary ones: beside `path` it would stay for ever.
    """
    user = getattr(os, "getuid", lambda: "")()
    digest = hashlib.sha256(f"{user} ".encode() + os.fsencode(path.absolute())).hexdigest()[:16]
    lock = FileLock(Path(tempfile.gettempdir()) / f"unmix-lite-{digest}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tqdm.write(f"{path.name}: another process is fetching it; waiting until it has.")
        lock.acquire()
    except NotImplementedError:
        pass  # a disk without locks: what is written is whole all the same
    try:
        yield
    finally:
        lock.release()


def cache_folder() -> Path:
    """Where downloads and rendered data sets live: `UNMIX_LITE_CACHE`, or the user's cache; where
    that cannot be made, as in a read-only home, a folder among the temporary files, with a
    warning."""
    if chosen := os.environ.get("UNMIX_LITE_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or "~/.cache"
    folder = Path(base).expanduser() / "unmix-lite"
    return folder if _can_be_made(folder) else _cache_elsewhere(folder)


def _can_be_made(folder: Path) -> bool:
    """Whether a folder is there already, or its nearest parent can be written."""
    parent = folder
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    return parent == folder or os.access(parent, os.W_OK)


@functools.cache  # says it once
def _cache_elsewhere(folder: Path) -> Path:
    user = getattr(os, "getuid", lambda: "here")()
    other = Path(tempfile.gettempdir()) / f"unmix-lite-{user}"
    warnings.warn(
        f"{folder}: cannot be made; songs are kept in {other}. UNMIX_LITE_CACHE names another "
        "folder.",
        stacklevel=3,
    )
    return other
