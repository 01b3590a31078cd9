"""Make the suggestions that several findings share."""

from __future__ import annotations

from typing import Any

from nnfs_cli.config.config import Config
from nnfs_cli.config.yaml import Path
from nnfs_cli.data.named_columns import NamedColumns
from nnfs_cli.data.steps.impute import Impute
from nnfs_cli.data.table import Kind
from nnfs_cli.inspection.suggestion import Suggestion
from nnfs_cli.presets.tabular import DATES


def drop_column(config: Config, name: str) -> Suggestion | None:
    """Suggest to leave a column out; None if the data set cannot, or if a parser makes this column beside another."""
    dataset, also = config.dataset, _without_steps(config, name)
    made = {output for one, parser in config.parse.items() for output in parser.outputs(one)} - {*config.parse}
    if not isinstance(dataset, NamedColumns) or name in made:
        return None
    also += ((("parse", name), None),) if name in config.parse else ()
    return Suggestion("drop", ("dataset", dataset.name, "drop"), (*dataset.drop, name), also)


def column_steps(kind: str, name: str, *steps: Any) -> Suggestion:
    """Suggest a step, or a list of steps, for a single column."""
    return Suggestion(kind, ("preprocessing", "columns", name), steps if len(steps) > 1 else steps[0])


def parse_column(config: Config, name: str, parser: Any, kind: Kind, gaps: bool) -> Suggestion:
    """Suggest to read the texts of an input as numbers or dates, with the steps that the new `kind` needs.

    `parser` is the component as plain values; `gaps` says whether a cell will be empty.
    """
    steps, also = config.preprocessing, _without_steps(config, name)
    if kind == "date" and steps.dates is None:
        also = (*also, (("preprocessing", "dates"), DATES))
    if kind == "number" and gaps and not isinstance(steps.numbers[0], Impute):
        own = ["impute", *(step.brief() for step in steps.numbers)]
        also = ((("preprocessing", "columns", name), own),)
    return Suggestion("parse", ("parse", name), parser, also)


def _without_steps(config: Config, name: str) -> tuple[tuple[Path, Any], ...]:
    return ((("preprocessing", "columns", name), None),) if name in config.preprocessing.columns else ()
