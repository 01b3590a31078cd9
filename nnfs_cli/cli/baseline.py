"""`nnfs baseline`: score the simple models that a net has to beat."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, ConfigFile, Json, Overrides, Quiet, read
from nnfs_cli.cli.terminal import fact, print_json, suggest, width_of
from nnfs_cli.display.comparison import comparison_tables
from nnfs_cli.display.stderr import note
from nnfs_cli.display.text import table

if TYPE_CHECKING:
    from nnfs_cli.workflows import Comparison


@manual(
    "nnfs baseline configs/iris.yaml",
    "nnfs baseline configs/diabetes.yaml --json",
    guide="evaluation",
)
def baseline(
    config: ConfigFile,
    set_: Overrides = None,
    code: Code = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score simple baseline models on the held-out rows of CONFIG.

    The baselines are the best constant for the loss, a linear model and boosted trees, from scikit-learn. They train on
    the same rows as the net; some of these choose the number of trees. `nnfs evaluate RUN --baselines` compares them
    with a run.
    """
    spec = read(config, set_, code)
    from nnfs_cli import workflows
    from nnfs_cli.workflows.baselines import BASELINES

    comparison = workflows.baselines(spec)
    if json:
        print_json({"baselines": comparison})
        return
    if not quiet:
        for model in BASELINES:
            fact(model.name, model.classifier if spec.loss.task == "classification" else model.regressor)
        note("")
    print(side_by_side(comparison))
    suggest(f"nnfs train {shlex.quote(config.as_posix())}, then nnfs evaluate RUN --baselines", quiet)


def side_by_side(comparison: Comparison) -> str:
    """Lay out a table for each split, with a line for each model, or for each figure if the lines were too long."""
    width, texts = width_of(sys.stdout) or 80, []
    for header, rows in comparison_tables(comparison, comparison.out_of_fold):
        text = table(header, rows)
        if len(text.partition("\n")[0]) > width:
            header, *rows = map(list, zip(header, *rows, strict=True))
            text = table(header, rows)
        texts.append(text)
    return "\n\n".join(texts)
