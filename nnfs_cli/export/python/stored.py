"""The arrays and lists of words of a written file: few numbers are written out, and many are compressed."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.export.names import name_from, unused
from nnfs_cli.pipeline.cells import EMPTY_DATE

WIDTH = 100  # of the lines of a written file, where its words allow
FEW_NUMBERS = 48  # that an array written out has at most
LONG_WORDS = 400  # characters of a list from which on it stands at the end of the file
SIDECAR_BYTES = 300_000  # of compressed arrays from which on they become a file of their own


def packed(items: Iterable[str], before: int = 0, indent: int = 4) -> str:
    """Return items with commas between them: on one line after `before` characters, or else on lines of their own."""
    items = list(items)
    line = ", ".join(items)
    if before + indent + len(line) < WIDTH - 8 and "\n" not in line:
        return line
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) > WIDTH - indent - 6:
            lines.append("")
        lines[-1] += f"{item}, "
    return "".join(f"\n{' ' * (indent + 4)}{line.rstrip()}" for line in lines) + f"\n{' ' * indent}"


def number_code(array: Array) -> str:
    """Return the code of a number () with as few digits as its type needs."""
    value = array.item()
    if isinstance(value, int) and value == EMPTY_DATE:
        return "EMPTY_DATE"
    if isinstance(value, float) and not np.isfinite(value):
        return "np.nan" if np.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    if array.dtype == np.float32 and np.float32(float(str(array[()]))) == array:
        return str(array[()])
    return repr(value)


def quoted(text: object) -> str:
    """Return the code of a text, in double quotes if it holds none, or of a number."""
    code = repr(text)
    return code if not isinstance(text, str) or '"' in text or code[0] == '"' else f'"{code[1:-1]}"'


class Stored:
    """The arrays and lists of words that the code of a file reads from `W` and `WORDS`."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self.lists: dict[str, str] = {}
        self._keys: dict[tuple[int, tuple[int, ...]], str] = {}

    def array(self, part: str, name: str, array: Array, shape: tuple[int, ...] | None = None) -> str:
        """Keep an array, in a shape, and return the code that reads it.

        `part` is the part of the model that it belongs to.
        """
        shape = shape or array.shape
        key = self._keys.get((id(array), shape))
        if key is None:
            key = self._keys[id(array), shape] = unused(_key(part, name or "numbers"), self.arrays)
            self.arrays[key] = array.reshape(shape)
        return f'W["{key}"]'

    def words(self, part: str, name: str, words: Sequence[object]) -> str:
        """Return the code of a list, which is kept if it is long."""
        code = ", ".join(map(quoted, words))
        if len(code) < LONG_WORDS:
            return f"[{code}]"
        key = unused(_key(part, name), self.lists)
        self.lists[key] = f"[{packed(map(quoted, words), WIDTH)}]"
        return f'WORDS["{key}"]'

    def code(self, sidecar: str) -> tuple[list[str], bytes | None]:
        """Return the lines of the file that define `W` and `WORDS`, and the content of the file `sidecar`, if any."""
        few = {key: array for key, array in self.arrays.items() if array.size <= FEW_NUMBERS}
        many = {key: array for key, array in self.arrays.items() if key not in few}
        lines = ["W = {", *(f'    "{key}": {_written_out(array)},' for key, array in few.items()), "}"]
        if self.lists:
            lines += ["WORDS = {", *(f'    "{key}": {code},' for key, code in self.lists.items()), "}"]
        if not many:
            return lines, None
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **many)  # type: ignore[arg-type]  # no array is called `allow_pickle`
        content = buffer.getvalue()
        if len(content) > SIDECAR_BYTES:
            return [*lines, f"W.update(np.load(Path(__file__).with_name({sidecar!r})))"], content
        text = base64.b64encode(content).decode()
        rows = (text[i : i + WIDTH] for i in range(0, len(text), WIDTH))
        return [*lines, 'W.update(np.load(io.BytesIO(base64.b64decode("""', *rows, '"""))))'], None


def _key(part: str, name: str) -> str:
    return f"{name_from(part) or 'model'}.{name_from(name)}"


def _written_out(array: Array) -> str:
    numbers = packed(map(number_code, array.reshape(-1)), WIDTH // 2)
    dtype = {"float64": "", "bool": ", bool"}.get(array.dtype.name, f", np.{array.dtype}")
    shape = f".reshape({', '.join(map(str, array.shape))})" if array.ndim != 1 else ""
    return f"np.array([{numbers}]{dtype}){shape}"
