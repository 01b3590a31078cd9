"""Choose how the progress of a training is shown, by where it is shown."""

from __future__ import annotations

import sys

from nnfs_cli.training.callbacks import Callback


def progress_for(verbose: bool | None) -> list[Callback]:
    """Return the callbacks that show the progress of a training; an empty list if it is silent.

    True: a bar on a terminal, plain lines in a file or a pipe. False: nothing.
    None: a bar in an interactive session on a terminal, nothing in a script.
    """
    terminal = sys.stderr is not None and sys.stderr.isatty()
    if verbose is None:
        verbose = hasattr(sys, "ps1") and terminal
    if not verbose or sys.stderr is None:
        return []
    if terminal:
        from nnfs_cli.display.bar import Bar

        return [Bar()]
    from nnfs_cli.display.lines import Lines

    return [Lines()]
