"""Lists in cells, by regular expressions in the syntax of RE2, which ONNX runs over whole cells."""

from __future__ import annotations

from collections.abc import Sequence

from nnfs_cli.export.onnx.nodes import Nodes

QUOTES = "\"'"
BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace())  # there are none behind them
OPENING, CLOSING = "[{(", "]})"


def has_entries(nodes: Nodes, text: str, delimiter: str, keys: Sequence[str]) -> str:
    """Return which keys are entries of the lists in cells, and whether other entries are, (rows, keys + 1).

    `delimiter` is a single character. Without an expression for "is not in brackets", lists in brackets and others are
    matched apart.
    """
    whole = "(?s)" + _blank(BLANKS) + "(?:" + "|".join(_in(f"{a}{b}", ".*") for a, b in _pairs()) + ")" + _blank(BLANKS)
    bracketed = nodes.add("RegexFullMatch", text, pattern=whole)
    entries = _Entries(delimiter)
    known = [key for key in keys if entries.may_be(key)]
    found = [_match(nodes, text, bracketed, entries.list_with(key)) if key in known else None for key in keys]
    never = nodes.add("And", bracketed, nodes.add("Not", bracketed))
    others = nodes.add("Not", _match(nodes, text, bracketed, entries.list_of(known)))
    return nodes.add("Concat", *(one or never for one in found), others, axis=-1)


def _match(nodes: Nodes, text: str, bracketed: str, inner: str) -> str:
    """Return whether lists, without their brackets, match an expression."""
    inside = _blank(BLANKS) + _in(OPENING + CLOSING, inner) + _blank(BLANKS)
    in_brackets = nodes.add("RegexFullMatch", text, pattern=f"(?s){inside}")
    bare = nodes.add("RegexFullMatch", text, pattern=f"(?s){inner}")
    one = nodes.add("And", bracketed, in_brackets)
    return nodes.add("Or", one, nodes.add("And", nodes.add("Not", bracketed), bare))


class _Entries:
    """Expressions for lists whose entries have a delimiter between them."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = _literal(delimiter)
        self._character = delimiter
        self._blank = _blank([c for c in BLANKS if c != delimiter])
        self._quotes = [quote for quote in QUOTES if quote != delimiter]

    def may_be(self, key: str) -> bool:
        """Return whether a key can be an entry of such a list."""
        return bool(key) and key == key.strip() and self._character not in key

    def list_with(self, key: str) -> str:
        """Return the expression for lists that hold an entry."""
        d = self._delimiter
        return f"(?:.*{d})?{self._entry([key], blank=False)}(?:{d}.*)?"

    def list_of(self, keys: Sequence[str]) -> str:
        """Return the expression for lists that hold nothing but the keys and blank entries."""
        entry = self._entry(keys, blank=True)
        return f"{entry}(?:{self._delimiter}{entry})*"

    def _entry(self, keys: Sequence[str], blank: bool) -> str:
        """Return the expression for one of some entries: in quotes, or bare unless it would then lose its own."""
        nothing = [""] if blank else []
        bare = _any([*map(_literal, filter(_is_bare, keys)), *nothing])
        quoted = _any([*map(_literal, keys), *nothing])
        forms = [bare, *(f"{q}{self._blank}{quoted}{self._blank}{q}" for q in map(_literal, self._quotes))]
        return self._blank + _any([form for form in forms if form]) + self._blank


def _is_bare(key: str) -> bool:
    return not (len(key) > 1 and key[0] == key[-1] and key[0] in QUOTES)


def _any(expressions: Sequence[str]) -> str:
    """Return the expression for any of some, or "" if there are none."""
    return f"(?:{'|'.join(expressions)})" if expressions else ""


def _pairs() -> list[tuple[str, str]]:
    return [*zip(OPENING, CLOSING, strict=True)]


def _in(brackets: str, inner: str) -> str:
    """Return the expression for what stands in brackets, of which the first half opens and the second closes."""
    half = len(brackets) // 2
    opening, closing = ("".join(map(_literal, part)) for part in (brackets[:half], brackets[half:]))
    return f"[{opening}]{inner}[{closing}]"


def _blank(characters: Sequence[str]) -> str:
    return f"[{''.join(map(_literal, characters))}]*"


def _literal(text: str) -> str:
    """Return the expression for a text."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\x{{{ord(c):x}}}" for c in text)
