"""A small terminal: it obeys the few sequences that the live display uses, and folds what is too wide."""

from __future__ import annotations

import io
import re

PIECE = re.compile(r"\x1b\[(?P<number>[0-9;]*)(?P<letter>[A-Za-z])|(?P<text>[^\x1b])", re.DOTALL)


class Screen(io.StringIO):
    """A terminal of so many columns. `lines` are all its lines, those that have scrolled away too."""

    encoding = "utf-8"  # type: ignore[assignment]

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        super().__init__()
        self.columns, self.rows, self.received = columns, rows, ""
        self._cells, self._row, self._column = [""], 0, 0

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.received += text
        for piece in PIECE.finditer(text):
            if piece["letter"]:
                self._obey(piece["letter"], int(piece["number"].partition(";")[0] or 0))
            else:
                self._put(piece["text"])
        assert re.sub(PIECE, "", text) == ""
        return len(text)

    def resize(self, columns: int) -> None:
        """Fold the lines that are too wide now, as most terminals do."""
        self.columns, before = columns, self._cells
        self._cells = []
        for line in before:
            self._cells += [line[i : i + columns] for i in range(0, len(line), columns)] or [""]
        self._row, self._column = len(self._cells) - 1, len(self._cells[-1])

    @property
    def lines(self) -> list[str]:
        """The lines without trailing spaces; those that are empty at the end are left out."""
        lines = [line.rstrip() for line in self._cells]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def _obey(self, letter: str, number: int) -> None:
        assert letter in "AKJm", letter
        if letter == "A":
            self._row = max(self._row - number, len(self._cells) - self.rows, 0)
        elif letter in "KJ":
            self._cells[self._row] = self._cells[self._row][: self._column]
            if letter == "J":
                del self._cells[self._row + 1 :]

    def _put(self, letter: str) -> None:
        if letter == "\r":
            self._column = 0
        elif letter == "\n":
            self._row, self._column = self._row + 1, 0
            if self._row == len(self._cells):
                self._cells.append("")
        else:
            if self._column == self.columns:
                self._put("\n")
            line = self._cells[self._row].ljust(self._column)
            self._cells[self._row] = line[: self._column] + letter + line[self._column + 1 :]
            self._column += 1
