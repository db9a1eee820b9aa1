"""Downloads that resume, are verified, and say in one line what went wrong."""

import contextlib
import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .errors import DownloadError
from .files import StrPath, room_in

_BLOCK = 1 << 16
# Seconds for a connection to one address, and for the name's look-up and all its addresses.
_CONNECT, _DEADLINE = 3.0, 5.0


def download(
    url: str,
    path: StrPath,
    size: int | None = None,
    checksum: str | None = None,
    timeout: float = 20.0,
    progress: bool = True,
) -> Path:
    """Download a file and verify it; an interrupted download resumes at the next call.

    The bytes go to `<path>.partial`, which becomes `path` once it is complete and verified. Only a
    file with a checksum is resumed: nothing else tells whether the two halves are of one file.

    Args:
        url: http(s).
        path: where to write; its folder is made. A file that is already there is replaced.
        size: in bytes, where it is known.
        checksum: "md5:..." or "sha256:..." in hexadecimal; of the latter a prefix will do.
        timeout: seconds without a byte after which the connection counts as stalled.
        progress: show a progress bar.

    Returns:
        `path`.

    Raises:
        DownloadError: no connection, an error from the server, a connection that breaks off or
            stalls (the part that came is kept), or a wrong size or checksum (it is deleted).
        DiskFull: there is no room for it.
    """
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        there = partial.stat().st_size if checksum and partial.exists() else 0
        if size is None or there < size:
            _receive(url, partial, there, size, timeout, progress)
        _verify(url, partial, size, checksum)
        os.replace(partial, path)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(f"{url}: {reason_of(error)}.") from error
    return path


def fetch_json(url: str, timeout: float = 10.0) -> Any:
    """The JSON document at a URL.

    Raises:
        DownloadError: no connection within three seconds, no answer within `timeout` seconds, or
            something other than JSON.
    """
    _check_reachable(url)
    try:
        with urllib.request.urlopen(_request(url), timeout=timeout) as response:
            return json.load(response)
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(f"{url}: {reason_of(error)}.") from error
    except ValueError as error:
        raise DownloadError(f"{url}: the answer is not JSON; is the network logged in?") from error


def reason_of(error: BaseException | str) -> str:
    """What a network error means, in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        error = error.reason
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the server's certificate cannot be checked ({error.verify_message}): update this "
            "machine's certificates (of python.org's Python on a Mac by 'Install "
            "Certificates.command'), or name those of your network's proxy in SSL_CERT_FILE"
        )
    if isinstance(error, TimeoutError):
        return "the connection timed out"
    if isinstance(error, socket.gaierror):
        return "the host's name cannot be resolved: there seems to be no network"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _receive(
    url: str, partial: Path, there: int, size: int | None, timeout: float, progress: bool
) -> None:
    """Append to `partial` what is missing beyond its first `there` bytes."""
    with contextlib.closing(_open(url, there, timeout)) as response:
        if not _continues(response, there):
            there = 0
        length = response.headers.get("Content-Length")
        total = there + int(length) if length else size
        quiet = {} if progress else {"disable": True}  # else the environment's TQDM_DISABLE holds
        bar = tqdm(
            desc=partial.stem, total=total, initial=there, unit="B", unit_scale=True, **quiet
        )
        with bar, open(partial, "ab" if there else "wb") as file:
            try:
                while block := response.read1(_BLOCK):  # read() would lose a part block
                    with room_in(partial.parent):
                        file.write(block)
                    bar.update(len(block))
                broken = "the connection broke off" if total and file.tell() < total else None
            except (OSError, http.client.HTTPException) as error:
                broken = reason_of(error)
            if broken:
                raise DownloadError(
                    f"{url}: {broken} at {file.tell()} of {total or 'unknown'} bytes; call again "
                    "to resume."
                )


def _open(url: str, there: int, timeout: float) -> HTTPResponse:
    """The response to a request for what follows the first `there` bytes."""
    request = _request(url)
    if there:
        request.add_header("Range", f"bytes={there}-")
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not there:
            raise
        error.close()
        return urllib.request.urlopen(_request(url), timeout=timeout)


def _continues(response: HTTPResponse, there: int) -> bool:
    """True if the server sends on from byte `there`; some ignore the request and start again."""
    start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if response.status != http.client.PARTIAL_CONTENT or start is None:
        return False
    return int(start[1]) == there


def _verify(url: str, partial: Path, size: int | None, checksum: str | None) -> None:
    """Delete `partial` and raise unless it has the size and checksum promised."""
    found = partial.stat().st_size
    if size is not None and found != size:
        partial.unlink()
        raise DownloadError(f"{url}: {found} bytes came where {size} were promised; try again.")
    if not checksum:
        return
    name, _, promised = checksum.partition(":")
    digest = hashlib.new(name, usedforsecurity=False)
    with open(partial, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    came = digest.hexdigest()
    # The official weights carry the first eight digits of their sha256 in their names.
    if not promised or came[: len(promised) if name == "sha256" else None] != promised:
        partial.unlink()
        raise DownloadError(
            f"{url}: the {name} is {came} where {promised} was promised; the download is deleted, "
            "try again."
        )


def _request(url: str) -> urllib.request.Request:
    return urllib.request.Request(url, headers={"User-Agent": "unmix-lite"})


def _check_reachable(url: str) -> None:
    """Raise a DownloadError unless the host (or the proxy before it) takes a connection.

    urllib's timeout holds for each address of a host and not at all for the look-up of its name,
    which without a network may take half a minute.
    """
    parts = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}")
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    outcome: list[Exception | None] = []

    def connect_once() -> None:
        try:
            socket.create_connection((parts.hostname, port), timeout=_CONNECT).close()
            outcome.append(None)
        except (OSError, UnicodeError) as error:
            outcome.append(error)

    thread = threading.Thread(target=connect_once, daemon=True)
    thread.start()
    thread.join(_DEADLINE)
    error = outcome[0] if outcome else TimeoutError()
    if error is not None:
        raise DownloadError(f"{parts.hostname}: {reason_of(error)}.") from error
