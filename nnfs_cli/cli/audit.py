"""`nnfs audit`: find the faults of the data itself with the predictions of nets that have not seen the rows."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, ConfigOrRun, Json, Overrides, Quiet, load, read
from nnfs_cli.cli.paths import is_run, open_run, run_meant
from nnfs_cli.cli.terminal import fact, print_fact, print_json, styled, suggest, width_of
from nnfs_cli.display.text import duration, fold, narrow_table
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import counted, cut

if TYPE_CHECKING:
    from nnfs_cli.audit.audit import Audit
    from nnfs_cli.audit.finding import RowFinding
    from nnfs_cli.config.config import Config
    from nnfs_cli.experiment.experiment import Experiment
    from nnfs_cli.training.callbacks import Callback

WIDTH = 80  # of a file or a pipe


@manual(
    "nnfs audit configs/breast_cancer.yaml",
    "nnfs audit configs/iris.yaml --output faults.csv",
    guide="audit",
)
def audit(
    subject: ConfigOrRun = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all rows that were found to this file, with the reasons.")
    ] = None,
    top: Annotated[int, typer.Option(min=0, metavar="N", help="Number of rows of each kind to show.")] = 5,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Find faults in the data of CONFIG or RUN: improbable labels, outliers, duplicates, useless columns.

    Answers are judged by nets that have not seen their rows. A CONFIG is trained in folds, so that all rows are judged.
    A RUN judges its held-out rows, which with the preset are all of them. No run is written. The exit code is
    0 whatever is found.
    """
    subject = run_meant(subject, quiet, "any")
    if set_ and is_run(subject):
        raise UserError(
            "--set changes a config, and a run keeps the settings that it was trained with; leave --set out"
        )
    if output is not None:
        from nnfs_cli.system.files import require_folder_of
        from nnfs_cli.workflows.write_rows import check_destination

        check_destination(str(output))
        require_folder_of(output)
    found = _audit(subject, output, set_, code, quiet or json)
    if output is not None:
        from nnfs_cli.workflows.write_rows import write_rows

        write_rows([found.table()], str(output))
    if json:
        print_json({"subject": subject.as_posix(), **found.plain(top), "output": output and output.as_posix()})
        return
    _print_audit(found, top)
    if output is not None:
        if not quiet:
            fact("output", f"{output.as_posix()}, {counted(sum(map(len, found.findings)), 'row')}")
    elif found.findings:
        suggest(f"nnfs audit {shlex.quote(subject.as_posix())} --output faults.csv lists all rows", quiet)


def _audit(subject: Path, output: Path | None, set_: list[str] | None, code: list[Path] | None, quiet: bool) -> Audit:
    """Audit a config or a run, and say on stderr what is trained, and how long it took, unless `quiet`."""
    if is_run(subject):
        load(code)
        from nnfs_cli.audit.audit import audit_run

        of_run = audit_run(open_run(subject))
        _refuse_data(output, of_run.rows.predictor.config)
        return of_run
    config = read(subject, set_, code)
    _refuse_data(output, config)
    from nnfs_cli.audit.audit import audit_config
    from nnfs_cli.display.progress import progress_for

    def announce(experiment: Experiment) -> Sequence[Callback]:
        if not quiet:
            rows = counted(len(experiment.splits["train"]), "row")
            fact("training", f"{experiment.config.members} nets on {rows}, each without the rows that it judges")
        return progress_for(not quiet, experiment.config.checkpoint)

    start = time.monotonic()
    found = audit_config(config, announce)
    if not quiet:
        fact("time", duration(time.monotonic() - start))
    return found


def _refuse_data(output: Path | None, config: Config) -> None:
    """Raise `UserError` for an output that is a file of the data: it would be lost."""
    from nnfs_cli.system.files import is_one_of

    if output is not None and is_one_of(output, config.data_files):
        raise UserError(f"{output.as_posix()} is the data; name another file for what is found")


def _print_audit(found: Audit, top: int) -> None:
    """Print what was found, with some rows of each kind."""
    print_fact("rows", found.looked_at)
    print_fact("findings", found.summary)
    for one in found.findings:
        _print_finding(found, one, top)
    if found.columns is not None and str(found.columns):
        print(f"\n{styled('warning' if found.columns.hurting else 'label', 'columns', sys.stdout)}")
        print_fact("  found", str(found.columns), "dim")
        print_fact("  remedy", found.columns.remedy, "dim")
    if len(found.slices):
        print(f"\n{styled('warning', 'slices', sys.stdout)}")
        print_fact("  found", found.slices.summary(), "dim")
        print_fact("  remedy", "collect more rows of these groups, or columns that tell what is special there", "dim")
        for group in found.slices:
            print()
            for line in fold(str(group), (width_of(sys.stdout) or WIDTH) - 2, "  "):
                print(f"  {line}")
    if found.notes:
        print()
    for note in found.notes:
        print_fact("note", note)


def _print_finding(found: Audit, one: RowFinding, top: int) -> None:
    """Print a kind of fault, and the rows that have it most."""
    print(f"\n{styled('warning', one.code, sys.stdout)}")
    for label, text in (("found", one.measured), ("why", one.why), ("remedy", one.remedy)):
        print_fact(f"  {label}", text, "dim")
    if not top:
        return
    header, rows = found.examples(one, top)
    width = (width_of(sys.stdout) or WIDTH) - 2
    print()
    for line in narrow_table(header, rows, width, range(1, len(header)), header.index("reason") + 1).splitlines():
        print(f"  {cut(line, width)}")
    if len(one) > top:
        print(f"  {len(one) - top:,} more")
