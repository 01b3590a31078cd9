"""Units of measurement and currencies: what a text before or behind a number says about it.

Units of one dimension convert into one another; a unit that is not listed here stands by itself.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

ONE = "one"  # the unit of plain numbers

# Each dimension: the factor of each unit, with other ways to write it. The first name is the unit's own.
_DIMENSIONS: dict[str, dict[str, float]] = {
    "mass": {
        "kg kgs kilo kilos kilogram kilograms": 1e3,
        "g gr gram grams gramm": 1,
        "mg": 1e-3,
        "t tonne tonnes ton tons": 1e6,
    }
    | {"lb lbs pound pounds": 453.59237, "oz ounce ounces": 28.349523125},
    "length": {"m meter meters metre metres": 1, "km": 1e3, "dm": 0.1, "cm": 1e-2, "mm": 1e-3, "µm um": 1e-6}
    | {
        'in inch inches zoll " ″': 0.0254,
        "ft foot feet ' \u2032": 0.3048,
        "yd yard yards": 0.9144,
        "mi mile miles": 1609.344,
    },
    "area": {"m² m2 qm sqm m^2 sq.m": 1, "km² km2 sqkm": 1e6, "cm² cm2": 1e-4, "ha hectare hectares": 1e4}
    | {"ft² ft2 sqft sq.ft sq_ft": 0.09290304, "acre acres ac": 4046.8564224},
    "volume": {"l liter liters litre litres ltr": 1, "ml": 1e-3, "cl": 1e-2, "dl": 0.1, "hl": 100, "m³ m3 cbm": 1e3}
    | {"cc ccm cm³ cm3": 1e-3, "gal gallon gallons": 3.785411784},
    "time": {"s sec secs second seconds sek sekunden": 1, "min mins minute minutes minuten": 60, "ms msec": 1e-3}
    | {"h hr hrs hour hours std stunde stunden": 3600, "d day days tag tage jours jour": 86400}
    | {"week weeks wk wks woche wochen": 604800},
    "calendar": {"month months mo mos monat monate mois": 1, "year years yr yrs y jahr jahre ans": 12},
    "speed": {"km/h kmh kph kmph": 1 / 3.6, "m/s mps": 1, "mph": 0.44704, "kn knots knot": 1852 / 3600},
    "power": {"W watt": 1, "kW": 1e3, "MW": 1e6, "GW": 1e9, "mW": 1e-3}
    | {"hp bhp": 745.69987158227022, "PS": 735.49875},
    "energy": {"J": 1, "kJ": 1e3, "MJ": 1e6, "Wh": 3600, "kWh": 3.6e6, "MWh": 3.6e9, "cal": 4.184, "kcal": 4184},
    "bytes": {"B byte bytes": 1, "KB kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
    | {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40},
    "pressure": {"Pa": 1, "hPa mbar": 100, "kPa": 1e3, "bar": 1e5, "psi": 6894.757293168},
    "frequency": {"Hz": 1, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9},
    "voltage": {"V volt volts": 1, "kV": 1e3, "mV": 1e-3},
    "current": {"A amp amps": 1, "mA": 1e-3},
    "charge": {"Ah": 1, "mAh": 1e-3},
    "share": {"% percent pct prozent pc": 1, "‰": 0.1},
    "celsius": {"°C ºC": 1},
    "fahrenheit": {"°F ºF": 1},
    "ordinal": {"st nd rd th": 1},
}
_MAGNITUDES = {
    "k K tsd tausend thousand тыс": 1e3,
    "lakh lac lakhs": 1e5,
    "M m mn mio mill million millions millionen mln млн": 1e6,
    "crore cr crores": 1e7,
    "B b bn bln billion billions mrd milliarden milliarde млрд G": 1e9,
    "T tn trillion bio": 1e12,
    "万": 1e4,
    "億 亿": 1e8,
}
_CURRENCIES = {
    "USD": "$ US$ usd$ dollar dollars", "EUR": "€ euro euros", "GBP": "£ gbp£", "INR": "₹ rs rs. ₨",
    "CHF": "fr fr. sfr sfr.", "JPY": "円 jp¥", "CNY": "元 cn¥ rmb", "¥": "¥ ￥", "KRW": "₩ 원",
    "RUB": "₽ rub \u0440\u0443\u0431 \u0440\u0443\u0431. \u0440.", "PLN": "zł zl", "CZK": "kč", "HUF": "ft.",
    "BRL": "r$", "TRY": "₺ tl", "ILS": "₪", "THB": "฿", "VND": "₫ đ", "UAH": "₴ грн", "NGN": "₦", "PHP": "₱",
    "RON": "lei leu", "BGN": "лв лв.", "CAD": "ca$ c$ can$", "AUD": "a$ au$", "NZD": "nz$", "MXN": "mx$ mex$",
    "SGD": "s$", "HKD": "hk$", "kr": "kr kr.", "SEK": "", "NOK": "", "DKK": "", "ZAR": "", "KZT": "₸", "GHS": "gh₵",
    "BTC": "₿", "IDR": "rp rp.", "MYR": "rm", "AED": "", "SAR": "", "EGP": "", "ARS": "ar$", "COP": "", "CLP": "",
    "TWD": "nt$",
}  # fmt: skip
NAMES = {
    "USD": "US dollars", "EUR": "euros", "GBP": "pounds sterling", "INR": "rupees", "CHF": "Swiss francs", "JPY": "yen",
    "CNY": "yuan", "KRW": "won", "RUB": "roubles", "PLN": "zlotys", "CZK": "Czech crowns", "BRL": "reais",
    "kr": "crowns", "TRY": "liras", "%": "percentages",
}  # fmt: skip
DECIMAL_POINT = ("USD", "GBP", "INR", "JPY", "CNY", "¥", "KRW", "ILS", "THB", "CAD", "AUD", "NZD", "MXN", "SGD", "HKD")
"""Currencies whose amounts are written with a decimal point."""


class Unit(NamedTuple):
    """A unit with its dimension, and how many base units of that dimension it is."""

    name: str
    dimension: str
    factor: float = 1.0


def _spelled(groups: dict[str, float], dimension: str) -> dict[str, Unit]:
    return {
        spelling: Unit(group.split()[0], dimension, factor)
        for group, factor in groups.items()
        for spelling in group.split()
    }


_UNITS: dict[str, list[Unit]] = {}  # by spelling; a spelling may be of several dimensions, the usual one first
for _dimension, _groups in _DIMENSIONS.items():
    for _spelling, _unit in _spelled(_groups, _dimension).items():
        _UNITS.setdefault(_spelling, []).append(_unit)
_PRICES = {
    spelling: Unit(code, code)
    for code, others in _CURRENCIES.items()
    for spelling in (code.lower(), *others.lower().split())
}
_FACTORS = {spelling: factor for group, factor in _MAGNITUDES.items() for spelling in group.split()}
_FACTORS |= {spelling.lower(): factor for spelling, factor in _FACTORS.items() if spelling not in ("G", "T", "B")}
_CAPITALS = ("M", "B", "T", "G")  # that rather mean a power of ten
_WORD = re.compile(r"[^\W\d]+")


def currency(text: str) -> Unit | None:
    """Return the currency that a symbol or a code of ISO 4217 names, or None."""
    return _PRICES.get(text.strip().lower())


def known_units(text: str) -> list[Unit]:
    """Return the units that a text behind a number may mean, the usual one first; none if it is not known.

    >>> known_units("km"), known_units("Mio. €")
    ([Unit(name='km', dimension='length', factor=1000.0)], [Unit(name='EUR', dimension='EUR', factor=1000000.0)])
    """
    return list(_known(text))


@lru_cache(4_096)
def _known(text: str) -> tuple[Unit, ...]:
    plain = text.strip()
    if not plain:
        return (Unit(ONE, ONE),)
    if found := currency(plain):
        return (found,)
    bare, scaled = plain.rstrip("."), _scaled(plain)
    exact = _UNITS.get(bare, []) or _UNITS.get(re.sub(r"\s+", "", bare), [])
    if bare in _CAPITALS:
        return (*scaled, *exact)
    return (*exact, *scaled, *([] if exact else _UNITS.get(re.sub(r"\s+", "", bare.lower()), [])))


def _scaled(text: str) -> list[Unit]:
    """Return the unit that begins with a word for a power of ten, as in Mio. €."""
    match = _WORD.match(text)
    if match is None:
        return []
    factor = _FACTORS.get(match[0]) or (_FACTORS.get(match[0].lower()) if len(match[0]) > 1 else None)
    rest = text[match.end() :].strip(" .")
    base = Unit(ONE, ONE) if not rest else currency(rest)
    return [Unit(base.name, base.dimension, factor)] if base and factor else []


def unit_named(name: str) -> list[Unit]:
    """Return the units that a setting may mean, the usual one first; a unit of its own if it is not known."""
    if name == ONE:
        return [Unit(ONE, ONE)]
    return known_units(name) or [own_unit(name)]


def own_unit(text: str) -> Unit:
    """Return the unit that a text which no table lists stands for: itself, in the singular."""
    name = text.strip().rstrip(".")
    if len(name) > 3 and name[-1] in "sS" and name[-2] not in "sS":
        name = name[:-1]
    return Unit(name, f"own {name.lower()}")
