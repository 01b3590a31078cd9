"""Run the command in this process, with a stream and an environment of its own."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO
from unittest import mock

import pytest
from typer.main import get_command

from nnfs_cli.cli import app

once = functools.cache(get_command)  # what Typer makes of an app, which takes longer than many a command


def run_here(words: Sequence[str], folder: Path, environment: Mapping[str, str], screen: TextIO) -> int:
    """Return the exit code of the command, which writes all its output to `screen`.

    It is faster than a process of its own, which imports everything anew. Its global settings are undone afterwards.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environment, clear=True))
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(contextlib.redirect_stdout(screen))
        stack.enter_context(contextlib.redirect_stderr(screen))
        stack.callback(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        ended = stack.enter_context(pytest.raises(SystemExit))
        once(app).main([*words], prog_name="nnfs")
    code = ended.value.code
    return code if isinstance(code, int) else 0
