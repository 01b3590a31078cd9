"""`nnfs schema`: what an editor has to know of a config, as JSON Schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nnfs_cli.cli.options import Code, load


def schema(
    output: Annotated[Path | None, typer.Option(help="Where to write it, compactly; to stdout unless given.")] = None,
    code: Code = None,
) -> None:
    """Print the JSON Schema of a config, by which editors complete and check what one types.

    The comment `# yaml-language-server: $schema=FILE` in a config says where to find it.
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
