"""Settle the formats of a column of dates by all of its cells."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from nnfs_cli.data.dates import local, utc
from nnfs_cli.data.parsing.date_shape import ZONES, parts_of
from nnfs_cli.data.parsing.evidence import Evidence, ShapeFacts
from nnfs_cli.data.parsing.month_names import is_weekday, month_number
from nnfs_cli.data.parsing.open_setting import OpenSettingError
from nnfs_cli.data.parsing.shapes import runs
from nnfs_cli.system.wording import shown

ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")
MOST_FORMATS = 20
ORDERS = ("ymd", "dmy", "mdy")  # of year, month and day in dates that are all digits
_TIME = re.compile(
    r"(?P<sep>[T,\s]+(?:um|at|à|-|kl\.?)?\s*|\s+-\s+)"
    r"(?P<time>0{1,2}(?P<colon>[:.h])00(?:(?P=colon)00(?:(?P<point>[.,])0{1,9})?)?)"
    r"(?P<space>\s?)(?P<half>[AaPp]\.?\s?[Mm]\.?)?(?P<clock>\s?(?:Uhr|hrs|h))?"
    r"(?P<gap>\s?)(?P<zone>[Zz]|[-+]00(?::?00)?|[^\W\d_]{1,4})?$"
)
_COMPACT = {"00000000T000000": "%Y%m%dT%H%M%S", "00000000T0000": "%Y%m%dT%H%M", "0" * 14: "%Y%m%d%H%M%S"}
_TOKEN = re.compile(r"0+|[^\W\d_]+\.?|\s+|[^\w\s]|_")
_NUMERIC = {"dmy": ("d", "m", "Y"), "mdy": ("m", "d", "Y"), "ymd": ("Y", "m", "d")}
_MARKS = (*"./-,'_()",)  # between the parts of a date
_LITERALS = ("de", "of", "the", "del", "den", "年", "月", "日", "st", "nd", "rd", "th", "\u0433", "\u0433.", "er", "º")


def formats_of(shape: str) -> dict[str, str]:
    """Return the formats that the dates of a shape may have, by the order of their numbers; "" if that is not open.

    >>> formats_of("00.00.0000"), formats_of("Dec 00, 0000")
    ({'dmy': '%d.%m.%Y', 'mdy': '%m.%d.%Y'}, {'': '%b %d, %Y'})
    """
    plain = shape.strip()
    if plain.upper() in _COMPACT or plain.upper().removesuffix("Z") in _COMPACT:
        zone = "%z" if plain[-1] in "zZ" else ""
        return {"": _COMPACT[plain.upper().removesuffix("Z")] + zone}
    time = _TIME.search(plain)
    day, behind = (plain, "") if time is None else (plain[: time.start()], _time_format(time))
    if time is not None and behind is None:
        return {}
    return {order: written + str(behind) for order, written in _day_formats(day).items()}


def _time_format(time: re.Match[str]) -> str | None:
    """Return the format of a time of day, or None if it is not one."""
    colon, zone = time["colon"], time["zone"] or ""
    hour = "%I" if time["half"] else "%H"
    written = f"{hour}{colon}%M"
    if time["time"].count(colon) > 1:
        written += f"{colon}%S"
    if time["point"]:
        written += f"{time['point']}%f"
    written += time["space"] + ("%p" if time["half"] else "") + (time["clock"] or "")
    if zone:
        named = zone.lower() in ZONES and zone.lower() != "z"
        if not (named or zone[0] in "zZ+-"):
            return None
        written += time["gap"] + ("%Z" if named else "%z")
    return time["sep"] + written.rstrip()


def _day_formats(day: str) -> dict[str, str]:
    tokens = _TOKEN.findall(day)
    if "".join(tokens) != day or any(_is_foreign(token) for token in tokens):
        return {}
    named = False
    for i, token in enumerate(tokens):
        if not token[0].isalpha():
            continue
        if month_number(token) is not None and not (named or (i == 0 and _is_day_first(tokens))):
            tokens[i], named = "%b" + ("." if token.endswith(".") else ""), True
        elif is_weekday(token):
            tokens[i] = "%a"
        elif token.lower() not in _LITERALS:
            return {}
    places = [i for i, token in enumerate(tokens) if token[0] == "0"]
    lengths = tuple(len(tokens[i]) for i in places)
    inner = tokens[places[0] + 1 : places[-1]] if places else []
    between = {token for token in inner if token[0] not in "0%"}
    orders = _with_name(lengths, between) if named else _all_digits(lengths, between)
    found = {}
    for order, letters in orders.items():
        written = list(tokens)
        for place, letter in zip(places, letters, strict=True):
            written[place] = "".join(f"%{each}" for each in letter)
        found[order] = "".join(written)
    return found


def _is_foreign(token: str) -> bool:
    """Return whether something between the parts of a text never stands in a date."""
    return not (token[0].isalnum() or token.isspace() or token in _MARKS)


def _is_day_first(tokens: list[str]) -> bool:
    """Return whether the first word is a day of the week, such as mar (mardi), since a month follows."""
    return is_weekday(tokens[0]) and any(month_number(token) is not None for token in tokens[1:] if token[0].isalpha())


def _with_name(lengths: tuple[int, ...], between: set[str]) -> dict[str, tuple[str, ...]]:
    """Return the letters of the numbers beside the name of a month."""
    match lengths:
        case (4,):
            return {"": ("Y",)}
        case (2,) if not between:
            return {"month": ("y",)}
        case (1 | 2, 4):
            return {"": ("d", "Y")}
        case (4, 1 | 2):
            return {"": ("Y", "d")}
        case (1, 2) | (2, 2):
            return {"": ("d", "y")}
    return {}


def _all_digits(lengths: tuple[int, ...], between: set[str]) -> dict[str, tuple[str, ...]]:
    """Return the letters of the numbers of a date without the name of a month, by their order."""
    marks = {mark for mark in between if not mark.isspace()}
    one_mark = len(marks) <= 1 or marks <= {"年", "月", "日"}
    match lengths:
        case (8,):
            return {"ymd": ("Ymd",), "dmy": ("dmY",), "mdy": ("mdY",)}
        case (6,):
            return {"ymd": ("ymd",), "dmy": ("dmy",), "mdy": ("mdy",)}
        case (4,):
            return {"": ("Y",)}
        case (4, 1 | 2, 1 | 2) if one_mark:
            return {"ymd": ("Y", "m", "d")}
        case (1 | 2, 1 | 2, 4) if one_mark:
            return {"dmy": ("d", "m", "Y"), "mdy": ("m", "d", "Y")}
        case (1 | 2, 1 | 2, 2) if one_mark and marks:
            orders: dict[str, tuple[str, ...]] = {"dmy": ("d", "m", "y"), "mdy": ("m", "d", "y")}
            return orders | ({"ymd": ("y", "m", "d")} if lengths == (2, 2, 2) else {})
        case (4, 2) if marks and marks <= {*"-/."}:
            return {"": ("Y", "m")}
        case (1 | 2, 4) if marks and marks <= {*"-/."}:
            return {"": ("m", "Y")}
    return {}


def n_fitting(shape: str, facts: ShapeFacts, pattern: str) -> int:
    """Return at most how many cells of a shape are dates in a format, by the sizes of their numbers."""
    parts = parts_of(shape, pattern)
    if parts is None:
        return 0
    places = {(run.first, run.last): i for i, run in enumerate(runs(shape))}
    n = facts.n_cells
    for letter, part in parts.items():
        place = places.get((part.first, part.last))
        if place is None:  # digits of several numbers side by side
            n = min(n, facts.n_cells if _are_dates(facts, pattern) else 0)
            continue
        zero, _, day, above = facts.sizes[place].tolist()
        wrong = {"m": zero + day + above, "d": zero + above, "H": above}.get(letter, 0)
        n = min(n, facts.n_cells - wrong)
    return n


def _are_dates(facts: ShapeFacts, pattern: str) -> bool:
    """Return whether the smallest and the largest number of a shape are dates in a format, beside its example."""
    from nnfs_cli.data.parsing.date import Date

    texts, plain = [facts.example], facts.example.strip()
    if plain.isdigit():
        texts += [str(bound[0]).zfill(len(plain)) for bound in (facts.low, facts.high)]
    return not np.isnat(utc(Date(format=(pattern,)).parse(texts)[0])).any()


def settle_formats(evidence: Evidence) -> tuple[str, ...]:
    """Return the formats with which most cells are dates, the most frequent first.

    Raises `ValueError`, the rest of a sentence about the column, if no cell is a date, or if dates with another order
    of day and month are other dates.
    """
    if not evidence.n_cells:
        return ISO
    by_shape = [(facts, shape, formats_of(shape)) for shape, facts in evidence.most_frequent().items()]
    cells: dict[str, int] = dict.fromkeys(ORDERS, 0)
    formats: dict[str, dict[str, None]] = {order: {} for order in ORDERS}
    open_shapes: list[tuple[ShapeFacts, Mapping[str, str]]] = []
    for facts, shape, found in by_shape:
        for order in ORDERS:
            pattern = found.get(order) or found.get("") or found.get("month")
            if pattern is None and len(found) == 1:
                pattern = next(iter(found.values()))  # as in 2024-03-04 beside 04/03/2024
            if pattern is not None and (n := n_fitting(shape, facts, pattern)):
                cells[order] += n
                formats[order][pattern] = None
        if len(found) > 1:
            open_shapes.append((facts, found))
    most = max(cells.values())
    if not most:
        raise ValueError(f"holds no dates, but texts such as {shown(next(iter(evidence.shapes.values())).example)}")
    best = [order for order in ORDERS if cells[order] == most]
    if len(best) > 1 and open_shapes:
        best = [_by_habit(best, *open_shapes[0], {order: tuple(formats[order])[:MOST_FORMATS] for order in best})]
    return tuple(formats[best[0]])[:MOST_FORMATS]


def _by_habit(
    orders: list[str], facts: ShapeFacts, formats: Mapping[str, str], every: Mapping[str, tuple[str, ...]]
) -> str:
    """Return the usual order of day and month, for the marks in the `formats` of a shape; `every` has all formats.

    Raises `OpenSettingError` if there are several.
    """
    possible = [order for order in orders if order in formats]
    if len(possible) == 1:
        return possible[0]
    if "dmy" in possible and "." in formats["dmy"]:
        return "dmy"  # no language writes points between month and day
    names = {order: _in_words(facts.example, formats[order]) for order in possible}
    first, second = possible[-2:]
    settings = f"date: '{formats[first]}' for the first meaning, or  date: '{formats[second]}' for the second"
    raise OpenSettingError(
        f"holds dates such as {shown(facts.example)}, which may be {names[first]} or {names[second]}, and no cell"
        f" settles it; set  {settings}",
        [{"format": every[order]} for order in (first, second)],
    )


def _in_words(example: str, pattern: str) -> str:
    """Return the day that an example is in a format, as in "3 April 2024"."""
    from nnfs_cli.data.parsing.date import Date

    found = local(Date(format=(pattern,)).parse([example])[0]).astype("datetime64[D]").item(0)
    return f"{found.day} {found:%B %Y}"
