"""The ladder: every system on the same songs, resumable, beside the published ones."""

import csv
import sys

import numpy as np
import pytest
import torch

from unmix_lite.corpora import open_corpus
from unmix_lite.evaluation import KINDS, LadderEntry, ladder, ladder_table, published, score_systems
from unmix_lite.names import TARGETS


class Clip:
    """Two seconds of four noises, of which two are quiet."""

    rate, split = 44100, "test"

    def __init__(self, name, seed):
        self.name = name
        generator = torch.Generator().manual_seed(seed)
        self._stems = {t: level * torch.randn(2, 2 * self.rate, generator=generator)
                       for t, level in zip(TARGETS, (0.1, 0.05, 0.02, 0.02))}  # fmt: skip

    def stems(self):
        return self._stems

    def mixture(self):
        return sum(self._stems.values())


class Clips:
    def tracks(self, split):
        return [Clip(f"{split} {i}", i) for i in range(2)]


@pytest.fixture
def few(monkeypatch):
    """Of all systems only the quickest."""
    everything = ladder.systems
    wanted = ("mixture", "CENTRE", "NMF", "IRM1 (ours)")
    monkeypatch.setattr(
        ladder, "systems", lambda *a: {k: v for k, v in everything(*a).items() if k in wanted}
    )


def test_every_kind_of_system_is_on_it():
    steps = ladder.systems(Clips())
    assert {"mixture", "HPSS", "REPET-SIM", "NMF", "umx-lite", "umx-lite-live"} < set(steps)
    assert steps["umx-lite-live"][2] == ("vocals", "drums")
    for kind, make, targets in steps.values():
        assert kind in KINDS and callable(make) and set(targets) <= set(TARGETS)


def test_systems_are_scored_in_order_and_kept(few, tmp_path, monkeypatch):
    entries = score_systems(Clips(), tmp_path, progress=False)
    names = [entry.name for entry in entries]
    assert names[0] == "mixture" and set(names[1:3]) == {"CENTRE", "NMF"}
    assert names[3:] == ["IRM1 (ours)"]
    assert entries[-1].median("vocals") > entries[0].median("vocals")
    assert np.isnan(entries[1].median("other")) or np.isnan(entries[2].median("other"))
    with open(tmp_path / "ladder.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["system"] for row in rows} == {entry.name for entry in entries}
    first = next(row for row in rows if row["target"] == "vocals" and row["system"] == "mixture")
    assert float(first["median"]) == pytest.approx(entries[0].median("vocals"), abs=1e-3)

    def refuse(*arguments):
        raise AssertionError("scored again")

    module = sys.modules["unmix_lite.evaluation.scoring"]
    monkeypatch.setattr(module, "_separate_and_score", refuse)
    again = score_systems(Clips(), tmp_path, progress=False)
    for one, two in zip(entries, again):
        assert one.name == two.name
        for target, values in one.songs.items():
            np.testing.assert_array_equal(values, two.songs[target])


def test_the_table_leaves_out_what_a_system_does_not_give():
    entries = [
        LadderEntry("MIX", KINDS[0], {"vocals": np.array([1.0, 3.0])}, published=True),
        LadderEntry("ours", KINDS[2], {t: np.array([4.0, np.nan]) for t in TARGETS}),
    ]
    lines = ladder_table(entries).splitlines()
    assert lines[2].split() == ["MIX", "2.00", "published"]
    assert lines[4].split() == ["ours"] + ["4.00"] * 4


def test_published_systems_stand_on_the_same_songs(few, tmp_path, musdb7, monkeypatch):
    corpus = open_corpus(musdb7)
    tracks = corpus.tracks("test")[:3]
    monkeypatch.setattr(
        type(corpus), "tracks", lambda self, split: tracks if split == "test" else tracks[:1]
    )
    entries = {entry.name: entry for entry in score_systems(corpus, tmp_path, progress=False)}
    assert entries["STL2"].published and not entries["IRM1 (ours)"].published
    names = [track.name for track in tracks]
    theirs = published("clips")["IRM1"].values("vocals", tracks=names)
    np.testing.assert_allclose(entries["IRM1"].songs["vocals"], theirs)
    np.testing.assert_allclose(entries["IRM1 (ours)"].songs["vocals"], theirs, atol=0.5)


def test_a_song_that_cannot_be_scored_keeps_no_system_from_its_place(few, tmp_path):
    class WithAShortOne(Clips):
        def tracks(self, split):
            short = Clip("short", 9)
            short._stems = {name: stem[:, :1000] for name, stem in short._stems.items()}
            return [*super().tracks(split), *([short] if split == "test" else [])]

    entries = score_systems(WithAShortOne(), tmp_path, progress=False)
    assert len(entries) == 4 and (tmp_path / "ladder.csv").is_file()
    for entry in entries:
        assert len(next(iter(entry.songs.values()))) == 2
        assert len(entry.failures) == 1 and entry.failures[0].startswith("short: lasts")
