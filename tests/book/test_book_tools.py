"""What surrounds the book: its cache of executed notebooks, and the tools that make its records."""

import argparse
import datetime
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import average
import colab
import fresh_cache
import nbformat
import pytest
import record_ladder
import records
import run_notebooks
import ship
import torch
import yaml
from jupyter_cache import get_cache

from unmix_lite.models import OpenUnmix
from unmix_lite.weights import NetworkCard, load_network, save_network

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    """A project that has been built once with the band."""
    for name in [
        "unmix_lite/audio.py",
        "unmix_lite/pretrained/vocals.safetensors",
        "requirements.txt",
        "_build/.jupyter_cache/global.db",
        "notebooks/a.ipynb",
    ]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("as it was")
    fresh_cache.refresh(tmp_path, "band")
    entry = tmp_path / "_build" / ".jupyter_cache" / "global.db"
    entry.parent.mkdir()
    entry.write_text("executed")
    return tmp_path


def test_cache_is_kept_when_nothing_below_the_notebooks_changed(project):
    (project / "notebooks" / "a.ipynb").write_text("changed")  # Jupyter Book sees that itself
    leftover = project / "unmix_lite" / "__pycache__" / "audio.pyc"
    leftover.parent.mkdir()
    leftover.write_text("compiled")
    assert fresh_cache.refresh(project, "band")
    assert (project / "_build/.jupyter_cache/global.db").exists()


@pytest.mark.parametrize(
    "file",
    [
        "unmix_lite/audio.py",
        "unmix_lite/new.py",
        "requirements.txt",
        "unmix_lite/pretrained/vocals.safetensors",
    ],
)
def test_cache_is_cleared_when_something_computed_with_changed(project, file):
    (project / file).write_text("changed")
    assert not fresh_cache.refresh(project, "band")
    assert not (project / "_build/.jupyter_cache").exists()
    assert fresh_cache.refresh(project, "band")  # and is kept from then on


def test_cache_is_cleared_for_another_corpus(project):
    assert not fresh_cache.refresh(project, "preview")


def test_averaged_networks_are_the_mean_of_their_weights(tmp_path, capsys):
    networks = []
    for run in ("a", "b"):
        network = OpenUnmix(hidden_size=4, nb_bins=5)
        networks.append(network)
        save_network(tmp_path / run, network, NetworkCard("vocals", "OpenUnmix", network.arguments))
        (tmp_path / run / "vocals.json").write_text(json.dumps({"best_step": run}))
    average.main(tmp_path / "out", [tmp_path / "a", tmp_path / "b"])
    mean, _ = load_network(tmp_path / "out" / "vocals.safetensors")
    for name, value in mean.state_dict().items():
        one, two = (network.state_dict()[name] for network in networks)
        torch.testing.assert_close(value, ((one + two) / 2).to(value.dtype))
    curves = json.loads((tmp_path / "out" / "vocals.json").read_text())["averaged"]
    assert [curve["best_step"] for curve in curves] == ["a", "b"]
    (tmp_path / "b" / "vocals.safetensors").rename(tmp_path / "b" / "drums.safetensors")
    with pytest.raises(SystemExit, match="different targets"):
        average.main(tmp_path / "out", [tmp_path / "a", tmp_path / "b"])


def test_a_shipped_network_keeps_the_curves_it_began_from(tmp_path, monkeypatch):
    monkeypatch.setattr(ship, "PRETRAINED", tmp_path / "pretrained")
    for run, initial in (("first", None), ("second", "mine"), ("third", "another")):
        network = OpenUnmix(hidden_size=4, nb_bins=5)
        save_network(tmp_path / run, network, NetworkCard("bass", "OpenUnmix", network.arguments))
        curve = {"config": {"initial": initial}, "history": [run]}
        (tmp_path / run / "bass.json").write_text(json.dumps(curve))

    def shipped(run):
        ship.main(tmp_path / run, "mine")
        return json.loads((tmp_path / "pretrained" / "mine" / "bass.json").read_text())

    assert "began_from" not in shipped("first")
    kept = shipped("second")
    assert kept["history"] == ["second"] and kept["began_from"]["history"] == ["first"]
    assert "began_from" not in shipped("third")


def test_a_ladder_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
    (tmp_path / "ladder.csv").write_text(
        "system,kind,published,target,songs,median,low,high\n"
        "HPSS,methods without training,False,drums,25,1.7,1.2,2.2\n"
        "HPSS,methods without training,True,vocals,24,-0.5,-1.0,0.1\n"
        "mine,networks trained on MUSDB18,False,vocals,25,2,1,3\n"
        "mine,networks trained on MUSDB18,False,drums,25,4,3,5\n"
    )
    options = argparse.Namespace(
        ladder=tmp_path, name="few", command="unmix-lite ladder", commit="abc", machine="a desk"
    )
    record_ladder.main(options)
    record = json.loads((tmp_path / "results" / "ladder" / "few.json").read_text())
    assert (record["commit"], record["machine"], record["name"]) == ("abc", "a desk", "few")
    ours, published, mine = record["rungs"]
    assert (ours["system"], ours["published"], list(ours["targets"])) == ("HPSS", False, ["drums"])
    assert published["published"] and published["targets"]["vocals"]["songs"] == 24
    assert mine["targets"]["drums"] == {"songs": 25, "median": 4.0, "low": 3.0, "high": 5.0}


def git(folder, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    """A repository with one commit: code, and a record beside it."""
    for name in ("code.py", "book/results/record.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as committed")
    for words in (["init"], ["add", "."], ["commit", "-m", "first"]):
        git(tmp_path, *words)
    return tmp_path


def test_a_record_tells_whether_its_code_was_committed(checkout):
    clean = records.commit(checkout / "book" / "results")
    assert re.fullmatch("[0-9a-f]{7,}", clean)
    (checkout / "book" / "results" / "record.json").write_text("made anew")
    (checkout / "notes.txt").write_text("of no account")
    assert records.commit(checkout / "book" / "results") == clean
    (checkout / "code.py").write_text("changed")
    assert records.commit(checkout / "book" / "results") == clean + "-dirty"


def test_a_benchmark_tells_the_same(checkout):
    shutil.copy(ROOT / "benchmarks" / "machine.py", checkout / "benchmarks.py")
    code = "import benchmarks; print(benchmarks.commit())"

    def told():
        return subprocess.check_output(
            [sys.executable, "-c", code], cwd=checkout, text=True
        ).strip()

    clean = records.commit(checkout)
    assert told() == clean
    (checkout / "code.py").write_text("changed")
    assert told() == clean + "-dirty"


def test_every_record_says_where_it_comes_from(repository):
    files = sorted((repository / "book" / "results").rglob("*.json"))
    assert len(files) > 30
    for file in files:
        record = json.loads(file.read_text())
        assert re.search(r"\b(python|unmix-lite) ", record["command"]), file
        assert record["commit"] and record["machine"] and record["versions"], file
        assert datetime.date.fromisoformat(record["date"]), file
        assert not re.search(r"/(tmp|home|root|work|Users)/", file.read_text()), file


def test_notebooks_are_run_side_by_side_into_the_cache_that_the_book_reads(tmp_path):
    """What is run is what Jupyter Book finds; what fails is left to it; nothing is run twice."""
    (tmp_path / "_config.yml").write_text("execute: {timeout: 60}\n")
    chapters = [{"file": "notes/one"}, {"file": "page"}, {"file": "two", "sections": []}]
    toc = {"format": "jb-book", "root": "three", "parts": [{"chapters": chapters}]}
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump(toc))
    sources = {"notes/one": "print(6 * 7)", "two": "1 / 0", "three": "open('here', 'w').close()"}
    for name, source in sources.items():
        path = tmp_path / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, path)

    assert run_notebooks.run(tmp_path, jobs=2) == 1
    cache = get_cache(tmp_path / "_build" / ".jupyter_cache")
    assert list(run_notebooks.missing(tmp_path, cache)) == [tmp_path / "two.ipynb"]
    assert (tmp_path / "here").is_file()  # each runs in its own folder
    one = nbformat.read(tmp_path / "notes/one.ipynb", 4)
    _, executed = cache.merge_match_into_notebook(one)
    assert executed.cells[0].outputs[0].text == "42\n"


def test_a_version_of_colabs_that_the_first_cell_has_changed_is_named(tmp_path, monkeypatch):
    lines = colab.colabs_versions()
    assert len(lines) > 10 and all(re.fullmatch(r"[\w-]+==[\d.]+", line) for line in lines)
    listed = tmp_path / "colab.txt"
    monkeypatch.setattr(colab, "LISTED", listed)
    listed.write_text(f"# as it was\nnumpy==1.0.0\ntqdm=={importlib.metadata.version('tqdm')}\n")
    numpy = importlib.metadata.version("numpy")
    assert colab.changed(sys.executable) == [f"numpy 1.0.0 is now {numpy}"]
