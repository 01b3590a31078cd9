"""The pipeline of a trained model: the columns it reads, and the values that it predicts from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from nnfs_cli.pipeline.order import ordered
from nnfs_cli.pipeline.value import Value


@dataclass(frozen=True)
class Pipeline:
    """The columns that a model reads, and its predictions as values.

    `columns` are the values of `cells.column`, by name. `outputs` are one value (1,) for each column of predictions, by
    its name. Where `usable` (1,) "bool" is false, the run refuses the row, and the outputs mean nothing. `encoded`
    (features,) are the inputs of the net, after all preprocessing: formats that explain predictions begin there.
    """

    columns: Mapping[str, Value]
    outputs: Mapping[str, Value]
    usable: Value
    encoded: Value | None = None

    @cached_property
    def operations(self) -> tuple[Value, ...]:
        """All values that the outputs need, constants included, each once and after its own inputs."""
        return ordered([*self.columns.values(), self.usable, *self.outputs.values()], lambda value: value.inputs)
