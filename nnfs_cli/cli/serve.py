"""`nnfs serve`: answer predictions over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nnfs_cli.cli.completion import complete_run
from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Quiet, load
from nnfs_cli.cli.paths import RUNS, run_meant
from nnfs_cli.cli.terminal import fact, suggest
from nnfs_cli.system.extras import needed

if TYPE_CHECKING:
    from nnfs_cli.serve.models import Models

RunArguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN...",
        help="Run directory; or runs/houses for the newest finished run of that config, or a folder of runs. In"
        " NAME=RUN, NAME is that of the model in the URL, by default the name of the config. Without RUN, the newest"
        " run.",
        autocompletion=complete_run,
    ),
]


@manual(
    "nnfs serve runs/breast_cancer-1",
    "nnfs serve cancer=runs/breast_cancer runs --watch --port 9000",
    guide="serving",
)
def serve(
    runs: RunArguments = None,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port; 0 stands for any free one.")] = 8000,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; 0.0.0.0 is reached from other machines.")
    ] = "127.0.0.1",
    watch: Annotated[bool, typer.Option("--watch", help="Serve a newer run once its training has ended.")] = False,
    max_body: Annotated[int, typer.Option(metavar="MB", min=1, max=4000, help="Largest body of a request.")] = 64,
    max_rows: Annotated[int, typer.Option(metavar="N", min=1, help="Most rows of a request.")] = 1_000_000,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="Longest time of a request.")] = 30.0,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Answer predictions over HTTP: POST rows in JSON, CSV or Arrow to /predict.

    Only this machine is answered unless --host says otherwise. If the variable NNFS_TOKEN is set, requests need that
    token. SIGHUP loads the runs anew; SIGTERM and Ctrl-C stop the server once all requests are answered.
    """
    load(code)
    with needed("serve", "nnfs serve"):
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    from nnfs_cli.serve.limits import Limits
    from nnfs_cli.serve.server import Address
    from nnfs_cli.serve.server import serve as answer_requests
    from nnfs_cli.serve.sources import RunSource

    given = runs or [run_meant(None, quiet).as_posix()]
    sources = [RunSource.of(text, RUNS) for text in given]
    limits = Limits(max_body * 1_000_000, max_rows, seconds=timeout)

    def announce(url: str, models: Models) -> None:
        for name, batcher in models.batchers.items():
            fact("model", f"{name}: {batcher.model.run.path.as_posix()}")
        fact("serving", url)
        suggest(f"open {url} in a browser, or POST rows to {url}/predict; Ctrl-C stops the server", quiet)

    answer_requests(sources, Address(host, port), limits, watch, lambda line: fact("reload", line), announce)
