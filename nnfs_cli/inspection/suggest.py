"""Make the suggestions that several findings share."""

from __future__ import annotations

from typing import Any

from nnfs_cli.config.config import Config
from nnfs_cli.data.named_columns import NamedColumns
from nnfs_cli.inspection.suggestion import Suggestion


def drop_column(config: Config, name: str) -> Suggestion | None:
    """Suggest to leave a column out; None for a data set that cannot."""
    dataset, path = config.dataset, ("preprocessing", "columns", name)
    if not isinstance(dataset, NamedColumns):
        return None
    removes = (path,) if name in config.preprocessing.columns else ()
    return Suggestion("drop", ("dataset", dataset.name, "drop"), (*dataset.drop, name), removes)


def column_steps(kind: str, name: str, *steps: Any) -> Suggestion:
    """Suggest a step, or a list of steps, for a single column."""
    return Suggestion(kind, ("preprocessing", "columns", name), steps if len(steps) > 1 else steps[0])
