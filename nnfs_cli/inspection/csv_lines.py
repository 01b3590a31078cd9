"""Find the lines of a CSV file that are no rows: a title or comments before the header, and summary rows at the end."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nnfs_cli.data.numbers import looks_like_number

COMMENTS = ("#", "%", "//")
EXAMINED = 500  # records by which the number of columns is decided
MOST_BEFORE = 50  # lines before a header
MOST_AFTER = 20  # rows that sum up the others
_SUMMARIES_BY_LANGUAGE = (
    ("grand total", "total", "totals", "subtotal", "sum", "average", "avg", "mean", "overall"),
    ("gesamtsumme", "gesamtergebnis", "gesamt", "insgesamt", "summe", "durchschnitt", "mittelwert"),
    ("somme", "moyenne", "total général", "suma", "promedio", "totale", "somma", "totaal", "gemiddelde"),
    ("summa", "totalt", "medelvärde", "i alt", "yhteensä", "razem", "średnia", "celkem", "összesen", "toplam"),
    ("итого", "всего", "среднее"),
    ("合計", "平均", "总计", "合计", "平均值"),
)
SUMMARIES = frozenset().union(*_SUMMARIES_BY_LANGUAGE)  # words that begin a row which sums up the others
WITH_OTHERS = frozenset(("min", "max", "minimum", "maximum", "count", "median", "std", "anzahl", "nombre", "n"))


class Record(NamedTuple):
    """One record: the lines of the file before it, and its cells."""

    before: int
    cells: list[str]


def records_of(text: str, delimiter: str) -> Iterator[Record]:
    """Yield the records of a text that are not blank, up to the first one that is no CSV."""
    csv.field_size_limit(1 << 30)
    reader, before = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 0
    try:
        for cells in reader:
            if cells:
                yield Record(before, cells)
            before = reader.line_num
    except csv.Error:
        return


def usual_width(records: Sequence[Record]) -> int:
    """Return the number of cells that most of the first records have."""
    widths = Counter(len(record.cells) for record in records[:EXAMINED])
    return max(widths, key=lambda width: (widths[width], width), default=0)


def comment_mark(text: str) -> str | None:
    """Return the text that begins the comments before the header, if there are any."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return next((mark for mark in COMMENTS if first.startswith(mark)), None)


def without_comments(text: str, mark: str) -> str:
    """Return the text with a blank line in place of each line that begins with the mark."""
    return re.sub(rf"(?m)^{re.escape(mark)}.*$", "", text)


def header_in_comment(text: str, mark: str, delimiter: str, records: Sequence[Record]) -> list[str] | None:
    """Return the names of the columns if the last comment before the first record holds them, as NumPy writes them."""
    if not records or not all(looks_like_number(cell) for cell in records[0].cells if cell.strip()):
        return None
    lines = text.splitlines()[: records[0].before]
    last = next((line for line in reversed(lines) if line.startswith(mark)), "").removeprefix(mark)
    names = [cell.strip() for cell in next(csv.reader([last], delimiter=delimiter), [])]
    fits = len(names) == len(records[0].cells) and len(set(names)) == len(names) and all(names)
    return names if fits and not any(map(looks_like_number, names)) else None


def lines_before_header(records: Sequence[Record]) -> int:
    """Return how many lines come before the header: up to the first record that fills at least half of the columns."""
    width = usual_width(records)
    if width < 2:
        return 0
    for record in records[:MOST_BEFORE]:
        filled = sum(bool(cell.strip()) for cell in record.cells)
        if len(record.cells) == width and (width < 3 or 2 * filled > width):
            return record.before if record is not records[0] else 0
    return 0


def summary_texts(records: Sequence[Record], width: int) -> list[str]:
    """Return how the rows begin that sum up the others, at the end of the last `records` of a file.

    A row is one if it begins with a word such as Total, as no other row does, and holds
    numbers otherwise; or if it begins with a text and has too few cells.
    """
    found: list[str] = []
    strong = False
    for record in reversed(records[-MOST_AFTER:]):
        text = next((cell.strip() for cell in record.cells if cell.strip()), "")
        others = [cell for cell in record.cells if cell.strip()][1:]
        beginning = _summary_word(text)
        if beginning is not None and all(any(c.isdigit() for c in cell) for cell in others):
            strong = strong or not _is_weak(beginning)
        elif len(record.cells) < width and width > 1 and (note := re.match(r"[^\d:]{3,}:?", text)):
            beginning, strong = note[0].strip(), True
        else:
            break
        found.insert(0, beginning or "")
    usual = {_first_word(cell) for record in records[: len(records) - len(found)] for cell in record.cells[:1]}
    found = list(dict.fromkeys(found))
    return found if strong and not usual & {_first_word(text) for text in found} else []


def _summary_word(text: str) -> str | None:
    """Return the words at the start of a text that begin a row which sums up the others."""
    lower = text.casefold()
    for word in sorted(SUMMARIES | WITH_OTHERS, key=len, reverse=True):
        if lower.startswith(word) and not lower[len(word) :][:1].isalnum():
            return text[: len(word)]
    return None


def _is_weak(word: str) -> bool:
    return word.casefold() in WITH_OTHERS


def _first_word(text: str) -> str:
    return text.strip().casefold().split(" ")[0]
