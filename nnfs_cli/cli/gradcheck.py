"""`nnfs gradcheck`: compare the gradients of a net with numerical ones."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, ConfigFile, Json, Overrides, Quiet, read
from nnfs_cli.cli.terminal import print_json, styled
from nnfs_cli.display.text import table

if TYPE_CHECKING:
    from nnfs_cli.nn.layer_check import ArrayCheck, LayerCheck
    from nnfs_cli.nn.net_check import NetCheck

ROUNDING = 1e-6  # a smaller error tells nothing


@manual(
    "nnfs gradcheck configs/iris.yaml",
    "nnfs gradcheck configs/moons.yaml --set layers.1=tanh --json",
    guide="trace",
)
def gradcheck(
    config: ConfigFile,
    rows: Annotated[int, typer.Option(min=1, metavar="N", help="Rows of the batch that are used, at most all.")] = 128,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Compare the gradients of the net of CONFIG with numerical ones, on a real batch in float64.

    Each layer and the loss are checked by themselves, so that only the one at fault is wrong, and each parameter
    through the whole net. Entries at a kink, such as that of relu at 0, are left out. The exit code is 3 if a gradient
    is wrong.
    """
    spec = read(config, set_, code)
    from nnfs_cli.trace.gradcheck import gradcheck as check
    from nnfs_cli.trace.gradcheck import require_right

    found = check(spec, rows)
    if json:
        print_json(_plain(found))
    else:
        _print(found)
    require_right(found)


def _print(found: NetCheck) -> None:
    """Print a line for the gradient by each array: of each layer by itself, and through the whole net."""
    lines = [line for one in (*found.layers, found.loss) for line in _lines(one)]
    _print_table("Each layer by itself", ["", "", "with respect to", "entries", "error", ""], lines)
    print()
    lines = [[array.name, *_figures(array)] for array in found.parameters]
    _print_table("Each parameter through the whole net", ["", "entries", "error", ""], lines)


def _lines(check: LayerCheck) -> Iterator[list[str]]:
    own = [array for array in check.arrays if "." not in array.name or check.path == "embedding"]
    for i, array in enumerate(own):
        place = [check.path, check.title] if i == 0 else ["", ""]
        yield [*place, array.name, *_figures(array)]


def _figures(array: ArrayCheck) -> list[str]:
    """Return how many entries were compared, the largest error, and whether it is wrong."""
    error = "-" if not array.smooth else f"< {ROUNDING:.0e}" if array.error < ROUNDING else f"{array.error:.1e}"
    return [f"{len(array.smooth)}", error, "wrong" if array.wrong else ""]


def _print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(styled("heading", title, sys.stdout))
    left = {*range(len(header) - 3), len(header) - 1}
    heading, *lines = (line.rstrip() for line in table(header, rows, left).splitlines())
    print(styled("dim", heading, sys.stdout))
    for row, line in zip(rows, lines, strict=True):
        print(styled("error", line, sys.stdout) if row[-1] else line)


def _plain(found: NetCheck) -> dict[str, Any]:
    return {
        "wrong": found.wrong,
        "blamed": [one.path for one in found.blamed],
        "layers": [_plain_layer(one) for one in (*found.layers, found.loss)],
        "parameters": [_plain_array(array) for array in found.parameters],
    }


def _plain_layer(check: LayerCheck) -> dict[str, Any]:
    arrays = [_plain_array(array) for array in check.arrays]
    return {"path": check.path, "layer": check.title, "gradients": arrays, "faults": check.faults}


def _plain_array(array: ArrayCheck) -> dict[str, Any]:
    error = array.error if math.isfinite(array.error) else None
    counts = {"entries": len(array.smooth), "kinks": len(array.entries) - len(array.smooth)}
    return {"by": array.name, **counts, "error": error, "wrong": array.wrong}
