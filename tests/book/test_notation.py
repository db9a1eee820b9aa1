"""The table of notation gives each letter one meaning, and the chapters keep to it."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w])\$([^$\n]+?)\$", re.DOTALL)
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))


def formulas(text):
    """What stands between dollars, outside of code."""
    text = re.sub(r"```.*?```|`[^`\n]+`", " ", text, flags=re.DOTALL)
    return [display or inline for display, inline in FORMULA.findall(text)]


def symbols(table):
    """The symbols of a table of notation, bare: without arguments, braces, or the index i."""
    rows = [line for line in table.splitlines() if line.startswith("| $")]
    cells = [formula for row in rows for formula in formulas(row.split(" | ")[0])]
    return [re.sub(r"_i\b|\([a-z,]+\)|[{}\s]", "", cell) for cell in cells]


def repeated(table):
    return [symbol for symbol, times in Counter(symbols(table)).items() if times > 1]


def letters(formula, letter):
    """Where a formula has this letter as a symbol: not in a word, nor in a command."""
    formula = re.sub(r"\\(?:text|mathrm|operatorname)\{[^}]*\}|\\[A-Za-z]+", " ", formula)
    return re.findall(rf"(?<![A-Za-z]){letter}(?![A-Za-z])", formula)


def markdown(notebook):
    cells = json.loads(notebook.read_text("utf8"))["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def notation():
    return (ROOT / "book" / "notation.md").read_text("utf8")


def test_a_symbol_stands_in_one_row():
    assert {"y", "s", r"\hats", "N", r"N_\textfft", "H", "h", "R"} <= set(symbols(notation()))
    assert repeated(notation()) == []


@pytest.mark.parametrize("row", ["| $H$ | width |", "| $s_i$ | sample |", "| $Y (f)$ | output |"])
def test_a_second_meaning_is_found(row):
    assert len(repeated(f"{notation()}\n{row}")) == 1


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_formula_has_an_x_for_the_mixture(notebook):
    assert [f for f in formulas(markdown(notebook)) if letters(f, "X")] == []


@pytest.mark.parametrize("text", ["$|X|$", "$$\\hat X_i = 1$$", "so $\\mathbf{X}(f, t)$"])
def test_an_x_is_found(text):
    assert letters(formulas(text)[0], "X")


@pytest.mark.parametrize("text", ["ABX costs 5 $", "`$X`", "$\\text{ABX}$", "```\n$X$\n```"])
def test_what_is_no_formula_passes(text):
    assert not any(letters(f, "X") for f in formulas(text))
