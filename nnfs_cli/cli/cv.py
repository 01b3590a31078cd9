"""`nnfs cv`: how good a config is, and whether another one is better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.cli.options import Code, Json, Overrides, Quiet, read
from nnfs_cli.cli.terminal import fact, note, number, print_json, table
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import counted

if TYPE_CHECKING:
    from nnfs_cli.workflows import CrossValidation, Estimate


def cv(
    configs: Annotated[list[Path], typer.Argument(metavar="CONFIG...", help="YAML files about the same rows.")],
    folds: Annotated[int, typer.Option(min=2, help="Parts into which the rows are dealt.")] = 5,
    repeats: Annotated[int, typer.Option(min=1, help="How often they are dealt anew.")] = 1,
    output: Annotated[
        Path | None, typer.Option(help="A file for what was predicted of each row; <name>-cv.csv unless given.")
    ] = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Train what CONFIG describes once for each fold of the rows, without that fold, and judge it by it.

    Prints the mean of each figure with an interval that holds it in 95 of 100 cases, and writes what was predicted of
    each row to a file. Of several configs it says whether they differ on the same folds. Test rows take no part.
    """
    named = {path.stem if _single(path, configs) else path.as_posix(): path for path in configs}
    if len(named) < len(configs):
        raise UserError("the same config stands there twice; compare it with another one")
    specs = {name: read(path, set_, code) for name, path in named.items()}
    from nnfs_cli import workflows
    from nnfs_cli.data.write_table import writer_for
    from nnfs_cli.system.files import write_atomically

    target = output or Path(f"{next(iter(specs.values())).name}-cv.csv")

    def report(name: str, repeat: int, fold: int, figures: dict[str, float]) -> None:
        done = repeat * folds + fold + 1
        of = ", ".join(f"{figure} {number(value)}" for figure, value in figures.items())
        note(f"fold {done} of {folds * repeats}{f', {name}' if len(specs) > 1 else ''}: {of}")

    found = workflows.cross_validate(specs, folds, repeats, (lambda *_: None) if quiet else report)

    def write(file: object) -> None:
        with writer_for(target.suffix, file) as writer:  # type: ignore[arg-type]
            writer.write(found.predictions)

    write_atomically(target, write)
    if json:
        print_json({**_plain(found), "predictions": target.as_posix()})
        return
    note("")
    dealt = f"{counted(found.rows, 'row')} in {folds} folds" + (f", {repeats} times" if repeats > 1 else "")
    fact("rows", dealt)
    fact("output", f"{target.as_posix()}, {counted(len(found.predictions['row']), 'prediction')}")
    print(_tables(found))


def _single(path: Path, configs: list[Path]) -> bool:
    """Whether the path's stem alone tells it from the others."""
    return sum(other.stem == path.stem for other in configs) == 1


def _tables(found: CrossValidation) -> str:
    """A table for each config, and one for each that is compared with the first."""
    tables = [
        table([name, "mean", "95 % interval"], [_line(figure, one) for figure, one in of.items()])
        for name, of in found.estimates().items()
    ]
    first = next(iter(found.figures))
    for name, of in found.differences().items():
        lines = [[*_line(figure, one), _verdict(one)] for figure, one in of.items()]
        tables.append(table([f"{name} - {first}", "mean", "95 % interval", "is it real?"], lines))
    return "\n\n".join(tables)


def _line(figure: str, one: Estimate) -> list[str]:
    return [figure, number(one.mean), f"{number(one.low)} to {number(one.high)}"]


def _verdict(one: Estimate) -> str:
    """Whether an interval of differences is on one side of 0."""
    return "yes" if one.low > 0 or one.high < 0 else "it may be chance"


def _estimates(of: dict[str, Estimate]) -> dict[str, object]:
    from nnfs_cli.workflows.figures import finite

    return {figure: finite(one._asdict()) for figure, one in of.items()}


def _plain(found: CrossValidation) -> dict[str, object]:
    from nnfs_cli.workflows.figures import finite

    first = next(iter(found.figures))
    return {
        "rows": found.rows,
        "folds": found.folds,
        "repeats": found.repeats,
        "configs": {
            name: {"folds": [*map(finite, found.figures[name])], "estimates": _estimates(of)}
            for name, of in found.estimates().items()
        },
        "differences": {f"{name} - {first}": _estimates(of) for name, of in found.differences().items()},
    }
