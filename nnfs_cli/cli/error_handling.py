"""The one place where errors become a message and an exit code."""

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
from nnfs_cli.cli.terminal import complain, note, visible
from nnfs_cli.errors import DivergedError, NnfsError, NnfsWarning, Terminated


class ExitCode(enum.IntEnum):
    """What a script may rely on."""

    DONE = 0
    BUG = 1  # ours
    USER = 2  # flags, YAML, data, run directory
    DIVERGED = 3  # training left the finite numbers
    MACHINE = 4  # disk, permission
    INTERRUPTED = 130  # Ctrl-C
    TERMINATED = 143  # SIGTERM


def boundary(command: Callable[..., None]) -> Callable[..., None]:
    """The same command, with every way it can fail turned into a message on stderr and an exit code."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        signal.signal(signal.SIGTERM, _terminate)
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        warnings.simplefilter("always", NnfsWarning)
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, `head` say, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.DONE) from None
        except DivergedError as error:
            complain("error", str(error))
            raise typer.Exit(ExitCode.DIVERGED) from None
        except OSError as error:
            complain("error", _machine(error))
            raise typer.Exit(ExitCode.MACHINE) from None
        except MemoryError:
            complain("error", "there is not enough memory")
            raise typer.Exit(ExitCode.MACHINE) from None
        except NnfsError as error:
            complain("error", str(error))
            raise typer.Exit(ExitCode.USER) from None
        except KeyboardInterrupt as stop:
            with _deaf():
                complain("interrupted", *stop.args)
            code = ExitCode.TERMINATED if isinstance(stop, Terminated) else ExitCode.INTERRUPTED
            raise typer.Exit(code) from None
        except typer.Exit:
            raise
        except Exception as error:
            if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):  # while a library was being loaded
                complain("interrupted")
                raise typer.Exit(ExitCode.INTERRUPTED) from None
            extension = sys.modules.get("nnfs_cli.components.user_code")
            if extension and (theirs := extension.describe_error(error)):
                complain("error", theirs)
                raise typer.Exit(ExitCode.USER) from None
            complain("error", f"this is a bug in nnfs: {_written_down()}")
            if extension and extension.LOADED:
                note("(unless it comes of what a component of --code gave back)")
            raise typer.Exit(ExitCode.BUG) from None

    return guarded


def _written_down() -> str:
    """Where the error that is being handled is described, for whoever is to mend it, and what to do with that."""
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
        f"what happened stands in {name}\nPlease report it where you got nnfs from, with that file. It holds the"
        " command and names of files, and an error may quote a cell: read it before you send it."
    )


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Nothing more can be asked for by a signal, for a moment."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _machine(error: OSError) -> str:
    if error.strerror:
        return f"{error.filename or 'stdout'}: {error.strerror}"  # every file says its name
    return str(error)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any) -> None:
    if issubclass(category, NnfsWarning):
        complain("warning", str(message))
