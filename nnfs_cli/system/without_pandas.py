"""Keep pandas out of commands: pyarrow imports it, if it is installed, before it converts the first array.

That takes longer than training on a small table. Python programs, in which somebody may hand over columns of pandas to
pyarrow, are left as they are.
"""

from __future__ import annotations

import sys

from nnfs_cli.system.hidden import hidden

_in_command = False


def begin_command() -> None:
    """Say that this process runs a command, and nothing else."""
    global _in_command
    _in_command = True


def leave_pandas_out() -> None:
    """In a command, let pyarrow look for pandas in vain, unless it is imported anyway. Call it before a table is read.

    Pyarrow looks only once, except for what needs pandas, such as `to_pandas`, which still works.
    """
    if not _in_command or "pandas" in sys.modules:
        return
    import pyarrow as pa

    with hidden("pandas"):
        pa.scalar(0)
