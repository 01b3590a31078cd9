"""The entry point of the `nnfs` command, and of ``python -m nnfs_cli``."""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Run the command line; Ctrl-C is not an error, even while modules are still being loaded."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever called us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
        getattr(sys, name).reconfigure(errors="backslashreplace")  # not every terminal can show every letter
    try:
        try:
            from nnfs_cli.cli import app

            app(prog_name="nnfs")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):  # nobody is left who could answer
                signal.signal(number, signal.SIG_DFL)
    except KeyboardInterrupt as stop:
        _leave(130 if type(stop) is KeyboardInterrupt else 143)  # Ctrl-C, or `Terminated`
    except SystemExit as end:
        if end.code in (130, 143):
            _leave(int(end.code))
        raise


def _leave(code: int) -> None:
    """At once: a thread that was reading a file may not outlive what the interpreter takes away before it ends."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
