"""The entry point of the command `nnfs` and of ``python -m nnfs_cli``."""

import contextlib
import gc
import os
import signal
import sys


def main() -> None:
    """Run the command line and exit with its code.

    Ctrl-C and SIGTERM exit with 130 and 143 at any moment, even while modules are being imported.
    """
    gc.set_threshold(200_000, 20, 100)  # imports make many objects and no garbage; searching them took 5 % of a command
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the caller has closed it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open until the process ends
        getattr(sys, name).reconfigure(errors="backslashreplace")  # for terminals that cannot show every character
    try:
        try:
            from nnfs_cli.cli import app
            from nnfs_cli.system.threads import prepare_threads
            from nnfs_cli.system.without_pandas import begin_command

            prepare_threads()
            begin_command()
            app(prog_name="nnfs")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):  # no handler is needed any more
                signal.signal(number, signal.SIG_DFL)
            gc.freeze()  # else the interpreter searches everything for garbage once more before it ends
    except KeyboardInterrupt as stop:
        _exit_now(130 if type(stop) is KeyboardInterrupt else 143)  # Ctrl-C, or `Terminated`
    except SystemExit as end:
        if end.code in (130, 143):
            _exit_now(int(end.code))
        raise


def _exit_now(code: int) -> None:
    """Exit without the interpreter's clean-up, which can crash a thread that is still reading a file."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
