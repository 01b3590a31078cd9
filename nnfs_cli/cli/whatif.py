"""`nnfs whatif`: show what a row would need to get another answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.completion import complete_table
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Quiet, RunFolder, load, split_names
from nnfs_cli.cli.paths import open_run, require_table, run_meant
from nnfs_cli.cli.terminal import print_fact, print_json, suggest

RowFile = Annotated[
    Path,
    typer.Option(
        metavar="FILE", help="Table with the row, with the input columns in any order.", autocompletion=complete_table
    ),
]

Wish = Annotated[
    str,
    typer.Option(
        metavar="VALUE",
        help="Prediction that the row should get: a class; or for numbers a bound or a range, such as '>= 300000',"
        " '<= 5' or 10..20. Of several targets, name one: hail=yes.",
    ),
]

Vary = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN,...", help="Columns that may change; by default all of them. Repeatable."),
]

Fixed = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN,...", help="Columns that cannot change, such as age,sex. Repeatable."),
]


@manual(
    "nnfs whatif --row configs/examples/new_rows.csv --number 2 --target malignant",
    "nnfs whatif --row configs/examples/new_rows.csv --number 1 --target benign -q",
    guide="predictions",
)
def whatif(
    row: RowFile,
    target: Wish,
    run: RunFolder = None,
    number: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Row of FILE, from 1, if it has several rows.")
    ] = None,
    vary: Vary = None,
    keep: Fixed = None,
    answers: Annotated[int, typer.Option(min=1, max=20, metavar="K", help="Answers to look for.")] = 3,
    code: Code = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show the smallest changes of a row with which the model of RUN gives another answer.

    Cells stay within the range of the training rows, and categories among theirs. Each answer changes other columns,
    the nearest answer comes first, and `nnfs predict` gives it. It says what the model would answer, not what a change
    would cause in the world.
    """
    load(code)
    require_table(row)
    from nnfs_cli.explain.whatif.whatif import whatif as search

    opened = open_run(run_meant(run, quiet))
    vary, keep = ([name for value in values or () for name in split_names(value)] for values in (vary, keep))
    found = search(opened, row, target, vary=vary, keep=keep, answers=answers, number=number)
    if json:
        print_json({"run": opened.path.as_posix(), **found.plain()})
        return
    from nnfs_cli.explain.whatif.answer import change_lines

    for label, text in found.facts:
        print_fact(label, text)
    for title, answer in found.titled:
        print()
        print_fact(title, answer.text)
        print(change_lines(answer))
    if not vary and not keep and not found.reached:
        suggest("all columns may change; name those that cannot with --keep", quiet)
