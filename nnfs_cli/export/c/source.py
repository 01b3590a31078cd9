"""The C file of a model: constants, the functions it uses, and the function that predicts."""

from __future__ import annotations

import re

from nnfs_cli.errors import ExportError
from nnfs_cli.export.c import axes, cells
from nnfs_cli.export.c.entrywise import EXPRESSIONS, entrywise
from nnfs_cli.export.c.header import about, header
from nnfs_cli.export.c.interface import Interface, OutputField
from nnfs_cli.export.c.program import Program, Writer, alias, column
from nnfs_cli.export.c.text import TYPES, characters, comment, is_long, string, wrapped
from nnfs_cli.export.format import ExportedModel
from nnfs_cli.pipeline.value import Value

MAX_BYTES = 32 * 2**20  # of constants: compilers take half a minute and several GB of memory for as many
MAX_STACK = 256 * 2**10  # of the arrays of the function: threads have little more on some machines
WRITERS: dict[str, Writer] = {
    "column": column,
    "reshape": alias,
    **dict.fromkeys(EXPRESSIONS, entrywise),
    **dict.fromkeys(axes.TO_ONE, axes.to_one),
    **dict.fromkeys(axes.TO_SAME, axes.to_same),
    "concatenate": axes.concatenate,
    "take": axes.take,
    "transpose": axes.transpose,
    "matmul": axes.matmul,
    "sum_members": axes.sum_members,
    "rows_of": axes.rows_of,
    "tree_sums": axes.tree_sums,
    "is_gap": cells.is_gap,
    "look_up": cells.look_up,
    "hash_bucket": cells.hash_bucket,
    "has_entries": cells.has_entries,
    "joined_labels": cells.joined_labels,
}
GUARDS = """\
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && (__FINITE_MATH_ONLY__ != 0))
#error "NaN stands for an empty cell: compile without -ffast-math, -Ofast and -ffinite-math-only"
#endif
#if defined(FLT_EVAL_METHOD) && (FLT_EVAL_METHOD != 0)
#error "numbers must have the precision of their types: compile for SSE2, as with -msse2 -mfpmath=sse"
#endif
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif
"""


def files_of(model: ExportedModel, stem: str) -> dict[str, str]:
    """Return the C file and its header, by name.

    Raises `ExportError` for a model that is too large, and for a name that a C file cannot include.
    """
    if re.search(r'[\x00-\x1f"\\]|\?\?', stem):
        raise ExportError(f"a file of C cannot include '{comment(stem)}.h': choose a name of letters and digits")
    interface = Interface(model, stem)
    outputs = _outputs_by_value(interface)
    program = Program({one.column: one.field for one in interface.inputs})

    def found(value: Value) -> None:
        for output in outputs.get(id(value), ()):
            program.lines.append(_assignment(output, program.place(value).at("0")))
        if value is model.pipeline.usable:
            program.lines.append(f"const bool usable = {program.place(value).at('0')};")

    program.write(model.pipeline.operations, WRITERS, EXPRESSIONS, found)
    stack = program.buffers.n_bytes + program.n_text_bytes
    _check_size("of constants", program.n_bytes, MAX_BYTES)
    _check_size("on the stack", stack, MAX_STACK)
    return {f"{stem}.c": _source(interface, program), f"{stem}.h": header(interface, stack)}


def _outputs_by_value(interface: Interface) -> dict[int, list[OutputField]]:
    found: dict[int, list[OutputField]] = {}
    for output in interface.outputs:
        found.setdefault(id(output.value), []).append(output)
    return found


def _check_size(where: str, n_bytes: int, most: int) -> None:
    if n_bytes > most:
        raise ExportError(
            f"the model takes {n_bytes / 2**20:.1f} MB {where} in C, more than {most / 2**20:g} MB; "
            "export it to onnx, or train a smaller one"
        )


def _assignment(output: OutputField, expression: str) -> str:
    if output.size:
        return f"memcpy(output->{output.field}, {expression}, sizeof output->{output.field});"
    cast = f"({output.label_type})" if output.label_type else ""
    return f"output->{output.field} = {cast}{expression};"


def _source(interface: Interface, program: Program) -> str:
    includes = "".join(f"#include <{name}.h>\n" for name in ("float", "math", "stddef", "string"))
    functions = program.functions.code
    parts = [
        about(interface),
        f'#include "{interface.stem}.h"\n\n{includes}',
        GUARDS,
        *functions.values(),
        *program.constants,
        *(table for output in interface.outputs if output.labels for table in _label_table(output)),
        _predict(interface, program),
    ]
    return "\n".join(parts)


def _label_table(output: OutputField) -> list[str]:
    items, parts = [], []
    for k, (_, label) in enumerate(output.labels):
        if is_long(label):
            items.append(f"{output.table}_{k}")
            parts.append(f"static const char {items[-1]}[] = {characters(label)};\n")
        else:
            items.append(string(label))
    return [*parts, f"const char *const {output.table}[{len(items)}] = {{\n{wrapped(items)}\n}};\n"]


def _predict(interface: Interface, program: Program) -> str:
    name = interface.prefix
    lines = [
        f"static const {name}_output nothing = {{",
        *wrapped(one.nothing for one in interface.outputs).splitlines(),
        "};",
        *(f"{TYPES[program.buffers.types[one]]} {one}[{size}];" for one, size in program.buffers.sizes.items()),
        "",
        "if ((input == NULL) || (output == NULL)) {",
        f"    return {interface.constant('NULL')};",
        "}",
        *program.lines,
        "if (!usable) {",
        "    *output = nothing;",
        f"    return {interface.constant('REFUSED')};",
        "}",
        f"return {interface.constant('OK')};",
    ]
    body = "\n".join(f"    {line}" if line else "" for line in lines)
    return f"int {name}_predict(const {name}_input *input, {name}_output *output)\n{{\n{body}\n}}\n"
