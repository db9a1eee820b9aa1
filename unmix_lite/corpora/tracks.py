"""A data set on disk: songs with their stems, as `.stem.mp4` files or as folders of sound files.

Both are MUSDB18's own layouts (Rafii et al. 2017): `train/` and `test/` below one root, each with
`Artist - Title.stem.mp4` files (MUSDB18, its 7 s preview) or `Artist - Title/` folders of
`mixture.wav drums.wav bass.wav other.wav vocals.wav` (MUSDB18-HQ, the band).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import torch

from ..audio import STEM_NAMES, load_audio, load_stems, sound_header, sounds_in
from ..errors import AudioError, CorpusError, require
from ..names import SPLITS, TARGETS
from .playable import credit, playable

_CODEC_FRAMES = 4096  # samples: two frames of the longest that AAC has
_STEMS_RATE = 44100  # that of every `.stem.mp4` of MUSDB18; musdb takes it for granted

MUSDB_VALIDATION = frozenset({
    "ANiMAL - Rockshow", "Actions - One Minute Smile", "Alexander Ross - Goodbye Bolero",
    "Clara Berry And Wooldog - Waltz For My Victims", "Fergessen - Nos Palpitants",
    "James May - On The Line", "Johnny Lokke - Promises & Lies", "Leaf - Summerghost",
    "Meaxic - Take A Step", "Patrick Talbot - A Reason To Leave", "Skelpolu - Human Mistakes",
    "Traffic Experiment - Sirens", "Triviul - Angelsaint", "Young Griffo - Pennies",
})  # fmt: skip
"""The 14 training songs that musdb names for validation (`mus.yaml`), so that scores compare."""


@dataclass(frozen=True)
class Track:
    """One song: its name, its `.stem.mp4` file or folder, and the split it belongs to."""

    name: str
    path: Path
    split: str

    def stems(self, targets: Sequence[str] | None = None) -> dict[str, torch.Tensor]:
        """The stems as a dict name -> float32 `(channels, samples)`, all of one shape: a mono stem
        beside stereo ones comes in two equal channels.

        Args:
            targets: the names wanted; None gives all but the mixture.

        Raises:
            CorpusError: a stem is missing, or stems differ in length, channels or rate.
        """
        return self._read(targets)[0]

    def mixture(self) -> torch.Tensor:
        """The mixture, float32 `(channels, samples)`; the sum of the stems where no file is."""
        if self.path.is_dir() and "mixture" not in self._files():
            return reduce(torch.add, self.stems().values())
        return self._read(("mixture",))[0]["mixture"]

    @property
    def credit(self) -> str:
        """The name of the song, and under which licence a page plays it where one must be named."""
        return credit(self)

    @property
    def rate(self) -> int:
        """Sampling rate in Hz."""
        if self.path.is_dir():
            names = self._names() or ["mixture"]
            return sound_header(self._file(names[0])).rate
        return _STEMS_RATE

    @property
    def names(self) -> list[str]:
        """Names of the stems that are there, by their files."""
        return self._names() if self.path.is_dir() else list(TARGETS)

    def problem(self, targets: Sequence[str]) -> str | None:
        """Why these stems cannot be trained on, in words, from the files' headers; or None."""
        if not self.path.is_dir():
            missing = [name for name in targets if name not in STEM_NAMES]
            return f"has no '{missing[0]}', only {', '.join(STEM_NAMES)}" if missing else None
        try:
            files = self._files()
            if missing := [name for name in targets if name not in files]:
                return f"has no {', '.join(missing)} (there: {self._there()})"
            infos = {name: sound_header(files[name]) for name in targets}
        except (AudioError, OSError) as error:
            return f"cannot be read ({str(error).rstrip('.')})"
        if wide := [name for name, info in infos.items() if info.channels > 2]:
            return (
                f"has {infos[wide[0]].channels} channels ({', '.join(wide)}); mono or stereo is "
                "needed"
            )
        # A file that does not say how long it is shows it when it is decoded.
        lengths = {(info.samples, info.rate) for info in infos.values() if info.samples}
        if len(lengths) > 1 or len({info.rate for info in infos.values()}) > 1:
            told = ", ".join(
                f"{name} {info.samples / info.rate:.2f} s at {info.rate} Hz"
                for name, info in infos.items()
            )
            return f"has stems that differ: {told}"
        return None

    def _read(self, targets: Sequence[str] | None) -> tuple[dict[str, torch.Tensor], int]:
        if self.path.is_dir():
            names = targets or self._names()
            if not names:
                raise CorpusError(f"{self.path}: holds no stems; expected {', '.join(TARGETS)}.")
            loaded = self._cut({name: load_audio(self._file(name)) for name in names})
        else:
            stems, rate = load_stems(self.path)
            if rate != _STEMS_RATE:
                raise CorpusError(
                    f"{self.path}: is at {rate} Hz where .stem.mp4 files of MUSDB18 are at "
                    f"{_STEMS_RATE}; convert it to a folder of .wav files."
                )
            names = targets or [name for name in TARGETS if name in stems]
            missing = [name for name in names if name not in stems]
            if missing:
                raise CorpusError(
                    f"{self.path}: has no '{missing[0]}', only {', '.join(STEM_NAMES)}."
                )
            loaded = {name: (stems[name], rate) for name in names}
        if {len(audio) for audio, _ in loaded.values()} == {1, 2}:
            loaded = {name: (audio.expand(2, -1), rate) for name, (audio, rate) in loaded.items()}
        shapes = {(tuple(audio.shape), rate) for audio, rate in loaded.values()}
        if len(shapes) > 1:
            told = ", ".join(
                f"{name} {audio.shape[0]} x {audio.shape[1]} at {rate} Hz"
                for name, (audio, rate) in loaded.items()
            )
            raise CorpusError(f"{self.path}: the stems differ ({told}); export them alike.")
        return {name: audio for name, (audio, _) in loaded.items()}, shapes.pop()[1]

    def _cut(self, loaded: Mapping[str, tuple[torch.Tensor, int]]) -> dict[str, Any]:
        """Stems without what a codec appends to fill its last frame, as AAC in .m4a does."""
        shortest = min(audio.shape[-1] for audio, _ in loaded.values())
        longest = max(audio.shape[-1] for audio, _ in loaded.values())
        if 0 < longest - shortest <= _CODEC_FRAMES and not all(
            sound_header(self._file(name)).samples for name in loaded
        ):
            return {name: (audio[:, :shortest], rate) for name, (audio, rate) in loaded.items()}
        return dict(loaded)

    def _names(self) -> list[str]:
        names = [name for name in sorted(self._files()) if name != "mixture"]
        # MUSDB18's four in their usual order, any others after them.
        return [n for n in TARGETS if n in names] + [n for n in names if n not in TARGETS]

    def _files(self) -> dict[str, Path]:
        """Name -> sound file."""
        return sounds_in(self.path)

    def _file(self, name: str) -> Path:
        found = self._files().get(name)
        if found is None:
            raise CorpusError(
                f"{self.path}: the stem '{name}' is missing (there: {self._there()})."
            )
        return found

    def _there(self) -> str:
        """What the folder holds, in words: its stems, or the files that are none."""
        if names := self._names():
            return ", ".join(names)
        others = [file.name for file in sorted(self.path.iterdir()) if file.name[0] != "."]
        told = ", ".join(others[:4]) + f" and {len(others) - 4} more" * (len(others) > 4)
        return f"no sound file, only {told}" if others else "nothing"


@dataclass(frozen=True)
class Corpus:
    """A data set: its name, where it lies, and why it was chosen."""

    name: str
    root: Path
    reason: str

    def __str__(self) -> str:
        credit = f"\n{self.credit}" if self.credit else ""
        return f"{self.name}: {self.reason} ({self.root}){credit}"

    @property
    def is_musdb(self) -> bool:
        """Whether the songs are MUSDB18's, by the names of its validation songs."""
        names = (path.name.removesuffix(".stem.mp4") for path in self.root.glob("train/*"))
        return not MUSDB_VALIDATION.isdisjoint(names)

    @property
    def credit(self) -> str:
        """Whose music it is, where that must be said: MUSDB18's, by its songs' names."""
        if not self.is_musdb:
            return ""
        return (
            "Songs: MUSDB18 (Rafii, Liutkus, Stöter, Mimilakis, Bittner 2017), by the artists named"
            " in each title, for education and research only."
        )

    @property
    def is_wav(self) -> bool:
        """Folders of sound files (True) or `.stem.mp4` files (False)."""
        return next(self.root.glob("*/*.stem.mp4"), None) is None

    def tracks(self, split: str) -> list[Track]:
        """The songs of one split, sorted by name.

        Args:
            split: "train", "valid" or "test". The validation songs are those of the training
                folder that musdb names; a corpus without them gives every fifth,
                one of fewer than five its last.

        Raises:
            CorpusError: no such split, or no songs in it.
        """
        if split not in SPLITS:
            raise CorpusError(f"'{split}' is no split; use {', '.join(SPLITS)}.")
        folder = self.root / ("test" if split == "test" else "train")
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
        songs = {}
        for path in paths:
            if path.name.endswith(".stem.mp4"):
                songs[path.name.removesuffix(".stem.mp4")] = path
            elif path.is_dir() and not path.name.startswith("."):
                songs[path.name] = path
        if split != "test":
            held_out = MUSDB_VALIDATION & set(songs) or set(list(songs)[4::5] or list(songs)[-1:])
            songs = {n: p for n, p in songs.items() if (n in held_out) == (split == "valid")}
        if not songs:
            raise CorpusError(f"{folder}: holds no songs for the split '{split}'.")
        return [Track(name, path, split) for name, path in songs.items()]

    def examples(self, split: str) -> list[Track]:
        """The songs of a split that a public page may play, what shows most first.

        Of MUSDB18 these are the songs under a Creative Commons licence; of the band, and of songs
        of your own, all.

        Raises:
            CorpusError: no such split, or none of its songs may be played.
        """
        return playable(self.tracks(split), self.is_musdb)

    def musdb(self, **arguments: Any) -> Any:
        """The same songs as a `musdb.DB`, the field's own reader.

        Raises:
            CorpusError: without ffmpeg.
            UnmixError: without musdb, of the extra `[course]`.
        """
        try:
            musdb = require("musdb", "course", "Corpus.musdb")
        except RuntimeError as error:  # stempeg looks for ffmpeg at import
            raise CorpusError(
                "musdb needs ffmpeg and ffprobe on the PATH; install ffmpeg."
            ) from error
        return musdb.DB(root=str(self.root), is_wav=self.is_wav, **arguments)


def stack(stems: Mapping[str, torch.Tensor], targets: Sequence[str] = TARGETS) -> torch.Tensor:
    """A dict of stems -> one tensor `(sources, channels, samples)` in the order of `targets`.

    Raises:
        CorpusError: one of the targets is not among the stems.
    """
    if missing := [name for name in targets if name not in stems]:
        raise CorpusError(f"the stem '{missing[0]}' is missing (there: {', '.join(stems)}).")
    return torch.stack([stems[name] for name in targets])
