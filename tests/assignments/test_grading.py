"""Handing out and grading, through nbgrader itself: one command each, whatever is handed in."""

import copy
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "book" / "_tools" / "classroom"
sys.path.insert(0, str(TOOLS))
import a1_answers  # noqa: E402
import grade  # noqa: E402
import grader  # noqa: E402
import release  # noqa: E402
from course import sources  # noqa: E402
from submission import Unreadable, assignment_of, gradable, read  # noqa: E402

SOLUTION = re.compile(r" *### (BEGIN|END) SOLUTION\n?")


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The folder that `make assignments` fills."""
    folder = tmp_path_factory.mktemp("released")
    release.release(folder)
    return folder


@pytest.fixture(scope="module")
def empty(released):
    """A1 as students get it."""
    return read(next(released.glob("A1*.ipynb")))


def cell(notebook, name):
    return next(c for c in notebook["cells"]
                if c["metadata"].get("nbgrader", {}).get("grade_id") == name)  # fmt: skip


def solved(empty, **answers):
    """A1 with the solution, but for these answers."""
    notebook = copy.deepcopy(empty)
    for original in read(sources()["A1"])["cells"]:
        told = original["metadata"].get("nbgrader", {})
        if told.get("solution"):
            text = SOLUTION.sub("", original["source"])
            cell(notebook, told["grade_id"])["source"] = answers.get(told["grade_id"], text)
    return notebook


class TestRelease:
    def test_a_notebook_for_each_and_a_zip_of_them(self, released):
        names = {file.name for file in sources().values()}
        assert {file.name for file in released.glob("*.ipynb")} == names
        with zipfile.ZipFile(released / "assignments.zip") as archive:
            assert set(archive.namelist()) == names

    def test_no_line_of_a_solution_is_in_it(self, released):
        for source in sources().values():
            assert len(release.secrets(source)) > 20
            assert release.leaks(source, released / source.name) == set()

    def test_a_leak_would_be_seen(self, released, tmp_path):
        source = sources()["A1"]
        notebook = read(released / source.name)
        notebook["cells"][3]["source"] += "\nwindow, frames = hann(n_fft), S.shape[1]"
        (tmp_path / "leaky.ipynb").write_text(json.dumps(notebook))
        assert len(release.leaks(source, tmp_path / "leaky.ipynb")) == 1

    def test_answers_are_open_and_tests_are_locked(self, empty):
        assert "YOUR CODE HERE" in cell(empty, "stft")["source"]
        assert "NotImplementedError" in cell(empty, "stft")["source"]
        assert cell(empty, "stft-test")["metadata"]["nbgrader"]["locked"]
        assert "assert" in cell(empty, "stft-test")["source"]  # some tests are visible
        assert "_want" not in cell(empty, "stft-test")["source"]  # and some are not


class TestPuttingRight:
    """Before anything runs: the notebook that is graded has every test, and the student's cells."""

    def test_tests_come_fresh(self, empty):
        submitted = solved(empty)
        cell(submitted, "mix-test")["source"] = "pass"
        cell(submitted, "level-test")["metadata"]["nbgrader"]["points"] = 100
        source = read(sources()["A1"])
        notebook, remarks = gradable(source, empty, submitted)
        assert remarks == []
        for name in ("mix-test", "level-test"):
            assert cell(notebook, name)["source"] == cell(source, name)["source"]
            assert cell(notebook, name)["metadata"] == cell(source, name)["metadata"]

    def test_added_cells_stay_where_they_are(self, empty):
        submitted = solved(empty)
        extra = {"cell_type": "code", "metadata": {}, "source": "HELP = 1", "outputs": []}
        submitted["cells"].insert(4, extra)
        foreign = copy.deepcopy(cell(submitted, "hann-test"))
        foreign["metadata"]["nbgrader"]["grade_id"] = "of-another-assignment"
        submitted["cells"].append(foreign)
        source = read(sources()["A1"])
        notebook, remarks = gradable(source, empty, submitted)
        assert remarks == [] and len(notebook["cells"]) == len(source["cells"]) + 2
        assert notebook["cells"][4]["source"] == "HELP = 1"
        for place in (*range(4), *range(5, len(source["cells"]) + 1)):
            original = source["cells"][place - (place > 4)]
            assert notebook["cells"][place]["metadata"] == original["metadata"]
        assert "nbgrader" not in notebook["cells"][-1]["metadata"]

    def test_every_test_follows_its_answer(self, empty):
        submitted = solved(empty)
        gone = ("stft", "mix-test", "words")
        submitted["cells"] = [
            c for c in submitted["cells"]
            if c["metadata"].get("nbgrader", {}).get("grade_id") not in gone
        ]  # fmt: skip
        notebook, remarks = gradable(read(sources()["A1"]), empty, submitted)
        names = [c["metadata"]["nbgrader"]["grade_id"] for c in notebook["cells"]
                 if "nbgrader" in c["metadata"]]  # fmt: skip
        assert names == ["imports", "level", "level-test", "mix", "mix-test", "hann", "hann-test",
                         "stft", "stft-test", "istft", "istft-test", "peak", "peak-test", "share",
                         "share-test", "figure", "words"]  # fmt: skip
        assert remarks == ["the answer 'stft' is missing", "the answer 'words' is missing"]

    def test_a_cell_twice_counts_once(self, empty):
        submitted = solved(empty)
        submitted["cells"].append({**cell(submitted, "hann"), "source": "def hann(n): return 0"})
        notebook, _ = gradable(read(sources()["A1"]), empty, submitted)
        assert sum("def hann" in c["source"] for c in notebook["cells"]) == 1

    @pytest.mark.parametrize(
        "text, reason",
        [("", "empty"), ("{", "damaged"), ("[1, 2]", "damaged"), ('{"cells": 3}', "damaged"),
         ('{"cells": [{"source": 4}]}', "damaged")],
    )  # fmt: skip
    def test_what_is_no_notebook_says_so(self, tmp_path, text, reason):
        (tmp_path / "A1.ipynb").write_text(text)
        with pytest.raises(Unreadable, match=reason):
            read(tmp_path / "A1.ipynb")

    def test_it_is_known_by_what_it_says_and_then_by_its_name(self, empty):
        known = ("A1", "A2")
        assert assignment_of(Path("homework.ipynb"), empty, known) == "A1"
        foreign = {"metadata": {}, "cells": []}
        assert assignment_of(Path("Jane_A2_final.ipynb"), foreign, known) == "A2"
        for name in ("A12.ipynb", "BA1.ipynb", "homework.ipynb"):
            with pytest.raises(Unreadable, match="none of the assignments A1, A2"):
                assignment_of(Path(name), foreign, known)


jail = pytest.mark.skipif(not grade.has_jail(), reason="this machine offers no namespaces")


@jail
class TestJail:
    def run(self, work, script, hidden="/var/empty"):
        command = [grader.JAIL, work, hidden, "/bin/sh", "-c", script]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def test_the_disk_is_read_only_but_for_its_own_folder(self, tmp_path):
        work, other = tmp_path / "work", tmp_path / "other"
        work.mkdir()
        other.mkdir()
        (other / "kept").touch()
        done = self.run(work, f"rm -rf {other}; touch {other}/new; touch mine && echo done")
        assert done.stdout == "done\n" and (work / "mine").exists()
        assert [file.name for file in other.iterdir()] == ["kept"]

    def test_what_is_hidden_looks_empty(self, tmp_path):
        work, secret = tmp_path / "work", tmp_path / "secret"
        work.mkdir()
        secret.mkdir()
        (secret / "solution").write_text("42")
        assert self.run(work, f"ls {secret}").stdout == "solution\n"
        assert self.run(work, f"ls {secret}", str(secret)).stdout == ""
        assert (secret / "solution").read_text() == "42"

    def test_there_is_no_way_out(self, tmp_path):
        code = "import socket; socket.create_connection(('127.0.0.1', 9), 2)"
        done = self.run(tmp_path, f'{sys.executable} -c "{code}"')
        assert "unreachable" in done.stderr
        assert "denied" in self.run(tmp_path, "mount -o remount,rw /").stderr
        assert self.run(tmp_path, "grep CapEff /proc/self/status").stdout.split()[1] == "0" * 16


@pytest.fixture(scope="module")
def marks(empty, tmp_path_factory):
    """What comes of a class that hands in all sorts of things; by student."""
    if not grade.has_jail():
        pytest.skip("this machine offers no namespaces: student code would run unguarded")
    root = tmp_path_factory.mktemp("class")
    (root / "decoy").mkdir()
    (root / "decoy" / "precious").touch()

    def hand_in(student, text, file="A1_mixtures_and_stft.ipynb"):
        folder = root / "submissions" / student
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text if isinstance(text, str) else json.dumps(text))

    level = cell(solved(empty), "level")["source"]
    hand_in("Ada Right", solved(empty))
    hand_in("Bo Loops", solved(empty, **a1_answers.RIGHT["everything in loops"]))
    warning = """
import sys, warnings
_mix = mix
def mix(*given, **named):
    warnings.warn("a right answer may warn")
    print("and talk", file=sys.stderr)
    return _mix(*given, **named)
"""
    mix = cell(solved(empty), "mix")["source"]
    hand_in("Mia Warns", solved(empty, mix=mix + warning))
    wrong, _ = a1_answers.WRONG["not windowed a second time"]
    hand_in("Cy Wrong", solved(empty, **wrong))
    hand_in("Di Syntax", solved(empty, hann="def hann(n:\n    return"))
    hand_in("Ed Endless", solved(empty, mix="while True: pass"))
    hand_in("Flo Deletes", solved(empty, level=level + f"""
import shutil
for place in ({str(root / "decoy")!r}, {str(root / "submissions")!r}):
    shutil.rmtree(place, ignore_errors=True)
"""))  # fmt: skip
    hand_in("Gus Reads", solved(empty, level=f"""
import pathlib
found = [*pathlib.Path({str(ROOT)!r}).glob("notebooks/assignments/*"),
         *pathlib.Path({str(ROOT)!r}).glob(".git/*"),
         *pathlib.Path({str(root / "submissions")!r}).glob("*")]
assert not found, found
""" + level))  # fmt: skip
    hand_in("Hal Kills", solved(empty, mix="import os\nos._exit(1)"))
    hand_in("Ida Empty", "")
    hand_in("Jo Other", (ROOT / "notebooks" / "02_stft.ipynb").read_text(), "02_stft.ipynb")
    (root / "submissions" / "Ken Nothing").mkdir()
    (root / "submissions" / "Liv Links").mkdir()
    (root / "submissions" / "Liv Links" / "A1.ipynb").symlink_to(sources()["A1"])
    # As a user starts it; no variable of this test run may change what students' code sees.
    done = subprocess.run(
        [sys.executable, TOOLS / "grade.py", root / "submissions", "-o", root / "grades",
         "--limit", "40"],
        capture_output=True, text=True, env=os.environ | {"TQDM_DISABLE": "1"}, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (root / "decoy" / "precious").exists()
    with open(root / "grades" / "marks.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    for row in rows.values():
        row["page"] = (root / "grades" / row["feedback"]).read_text() if row["feedback"] else ""
    return rows


class TestMarks:
    """Everybody gets a mark and, where something is wrong, a reason; nobody stops the others."""

    @pytest.mark.parametrize(
        "student, points",
        [("Ada Right", 22), ("Bo Loops", 22), ("Cy Wrong", 17), ("Di Syntax", 7),
         ("Ed Endless", 19), ("Flo Deletes", 22), ("Gus Reads", 22), ("Hal Kills", 0),
         ("Ida Empty", 0), ("Jo Other", 0), ("Ken Nothing", 0), ("Liv Links", 0),
         ("Mia Warns", 22)],
    )  # fmt: skip
    def test_points(self, marks, student, points):
        assert float(marks[student]["points"]) == points, marks[student]["remark"]

    @pytest.mark.parametrize(
        "student, reason",
        [("Di Syntax", "the answer 'hann' ends in SyntaxError"),
         ("Ed Endless", "the answer 'mix' took longer than 40 s"),
         ("Hal Kills", "ended Python itself"), ("Ida Empty", "the file is empty"),
         ("Jo Other", "none of the assignments"), ("Ken Nothing", "no notebook"),
         ("Liv Links", "no notebook")],
    )  # fmt: skip
    def test_reasons(self, marks, student, reason):
        assert reason in marks[student]["remark"]
        if marks[student]["page"]:
            assert reason.replace("'", "&#x27;") in marks[student]["page"]

    def test_all_is_well_where_all_is_well(self, marks):
        assert len(marks) == 13
        for student in ("Ada Right", "Bo Loops", "Flo Deletes", "Gus Reads", "Mia Warns"):
            assert marks[student]["remark"] == "" and marks[student]["assignment"] == "A1"
            assert (marks[student]["by_hand"], marks[student]["of"]) == ("8", "30")

    def test_feedback_shows_what_failed(self, marks):
        assert "windowed a second time?" in marks["Cy Wrong"]["page"]
        assert "windowed a second time?</span>" not in marks["Ada Right"]["page"][:1000]


def test_without_a_jail_nothing_is_run_unasked(tmp_path, monkeypatch):
    (tmp_path / "Ann").mkdir()
    monkeypatch.setattr(grade, "has_jail", lambda: False)
    monkeypatch.setattr(grade, "grade_all", lambda *_: pytest.fail("it ran"))
    with pytest.raises(SystemExit, match="no jail"):
        grade.main([str(tmp_path)])
    with pytest.raises(SystemExit, match="no such folder"):
        grade.main([str(tmp_path / "nobody")])


def test_every_file_of_a_student_has_a_page(tmp_path):
    marks = [grade.Mark("Ann", "A1", remark=f"try {number}") for number in range(3)]
    for number, mark in enumerate(marks):
        grade.write_feedback(tmp_path, mark, None, {done.feedback for done in marks[:number]})
    assert [mark.feedback for mark in marks] == ["Ann/A1.html", "Ann/A1-2.html", "Ann/A1-3.html"]
    for mark in marks:
        assert mark.remark in (tmp_path / mark.feedback).read_text()


class Counting:
    """In the grader's place: a point for every letter; keeps whom it was asked for."""

    asked: list = []
    together, most = 0, 0

    def __init__(self, *_):
        pass

    def grade(self, number, student, path):
        kind = type(self)
        kind.together += 1
        kind.most = max(kind.most, kind.together)
        kind.asked.append(student)
        time.sleep(0.05)
        kind.together -= 1
        page = path.with_suffix(".html")
        page.write_text(f"<html><body>{student}</body></html>")
        return grade.Mark(student, "A1", len(path.read_text())), page


@pytest.fixture
def counting(monkeypatch):
    monkeypatch.setattr(grade, "Grader", Counting)
    monkeypatch.setattr(grade, "Release", lambda root: "the assignments")
    monkeypatch.setattr("unmix_lite.corpora.open_corpus", lambda name: None)
    Counting.asked, Counting.most = [], 0
    return Counting


@pytest.fixture
def handed_in(tmp_path):
    folder = tmp_path / "submissions"
    for number, student in enumerate(("Ann", "Bob", "Cleo", "Dan")):
        (folder / student).mkdir(parents=True)
        (folder / student / "A1.ipynb").write_text("x" * (number + 1))
    return folder


def test_as_many_at_once_as_asked_for_and_the_marks_in_order(counting, handed_in, tmp_path):
    marks = grade.grade_all(handed_in, tmp_path / "grades", 60, True, jobs=3)
    assert [mark.points for mark in marks] == [1, 2, 3, 4] and 2 <= counting.most <= 3
    assert [mark.feedback for mark in marks] == [f"{m.student}/A1.html" for m in marks]


def test_what_was_graded_is_kept_and_what_has_changed_is_not(counting, handed_in, tmp_path):
    first = grade.grade_all(handed_in, tmp_path / "grades", 60, True)
    (handed_in / "Bob" / "A1.ipynb").write_text("yyyyyyy")
    (handed_in / "Eve").mkdir()
    shutil.copy(handed_in / "Ann" / "A1.ipynb", handed_in / "Eve")  # under her own name
    counting.asked.clear()
    second = grade.grade_all(handed_in, tmp_path / "grades", 60, True)
    assert counting.asked == ["Bob"]
    assert [(m.student, m.points) for m in second] == [
        ("Ann", 1), ("Bob", 7), ("Cleo", 3), ("Dan", 4), ("Eve", 1)
    ]  # fmt: skip
    assert [mark.feedback for mark in first] == [mark.feedback for mark in second[:4]]
    counting.asked.clear()
    grade.grade_all(handed_in, tmp_path / "grades", 60, True, again=True)
    assert sorted(counting.asked) == ["Ann", "Bob", "Cleo", "Dan", "Eve"]


def test_what_others_hand_in_is_hidden_while_it_runs(handed_in, tmp_path, counting, monkeypatch):
    """From every jail; and there before the first is built, which can hide only what is there."""
    made = []

    class Watching(Counting):
        def __init__(self, scratch, release, limit, jailed, private):
            assert all(folder.is_dir() for folder in private)
            made.append((scratch, private))

    monkeypatch.setattr(grade, "Grader", Watching)
    grade.grade_all(handed_in, tmp_path / "grades", 60, True, jobs=2)
    folders = [scratch for scratch, _ in made]
    assert len(folders) == 2
    for scratch, private in made:
        assert {*folders} - {scratch} <= {*private} and scratch not in private
        assert {handed_in, tmp_path / "grades"} <= {*private}
