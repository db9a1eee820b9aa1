"""The published systems: what the campaign's tables say, and on which seconds."""

import csv

import numpy as np
import pytest

from unmix_lite.errors import UnmixError
from unmix_lite.evaluation import KINDS, METRICS, aggregate, published

TARGETS = ("vocals", "drums", "bass", "other")


@pytest.mark.parametrize("seconds, file", [("clips", "previews"), ("songs", "test")])
def test_every_published_score_is_there(shared_data, seconds, file):
    """All systems, songs, targets and metrics, as in the files that the module's was made from."""
    systems, count = published(seconds), 0
    songs = {name: {song.track: song for song in s.songs} for name, s in systems.items()}
    with open(shared_data / f"sisec2018_{file}.csv", newline="") as rows:
        for row in csv.DictReader(rows):
            for metric in METRICS:
                ours = songs[row["method"]][row["track"]].median(row["target"], metric)
                np.testing.assert_allclose(ours, float(row[metric] or "nan"), rtol=0)
                count += 1
    values = [s.values for songs_ in songs.values() for s in songs_.values()]
    assert count == 4 * sum(len(targets) for targets in values) == 4 * 6050


def test_known_medians_of_the_report():
    """Stöter, Liutkus and Ito 2018 and the Open-Unmix paper: medians over frames, then songs."""
    systems = published("songs")
    assert len(systems) == 31 and {len(s.songs) for s in systems.values()} == {50}
    medians = {name: aggregate(systems[name].songs) for name in ("STL2", "UHL2", "TAU1")}
    assert medians["STL2"]["vocals"] == pytest.approx(3.25, abs=0.01)
    assert medians["UHL2"]["vocals"] == pytest.approx(5.93, abs=0.01)
    assert medians["TAU1"]["drums"] == pytest.approx(6.96, abs=0.01)


def test_kinds_stand_in_the_order_of_their_scores():
    """Nothing, then no training, training, more data, and the truth: on vocals."""
    systems = published()
    assert set(KINDS) == {system.kind for system in systems.values()}
    best = [
        max(np.nanmedian(s.values("vocals")) for s in systems.values() if s.kind == kind)
        for kind in KINDS
    ]
    assert best == sorted(best)


def test_values_of_chosen_songs_in_their_order():
    system = published()["STL2"]
    tracks = [song.track for song in system.songs]
    values = system.values("drums", tracks=[tracks[7], "nobody knows it", tracks[3]])
    everything = system.values("drums")
    np.testing.assert_equal(values, [everything[7], np.nan, everything[3]])
    assert np.isnan(published()["REP2"].values("drums")).all()  # vocals and accompaniment only


def test_other_seconds_are_refused():
    with pytest.raises(UnmixError, match="'clips' and 'songs'"):
        published("whole")
