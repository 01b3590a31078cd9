"""How names, texts and numbers are spelled in C, whatever they contain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.pipeline.value import DType

TYPES: dict[DType, str] = {"float64": "double", "float32": "float", "int64": "int64_t", "bool": "bool"}
SHORT: dict[DType, str] = {"float64": "f64", "float32": "f32", "int64": "i64", "bool": "bool"}
MAX_NAME = 40  # characters of an identifier, before a number that makes it unique; C99 compares 63 or more
MAX_COMMENT = 200  # characters of a name in a comment
MAX_LITERAL = 4_000  # bytes of a string; C99 promises 4,095
NUL = b"\xc0\x80"  # stands for the character NUL within a text, as in the modified UTF-8 of Java
WORDS = """
    alignas alignof and and_eq asm assert atomic auto bitand bitor bool break case catch char class compl
    complex concept const constexpr continue decltype default delete do double dynamic_cast else enum errno
    explicit export extern false far float for friend generic goto huge i386 if imaginary inline int interface
    linux long max min mutable namespace near new noexcept not not_eq nullptr operator or or_eq pascal private
    protected public register reinterpret_cast requires restrict return short signed sizeof small static
    static_assert static_cast stderr stdin stdout struct switch template this thread_local throw true try
    typedef typeid typename typeof union unix unsigned using vector virtual void volatile wchar_t while xor
    xor_eq
"""
RESERVED = frozenset(WORDS.split())  # words of C and C++, and macros of common compilers and headers


def identifier(name: str, taken: set[str], otherwise: str = "column") -> str:
    """Return a name in lower case as a new identifier of C, with _ for what C does not allow, and add it to `taken`."""
    found = re.sub("[^a-z0-9]+", "_", name.lower())[:MAX_NAME].strip("_") or otherwise
    if found[0].isdigit():
        found = f"{otherwise}_{found}"
    if found in RESERVED:
        found += "_"
    found = found if found not in taken else next(new for new in _numbered(found) if new not in taken)
    taken.add(found)
    return found


def _numbered(name: str) -> Iterator[str]:
    n = 2
    while True:
        yield f"{name.rstrip('_')}_{n}"
        n += 1


def comment(text: str) -> str:
    """Return a text for a comment, in one line, that can neither end it nor be read as anything but a comment."""
    text = text if len(text) <= MAX_COMMENT else text[: MAX_COMMENT - 3] + "..."
    shown = "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in text)
    return re.sub(r"\*(?=/)|/(?=\*)|\?(?=\?)", r"\g<0> ", shown)


def encoded(text: str) -> bytes:
    """Return a text as C has it: in UTF-8, with `NUL` for the character NUL."""
    return text.encode("utf-8", "surrogatepass").replace(b"\0", NUL)


def decoded(content: bytes) -> str:
    """Return the text that `encoded` gives."""
    return content.replace(NUL, b"\0").decode("utf-8", "surrogatepass")


def string(text: str) -> str:
    """Return a string of C. Characters outside of ASCII are octal, so that the file can be read in any encoding."""
    return '"' + "".join(map(_character, encoded(text))) + '"'


def _character(byte: int) -> str:
    char = chr(byte)
    if char in '"\\?':
        return "\\" + char
    return char if 32 <= byte < 127 else f"\\{byte:03o}"


def is_long(text: str) -> bool:
    """Return whether a text is longer than what every compiler takes as one string."""
    return len(encoded(text)) > MAX_LITERAL


def characters(text: str) -> str:
    """Return the initializer of an array of characters, which may be longer than a string."""
    quoted = ("'" + _character(byte).replace("'", r"\'") + "'" for byte in encoded(text))
    return "{\n" + wrapped([*quoted, "0"]) + "\n}"


def literals(array: Array, dtype: DType) -> list[str]:
    """Return numbers as C reads them back exactly, in row-major order."""
    flat = np.asarray(array).reshape(-1)
    if dtype == "bool":
        return ["true" if truth else "false" for truth in flat.tolist()]
    if dtype == "int64":
        return [whole(number) for number in flat.tolist()]
    texts = map(str, flat.astype(dtype))
    return [_double(text) if dtype == "float64" else _float(text) for text in texts]


def _double(text: str) -> str:
    special = {"nan": "(double)NAN", "inf": "(double)INFINITY", "-inf": "-(double)INFINITY"}
    return special.get(text, text)


def _float(text: str) -> str:
    special = {"nan": "NAN", "inf": "INFINITY", "-inf": "-INFINITY"}
    return special.get(text, text + "f")


def whole(number: int) -> str:
    """Return a whole number of 64 bits."""
    if number == -(2**63):
        return "INT64_MIN"
    return str(number) if abs(number) < 2**31 else f"INT64_C({number})"


def wrapped(items: Iterable[str], width: int = 110, indent: str = "    ") -> str:
    """Return items in lines, with commas."""
    lines, line = [], indent
    for item in items:
        if len(line) + len(item) + 2 > width and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += item + ", "
    return "\n".join([*lines, line.rstrip(", ")])
