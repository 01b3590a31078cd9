"""The header of a model in C: what a program has to know."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.export.c.interface import InputField, Interface, OutputField
from nnfs_cli.export.c.text import comment
from nnfs_cli.system.wording import listing

EMPTY = {"number": "NAN among numbers", "category": "NULL among texts", "date": "%s among dates"}
TEXTS = "\n   Texts are in UTF-8; within one, the bytes C0 80 stand for the character NUL."


def header(interface: Interface, stack: int) -> str:
    """Return the header. `stack` is how many bytes the arrays of the function take."""
    name, guard = interface.prefix, interface.constant("H")
    parts = [
        about(interface),
        f"#ifndef {guard}\n#define {guard}\n\n#include <stdbool.h>\n#include <stdint.h>\n",
        '#ifdef __cplusplus\nextern "C" {\n#endif\n',
        *_dates(interface),
        _codes(interface),
        f"/* A row of a table. {_cells(interface)} */\n"
        + _struct(f"{name}_input", [(one.declaration, _input_comment(interface, one)) for one in interface.inputs]),
        *map(_labels, (one for one in interface.outputs if one.labels)),
        "/* What is predicted for a row. */\n"
        + _struct(f"{name}_output", [(one.declaration, _output_comment(one)) for one in interface.outputs]),
        f"/* Predict for a row, and return {interface.constant('OK')} or another of the codes above.\n"
        f"   The function changes nothing but the output, takes about {stack:,} bytes on the stack, and may be called\n"
        "   by several threads at once. */\n"
        f"int {name}_predict(const {name}_input *input, {name}_output *output);\n",
        "#ifdef __cplusplus\n}\n#endif\n",
        f"#endif /* {guard} */\n",
    ]
    return "\n".join(parts)


def about(interface: Interface) -> str:
    """Return what a file says about itself at its top."""
    lines = [f"{comment(key)}: {comment(text)}" for key, text in interface.model.about.items()]
    return "\n   ".join(["/* A trained model in C99. It needs only the C library: link with -lm.", *lines]) + " */\n"


def _cells(interface: Interface) -> str:
    kinds = {one.kind for one in interface.inputs}
    empty = listing([text for kind, text in EMPTY.items() if kind in kinds])
    said = f"An empty cell is {empty}.".replace("%s", interface.constant("NO_DATE"))
    return f"{said}{TEXTS}" if "category" in kinds else said


def _has_dates(interface: Interface) -> bool:
    return any(one.kind == "date" for one in interface.inputs)


def _dates(interface: Interface) -> Iterator[str]:
    if _has_dates(interface):
        yield (
            "/* Dates are microseconds since the beginning of 1970. Days may have a fraction. */\n"
            f"#define {interface.constant('DAYS')}(days) ((int64_t)((days) * 86400000000.0))\n"
            f"#define {interface.constant('NO_DATE')} INT64_MIN\n"
        )


def _codes(interface: Interface) -> str:
    name = interface.constant
    return (
        "enum {\n"
        f"    {name('OK')} = 0,\n"
        f"    {name('REFUSED')} = 1, /* the model refuses the row: numbers are NAN, and the rest 0 */\n"
        f"    {name('NULL')} = 2 /* the input or the output is NULL */\n"
        "};\n"
    )


def _struct(name: str, fields: list[tuple[str, str]]) -> str:
    lines = [f"    {declaration};{f' /* {text} */' if text else ''}" for declaration, text in fields]
    return "\n".join(["typedef struct {", *lines, f"}} {name};\n"])


def _input_comment(interface: Interface, field: InputField) -> str:
    note = interface.model.note_on(field.column)
    return f"{comment(field.column)}: {comment(note)}" if note else comment(field.column)


def _output_comment(field: OutputField) -> str:
    return "" if field.name == field.field else comment(field.name)


def _labels(output: OutputField) -> str:
    ends = [","] * (len(output.labels) - 1) + [""]
    lines = [
        f"    {name} = {k}{end} /* {comment(label)} */"
        for k, ((name, label), end) in enumerate(zip(output.labels, ends, strict=True))
    ]
    shown = f"/* The labels of {comment(output.name)}, and their texts. */"
    table = f"extern const char *const {output.table}[{len(lines)}];\n"
    return "\n".join([shown, "typedef enum {", *lines, f"}} {output.label_type};\n\n{table}"])
