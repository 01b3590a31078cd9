"""`nnfs baseline`: what a net has to be better than."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.cli.options import Code, Json, Overrides, read
from nnfs_cli.cli.terminal import fact, number, print_json, table

if TYPE_CHECKING:
    from nnfs_cli.workflows import Comparison


def baseline(
    config: Annotated[Path, typer.Argument(help="The YAML file that says what to learn.")],
    set_: Overrides = None,
    code: Code = None,
    json: Json = False,
) -> None:
    """Print what simple and well-known models reach on the rows of CONFIG that are held back.

    They are the best constant, a linear model and boosted trees, scikit-learn's with its defaults, and learn from the
    same training rows as the net. `nnfs evaluate RUN --baselines` puts them beside a run.
    """
    spec = read(config, set_, code)
    from nnfs_cli import workflows
    from nnfs_cli.workflows.baselines import BASELINES

    comparison = workflows.baselines(spec)
    if json:
        print_json({"baselines": comparison})
        return
    for one in BASELINES:
        fact(one.name, one.classifier if spec.loss.task == "classification" else one.regressor)
    print(side_by_side(comparison))


def side_by_side(comparison: Comparison) -> str:
    """A table for each split: a line for each model."""
    tables = []
    for split, models in comparison.items():
        names = list(next(iter(models.values()), {}))
        tables.append(table([split, *names], [[model, *map(number, of.values())] for model, of in models.items()]))
    return "\n\n".join(tables)
