"""`nnfs decide`: keep the threshold between two classes that `nnfs predict` uses."""

from __future__ import annotations

import contextlib
import math
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnfs_cli.cli.completion import complete_threshold
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Quiet, RunFolder, load
from nnfs_cli.cli.paths import open_run, run_meant
from nnfs_cli.cli.terminal import print_json, suggest
from nnfs_cli.display.text import number
from nnfs_cli.errors import UserError

if TYPE_CHECKING:
    from nnfs_cli.workflows import Threshold

ThresholdChoice = Annotated[
    str | None,
    typer.Option(
        metavar="HOW",
        help="For two classes: the probability from which the second one is predicted. HOW is a number; or"
        " best_accuracy or best_f1 (macro F1), to choose the threshold on the validation rows; or none, for the class"
        " of the highest probability.",
        autocompletion=complete_threshold,
    ),
]

CostsChoice = Annotated[
    str | None,
    typer.Option(
        metavar="fp=A,fn=B",
        help="For two classes: choose the threshold of least cost on the validation rows. A row that is wrongly"
        " predicted as the second class costs A, and a row of that class that is missed costs B.",
    ),
]

Target = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Label whose threshold changes, if the run has several labels. By default, all thresholds change.",
    ),
]


@manual(
    "nnfs decide runs/breast_cancer-1 --costs fp=1,fn=20",
    "nnfs decide runs/breast_cancer-1 --threshold none",
    guide="predictions",
)
def decide(
    run: RunFolder = None,
    threshold: ThresholdChoice = None,
    costs: CostsChoice = None,
    target: Target = None,
    code: Code = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Keep a threshold between two classes in RUN, for `nnfs predict` and `nnfs evaluate`.

    `nnfs evaluate` with the same options shows the figures at a threshold before you keep it.
    """
    if (threshold is None) == (costs is None):
        raise UserError("give either --threshold or --costs, such as --threshold 0.3 or --costs fp=1,fn=20")
    load(code)
    from nnfs_cli import workflows

    opened = open_run(run_meant(run, quiet))
    path = opened.path.as_posix()
    decision = workflows.decide(opened, parse_threshold(threshold), parse_costs(costs), target=target)
    if json:
        print_json({"run": path, "decision": decision})
        return
    print(threshold_rule(decision) if decision else "predict the class of the highest probability")
    suggest(f"nnfs evaluate {shlex.quote(path)}, then nnfs predict --run {shlex.quote(path)} --input FILE", quiet)


def threshold_rule(decision: Mapping[str, Any]) -> str:
    """Return the rule of a threshold, as in "predict 'benign' at probability 0.4788 or more"; of each label."""
    if "targets" in decision:
        return "; ".join(f"{target}: {threshold_rule(rule)}" for target, rule in decision["targets"].items())
    return f"predict '{decision['class']}' at probability {number(decision['threshold'])} or more"


def parse_threshold(text: str | None) -> Threshold | None:
    """Return the threshold that a text names. Raises `UserError`."""
    match text:
        case None | "best_f1" | "best_accuracy" | "none" as known:
            return known
    with contextlib.suppress(ValueError):
        if 0 <= float(text) <= 1:
            return float(text)
    raise UserError(f"--threshold takes best_f1, best_accuracy, a number from 0 to 1 or none, found '{text}'")


def parse_costs(text: str | None) -> dict[str, float] | None:
    """Return the costs that a text names, such as fp=1,fn=20. Raises `UserError`."""
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        pairs = [part.split("=") for part in text.split(",")]
        costs = {name.strip(): float(value) for name, value in pairs}
        if len(pairs) == 2 and set(costs) == {"fp", "fn"} and all(0 < cost < math.inf for cost in costs.values()):
            return costs
    raise UserError(f"--costs takes two numbers above 0, such as fp=1,fn=20, found '{text}'")
