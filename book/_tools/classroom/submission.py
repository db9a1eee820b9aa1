"""From what a student handed in to a notebook that can be graded."""

import copy
import json
import re

PREFIX = "unmix_lite"


class Unreadable(Exception):
    """What was handed in cannot be graded; says why, in words for the student."""


def read(path):
    """The notebook in a file, as a dict; raises Unreadable."""
    text = path.read_bytes()
    if not text.strip():
        raise Unreadable("the file is empty")
    try:
        notebook = json.loads(text)
        if not isinstance(notebook["cells"], list):
            raise TypeError
        for cell in notebook["cells"]:
            if isinstance(cell["source"], list):
                cell["source"] = "".join(cell["source"])
            if not isinstance(cell["source"], str) or not isinstance(cell["cell_type"], str):
                raise TypeError
    except (ValueError, KeyError, TypeError):
        raise Unreadable("the file is not a Jupyter notebook, or is damaged") from None
    return notebook


def assignment_of(path, notebook, known):
    """Which assignment it is: as the notebook says, or else the file's name.

    Raises:
        Unreadable: it is none of `known`.
    """
    told = notebook.get("metadata", {}).get(PREFIX, {})
    told = told.get("assignment") if isinstance(told, dict) else None
    named = re.search(r"(?<![A-Za-z0-9])A\d+(?!\d)", path.name)
    for name in (told, named and named[0]):
        if name in known:
            return name
    raise Unreadable(f"it is none of the assignments {', '.join(known)}")


def gradable(source, released, submitted):
    """The submitted notebook with every test as it was given out, hidden ones and all.

    The student's own cells stay, in the student's order, also those that were added. Locked cells
    are replaced by those of `source` where they stand; what is missing comes back after the cell
    that it follows there: a test as it was, an answer as the empty one of `released`, which costs
    its points and no others.

    Returns:
        the notebook, and remarks on what was put right.
    """
    order = {_grade_id(cell): cell for cell in source["cells"] if _grade_id(cell)}
    empty = {_grade_id(cell): cell for cell in released["cells"] if _grade_id(cell)}
    remarks, kept, places = [], [], {}
    for cell in submitted["cells"]:
        name, cell = _grade_id(cell), _clean(cell)
        if name in places:
            continue  # a copy; the first one counts
        if name in order:
            places[name] = cell
            _restore(cell, order[name], remarks)
        else:
            cell["metadata"].pop("nbgrader", None)
        kept.append(cell)
    place = 0
    for name, original in order.items():
        if name in places:
            place = next(i for i, cell in enumerate(kept) if cell is places[name]) + 1
            continue
        if _is_answer(original):
            remarks.append(f"the answer '{name}' is missing")
            original = empty[name]
        kept.insert(place, _clean(original))
        place += 1
    return {**copy.deepcopy(source), "cells": kept}, remarks


def _restore(cell, original, remarks):
    """Make a student's cell what it was, but for the text of an answer."""
    if cell["cell_type"] != original["cell_type"]:
        remarks.append(f"the cell '{_grade_id(original)}' had become another kind of cell")
    text = cell["source"] if _is_answer(original) else original["source"]
    cell.clear()
    cell.update(_clean({**original, "source": text}))


def _is_answer(original):
    return original["metadata"]["nbgrader"]["solution"]


def _grade_id(cell):
    data = cell.get("metadata", {})
    data = data.get("nbgrader", {}) if isinstance(data, dict) else {}
    name = data.get("grade_id") if isinstance(data, dict) else None
    return name if isinstance(name, str) else None


def _clean(cell):
    """A cell without outputs, in the form of nbformat 4.5."""
    kind = cell["cell_type"] if cell["cell_type"] in ("code", "markdown", "raw") else "raw"
    metadata = cell.get("metadata")
    metadata = copy.deepcopy(metadata) if isinstance(metadata, dict) else {}
    result = {"cell_type": kind, "metadata": metadata, "source": "".join(cell["source"])}
    if kind == "code":
        result |= {"outputs": [], "execution_count": None}
    return result
