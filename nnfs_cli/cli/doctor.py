"""`nnfs doctor`: find what is wrong with a training, before or after it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.cli.completion import complete_config, complete_run
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Overrides, Quiet, load, read
from nnfs_cli.cli.paths import is_run, open_run
from nnfs_cli.cli.terminal import INDENT, print_json, styled, suggest, width_of
from nnfs_cli.display.text import fold
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import in_a_line

if TYPE_CHECKING:
    from nnfs_cli.doctor.diagnosis import Diagnosis, Examination


def _complete(incomplete: str) -> list[str]:
    return [*complete_config(incomplete), *complete_run(incomplete)]


@manual("nnfs doctor configs/breast_cancer.yaml", "nnfs doctor runs/breast_cancer-1 --json", guide="doctor")
def doctor(
    subject: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG|RUN", help="YAML file before training, or run directory after it.", autocompletion=_complete
        ),
    ],
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Find what is wrong with a training: of CONFIG before it starts, or of RUN after it.

    Each diagnosis says what was measured, why it matters, and what to change. Nothing is written. The exit code is 0
    with diagnoses, too.
    """
    examination = _examine(subject, set_, code)
    if json:
        print_json(examination.plain())
        return
    _print(examination.diagnoses)
    for sentence in examination.unexamined:
        _line("unexamined", sentence)
    if examination.diagnoses:
        suggest("nnfs guide doctor explains each diagnosis by its name", quiet)


def _examine(subject: Path, set_: list[str] | None, code: list[Path] | None) -> Examination:
    if is_run(subject):
        if set_:
            raise UserError("--set changes a config; a run keeps the settings that it was trained with")
        load(code)
        from nnfs_cli.doctor.examine_run import examine_run

        return examine_run(open_run(subject))
    config = read(subject, set_, code)
    from nnfs_cli.doctor.examine_config import examine_config

    return examine_config(config)


def _print(diagnoses: Sequence[Diagnosis]) -> None:
    """Print each diagnosis: what was measured, why it matters, and what to change."""
    if not diagnoses:
        _line("diagnoses", "none")
        return
    _line("diagnoses", f"{len(diagnoses):,}")
    for one in diagnoses:
        print()
        style = "warning" if one.severity == "warning" else "label"
        print(styled(style, one.code, sys.stdout))
        _line("  measured", one.measured)
        _line("  why", one.why)
        _line("  remedy", one.remedy)


def _line(label: str, text: str) -> None:
    lines = fold(f"{label:<{INDENT}}{in_a_line(text)}", width_of(sys.stdout) or 80, " " * INDENT)
    print(styled("label", label, sys.stdout) + "\n".join(lines)[len(label) :])
