"""Compile a model and run it for the rows of a table, in a process of its own.

A small program around the model reads the texts of all cells, then rows of fixed size in which a text is its number,
and writes a row of fixed size for each.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.errors import ExportError
from nnfs_cli.export.c.interface import Interface, OutputField
from nnfs_cli.export.c.text import decoded, encoded
from nnfs_cli.export.format import Predictions

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=c99", "-O2")
ROW_TYPES = {"number": "f8", "category": "i4", "date": "i8"}
MAIN = """\
#include {header}

#include <stdio.h>
#include <stdlib.h>

static int32_t n_texts;
static char **texts;

static int get(void *to, size_t size)
{{
    return fread(to, size, 1, stdin) == 1;
}}

{get_text}static void put(const void *from, size_t size)
{{
    if (fwrite(from, size, 1, stdout) != 1) {{
        exit(1);
    }}
}}

int main(void)
{{
    {name}_input input;
    {name}_output output;

    if (!get(&n_texts, sizeof n_texts)) {{
        return 1;
    }}
    texts = calloc((size_t)n_texts + 1U, sizeof *texts);
    if (texts == NULL) {{
        return 1;
    }}
    for (int32_t i = 0; i < n_texts; i++) {{
        int32_t size = 0;
        if (!get(&size, sizeof size)) {{
            return 1;
        }}
        texts[i] = calloc((size_t)size + 1U, 1);
        if ((texts[i] == NULL) || ((size > 0) && !get(texts[i], (size_t)size))) {{
            return 1;
        }}
    }}
    while ({reads}) {{
        const int32_t code = {name}_predict(&input, &output);
        put(&code, sizeof code);
        {writes}
    }}
    for (int32_t i = 0; i < n_texts; i++) {{
        free(texts[i]);
    }}
    free(texts);
    return 0;
}}
"""

GET_TEXT = """\
static int get_text(const char **text)
{
    int32_t number = 0;
    const int found = get(&number, sizeof number);

    *text = ((number < 0) || (number >= n_texts)) ? NULL : texts[number];
    return found;
}

"""


def main_of(interface: Interface) -> str:
    """Return the program around a model."""
    fields = {one.field: one.kind == "category" for one in interface.inputs}
    reads = [
        f"get_text(&input.{it})" if text else f"get(&input.{it}, sizeof input.{it})" for it, text in fields.items()
    ]
    writes = [line for one in interface.outputs for line in _writes(one)]
    return MAIN.format(
        header=f'"{interface.stem}.h"',
        name=interface.prefix,
        get_text=GET_TEXT if any(fields.values()) else "",
        reads="\n           && ".join(reads),
        writes="\n        ".join(writes),
    )


def _writes(output: OutputField) -> list[str]:
    if output.labels:
        code = f"{output.field}_code"
        return [f"const int32_t {code} = (int32_t)output.{output.field};", f"put(&{code}, sizeof {code});"]
    return [f"put(&output.{output.field}, sizeof output.{output.field});"]


def compiler() -> list[str]:
    """Return the command of the C compiler: $CC, or cc, gcc or clang. Raises `ExportError` if there is none."""
    given = shlex.split(os.environ.get("CC", ""))
    found = given if given and shutil.which(given[0]) else [name for name in COMPILERS if shutil.which(name)][:1]
    if not found:
        raise ExportError("a C compiler must prove that the model predicts the same: install gcc or clang, or set CC")
    return found


def compiled(interface: Interface, source: Path, folder: Path, flags: Sequence[str] = FLAGS) -> Path:
    """Compile a model with the program around it, in a folder, and return the path of the result."""
    main = folder / "main.c"
    main.write_text(main_of(interface), encoding="utf-8")
    program = folder / "program"
    command = [*compiler(), *flags, f"-I{source.parent}", str(source), str(main), "-o", str(program), "-lm"]
    places = {**os.environ, "TMPDIR": str(folder)}  # where a compiler that is killed leaves its files
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=places)  # noqa: S603
    if done.returncode:
        raise ExportError(f"{' '.join(command)} failed:\n{done.stderr.strip()[-2_000:]}")
    return program


def run(program: Path, interface: Interface, cells: Mapping[str, Array]) -> Predictions:
    """Return what a compiled model predicts for cells."""
    done = subprocess.run([program], input=_given(interface, cells), capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise ExportError(f"the compiled model ended with the code {done.returncode}: {done.stderr[-500:]!r}")
    fields: list[Any] = [(one.field, _row_type(one)) for one in interface.outputs]
    rows = np.frombuffer(done.stdout, np.dtype([("code of the row", "i4"), *fields]))
    outputs = {one.name: _column(one, rows[one.field]) for one in interface.outputs}
    return Predictions(outputs, rows["code of the row"] == 0)


def predict(source: Path, interface: Interface, cells: Mapping[str, Array]) -> Predictions:
    """Compile a model and return what it predicts for cells."""
    with tempfile.TemporaryDirectory(prefix="nnfs-c-") as folder:
        return run(compiled(interface, source, Path(folder)), interface, cells)


def _given(interface: Interface, cells: Mapping[str, Array]) -> bytes:
    numbers: dict[str, int] = {}
    types: list[Any] = [(one.field, ROW_TYPES[one.kind]) for one in interface.inputs]
    rows = np.zeros(len(next(iter(cells.values()))), np.dtype(types))
    for one in interface.inputs:
        column = cells[one.column].tolist()
        if one.kind == "category":
            column = [-1 if text is None else numbers.setdefault(text, len(numbers)) for text in column]
        rows[one.field] = column
    texts = [encoded(text) for text in numbers]
    sized = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    return len(texts).to_bytes(4, "little") + sized + rows.tobytes()


def _row_type(output: OutputField) -> Any:
    if output.size:
        return f"S{output.size}"
    return "i4" if output.labels else np.dtype(output.value.dtype)


def _column(output: OutputField, found: Array) -> Array:
    if output.size:
        return np.array([decoded(text) for text in found.tolist()], object)
    if output.labels:
        return np.array([label for _, label in output.labels], object)[found]
    return found.copy()
