"""Phrase the parts of a message: lists, counts, numbers, quoted names and values, and suggestions for a misspelt word.

Text from data is shown and not obeyed: see `visible` and `in_a_line`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def visible(text: str) -> str:
    """Return the text with control characters and terminal sequences shown instead of obeyed."""
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def in_a_line(text: str) -> str:
    """Return the text as one line, with control characters, line breaks and tabs shown instead of obeyed."""
    return visible(text).translate({9: "\\t", 10: "\\n"})


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is closest to `word`, or None if none is close."""
    if len(word) > 100:
        return None
    spellings = {name.lower(): name for name in known}
    return next((spellings[match] for match in difflib.get_close_matches(word.lower(), spellings, 1, 0.6)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'relu'?"`` when a known word is close to ``word``, else the empty string."""
    close = closest(word, known)
    return f"; did you mean {named(close)}?" if close else ""


def listing(words: Iterable[str], conjunction: str = "and") -> str:
    """Return ``"a, b and c"``."""
    words = list(words)
    return " ".join([", ".join(words[:-1]), conjunction, words[-1]]) if len(words) > 1 else "".join(words)


def capitalized(text: str) -> str:
    """Return ``"The loss of A"`` for ``"the loss of A"``: only the first letter changes."""
    return text[:1].upper() + text[1:]


def counted(number: int, noun: str) -> str:
    """Return ``"1 class"`` or ``"1,024 rows"``."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def with_article(noun: str) -> str:
    """Return ``"a layer"`` or ``"an optimizer"``."""
    return f"a{'n' if noun[0] in 'aeiouAEIO' else ''} {noun}"


def type_of(value: object) -> str:
    """Return the type of a value for a message, as in ``"a list"``."""
    return "None" if value is None else with_article(type(value).__name__)


def plural(noun: str) -> str:
    """Return ``"rows"``, ``"classes"`` or ``"categories"``; ``averaging`` has no plural and stays as it is."""
    if noun == "averaging":
        return noun
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}{'es' if noun.endswith('s') else 's'}"


def rounded(value: float) -> str:
    """Return a number for a sentence: three digits, as in "0.0831" or "3.4e+20", or whole from 1,000 to a billion.

    >>> rounded(0.08312), rounded(1203.7), rounded(3.402e20)
    ('0.0831', '1,204', '3.4e+20')
    """
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e9 else f"{value:.3g}"


def percent(share: float, decimals: int = 0) -> str:
    """Return ``"63 %"`` for a share of 0.63, and ``"<1 %"`` for a share above 0 that would round to 0."""
    if 0 < share <= 0.5 * 10.0 ** -(decimals + 2):
        return f"<{10.0**-decimals:g} %"
    return f"{100 * share:.{decimals}f} %"


def named(name: str) -> str:
    """Return a name for a message: in quotes, on one line, at most 80 characters."""
    return shown(name, 80)


def cut(text: str, most: int) -> str:
    """Return a text of at most so many characters: a longer one ends with an ellipsis.

    >>> cut("a long name", 8)
    'a long …'
    """
    return text if len(text) <= most else f"{text[: most - 1]}\u2026"


def shown(value: object, most: int = 40) -> str:
    """Return a value for a message; a text is quoted, and cut after `most` characters."""
    match value:
        case bool():
            return str(value).lower()
        case None:
            return "nothing"
        case str():
            escaped = "".join(c if c.isprintable() else repr(c)[1:-1] for c in value[:most])
            quote = '"' if "'" in escaped and '"' not in escaped else "'"
            return f"{quote}{escaped}{'...' if len(value) > most else ''}{quote}"
        case dict():
            return "a block of settings"
        case list() | tuple():
            return "a list"
        case _:
            return str(value)
