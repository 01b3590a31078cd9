"""Turn every error into one message on stderr and an exit code. No other module does this."""

from __future__ import annotations

import contextlib
import enum
import functools
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import typer

from nnfs_cli import __version__
from nnfs_cli.cli.terminal import complain
from nnfs_cli.display.stderr import note
from nnfs_cli.errors import DivergedError, GradientError, NnfsError, NnfsWarning, Terminated
from nnfs_cli.system.wording import visible


class ExitCode(enum.IntEnum):
    """The exit codes, on which scripts may rely."""

    DONE = 0
    BUG = 1  # internal error
    USER = 2  # invalid input: flags, YAML, data, run directory
    DIVERGED = 3  # training reached numbers that are not finite, or a gradient is wrong
    MACHINE = 4  # disk full, permission denied, out of memory
    INTERRUPTED = 130  # Ctrl-C
    TERMINATED = 143  # SIGTERM


def boundary(command: Callable[..., None]) -> Callable[..., None]:
    """Wrap a command so that every failure becomes a message on stderr and an exit code."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        signal.signal(signal.SIGTERM, _terminate)
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        warnings.simplefilter("always", NnfsWarning)
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as `head`, has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.DONE) from None
        except (DivergedError, GradientError) as error:
            complain("error", str(error))
            raise typer.Exit(ExitCode.DIVERGED) from None
        except OSError as error:
            complain("error", _describe(error))
            raise typer.Exit(ExitCode.MACHINE) from None
        except MemoryError:
            complain("error", "there is not enough memory")
            raise typer.Exit(ExitCode.MACHINE) from None
        except NnfsError as error:
            complain("error", str(error))
            raise typer.Exit(ExitCode.USER) from None
        except KeyboardInterrupt as stop:
            with _signals_ignored():
                complain("interrupted", *stop.args)
            code = ExitCode.TERMINATED if isinstance(stop, Terminated) else ExitCode.INTERRUPTED
            raise typer.Exit(code) from None
        except typer.Exit:
            raise
        except Exception as error:
            raise typer.Exit(_handle_unexpected(error)) from None

    return guarded


def _handle_unexpected(error: Exception) -> ExitCode:
    """Report an error that is no `NnfsError`: an interruption, a fault in the user's own code, or a bug."""
    if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):  # while a library was being imported
        complain("interrupted")
        return ExitCode.INTERRUPTED
    user_code = sys.modules.get("nnfs_cli.components.user_code")
    if user_code and (message := user_code.describe_error(error)):
        complain("error", message)
        return ExitCode.USER
    complain("error", f"this is a bug in nnfs: {_write_bug_report()}")
    if user_code and user_code.LOADED:
        note("If a component from --code returned a wrong value, the fault is in that component instead.")
    return ExitCode.BUG


def _write_bug_report() -> str:
    """Write the error that is being handled to a file, and return what the user should do with it."""
    import platform
    import shlex
    import tempfile

    about = f"nnfs {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    text = visible(f"{about}{shlex.join(sys.argv)}\n\n{traceback.format_exc()}")
    try:
        descriptor, name = tempfile.mkstemp(".log", "nnfs-bug-")
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(text)
    except OSError:
        return f"please report it where you got nnfs from, with these lines\n{text}"
    return (
        f"{name} describes what happened\nPlease report it where you got nnfs from, with that file and the output of"
        " `nnfs info`. The file holds the command and file names, and the error may quote a cell of your data: read it"
        " before you send it."
    )


@contextlib.contextmanager
def _signals_ignored() -> Iterator[None]:
    """Ignore Ctrl-C and SIGTERM for a moment."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _describe(error: OSError) -> str:
    """Return the message for an OSError. An error without a file name is about stdout."""
    if isinstance(error, BlockingIOError) and error.filename:  # the text goes on: "is being written by process 7"
        return f"{error.filename} {error.strerror}"
    return f"{error.filename or 'stdout'}: {error.strerror}" if error.strerror else str(error)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any) -> None:
    if issubclass(category, NnfsWarning):
        complain("warning", str(message))
