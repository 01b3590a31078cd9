"""The formulas of a layer or a loss, taken from its docstring: the one place where they are written."""

from __future__ import annotations

import inspect
import re
from itertools import takewhile
from typing import NamedTuple

from nnfs_cli.components.component import Component

NOT_DECLARED = "not declared"
_GRADIENT = re.compile(r"Gradients?(: |, (?=with ))")
_NEXT_PART = re.compile(r"(Shapes|Source|Parameters): |$")


class Formulas(NamedTuple):
    """What a layer or a loss computes: `forward` its output, `backward` its gradients.

    Each is a line of text, or ``not declared``.
    """

    forward: str
    backward: str


def formulas(component: Component | type[Component]) -> Formulas:
    """Return the formulas that the docstring of a component declares.

    The forward one follows the first colon of the first sentence, the backward ones follow ``Gradient:`` or
    ``Gradients:`` at the beginning of a line, up to the next part, such as ``Shapes:``. A class without a docstring has
    the formulas of its base, unless it defines a `forward` of its own.

    >>> from nnfs_cli import Tanh
    >>> formulas(Tanh()).backward
    'dx = (1 - y²) dy'
    """
    lines = _docstring(component if isinstance(component, type) else type(component)).splitlines()
    headline = " ".join(takewhile(str.strip, lines))
    forward = headline.partition(": ")[2]
    start = next((i for i, line in enumerate(lines) if _GRADIENT.match(line)), len(lines))
    paragraph = takewhile(lambda line: not _NEXT_PART.match(line), lines[start:])
    backward = _GRADIENT.sub("", " ".join(paragraph), count=1)
    return Formulas(*(text.strip().removesuffix(".") or NOT_DECLARED for text in (forward, backward)))


def _docstring(kind: type[Component]) -> str:
    """Return the docstring that describes the class's `forward`, or the empty string."""
    for base in kind.__mro__:
        if text := vars(base).get("__doc__"):
            return inspect.cleandoc(text)
        if "forward" in vars(base):
            break
    return ""
