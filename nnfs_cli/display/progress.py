"""Choose how progress is shown, by where it is shown: in a notebook, on a terminal, in a file or not at all."""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from nnfs_cli.display.notebook import FoldTable, Notebook, in_notebook
from nnfs_cli.display.region import obeys_escapes
from nnfs_cli.display.stderr import note
from nnfs_cli.display.text import number
from nnfs_cli.errors import ConfigError
from nnfs_cli.metrics.direction import Mode
from nnfs_cli.system.wording import shown
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.progress import LogRow

if TYPE_CHECKING:
    from nnfs_cli.training.callbacks.checkpoint import Checkpoint
    from nnfs_cli.workflows.cross_validate import Report


def progress_for(
    verbose: bool | None, checkpoint: Checkpoint | None = None, earlier: Sequence[LogRow] = ()
) -> list[Callback]:
    """Return the callbacks that show the progress of a training; an empty list if it is silent.

    True: a display in a notebook, curves on a terminal, lines in a file or a pipe. False: nothing.
    None: as True in a notebook or an interactive session on a terminal, as False in a script and in threads.
    `checkpoint` says by which figure an epoch is the best; without it, no epoch is marked, as none is kept. `earlier`
    are the rows of the log of a run that is resumed. Raises `ConfigError` if `verbose` is anything else.
    """
    if not _wanted(verbose):
        return []
    best: tuple[str | None, Mode] = (None, "min")
    if checkpoint is not None:
        best = checkpoint.monitor or "val_loss", checkpoint.mode or "min"
    if in_notebook():
        return [Notebook(*best)]
    if sys.stderr.isatty() and obeys_escapes(sys.stderr):
        from nnfs_cli.display.live import Live

        return [Live(*best, earlier)]
    from nnfs_cli.display.lines import TERMINAL_LINES, Lines

    return [Lines(TERMINAL_LINES if sys.stderr.isatty() else None)]


def fold_report(verbose: bool | None, configs: Collection[str], folds: int, repeats: int) -> Report:
    """Return the function that `cross_validate` calls after each fold: it adds a row or a line, or does nothing.

    `verbose` is as for `progress_for`; `configs` are the names of the configs.
    """
    if not _wanted(verbose):
        return lambda *_: None
    if in_notebook():
        return FoldTable(len(configs), folds, repeats)

    def report(name: str, repeat: int, fold: int, figures: dict[str, float]) -> None:
        texts = ", ".join(f"{figure} {number(value)}" for figure, value in figures.items())
        owner = f", {name}" if len(configs) > 1 else ""
        note(f"fold {repeat * folds + fold + 1} of {folds * repeats}{owner}: {texts}")

    return report


def _wanted(verbose: bool | None) -> bool:
    """Return whether progress is shown; None depends on whether somebody watches."""
    if not (verbose is None or isinstance(verbose, int)):
        raise ConfigError(f"verbose should be True, False or None, found {shown(verbose)}")
    if verbose is None and threading.current_thread() is threading.main_thread():
        verbose = in_notebook() or (hasattr(sys, "ps1") and sys.stderr is not None and sys.stderr.isatty())
    return bool(verbose) and (sys.stderr is not None or in_notebook())
