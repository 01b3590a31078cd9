"""The summary of a net: its layers with their shapes and numbers of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nnfs_cli.arrays import Shape
from nnfs_cli.display.html import facts_html, table_html
from nnfs_cli.display.text import table
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.parameters import ParameterLayout

WIDTH = 80  # characters of a line
HEADER = ("layer", "output shape", "parameters")


@dataclass(frozen=True)
class LayerSummary:
    """A layer in a line: its text, the shape of its output, the number of its parameters, and how many are learned.

    Shape and numbers are None as long as the width of the inputs is unknown.
    """

    text: str
    output_shape: Shape | None
    parameters: int | None
    learned: int | None


@dataclass(frozen=True)
class NetSummary:
    """The layers of a net, from first to last; `str` gives a table of at most 80 columns, and notebooks show it.

    Parameters include those that are not learned, such as the running statistics of batch normalization.
    """

    n_features: int | None
    layers: tuple[LayerSummary, ...]

    @classmethod
    def of(cls, layers: Sequence[Layer], n_features: int | None) -> NetSummary:
        """Return the summary for rows of this many features. Raises `ShapeError` if the layers do not fit together."""
        texts = [f"{i} {layer.describe()}" for i, layer in enumerate(layers)]
        if n_features is None:
            return cls(None, tuple(LayerSummary(text, None, None, None) for text in texts))
        shape: Shape = (n_features,)
        lines = []
        for text, layer in zip(texts, layers, strict=True):
            shape, tree = layer.build(shape)
            layout = ParameterLayout(tree)
            lines.append(LayerSummary(text, shape, layout.size, layout.learned))
        return cls(n_features, tuple(lines))

    @property
    def parameters(self) -> int | None:
        """The number of parameters of all layers; None as long as the width of the inputs is unknown."""
        return None if self.n_features is None else sum(layer.parameters or 0 for layer in self.layers)

    def __str__(self) -> str:
        """Return the table."""
        return "\n".join([table(HEADER, self._cells()), "", *(f"{label:<10}  {text}" for label, text in self._facts())])

    __repr__ = __str__  # an interactive session shows the table

    def _repr_html_(self) -> str:
        return table_html(HEADER, self._cells()) + facts_html(self._facts())

    def _cells(self) -> list[tuple[str, str, str]]:
        shape = None if self.n_features is None else (self.n_features,)
        rows = [LayerSummary("inputs", shape, 0, 0), *self.layers]
        others = [(_shape(row.output_shape), _count(row.parameters)) for row in rows]
        room = WIDTH - sum(len(max(column, key=len)) + 2 for column in zip(HEADER[1:], *others, strict=True))
        return [(_cut(row.text, room), *cells) for row, cells in zip(rows, others, strict=True)]

    def _facts(self) -> list[tuple[str, str]]:
        if self.n_features is None:
            return [("parameters", "unknown until the net has seen data; summary(n_features) gives them")]
        fixed = (self.parameters or 0) - sum(layer.learned or 0 for layer in self.layers)
        running = f"; {fixed:,} of them are running statistics, which are not learned" if fixed else ""
        return [("parameters", _count(self.parameters) + running)]


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 3]}..."


def _shape(shape: Shape | None) -> str:
    return "?" if shape is None else f"(rows, {', '.join(map(str, shape))})"


def _count(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"
