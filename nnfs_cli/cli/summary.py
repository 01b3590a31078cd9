"""`nnfs summary`: the layers of a net with their shapes, parameters, memory and multiply-adds."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, ConfigOrRun, Json, Overrides, Quiet, load, read
from nnfs_cli.cli.paths import is_run, open_run, run_meant
from nnfs_cli.cli.terminal import print_fact, print_json, styled, width_of
from nnfs_cli.display.text import byte_size, fold, table
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import counted, listing

if TYPE_CHECKING:
    from nnfs_cli.arrays import Shape
    from nnfs_cli.inspection.net_cost import NetCost

HEADER = ("layer", "shape of a row", "parameters", "memory", "outputs", "multiply-adds")


@manual("nnfs summary configs/breast_cancer.yaml", "nnfs summary configs/iris.yaml --formula", guide="components")
def summary(
    subject: ConfigOrRun = None,
    formula: Annotated[
        bool, typer.Option("--formula", help="Also print the forward and backward formulas of each kind of layer.")
    ] = False,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Print the layers of the net of CONFIG or RUN, with their shapes and costs.

    For each layer: the shape of an output row, the learned parameters, the memory of the parameters and of the outputs
    for a batch, and the multiply-adds in the matrix products of a forward pass, for a row. A layer includes those
    inside it, which are indented.
    """
    cost = _cost(run_meant(subject, quiet), set_, code)
    if json:
        print_json(cost.plain(formulas=formula))
        return
    rows = [
        [
            "  " * line.depth + line.layer,
            shape_text(line.shape),
            count_text(line.parameters),
            byte_size(line.parameter_bytes) if line.parameter_bytes else "",
            byte_size(line.output_bytes),
            count_text(line.multiply_adds),
        ]
        for line in cost.layers
    ]
    sums = [byte_size(cost.total(figure)) for figure in ("parameter_bytes", "output_bytes")]
    rows.append([cost.all, "", f"{cost.total('parameters'):,}", *sums, f"{cost.total('multiply_adds'):,}"])
    print_layers(HEADER, rows)
    print()
    print_fact("memory", "that of the parameters; `nnfs check CONFIG` estimates what training needs")
    print_fact("outputs", f"those of all layers for a batch of {counted(cost.batch, 'row')}")
    if cost.blend:
        beside = f"{listing(cost.blend)}, beside the net and not in this table; their size depends on the rows"
        print_fact("blend", beside)
    if formula:
        for name, (forward, backward) in cost.formulas().items():
            print()
            print(styled("label", name, sys.stdout))
            print_fact("  forward", forward)
            print_fact("  backward", backward)


def _cost(subject: Path, set_: list[str] | None, code: list[Path] | None) -> NetCost:
    if is_run(subject):
        if set_:
            raise UserError("--set changes a config; a run keeps the settings that it was trained with")
        load(code)
        from nnfs_cli.workflows.summarize import cost_of_run

        return cost_of_run(open_run(subject))
    config = read(subject, set_, code)
    from nnfs_cli.inspection.net_cost import cost_of_config

    return cost_of_config(config)


def print_layers(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table of layers, whose first column is folded where the terminal is too narrow for it."""
    others = [max(len(row[i]) for row in (header, *rows)) + 2 for i in range(1, len(header))]
    room, folded = max((width_of(sys.stdout) or 80) - sum(others), 12), []
    for layer, *cells in rows:
        indent = " " * (len(layer) - len(layer.lstrip()))
        first, *more = fold(layer.strip(), room - len(indent), "  ")
        folded += [[indent + first, *cells], *([indent + line, *[""] * len(cells)] for line in more)]
    heading, *lines = (line.rstrip() for line in table(header, folded).splitlines())
    print("\n".join([styled("heading", heading, sys.stdout), *lines]))


def shape_text(shape: Shape) -> str:
    """Return a shape, as in "28 x 28"."""
    return " x ".join(map(str, shape))


def count_text(n: int) -> str:
    """Return a number, or nothing for 0."""
    return f"{n:,}" if n else ""
