"""Where files go: whole or not at all, and the folder of what can be fetched again."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

StrPath = str | os.PathLike[str]
"""What names a file or a folder."""


@contextlib.contextmanager
def atomic(path: StrPath) -> Iterator[Path]:
    """Write a file whole or not at all: yields a temporary path that becomes `path` at the end."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    # Some writers make files that only their owner may read, which no web server could serve.
    partial.touch()
    mode = partial.stat().st_mode
    partial.unlink()
    try:
        yield partial
        partial.chmod(mode)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Where downloads and rendered data sets live: `UNMIX_LITE_CACHE`, or the user's cache."""
    if chosen := os.environ.get("UNMIX_LITE_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or "~/.cache"
    return Path(base).expanduser() / "unmix-lite"
