"""The text of a written Python file."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator

from nnfs_cli.export.format import ExportedModel
from nnfs_cli.export.python import frame
from nnfs_cli.export.python.functions import FUNCTIONS
from nnfs_cli.export.python.statements import Statements
from nnfs_cli.export.python.stored import WIDTH, packed, quoted
from nnfs_cli.pipeline.cells import EMPTY_DATE

HEADER = '''"""A trained model as plain Python: it needs NumPy alone. The function `model` has its formulas.

    import model  # whatever the name of this file is
    model.predict([{"a column": 1.5, "another one": "Paris"}])

or on the command line: python model.py rows.csv
"""

from __future__ import annotations
'''
IMPORTS = {  # what the code says where it uses a module of the standard library
    "base64": "base64.",
    "csv": "csv.",
    "hashlib": "hashlib.",
    "io": "io.",
    "math": "math.",
    "re": "re.",
    "statistics": "statistics.",
    "sys": "sys.",
}
NAMES = {
    "collections.abc": ("Callable", "Mapping", "Sequence"),
    "datetime": ("date", "datetime"),
    "pathlib": ("Path",),
    "typing": ("Any",),
}
FEW_COLUMNS = 60  # that have a line each
FRAME = (
    frame.predict,
    frame.answer,
    frame.columns_of,
    frame.read,
    frame.is_empty,
    frame.number_of,
    frame.text_of,
    frame.date_of,
    frame.reason_of,
    frame.main,
)
MAIN = 'if __name__ == "__main__":\n    main(sys.argv[1:])\n'


def source_of(model: ExportedModel, sidecar: str) -> tuple[str, bytes | None]:
    """Return the text of the file, and the content of the file `sidecar` with its arrays if they are many."""
    found = Statements(model.pipeline)
    data, content = found.stored.code(sidecar)
    parts = [
        f"ABOUT = {{{packed(_pairs(model.about.items()), 9, 0)}}}\n"
        f"COLUMNS = {_columns(model)}\n"
        'NUMBERS = [name for name, kind in COLUMNS.items() if kind == "number"]\n'
        f"EMPTY_DATE = {EMPTY_DATE}  # what NumPy stores for NaT\n"
        "Array = np.ndarray",
        _model_function(found.lines),
        *map(inspect.getsource, [*_used(found.lines), *FRAME]),
        "\n".join(data),
        MAIN,
    ]
    body = "\n\n".join(part.rstrip("\n") + "\n" for part in parts)
    return f"{HEADER}\n{_imports(body)}\n\n{body}", content


def _pairs(items: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"{quoted(key)}: {quoted(value)}" for key, value in items)


def _columns(model: ExportedModel) -> str:
    """Return the code of the kinds of the columns, with a note on each where they are few."""
    kinds = {name: value.settings["kind"] for name, value in model.pipeline.columns.items()}
    if len(kinds) > FEW_COLUMNS:
        return f"{{{packed(_pairs(kinds.items()), WIDTH, 0)}}}"
    comments = [f"  # {note}" if (note := model.note_on(name)) else "" for name in kinds]
    pairs = zip(_pairs(kinds.items()), comments, strict=True)
    return "\n".join(["{", *(f"    {pair},{comment}" for pair, comment in pairs), "}"])


def _model_function(lines: Iterable[str]) -> str:
    body = "".join(f"    {line}\n" for line in [*lines, "return outputs, checks"])
    head, documentation = inspect.getsource(frame.model).splitlines()[:2]
    return f"{head}\n{documentation}\n{body}"


def _used(lines: Iterable[str]) -> list[Callable[..., object]]:
    """Return the functions that the lines of a file call, and those that these call."""
    code, found = "\n".join(lines), dict[str, Callable[..., object]]()
    while new := [name for name in FUNCTIONS if name not in found and re.search(rf"\b{name}\(", code)]:
        found |= {name: FUNCTIONS[name] for name in new}
        code = "\n".join(inspect.getsource(FUNCTIONS[name]) for name in new)
    return [function for name, function in FUNCTIONS.items() if name in found]


def _imports(body: str) -> str:
    modules = [name for name, use in IMPORTS.items() if re.search(rf"(?<![\w.]){re.escape(use)}", body)]
    lines = [f"import {name}" for name in modules]
    for module, names in NAMES.items():
        if used := [name for name in names if re.search(rf"\b{name}\b", body)]:
            lines.append(f"from {module} import {', '.join(used)}")
    return "\n".join([*lines, "", "import numpy as np"])
