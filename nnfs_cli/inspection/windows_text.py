"""Recognise text in the encoding of Windows for Western languages, cp1252."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nnfs_cli.system.wording import counted, listing, shown

NAME = "cp1252"
SHOWN = 3  # words that show that the encoding is right
_WORD = re.compile(r"[^\W\d_¹²³]*[^\W\d_\x00-\x7f¹²³][^\W\d_¹²³]*")
_OTHERS = "ŠŒŽšœžŸÐðÞþ"  # letters that stand for more usual ones in other encodings, as of the Mac or for Turkish
_JOINING = "\u2019\u2013\u2014\u00ad\u00b7\u00b4"  # apostrophes, dashes and dots between two letters
_SYMBOL_IN_WORD = re.compile(rf"[^\W\d_](?:[¹²³]|[^\x00-\x7f\w{_JOINING}])[^\W\d_]")  # as in KÃ¶ln, which is UTF-8


def evidence(blocks: Iterable[bytes]) -> str | None:
    """Return why the bytes of a text are cp1252, with examples, or None if they are not, or may be something else.

    Words of Western languages have mostly letters of ASCII. Bytes of another script or encoding become words with fewer
    of them, or with symbols or capital letters inside.
    """
    words: dict[str, None] = {}
    letters = others = 0
    for block in blocks:
        try:
            text = block.decode(NAME)
        except UnicodeDecodeError:
            return None
        if _SYMBOL_IN_WORD.search(text):
            return None
        for word in _WORD.findall(text):
            letters += len(word)
            others += sum(not letter.isascii() for letter in word)
            if any(letter in _OTHERS for letter in word) or not (word.islower() or word.isupper() or word.istitle()):
                return None
            words[word] = None
    if not words or 2 * others > letters:
        return None
    first = sorted(words, key=lambda word: (len(word) < 4, len(word)))[:SHOWN]
    more = [counted(len(words) - len(first), "more word")] if len(words) > len(first) else []
    return f"it is not UTF-8, and {NAME} makes words of it: {listing([*map(shown, first), *more])}"
