"""The order of classes that are words on a scale, such as low, medium and high."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from nnfs_cli.data.parsing.month_names import month_number, plain

FEWEST = 3  # classes that can have an order which is worth knowing
# Each scale from its lowest to its highest step; spellings of the same step stand together.
SCALES = [
    scale.split(", ")
    for scale in (
        "none|no, very low|minimal, low|lo, lower middle|medium low, medium|med|mid|middle|moderate|normal, "
        "upper middle|medium high, high|hi, very high, extreme|critical",
        "none|no, mild|slight|minor, moderate|medium, serious|major, severe, critical|very severe|fatal",
        "very small|tiny, small, medium|mid|middle, large|big, very large|huge",
        "xxxs, xxs|2xs, xs|extra small, s|small, m|medium, l|large, xl|extra large, xxl|2xl|extra extra large, "
        "xxxl|3xl, xxxxl|4xl",
        "awful|terrible|very bad|very poor, bad|poor, below average, fair|ok|okay|average|acceptable|satisfactory|"
        "medium|regular|neutral, above average, good, very good|great, premium, excellent|outstanding|perfect|ideal",
        "strongly disagree|completely disagree|disagree strongly|totally disagree, disagree|mostly disagree, "
        "somewhat disagree|slightly disagree|rather disagree, "
        "neutral|neither|undecided|neither agree nor disagree|not sure|unsure, "
        "somewhat agree|slightly agree|rather agree, agree|mostly agree, "
        "strongly agree|completely agree|agree strongly|totally agree",
        "very dissatisfied|extremely dissatisfied, dissatisfied|unsatisfied, somewhat dissatisfied, "
        "neutral|neither|neither satisfied nor dissatisfied, somewhat satisfied, satisfied, "
        "very satisfied|extremely satisfied",
        "very unlikely|extremely unlikely, unlikely, neutral|neither|possible, likely, very likely|extremely likely",
        "not at all, a little|slightly|a bit, somewhat|moderately, very much|a lot|very|quite a bit, extremely",
        "never, almost never|very rarely, rarely|seldom, sometimes|occasionally, often|frequently, "
        "usually|very often, almost always, always",
        "freezing, cold, cool, mild, warm, hot|very hot",
        "very slow, slow, medium|moderate|normal, fast, very fast",
        "very short, short, medium, long, very long",
        "very young, child|kid, teen|teenager|adolescent|youth|young, adult|middle aged|middle, senior|elderly|old",
        "beginner|novice, elementary, intermediate|medium, advanced, expert|master",
        "trainee|intern, junior, mid|middle|intermediate|regular, senior, lead|staff, principal",
        "easy, medium|moderate, hard|difficult, very hard|very difficult",
        "bronze, silver, gold, platinum, diamond",
        "primary|elementary|primary school, middle school, secondary|high school|secondary school, "
        "college|some college, bachelor|bachelors|undergraduate|bachelor's, master|masters|graduate|master's, "
        "doctorate|phd|doctoral|postgraduate",
        "fail|failed, pass|passed, merit|credit, distinction, high distinction",
        "first|one, second|two, third|three, fourth|four, fifth|five, sixth|six, seventh|seven, eighth|eight, "
        "ninth|nine, tenth|ten",
        "sehr niedrig, niedrig|gering|tief, mittel|normal, hoch, sehr hoch",
        "ungenügend|mangelhaft|schlecht, ausreichend|genügend, befriedigend|mittel, gut, sehr gut",
        "très faible|tres faible, faible|bas, moyen|moyenne, élevé|eleve|haut, très élevé|tres eleve",
        "muy bajo|muy baja, bajo|baja, medio|media, alto|alta, muy alto|muy alta",
    )
]
_NUMBERED = re.compile(r"([^0-9]*)([0-9]{1,6})(?:[^0-9]+([0-9]{1,6}))?[^0-9]*")  # with one number, or a range
_ORDINAL = re.compile(r"(?<=[0-9])(st|nd|rd|th)\b")
_BELOW = re.compile("<|under|below|less|up to")
_OPEN = re.compile("[<>+]|under|below|less|up to|over|above|more|older|plus")
_GRADE = re.compile("([a-f])([+-]?)")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")


def order_of(labels: Sequence[str]) -> tuple[str, ...]:
    """Return texts from lowest to highest if they are steps of one scale, else nothing.

    The scales are words such as low and high, sizes of clothes, months, school grades (F lowest), Roman numbers, and
    texts that differ in a number, such as 1st and 2nd, stage 1 and stage 2, or 18-25 and 26-35.

    >>> order_of(["high", "low", "Medium"]), order_of(["10th", "9th", "1st"]), order_of(["red", "low", "blue"])
    (('low', 'Medium', 'high'), ('1st', '9th', '10th'), ())
    """
    if len(labels) < FEWEST:
        return ()
    texts = [" ".join(re.split(r"[\s_]+", plain(label.strip()))) for label in labels]
    words = [text.replace("-", " ") for text in texts]
    places: list[Sequence[Any]] = [[scale.get(text) for text in words] for scale in _PLACES]
    places += [[month_number(text) for text in words], [_grade(text) for text in texts]]
    orders = (_sorted(labels, each) for each in places)
    return next(filter(None, orders), ()) or _by_numbers(labels, texts)


def _on(scale: Sequence[str]) -> dict[str, int]:
    """Return the place of each spelling on a scale."""
    return {plain(spelling): i for i, step in enumerate(scale) for spelling in step.split("|")}


_PLACES = [_on(scale) for scale in (*SCALES, _ROMAN)]


def _sorted(labels: Sequence[str], places: Sequence[Any]) -> tuple[str, ...]:
    """Return labels in the order of their places; nothing if two share one, or one has none."""
    if None in places or len({*places}) < len(labels):
        return ()
    return tuple(label for _, label in sorted(zip(places, labels, strict=True)))


def _grade(text: str) -> tuple[int, int] | None:
    """Return the place of a school grade: F is lowest, and A- is below A."""
    found = _GRADE.fullmatch(text)
    return (-ord(found[1]), {"-": -1, "": 0, "+": 1}[found[2]]) if found else None


def _by_numbers(labels: Sequence[str], texts: Sequence[str]) -> tuple[str, ...]:
    """Return texts with a number or a range each, in the order of the numbers, if most of them are written alike."""
    found = [_NUMBERED.fullmatch(text) for text in texts]
    forms = Counter(re.sub("[0-9]+", "0", _ORDINAL.sub("", text)) for text in texts)
    form, *others = [form for form, _ in forms.most_common()]
    if not all(map(_OPEN.search, others)) or (form == "0" and not any(map(_ORDINAL.search, texts))):
        return ()
    places = [(int(one[2]), -1 if _BELOW.search(one[1]) else int(one[3] or 10**6)) if one else None for one in found]
    return _sorted(labels, places)
