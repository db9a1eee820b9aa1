"""The campaign for a GPU, at toy size: what it leaves, and how it goes on."""

import json
import shutil
import sys
from importlib import import_module

import pytest

from unmix_lite.corpora import open_corpus
from unmix_lite.names import TARGETS
from unmix_lite.separation import Separator

MINUTES = 0.03


@pytest.fixture(scope="module")
def campaign(repository):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(repository / "benchmarks")
        yield import_module("campaign")
        for name in ("campaign", "machine"):
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def run(campaign, band):
    """A function from a folder to the record of a toy campaign in it."""

    def run(folder, *more):
        options = ["--plan", "toy", "--minutes", str(MINUTES), "--every", "0"]
        assert campaign.main(["--corpus", str(band), "-o", str(folder), *options, *more]) == 0
        return json.loads((folder / "record.json").read_text())

    return run


@pytest.fixture(scope="module")
def finished(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("campaign") / "toy"
    return folder, run(folder)


def test_it_leaves_small_weights_that_separate_and_a_record(finished, campaign):
    folder, record = finished
    for stage in ("alone", "together"):
        files = sorted(file.stem for file in (folder / stage).glob("*.safetensors"))
        assert files == sorted(TARGETS)
        assert Separator.from_pretrained(folder / stage, "cpu").targets == list(TARGETS)
        rows = record["stages"][stage]
        assert rows[-1]["seconds"] >= 60 * MINUTES / 2 and rows[-1]["valid_loss"] > 0
    assert record["songs"] == 3 and record["recipes"]["together"]["loss"] == "ratio"
    assert record["command"] and record["commit"] and record["machine"] and record["date"]
    assert all(speed > 0 for speed in record["steps_per_second"].values())


def test_a_finished_campaign_stays_as_it_is(finished, run):
    folder, record = finished
    again = run(folder)
    assert again["stages"] == record["stages"]


def test_it_goes_on_from_what_was_brought_back(finished, run, tmp_path):
    """Weights and record alone, of a campaign cut off in its first stage."""
    folder, record = finished
    rest = tmp_path / "rest"
    shutil.copytree(folder / "alone", rest / "alone")
    cut = [{**record["stages"]["alone"][0], "seconds": 60 * MINUTES / 4}]
    (rest / "record.json").write_text(json.dumps({**record, "stages": {"alone": cut}}))
    done = run(rest)
    first, *later = done["stages"]["alone"]
    assert first == cut[0] and later and done["stages"]["together"]
    assert [row["step"] for row in later] == sorted(row["step"] for row in later)
    assert later[0]["step"] > first["step"]
    assert later[-1]["seconds"] >= 30 * MINUTES


def test_another_length_is_refused(finished, campaign, band, capsys):
    arguments = ["--corpus", str(band), "-o", str(finished[0]), "--plan", "toy"]
    assert campaign.main([*arguments, "--minutes", "9"]) == 1
    assert "choose another folder" in capsys.readouterr().err


def test_packed_songs_are_a_corpus_of_the_training_split(campaign, band, tmp_path, capsys):
    packed = tmp_path / "packed"
    assert campaign.main(["--corpus", str(band), "--pack", str(packed)]) == 0
    before, after = open_corpus(band), open_corpus(packed)
    for split in ("train", "valid"):
        songs = [track.name for track in before.tracks(split)]
        assert [track.name for track in after.tracks(split)] == songs
    assert not (packed / "test").exists()
    assert sum(f.stat().st_size for f in packed.rglob("*.ogg")) < campaign.PACKED
    assert campaign.main(["--corpus", str(band), "--pack", str(packed)]) == 1
    assert "is not empty" in capsys.readouterr().err


def test_songs_that_do_not_fit_are_refused(campaign, band, tmp_path):
    with pytest.raises(campaign.UnmixError, match="do not fit"):
        campaign.pack(open_corpus(band), tmp_path / "packed", largest=1000)
