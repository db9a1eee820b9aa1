"""Songs with their stems: MUSDB18 in all its forms, and the embedded band.

A data set is opened by name, and gives its songs one by one:

    corpus = open_corpus()          # says what it found, and why
    for track in corpus.tracks("train"):
        stems = track.stems()       # vocals, drums, bass, other: (channels, samples)
"""

import os
import warnings
from pathlib import Path

from ..errors import CorpusError
from ..files import StrPath, cache_folder
from .preview import ARCHIVE, ZENODO_RECORD, fetch_preview
from .surveys import other_rates, problems, sources_of
from .tracks import MUSDB_VALIDATION, Corpus, Track, stack


def open_corpus(name: StrPath = "auto") -> Corpus:
    """Open a data set, and say which one and why.

    Args:
        name: "auto": `UNMIX_LITE_CORPUS` if set (one of the names below), else `MUSDB_PATH` if
            set, else the 7 s preview where there is a network, else the band;
            "preview": the 7 s preview of MUSDB18, downloaded once (147 MB);
            "band": the generated band, rendered once into the cache;
            "musdb": what `MUSDB_PATH` points to;
            or a folder with `train/` and `test/` in MUSDB18's or MUSDB18-HQ's layout.

    Returns:
        a Corpus; its `reason` says why it was chosen. Without a network "auto" falls to the band
        within seconds.

    Raises:
        CorpusError: the data set asked for is not there.
    """
    if str(name) != "auto":
        return _open_named(name)
    if chosen := os.environ.get("UNMIX_LITE_CORPUS"):
        if chosen != "auto":
            return _open_named(chosen, "UNMIX_LITE_CORPUS asks for it")
    if os.environ.get("MUSDB_PATH"):
        return _open_named("musdb", "MUSDB_PATH points to it")
    try:
        return _open_named("preview")
    except CorpusError as error:
        why = str(error).rstrip(".")
        if "certificate" in why:  # a network is there, and the user can do something about it
            warnings.warn(f"{why}. The band plays instead.", stacklevel=2)
        return _open_named("band", f"the MUSDB18 preview could not be downloaded ({why})")


def _open_named(name: StrPath, reason: str | None = None) -> Corpus:
    if name == "band":
        from .band import render_band
        from .band.render import VERSION

        # A newer version of the band renders beside an older one, not over it.
        root = render_band(cache_folder() / f"band-{VERSION}")
        return Corpus("band", Path(root), reason or "the embedded, generated band")
    if name == "preview":
        root, how = fetch_preview(cache_folder())
        return Corpus("MUSDB18 preview", root, reason or how)
    if name == "musdb":
        if not os.environ.get("MUSDB_PATH"):
            raise CorpusError(
                "MUSDB_PATH is not set; set it to the folder that holds train/ and test/."
            )
        return _open_folder(os.environ["MUSDB_PATH"], reason or "MUSDB_PATH points to it")
    return _open_folder(name, reason or "a folder of yours")


def _open_folder(path: StrPath, reason: str) -> Corpus:
    root = Path(path).expanduser()
    if not root.is_dir():
        raise CorpusError(
            f"{root}: no such folder; a corpus is auto, preview, band, musdb, or a folder with "
            "train/ and test/."
        )
    if not (root / "train").is_dir() and not (root / "test").is_dir():
        raise CorpusError(
            f"{root}: holds neither train/ nor test/; is it one folder too high or low?"
        )
    corpus = Corpus(root.name, root.resolve(), reason)
    return Corpus("band", corpus.root, reason) if (root / "band.json").is_file() else corpus


__all__ = [
    "ARCHIVE",
    "MUSDB_VALIDATION",
    "ZENODO_RECORD",
    "Corpus",
    "Track",
    "fetch_preview",
    "open_corpus",
    "other_rates",
    "problems",
    "sources_of",
    "stack",
]
