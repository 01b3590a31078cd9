"""`nnfs schema`: print the JSON Schema of a config."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Quiet, load
from nnfs_cli.cli.terminal import suggest


@manual("nnfs schema --output nnfs.schema.json", "nnfs schema | head -20", guide="config")
def schema(
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the schema to a file; by default to stdout.")
    ] = None,
    quiet: Quiet = False,
    code: Code = None,
) -> None:
    """Print the JSON Schema of a config, for editors.

    With the schema, an editor completes, explains and checks what you type. A comment in a config tells the editor
    where the schema is: `# yaml-language-server: $schema=FILE`.
    """
    load(code)
    from nnfs_cli.config.json_schema import as_json, config_schema
    from nnfs_cli.system.files import write_atomically

    found = config_schema()
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(f"{as_json(found, '  ')}\n".encode())
    else:
        write_atomically(output, lambda file: file.write(f"{as_json(found)}\n".encode()))
        suggest(f"begin a config with the comment  # yaml-language-server: $schema={output.as_posix()}", quiet)
