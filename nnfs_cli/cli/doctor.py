"""`nnfs doctor`: find what is wrong with a training, before or after it."""

from __future__ import annotations

import math
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnfs_cli.cli.completion import complete_config, complete_run
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Overrides, Quiet, load, read
from nnfs_cli.cli.paths import is_run, open_run, run_meant
from nnfs_cli.cli.terminal import INDENT, print_fact, print_json, styled, suggest, width_of
from nnfs_cli.errors import UserError

if TYPE_CHECKING:
    from nnfs_cli.doctor.before.range_test import RangeTest
    from nnfs_cli.doctor.diagnosis import Diagnosis, Examination
    from nnfs_cli.inspection.fix import Fix

HEIGHT, WIDEST = 8, 72  # of the curve of the range test
FAR = 2_000  # times the suggested lr that is drawn, downwards


def _complete(incomplete: str) -> list[str]:
    return [*complete_config(incomplete), *complete_run(incomplete)]


@manual(
    "nnfs doctor configs/breast_cancer.yaml",
    "nnfs doctor configs/iris.yaml --set lr=50",
    "nnfs doctor runs/breast_cancer-1 --json",
    guide="doctor",
)
def doctor(
    subject: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG|RUN",
            help="YAML file before training, or run directory after it; by default the newest run.",
            autocompletion=_complete,
        ),
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Write a config with the remedies, NAME.fixed.yaml.")] = False,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Find what is wrong with a training: of CONFIG before it starts, or of RUN after it.

    Each diagnosis says what was measured, why it matters, and what to change. Nothing is written without --fix, which
    leaves CONFIG as it is. The exit code is 0 with diagnoses, too.
    """
    subject = run_meant(subject, quiet, "any")
    if set_ and (fix or is_run(subject)):
        given = "--fix changes the file as it is" if fix else "a run keeps the settings that it was trained with"
        raise UserError(f"--set changes a config for this examination only, and {given}; leave --set out")
    examination = _examine(subject, set_, code)
    fixed, path = _fix(subject, examination) if fix else (None, None)
    if json:
        print_json({**examination.plain(), **_plain(fixed, path)})
        return
    _print_examination(examination)
    if fix:
        _print_fix(fixed, path)
    _suggest(subject, examination, path, quiet)


def _examine(subject: Path, set_: list[str] | None, code: list[Path] | None) -> Examination:
    if is_run(subject):
        load(code)
        from nnfs_cli.doctor.examine_run import examine_run

        return examine_run(open_run(subject))
    config = read(subject, set_, code)
    from nnfs_cli.doctor.examine_config import examine_config

    return examine_config(config)


def _fix(subject: Path, examination: Examination) -> tuple[Fix | None, Path | None]:
    """Write the config with the remedies beside the old one, or that of a run to the current folder."""
    from nnfs_cli.doctor.fixed_file import text_of_run, write_beside
    from nnfs_cli.inspection.fix import fix, text_of_config

    if is_run(subject):
        folder, path = Path.cwd(), Path(subject.name)
        text = text_of_run(open_run(subject), folder)
    else:
        folder, path, text = subject.absolute().parent, subject, text_of_config(subject)
    fixed = fix(text, folder, [(one.code, one.edits) for one in examination.diagnoses])
    return (fixed, write_beside(path, fixed.after)) if fixed.applied else (None, None)


def _plain(fixed: Fix | None, path: Path | None) -> dict[str, Any]:
    """Return what was changed, for JSON."""
    if fixed is None or path is None:
        return {"fixed": None}
    return {"fixed": {"path": path.as_posix(), "applied": fixed.applied, "difference": list(fixed.difference)}}


def _print_examination(examination: Examination) -> None:
    """Print the diagnoses, what could not be examined, and the range test of the learning rate."""
    diagnoses = examination.diagnoses
    print_fact("diagnoses", f"{len(diagnoses):,}" if diagnoses else "none")
    for one in diagnoses:
        _print_diagnosis(one)
    if diagnoses:
        print()
    for sentence in examination.unexamined:
        print_fact("unexamined", sentence)
    if examination.range_test:
        _print_range_test(examination.range_test)


def _print_diagnosis(one: Diagnosis) -> None:
    style = "warning" if one.severity == "warning" else "label"
    print(f"\n{styled(style, one.code, sys.stdout)}{'' if one.severity == 'warning' else ' (a note)'}")
    for label, text in (("measured", one.measured), ("why", one.why), ("remedy", one.remedy)):
        print_fact(f"  {label}", text, "dim")


def _print_range_test(test: RangeTest) -> None:
    """Print the loss by learning rate, and the rate that the test suggests."""
    from nnfs_cli.display.text_curves import MARK, shows_braille, text_curves

    points = [(float(f"{lr:.2g}"), float(loss)) for lr, loss in zip(test.lr, test.loss, strict=True)]
    if test.suggested is not None:  # far below, the curve is flat
        points = [point for point in points if point[0] > test.suggested / FAR]
    braille = shows_braille(sys.stdout)
    width = min((width_of(sys.stdout) or 80) - INDENT, WIDEST)
    mark, said = None, "no lr clearly lowers the loss"
    if test.suggested is not None:
        said = f"lr {test.suggested:g} is suggested ({MARK[braille]})"
        mark = min(points, key=lambda point: abs(math.log(point[0] / (test.suggested or 1.0))))
    said = (
        f"lr {test.suggested:g} is suggested ({MARK[braille]})"
        if test.suggested is not None
        else "no lr clearly lowers the loss"
    )
    print_fact("range test", f"{said}; the loss of batches while lr grows in each step:")
    for line in text_curves({"loss": points}, width, HEIGHT, log_x=True, mark=mark, x_label="lr", braille=braille):
        print(" " * INDENT + line)


def _print_fix(fixed: Fix | None, path: Path | None) -> None:
    """Print the changed lines of the config, and the path of the new file."""
    if fixed is None or path is None:
        print_fact("fixed", "nothing: no diagnosis has a remedy that nnfs can write into a config")
        return
    print_fact("fixed", f"{path.as_posix()}, where these lines differ:")
    for line in fixed.difference:
        print(f"{' ' * INDENT}{line}")


def _suggest(subject: Path, examination: Examination, path: Path | None, quiet: bool) -> None:
    if path is not None:
        new = shlex.quote(path.as_posix())
        suggest(f"examine the new file again: nnfs doctor {new}", quiet)
    elif examination.diagnoses:
        more = "; --fix writes a config with the remedies" if examination.edits else ""
        suggest(f"nnfs guide doctor explains each diagnosis{more}", quiet)
    elif not is_run(subject):
        suggest(f"nnfs train {shlex.quote(subject.as_posix())}", quiet)
