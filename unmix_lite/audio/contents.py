"""What a file holds, by its first bytes: names lie, and some files have none that says anything."""

import os
from pathlib import Path

from ..files import StrPath

# Containers and codecs that libsndfile does not read, and ffmpeg does.
_FOR_FFMPEG = (
    (4, b"ftyp", "MP4"), (0, b"\x1aE\xdf\xa3", "Matroska"), (0, b"0&\xb2u", "WMA"),
    (0, b"wvpk", "WavPack"), (0, b"MAC ", "Monkey's Audio"), (0, b"#!AMR", "AMR"),
    (0, b"DSD ", "DSD"), (0, b"FRM8", "DSD"), (0, b"TTA1", "True Audio"), (0, b"ADIF", "AAC"),
    (0, b"MThd", "MIDI"),
)  # fmt: skip
_FOR_LIBSNDFILE = (
    (0, b"RIFF", "WAV"), (0, b"RF64", "WAV"), (0, b"RIFX", "WAV"), (0, b"riff", "W64"),
    (0, b"fLaC", "FLAC"), (0, b"OggS", "OGG"), (0, b"FORM", "AIFF"), (0, b"caff", "CAF"),
    (0, b".snd", "AU"),
)  # fmt: skip
_NO_SOUND = (
    (0, b"%PDF", "a PDF"), (0, b"PK\x03\x04", "a ZIP archive"), (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"), (0, b"GIF8", "a picture"), (0, b"Rar!", "a RAR archive"),
    (0, b"\x1f\x8b", "a gzip archive"), (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"SQLite", "a database"),
)  # fmt: skip
_KNOWN = _FOR_LIBSNDFILE + _FOR_FFMPEG
LARGEST_OGG_PAGE = 27 + 255 + 255 * 255


def name_for_libsndfile(path: StrPath) -> str | bytes:
    """A path as soundfile takes it: a name in another encoding than the system's, of which Python
    keeps the bytes as lone surrogates, it would refuse."""
    return os.fspath(path) if os.name == "nt" else os.fsencode(path)


def content(path: StrPath) -> str:
    """The name of what a file holds, "WAV", "MP4" or "AAC" for example; "" if it is not known."""
    with open(path, "rb", buffering=0) as file:
        head = file.read(4096)
    for place, word, name in _KNOWN:
        if head[place : place + len(word)] == word:
            return name
    if head[:3] == b"ID3":
        with open(path, "rb") as file:
            file.seek(id3_end(head))
            head = file.read(4096)
    return _frames_of_mpeg(head)


def for_ffmpeg(name: str) -> bool:
    """True of a content that libsndfile does not read."""
    return any(name == other for _, _, other in _FOR_FFMPEG) or name == "AAC"


def holds_sound(path: StrPath) -> bool:
    """True if a file begins like sound, whatever its name."""
    return content(path) not in ("", "MIDI") and in_words(path) == ""


def in_words(path: StrPath) -> str:
    """What a file that holds no sound looks like, in a few words; "" if that is not known."""
    with open(path, "rb") as file:
        head = file.read(4096)
    for place, word, name in _NO_SOUND:
        if head[place : place + len(word)] == word:
            return name
    start = head.lstrip()[:100].lower()
    if start.startswith((b"<!doctype", b"<html")):
        return "a web page"
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The last letter may be cut in two.
        text = head[: error.start].decode("utf-8") if error.start > len(head) - 4 else "\0"
    return "text" if text and all(c.isprintable() or c.isspace() for c in text) else ""


def id3_end(head: bytes) -> int:
    """Where an ID3v2 tag at the beginning of a file ends: its size is four times seven bits."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0)))


def _frames_of_mpeg(head: bytes) -> str:
    """MP3, or AAC in ADTS frames: both begin with eleven ones; the layer tells them apart."""
    for at in range(len(head) - 1):
        if head[at] == 0xFF and head[at + 1] & 0xE0 == 0xE0:
            layer = head[at + 1] >> 1 & 3
            if layer == 0 and head[at + 1] & 0xF0 == 0xF0:
                return "AAC"
            if layer and head[at + 1] >> 3 & 3 != 1:
                return "MP3"
    return ""


def chained(path: StrPath) -> bool:
    """True of several Ogg streams one after the other, of which libsndfile reads the first."""
    with open(path, "rb") as file:
        begun = False  # a page of sound has come
        while len(page := file.read(27)) == 27 and page[:4] == b"OggS":
            first = page[5] & 2
            if first and begun:
                return True
            begun = begun or not first
            file.seek(sum(file.read(page[26])), os.SEEK_CUR)
    return False


def goes_on(path: Path, end: int) -> bool:
    """True if an MP3 holds frames after the place at which its own header ends it."""
    if not end or end >= path.stat().st_size:
        return False
    with open(path, "rb") as file:
        file.seek(end)
        rest = file.read(1 << 16)
    # Tags at the end are no frames: another recording has a tag or a header of its own.
    start = id3_end(rest) if rest[:3] == b"ID3" else 0
    return _frames_of_mpeg(rest[start : start + 2]) == "MP3"
