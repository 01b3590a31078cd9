"""Sixty messy tables with what they mean: ten locales, each kind of disguise, odd layouts, mixed and dirty cells.

A table is made by its number. `Messy.text` is the file as people write it, and `Messy.clean` the same table as a
careful person would write it: plain numbers, dates of ISO 8601, 1 and 0, and nothing in a cell that says nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

N_TABLES, N_ROWS = 60, 240
START = datetime(2021, 3, 1)


class Locale(NamedTuple):
    """How people of one country write tables."""

    decimal: str
    thousands: str
    money: str  # with {} for the number
    date: str
    long_date: str
    months: str
    yes: str  # spellings, with blanks between them
    no: str
    total: str
    delimiter: str
    encoding: str = "utf-8"


ENGLISH = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
GERMAN = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
SWISS = "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."
FRENCH = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
SPANISH = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
ITALIAN = "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"
SWEDISH = "januari februari mars april maj juni juli augusti september oktober november december"
POLISH = "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia"
SPACE, NARROW, FIXED = " ", "\u202f", "\u00a0"
LOCALES = (
    Locale(".", ",", "${}", "%m/%d/%Y", "%b %d, %Y", ENGLISH, "yes Yes Y", "no No N", "Total", ","),
    Locale(".", ",", "£{}", "%d/%m/%Y", "%d %b %Y", ENGLISH, "TRUE T", "FALSE F", "Grand Total", ",", "utf-8-sig"),
    Locale(",", ".", "{} €", "%d.%m.%Y", "%d. %b %Y", GERMAN, "ja Ja J", "nein Nein N", "Summe", ";"),
    Locale(",", NARROW, "{} €", "%d/%m/%Y", "%d %b %Y", FRENCH, "oui Oui O", "non Non N", "Total", ";"),
    Locale(".", "'", "CHF {}", "%d.%m.%y", "%d. %b %Y", SWISS, "ja Ja", "nein Nein", "Total", "\t"),
    Locale(".", ",", "₹{}", "%d-%m-%Y", "%d-%b-%Y", ENGLISH, "Yes Y", "No N", "Total", ","),
    Locale(",", ".", "{} EUR", "%d/%m/%Y", "%d de %b de %Y", SPANISH, "sí Sí", "no No", "Suma", ";"),
    Locale(",", ".", "€ {}", "%d-%m-%Y", "%d %b %Y", ITALIAN, "sì Sì", "no No", "Totale", ";"),
    Locale(",", FIXED, "{} kr", "%Y-%m-%d", "%d %b %Y", SWEDISH, "ja Ja", "nej Nej", "Summa", ";", "utf-16"),
    Locale(",", SPACE, "{} zł", "%d.%m.%Y", "%d %b %Y", POLISH, "tak Tak", "nie Nie", "Razem", "|"),
)

Cells = list[str]


@dataclass(frozen=True)
class Messy:
    """A messy table and its meaning: both as the bytes of a CSV file. `target` is the column to predict."""

    text: bytes
    clean: bytes
    target: str
    classes: bool


def messy_table(number: int) -> Messy:
    """Make a table by its number, from 0 to 59."""
    rng, place = np.random.default_rng(number), LOCALES[number % len(LOCALES)]
    kind, classes = number // len(LOCALES), number // len(LOCALES) % 3 == 2
    price, weight = rng.lognormal(7, 1.2, N_ROWS).round(2), rng.uniform(0.2, 30, N_ROWS).round(1)
    share, change = rng.integers(0, 400, N_ROWS) / 10, rng.normal(0, 2_000, N_ROWS).round(1)
    days, is_open = rng.integers(0, 900, N_ROWS), rng.random(N_ROWS) < 0.4
    size, color = rng.normal(0, 1, N_ROWS).round(3), rng.choice(["red", "green", "blue"], N_ROWS)
    low, minutes = rng.integers(1, 90, N_ROWS), rng.integers(1, 600, N_ROWS)
    high = low + rng.integers(1, 60, N_ROWS)
    y = np.log(price) + weight / 10 - share / 20 + change / 3_000 + days / 400 + is_open + size + (color == "red")
    y += (low + high) / 80 - minutes / 300
    y = (1_000 * (y + rng.normal(0, 0.2, N_ROWS)) + 9_000).round(2)
    dates = [START + timedelta(int(day)) for day in days]
    styles: list[Callable[[float], str]] = [
        lambda x: money(x, place), lambda x: f"{written(x, place)} kg", lambda x: f"{written(x, place)} %",
    ]  # fmt: skip
    columns: dict[str, tuple[Cells, Sequence[object]]] = {
        "price": ([styles[0](x) for x in price], price),
        "weight": ([styles[1](x) if kind != 1 else grams(x, place) for x in weight], weight),
        "share": ([styles[2](x) if kind != 3 else f"{written(x, place)}%" for x in share], share),
        "change": ([negative(x, place, kind) for x in change], change),
        "sold": ([dated(date, place, kind) for date in dates], [f"{date:%Y-%m-%d}" for date in dates]),
        "open": (spelled(is_open, place, rng), is_open.astype(int).tolist()),
        "size": ([written(x, place, 3) for x in size], size),
        "color": (color.tolist(), color),
        "age": ([f"{a}{(' - ', '-', ' bis ')[kind % 3]}{b}" for a, b in zip(low, high, strict=True)], low),
        "took": ([lasting(int(n), kind) for n in minutes], minutes * 60),
        "y": ([money(x, place) if kind % 2 else written(x, place) for x in y], y),
    }
    if classes:
        labels = np.where(y > np.median(y), "high", "low")
        columns["y"] = (labels.tolist(), labels)
    cells = {name: list(messy) for name, (messy, _) in columns.items()}
    clean = {name: [*map(str, values)] for name, (_, values) in columns.items() if name != "age"}
    clean |= {"age low": [*map(str, low)], "age high": [*map(str, high)]}
    if kind >= 2:  # words that mean nothing, and cells that are no numbers
        for name in ("price", "weight", "sold", "size"):
            for word, n in (("n/a", 5), ("ask us", 2 * (name == "price"))):
                for row in rng.choice(N_ROWS, n, replace=False):
                    cells[name][row], clean[name][row] = word, ""
    return Messy(file(cells, place, kind), file(clean, LOCALES[0], -1), "y", classes)


def written(x: float, place: Locale, decimals: int | None = None) -> str:
    """Write a number with the marks of a locale; in India, lakhs are grouped."""
    text = f"{x:,.{decimals}f}" if decimals is not None else f"{x:,}"
    if place.money.startswith("₹"):
        whole, _, rest = text.replace(",", "").partition(".")
        head, tail = whole[:-3], whole[-3:]
        pairs = [head[max(i - 2, 0) : i] for i in range(len(head), 0, -2)][::-1]
        text = ",".join([*pairs, tail]) + (f".{rest}" if rest else "")
    return text.replace(",", "\0").replace(".", place.decimal).replace("\0", place.thousands)


def money(x: float, place: Locale) -> str:
    """Write an amount with its currency."""
    return place.money.format(written(x, place, 2))


def grams(x: float, place: Locale) -> str:
    """Write a weight in g if it is small, else in kg."""
    return f"{written(x, place)} kg" if x >= 1 else f"{round(1000 * x)} g"


def negative(x: float, place: Locale, kind: int) -> str:
    """Write a number, below zero in parentheses, with the minus behind it, or with another sign for minus."""
    text = written(abs(x), place)
    marks = ("({})", "{}-", "\u2212{}", "-{}")
    return marks[kind % 4].format(text) if x < 0 else text


def lasting(minutes: int, kind: int) -> str:
    """Write how long something took."""
    hours, rest = divmod(minutes, 60)
    return f"{hours:02}:{rest:02}:00" if kind % 2 else f"{hours}h {rest}m"


def dated(date: datetime, place: Locale, kind: int) -> str:
    """Write a date in the short or the long format."""
    if kind % 2 == 0:
        return date.strftime(place.date)
    month = place.months.split()[date.month - 1]
    return date.strftime(place.long_date.replace("%b", "{}")).format(month)


def spelled(flags: np.ndarray, place: Locale, rng: np.random.Generator) -> Cells:
    """Write yes and no in several spellings."""
    words = (place.no.split(), place.yes.split())
    return [str(rng.choice(words[int(flag)])) for flag in flags]


def file(columns: dict[str, Cells], place: Locale, kind: int) -> bytes:
    """Write a CSV file with the oddities of its kind; the kind -1 has none."""
    text, n_columns = io.StringIO(newline=""), len(columns)
    writer = csv.writer(text, delimiter=place.delimiter, lineterminator="\r\n" if kind == 4 else "\n")
    if kind == 1:
        text.write(f"sep={place.delimiter}\n")
    if kind == 2:
        text.write('# made by hand, "with care"\n# in 2024\n')
    if kind == 3:
        writer.writerow(["A title", *[""] * (n_columns - 1)])
        text.write("\n")
    index = kind == 0
    writer.writerow([*[""] * index, *columns])
    for i, row in enumerate(zip(*columns.values(), strict=True)):
        writer.writerow([*[i] * index, *row])
    if kind == 4:
        writer.writerow([place.total, *[""] * (n_columns - 2), written(1234567.8, place)])
    return text.getvalue().encode(place.encoding if kind >= 0 else "utf-8")
