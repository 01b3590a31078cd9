"""`nnfs cv`: estimate how good a config is by cross-validation, and compare it with other configs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.cli.completion import complete_config
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Overrides, Quiet, read
from nnfs_cli.cli.terminal import fact, print_json, suggest
from nnfs_cli.display.estimates import estimate_tables
from nnfs_cli.display.stderr import note
from nnfs_cli.display.text import table
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import counted

if TYPE_CHECKING:
    from nnfs_cli.workflows import CrossValidation, FoldEstimate


@manual(
    "nnfs cv configs/breast_cancer.yaml",
    "nnfs cv configs/iris.yaml --folds 3 --repeats 2 --set epochs=9",
    guide="evaluation",
)
def cv(
    configs: Annotated[
        list[Path],
        typer.Argument(
            metavar="CONFIG...",
            help="Config files for the same rows. The others are compared with the first.",
            autocompletion=complete_config,
        ),
    ],
    folds: Annotated[int, typer.Option(min=2, metavar="K", help="Number of folds.")] = 5,
    repeats: Annotated[int, typer.Option(min=1, metavar="N", help="Number of times to draw new folds.")] = 1,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the prediction of each row to this file; by default <name>-cv.csv."),
    ] = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Cross-validate CONFIG: train on all folds but one, score on that one.

    Prints the mean of each figure with its 95 % confidence interval. For several configs, also prints whether their
    figures differ on the same folds. Test rows are not used.
    """
    named = {path.stem if _has_own_stem(path, configs) else path.as_posix(): path for path in configs}
    if len(named) < len(configs):
        raise UserError("the same config is given twice; compare it with another one")
    read_configs = {name: read(path, set_, code) for name, path in named.items()}
    from nnfs_cli import workflows
    from nnfs_cli.data.write_table import writer_for
    from nnfs_cli.display.progress import fold_report
    from nnfs_cli.system.files import write_atomically

    target = output or Path(f"{next(iter(read_configs.values())).name}-cv.csv")
    report = fold_report(not quiet, read_configs, folds, repeats)
    found = workflows.cross_validate(read_configs, folds, repeats, report)

    def write(file: object) -> None:
        with writer_for(target.suffix, file) as writer:  # type: ignore[arg-type]
            writer.write(found.predictions)

    replaced = target.exists()
    write_atomically(target, write)
    if json:
        print_json({**_plain(found), "predictions": target.as_posix()})
        return
    if not quiet:
        times = f", {repeats} times" if repeats > 1 else ""
        note("")
        fact("rows", f"{counted(found.rows, 'row')} in {folds} folds{times}")
        written = f"{target.as_posix()}{' (replaced)' if replaced else ''}"
        fact("output", f"{written}, {counted(len(found.predictions['row']), 'prediction')}")
        note("")
    print("\n\n".join(table(*parts) for parts in estimate_tables(found)))
    best = shlex.quote(configs[0].as_posix()) if len(configs) == 1 else "CONFIG, with the better config"
    suggest(f"nnfs train {best}", quiet)


def _has_own_stem(path: Path, configs: list[Path]) -> bool:
    return sum(other.stem == path.stem for other in configs) == 1


def _plain_estimates(estimates: dict[str, FoldEstimate]) -> dict[str, object]:
    from nnfs_cli.workflows.figures import finite

    return {figure: finite(estimate._asdict()) for figure, estimate in estimates.items()}


def _plain(found: CrossValidation) -> dict[str, object]:
    from nnfs_cli.workflows.figures import finite

    first = next(iter(found.figures))
    return {
        "rows": found.rows,
        "folds": found.folds,
        "repeats": found.repeats,
        "configs": {
            name: {"folds": [*map(finite, found.figures[name])], "estimates": _plain_estimates(estimates)}
            for name, estimates in found.estimates().items()
        },
        "differences": {
            f"{name} - {first}": _plain_estimates(differences) for name, differences in found.differences().items()
        },
    }
