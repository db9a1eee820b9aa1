"""Tables of numbers: HTML in a notebook, aligned text everywhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal


@dataclass(frozen=True)
class Table:
    """Rows under a head, as they will be read; `best` holds (row, column) of what stands out."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: frozenset[tuple[int, int]] = frozenset()

    def __repr__(self) -> str:
        lines = [self.head, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.head))]
        return "\n".join(
            "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.head)
        body = "".join(f"<tr>{self._cells(index)}</tr>" for index in range(len(self.rows)))
        return f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'

    def _cells(self, index: int) -> str:
        name, *values = self.rows[index]
        cells = [f'<th scope="row">{escape(name)}</th>']
        for column, value in enumerate(values, start=1):
            text = escape(value)
            bold = f"<strong>{text}</strong>" if (index, column) in self.best else text
            cells.append(f"<td>{bold}</td>")
        return "".join(cells)


def table(
    rows: Mapping[str, Mapping[str, Any] | Sequence[Any]],
    columns: Sequence[str] | None = None,
    head: str = "",
    digits: int = 1,
    best: Literal["high", "low"] | None = None,
) -> Table:
    """Numbers in rows and columns, for a notebook's last line.

    Args:
        rows: dict name of a row -> its values by the columns' names, or in their order. Floats are
            rounded, None and NaN shown as a dash, anything else as its text.
        columns: their names in order; None takes those of the rows, which must then be dicts.
        head: what stands above the rows' names.
        digits: after the point.
        best: print the highest or the lowest number of each column bold.

    Raises:
        ValueError: a row that has not one value per column.

    >>> table({"mixture": [-4.83, None], "umx-lite": [5.02, 4.1]}, ["vocals", "drums"], "dB")
    dB        vocals  drums
    mixture     -4.8      –
    umx-lite     5.0    4.1
    """
    if columns is None:
        columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    values = {
        name: [row.get(column) for column in columns] if isinstance(row, Mapping) else list(row)
        for name, row in rows.items()
    }
    for name, row in values.items():
        if len(row) != len(columns):
            raise ValueError(f"row '{name}': {len(row)} values for {len(columns)} columns")
    lines = [(name, *(_text(value, digits) for value in row)) for name, row in values.items()]
    found: set[tuple[int, int]] = set()
    for column in range(len(columns)) if best else ():
        numbers = [_number(row[column]) for row in values.values()]
        known = [number for number in numbers if number == number]
        wanted = (max if best == "high" else min)(known, default=None)
        found |= {(i, column + 1) for i, number in enumerate(numbers) if number == wanted}
    return Table((head, *columns), tuple(lines), frozenset(found))


def _number(value: Any) -> float:
    """The value as a number, NaN for all else."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _text(value: Any, digits: int) -> str:
    if value is None or value != value:
        return "–"
    if isinstance(value, (str, int)):
        return str(value)
    number = _number(value)
    text = f"{number:.{digits}f}" if number == number else str(value)
    # No sign before a zero.
    return text.lstrip("-") if float(text or 0) == 0 else text
