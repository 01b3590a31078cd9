"""What a data set is: something that gives a table and says which of its columns is the target."""

from __future__ import annotations

from typing import NamedTuple

from nnfs_cli.component import Component
from nnfs_cli.data.table import Table


class Facts(NamedTuple):
    """What a net must fit: numbers in, and classes or values out."""

    n_features: int
    n_classes: int | None  # None where the target is numbers
    n_targets: int = 1


class DataSource(Component, family="dataset"):
    """Rows to learn from."""

    def facts(self) -> Facts | None:
        """What is known without reading anything, so that a config can be checked first."""
        return None

    def target_columns(self) -> tuple[str, ...]:
        """The names of the columns to predict."""
        raise NotImplementedError

    def dropped_columns(self) -> tuple[str, ...]:
        """The names of columns that are neither input nor target."""
        return ()

    def weight_column(self) -> str | None:
        """The name of the column that says how much each row counts, if there is one."""
        return None

    def read(self) -> Table:
        """All rows. Raises `DataError` when they cannot be read as they are."""
        raise NotImplementedError
