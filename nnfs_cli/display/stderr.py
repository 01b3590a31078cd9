"""Write to stderr, whole lines at a time."""

from __future__ import annotations

import os
import sys

from nnfs_cli.system.wording import visible


def note(text: str) -> None:
    """Write a line to stderr."""
    write(f"{visible(text)}\n")


def write(text: str) -> None:
    """Write to stderr in one call, so that a line is never interrupted half-way."""
    try:
        sys.stderr.write(text)
    except BrokenPipeError:  # the reader of stderr has gone, but the work goes on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
