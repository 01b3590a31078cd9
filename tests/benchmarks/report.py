"""The parts of the benchmarks, and the tables of their last measurements."""

from __future__ import annotations

import importlib

from tests.benchmarks.part import Part, file_of, read

PARTS = (
    *("jobs", "steps", "epochs", "preset", "predict", "serve", "explain", "exports"),
    *("commands", "busy", "big", "growth"),
)


def part_of(name: str) -> Part:
    """The module that measures a part."""
    module: Part = importlib.import_module(f"tests.benchmarks.{name}")  # type: ignore[assignment]
    return module


def markdown(part: str) -> str:
    """The tables of a part."""
    return part_of(part).markdown(read(part)) if file_of(part).exists() else "Not measured yet.\n"


def summary() -> str:
    """The short table of the README."""
    from tests.benchmarks import steps

    return steps.summary(read("steps"))
