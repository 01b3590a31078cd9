"""The colours of pages: text can be read, lines stand out, and people who are colour-blind can tell lines apart."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from nnfs_cli.arrays import Array
from nnfs_cli.charts.matrix import STRONGEST
from nnfs_cli.report.page import STYLE, TEMPLATES

LIGHT, DARK, PRINT = (
    dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    for block in re.findall(r":root \{(.*?)\}", (TEMPLATES / STYLE).read_text(encoding="utf-8"), re.S)
)
SCHEMES = {"light": LIGHT, "dark": DARK, "print": LIGHT | PRINT}  # the dark one is for screens only
# Machado, Oliveira and Fernandes 2009, "A Physiologically-based Model for Simulation of Color Vision Deficiency".
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def linear(colour: str) -> Array:
    """Return linear RGB, as sRGB defines it."""
    shares = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def contrast(a: Array, b: Array) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    light, dark = sorted((float(colour @ [0.2126, 0.7152, 0.0722]) for colour in (a, b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: Array) -> Array:
    """Return CIE L*a*b* of linear RGB."""
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.clip(np.array(matrix) @ rgb / [0.9505, 1, 1.089], 0.008856, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_texts_have_the_contrast_of_wcag_aa(scheme: str) -> None:
    colours = {name: linear(colour) for name, colour in SCHEMES[scheme].items()}
    for name in ("text", "soft", "link", "good", "bad", "warn"):
        for ground in ("page", "raised"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    for i in range(8):
        assert contrast(colours[f"c{i}"], colours["page"]) >= 3, i


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_number_in_the_darkest_cell_can_be_read(scheme: str) -> None:
    shares = {
        name: np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) for name, colour in SCHEMES[scheme].items()
    }
    for opacity in (STRONGEST, STRONGEST / 2):
        mixed = np.round(opacity * shares["cell"] + (1 - opacity) * shares["page"]).astype(int)
        ground = linear("#" + "".join(f"{part:02x}" for part in mixed))
        assert contrast(linear(SCHEMES[scheme]["text"]), ground) >= 4.5


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_first_colours_are_told_apart_by_everybody(scheme: str, deficiency: str) -> None:
    seen = [lab(np.array(DEFICIENCIES[deficiency]) @ linear(SCHEMES[scheme][f"c{i}"])) for i in range(4)]
    for a, b in itertools.combinations(seen, 2):
        assert np.linalg.norm(a - b) > 10  # a difference of 2.3 can just be noticed; dashes differ, too
