"""Read charts with a parser that is not ours, and turn pixels back into data by the labels of the ticks."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np

from nnfs_cli.arrays import Array

SUPERSCRIPTS = str.maketrans("\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "-0123456789")


def parsed(svg: str) -> ElementTree.Element:
    """Return the root of a picture. Malformed markup is an error."""
    return ElementTree.XML(svg)


def of_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Return the elements of a class."""
    return [element for element in root.iter() if name in element.get("class", "").split()]


def points_of(element: ElementTree.Element) -> Array:
    """Return the points (n, 2) of a path of a line, in pixels."""
    return np.array([[float(a), float(b)] for a, b in re.findall(r"(-?[\d.]+),(-?[\d.]+)", element.get("d", ""))])


def as_number(label: str) -> float:
    """Return the number that the label of a tick shows."""
    label = label.replace(",", "").replace("\u2212", "-")
    sign, label = (-1.0, label[1:]) if label.startswith("-") else (1.0, label)
    mantissa, _, power = label.rpartition("\u00d7") if "\u00d7" in label else ("1", "", label)
    if power.startswith("10") and len(power) > 2 and not power[2].isascii():
        return sign * float(f"{mantissa}e{power[2:].translate(SUPERSCRIPTS)}")
    return sign * float(label)


def ticks_of(root: ElementTree.Element) -> tuple[dict[float, float], dict[float, float]]:
    """Return the numbers at the ticks of the x axis and of the y axis, by their pixels."""
    labels = of_class(root, "ch-tick")
    x = {float(e.get("x", 0)): as_number(e.text or "") for e in labels if e.get("text-anchor") == "middle"}
    y = {float(e.get("y", 0)) - 4: as_number(e.text or "") for e in labels if e.get("text-anchor") == "end"}
    return x, y


def to_data(pixels: Array, ticks: dict[float, float], log: bool = False) -> Array:
    """Return the numbers at pixels of an axis, by a straight line through its ticks."""
    places, numbers = np.array(list(ticks)), np.array(list(ticks.values()))
    fit = np.polyfit(places, np.log10(numbers) if log else numbers, 1)
    values = np.polyval(fit, pixels)
    return 10**values if log else values
