"""Right answers get full marks however they are written; wrong ones lose the points they should.

Each assignment's tests are run on each answer in one process, cell by cell as nbgrader would;
test_grading.py sends some through nbgrader itself.
"""

import contextlib
import importlib
import io
import json
import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_tools" / "classroom"))
from course import sources  # noqa: E402

ASSIGNMENTS = sources()


def answers(name):
    return importlib.import_module(f"{name.lower()}_answers")


def cells(name):
    notebook = json.loads(ASSIGNMENTS[name].read_text())
    return [cell | {"source": "".join(cell["source"])} for cell in notebook["cells"]]


def graded(cell):
    return cell["metadata"].get("nbgrader", {})


def failures(name, changed):
    """The ids of the test cells that fail when some answers are replaced by others."""
    failed, space = set(), {"__name__": "__main__"}
    known = {graded(cell).get("grade_id") for cell in cells(name)}
    assert set(changed) <= known, set(changed) - known
    for cell in cells(name):
        told = graded(cell)
        # What gives no points takes time, and nbval runs it once.
        aside = {"set-up", "no-points"} & set(cell["metadata"].get("tags", ()))
        if cell["cell_type"] != "code" or aside:
            continue
        code = changed.get(told.get("grade_id"), cell["source"])
        try:
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # wrong answers divide by zero
                exec(compile(code, told.get("grade_id", cell["id"]), "exec"), space)
        except Exception:
            if told.get("grade") and not told.get("solution"):
                failed.add(told["grade_id"])
    plt.close("all")
    return failed


def cases(kind):
    return [
        pytest.param(name, case, id=f"{name}: {case}")
        for name in ASSIGNMENTS for case in getattr(answers(name), kind)
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def the_band(monkeypatch):
    monkeypatch.setenv("UNMIX_LITE_CORPUS", "band")


@pytest.mark.parametrize("name, case", cases("RIGHT"))
def test_right(name, case):
    assert failures(name, answers(name).RIGHT[case]) == set()


@pytest.mark.parametrize("name, case", cases("WRONG"))
def test_wrong(name, case):
    changed, loses = answers(name).WRONG[case]
    assert failures(name, changed) == loses


@pytest.mark.parametrize("name", ASSIGNMENTS)
class TestAssignment:
    def test_there_is_proof_enough(self, name):
        assert len(answers(name).RIGHT) >= 8 and len(answers(name).WRONG) >= 12
        lost = set().union(*(loses for _, loses in answers(name).WRONG.values()))
        tests = {graded(c)["grade_id"] for c in cells(name)
                 if graded(c).get("grade") and not graded(c)["solution"]}  # fmt: skip
        assert lost == tests, "a test that no wrong answer fails proves nothing"

    def test_thirty_points(self, name):
        points = [graded(c)["points"] for c in cells(name) if graded(c).get("grade")]
        assert sum(points) == 30
        by_hand = [c for c in cells(name) if graded(c).get("grade") and graded(c)["solution"]]
        assert {c["cell_type"] for c in by_hand} == {"code", "markdown"}  # a figure, a text
        rubrics = sum("*Rubric:" in c["source"] for c in cells(name))
        assert rubrics == len(by_hand)

    def test_an_empty_hand_in_gets_nothing(self, name):
        empty = {graded(c)["grade_id"]: "raise NotImplementedError()"
                 for c in cells(name) if graded(c).get("solution")}  # fmt: skip
        tests = {graded(c)["grade_id"] for c in cells(name)
                 if graded(c).get("grade") and not graded(c)["solution"]}  # fmt: skip
        assert failures(name, empty) == tests

    def test_the_file_says_what_it_is(self, name):
        notebook = json.loads(ASSIGNMENTS[name].read_text())
        assert notebook["metadata"]["unmix_lite"] == {"assignment": name}
        ids = [graded(c)["grade_id"] for c in cells(name) if graded(c)]
        assert len(ids) == len(set(ids))
        assert not any(c.get("outputs") for c in notebook["cells"])
