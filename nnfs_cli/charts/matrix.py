"""A table of numbers as a heat map, such as a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnfs_cli.charts.svg import FONT, element, picture, shortened, text, text_width

STRONGEST = 0.72  # opacity of the darkest cell, so that the text in it can be read in light and dark
NAMES = 130  # pixels of the longest name of a row


@dataclass(frozen=True)
class Matrix:
    """Cells in rows and columns, darker where `shares` (rows, columns), from 0 to 1, are higher.

    `texts` are written into the cells if these are wide enough. `x_names` and `y_names` name columns and rows.

    >>> matrix = Matrix("Confusion", "predicted", "true", ["a", "b"], ["a", "b"], [[1, 0], [0.2, 0.8]])
    >>> matrix.svg().count("<rect")
    4
    """

    title: str
    x_label: str
    y_label: str
    x_names: Sequence[str]
    y_names: Sequence[str]
    shares: object
    texts: Sequence[Sequence[str]] | None = None
    width: int = 420
    most_height: int = 44  # pixels of a cell
    description: str = ""

    def svg(self) -> str:
        """Return the table as one SVG element."""
        shares = np.nan_to_num(np.clip(np.asarray(self.shares, dtype=float), 0, 1))
        rows, columns = shares.shape
        left = 8 + min(NAMES, max(map(text_width, self.y_names), default=0.0))
        slanted = any(text_width(name) > (self.width - left) / max(columns, 1) - 6 for name in self.x_names)
        wide = (self.width - left - (36 if slanted else 0)) / max(columns, 1)
        high = min(float(self.most_height), max(8.0, wide), 8_000 / max(rows, 1))
        top = 104.0 if slanted else 70.0
        down = f"{self.y_label} \u2193"
        content = [
            text(0, 42, down, class_="ch-label", opacity=0.8),
            text(max(left, text_width(down) + 14), 42, f"{self.x_label} \u2192", class_="ch-label", opacity=0.8),
        ]
        content += self._names(left, top, wide, high, slanted)
        for i in range(rows):
            for j in range(columns):
                content.append(self._cell(left + j * wide, top + i * high, wide, high, float(shares[i, j]), i, j))
        height = round(top + rows * high + 12)
        return picture(self.title, self.described(), "".join(content), self.width, height)

    __html__ = _repr_html_ = svg

    def described(self) -> str:
        """Return the table in words, if it is small."""
        lines = []
        if self.texts is not None and len(self.y_names) * len(self.x_names) <= 100:
            for name, cells in zip(self.y_names, self.texts, strict=True):
                parts = (f"{column} {cell}" for column, cell in zip(self.x_names, cells, strict=True))
                lines.append(f"{self.y_label} {name}: {', '.join(parts)}")
        size = f"{len(self.y_names)} rows ({self.y_label}) by {len(self.x_names)} columns ({self.x_label})"
        return ". ".join([*([self.description] if self.description else []), size, *lines]) + "."

    def _names(self, left: float, top: float, wide: float, high: float, slanted: bool) -> list[str]:
        """Return the names of the columns and rows; of many, every n-th."""
        drawn = []
        for j in range(0, len(self.x_names), max(1, int(np.ceil(14 / wide)))):
            x, name = left + (j + 0.5) * wide, self.x_names[j]
            if slanted:
                turned = f"rotate(-40 {x + 3:.1f} {top - 6:.1f})"
                drawn.append(text(x + 3, top - 6, shortened(name, 68), class_="ch-tick", transform=turned))
            else:
                drawn.append(text(x, top - 7, name, "middle", class_="ch-tick"))
        for i in range(0, len(self.y_names), max(1, int(np.ceil(14 / high)))):
            y = top + (i + 0.5) * high + 4
            drawn.append(text(left - 7, y, shortened(self.y_names[i], NAMES), "end", class_="ch-tick"))
        return drawn

    def _cell(self, x: float, y: float, wide: float, high: float, share: float, i: int, j: int) -> str:
        gap = 1.0 if min(wide, high) > 6 else 0.0
        box = element(
            "rect",
            x=round(x, 1),
            y=round(y, 1),
            width=round(wide - gap, 1),
            height=round(high - gap, 1),
            class_="ch-cell",
            fill="currentColor",
            fill_opacity=round(0.04 + (STRONGEST - 0.04) * share, 3),
        )
        content = "" if self.texts is None else self.texts[i][j]
        if not content or text_width(content) > wide - 2 or high < FONT + 2:
            return box
        return box + text(x + wide / 2 - 0.5, y + high / 2 + 4, content, "middle", class_="ch-text")
