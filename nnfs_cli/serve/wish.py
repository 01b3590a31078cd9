"""What a request asks for beside its rows: the formats, by its headers, and the options, by its query."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from nnfs_cli.serve.formats import Format, format_of_answer, format_of_body
from nnfs_cli.serve.refusal import Refusal
from nnfs_cli.system.wording import did_you_mean, named, shown

OPTIONS = ("interval", "reasons")


class Wish(NamedTuple):
    """The formats of the rows and of the answer, the probability of intervals, and the number of reasons."""

    form: Format
    answer_form: Format
    interval: float | None
    reasons: int | None

    @classmethod
    def of(cls, headers: Mapping[bytes, bytes], query: bytes) -> Wish:
        """Return what the headers and the query of a request ask for. Raises `Refusal`."""
        kind, encoding, accept = (
            headers.get(key, b"").decode("latin-1") for key in (b"content-type", b"content-encoding", b"accept")
        )
        form = format_of_body(kind, encoding.lower())
        answer_form = format_of_answer(accept, form)
        given = _options(query)
        return cls(form, answer_form, _interval(given.get("interval")), _reasons(given.get("reasons")))


def _options(query: bytes) -> dict[str, str]:
    """Return the options by name. Raises `Refusal` for one that there is not, and for one that is given twice."""
    if not query:
        return {}
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    given = dict(pairs)
    if len(given) < len(pairs):
        raise Refusal(422, "wrong_option", "each option is given once in the query")
    for name in given:
        if name not in OPTIONS:
            hint = did_you_mean(name, OPTIONS) or "; there are interval and reasons"
            raise Refusal(422, "wrong_option", f"there is no option {named(name)}{hint}")
    return given


def _interval(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        level = float(text)
    except ValueError:
        level = math.nan
    if not 0 < level < 1:
        raise Refusal(422, "wrong_option", f"interval is a probability such as 0.9, found {shown(text)}")
    return level


def _reasons(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
        raise Refusal(422, "wrong_option", f"reasons is a number such as 3, found {shown(text)}")
    return int(text)
