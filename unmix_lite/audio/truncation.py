"""How much of a sound file is missing? libsndfile reads what is there and says nothing of the rest.

Each format announces its end in its own way: WAV and AIFF give the size of a chunk, MP3 that of
the stream in the encoder's Xing header, Ogg marks its last page. With FLAC libsndfile notices.
"""

import os
import struct

from ..files import StrPath
from .contents import LARGEST_OGG_PAGE, id3_end

# What programs that write to a pipe leave for a size they could not know (ffmpeg, sox, others).
_UNKNOWN_SIZES = {0, 0x7FFFF000, 0x7FFFFFFF}
_MOST_OF_32_BITS = 0xFFFFFF00


def missing(path: StrPath, kind: str) -> int:
    """How many bytes a file ends before the place that it announces itself; 0 if it is whole.

    Args:
        path: the file.
        kind: libsndfile's name of its format: WAV, WAVEX, RF64, AIFF, OGG, MP3; others: 0.
    """
    if kind == "OGG":
        return _missing_of_last_ogg_page(path)
    announced = {"WAV": _wav_end, "WAVEX": _wav_end, "RF64": _wav_end, "AIFF": _aiff_end}.get(kind)
    if kind == "MP3":
        end = announced_end(path)
    else:
        end = announced(path) if announced else 0
    return max(0, end - os.path.getsize(path))


def announced_end(path: StrPath) -> int:
    """Where an MP3's own header ends it, in bytes; 0 if it does not say."""
    return _xing(path)[1]


def announces_length(path: StrPath) -> bool:
    """True if an MP3 says how many frames it holds; where not, libsndfile guesses, often wrong."""
    return _xing(path)[0] > 0


def _wav_end(path: StrPath) -> int:
    """The position in bytes where the `data` chunk of a WAV should end; 0 if it does not say."""
    with open(path, "rb") as file:
        file.seek(12)
        long_size = 0
        while len(header := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", header)
            if name == b"data":
                if size >= _MOST_OF_32_BITS:
                    size = long_size
                return 0 if size in _UNKNOWN_SIZES else file.tell() + size
            if name != b"ds64":
                file.seek(size + size % 2, os.SEEK_CUR)
            elif len(chunk := file.read(size)) >= 16:  # RF64 keeps 64-bit sizes here
                long_size = struct.unpack_from("<Q", chunk, 8)[0]
    return 0


def _aiff_end(path: StrPath) -> int:
    """The position in bytes where the FORM chunk should end; some writers omit its pad byte."""
    with open(path, "rb") as file:
        name, size = struct.unpack(">4sI", file.read(8))
    return 0 if size in _UNKNOWN_SIZES or size >= _MOST_OF_32_BITS else 8 + size - size % 2


def _xing(path: StrPath) -> tuple[int, int]:
    """What an MP3's Xing (or Info) header says: (frames, position of the end); 0 for unknown."""
    with open(path, "rb") as file:
        start = id3_end(file.read(10))
        file.seek(start)
        head = file.read(4096)
    places = [place for name in (b"Xing", b"Info") if 0 <= (place := head.find(name)) < 2048]
    if not places or len(head) < places[0] + 16:
        return 0, 0
    flags, *fields = struct.unpack_from(">III", head, places[0] + 4)
    frames = fields.pop(0) if flags & 1 else 0
    size = fields.pop(0) if flags & 2 else 0
    # The size counts from the frame that holds the header, whose sync word stands before it.
    sync = max(head.rfind(b"\xff", 0, places[0]), 0)
    return frames, start + sync + size if size else 0


def _missing_of_last_ogg_page(path: StrPath) -> int:
    """How many bytes the last page is too short (RFC 3533). A recorder that was switched off leaves
    a whole page that is not marked as the last: nothing is missing of what was recorded."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        file.seek(max(0, size - LARGEST_OGG_PAGE))
        tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return 1
    return max(0, 27 + page[26] + sum(page[27 : 27 + page[26]]) - len(page))
