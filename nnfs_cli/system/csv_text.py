"""Small CSV files: the epoch log, the confusion tables, and the file of tracked runs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV that every reader splits into the same cells."""
    text, rows = StringIO(), list(rows)
    if any("\r" in str(cell) for row in rows for cell in row):  # which Python 3.11 does not quote by itself
        csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    else:
        csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def parse_csv(content: bytes) -> list[list[str]]:
    """Return the rows of a CSV file. Raises `ValueError` or `csv.Error` if it is not CSV."""
    return list(csv.reader(StringIO(content.decode(), newline="")))  # newline="": a label may hold a line break
