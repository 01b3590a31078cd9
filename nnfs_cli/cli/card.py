"""`nnfs card`: write the model card of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Quiet, RunFolder, load
from nnfs_cli.cli.paths import open_run, run_meant
from nnfs_cli.cli.terminal import print_json, suggest


@manual(
    "nnfs card runs/breast_cancer-1",
    "nnfs card runs/breast_cancer-1 --output card.md",
    guide="report",
)
def card(
    run: RunFolder = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="New file to write, such as card.md; by default stdout.")
    ] = None,
    code: Code = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the model card of RUN in Markdown: what it predicts, from what, how good it is, and its limits.

    Metadata for Hugging Face is on top. Lines that begin with "To fill in" ask for what only people know, such as what
    the model is for. The card holds no row of the data.
    """
    load(code)
    opened = open_run(run_meant(run, quiet))
    from nnfs_cli.report.card.card import model_card, write_card
    from nnfs_cli.report.card.metadata import metadata
    from nnfs_cli.report.run_facts import RunFacts

    facts = RunFacts(opened, thorough=True)
    text = model_card(facts)
    if output is not None:
        path = write_card(text, output).as_posix()
        print_json({"run": opened.path.as_posix(), "card": path}) if json else print(path)
        suggest(f"fill in what {path} asks for", quiet or json)
    elif json:
        print_json({"run": opened.path.as_posix(), "metadata": metadata(facts), "card": text})
    else:
        print(text, end="")
        suggest("--output card.md writes it to a file", quiet)
