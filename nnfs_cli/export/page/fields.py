"""What the form of a page says about each column: its range or its words as trained, and a value to start with."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_cli.pipeline.pipeline import Pipeline

MOST_WORDS = 200  # of a column of categories that a form offers, the most frequent first


def fields(
    pipeline: Pipeline, inputs: Sequence[Mapping[str, Any]], meanings: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return a field for each column that a pipeline reads, in its order.

    `inputs` describes the training rows, as a run records them. A column that is not described has no range: that of
    exposures, which begins with 1. `meanings` says what the numbers of some columns mean.
    """
    described = {column["name"]: column for column in inputs}
    kinds = {name: value.settings["kind"] for name, value in pipeline.columns.items()}
    return [
        {"name": name, "kind": kind, "meaning": meanings.get(name, ""), **_about(kind, described.get(name, {}))}
        for name, kind in kinds.items()
    ]


def _about(kind: str, column: Mapping[str, Any]) -> dict[str, Any]:
    missing = column.get("missing", 0)
    if kind == "category":
        words = [*column.get("counts", {})]
        return {"missing": missing, "words": words[:MOST_WORDS], "start": words[0] if words else None}
    low, high, edges = column.get("min"), column.get("max"), column.get("edges", [])
    about = {"missing": missing, "low": low, "high": high, "start": _median(column)}
    if kind == "date":
        return {**about, "start": _day(about["start"]), "marks": [_day(edge) for edge in edges]}
    inner = [edge for edge in edges if low is not None and edge > low]
    return {**about, "marks": inner, "whole": low is not None and all(map(float.is_integer, [low, high, *inner]))}


def _median(column: Mapping[str, Any]) -> float | None:
    """Return the upper edge of the bin that the middle row lies in, for dates in days since 1970; None without rows."""
    if not column:
        return 1.0
    edges = column.get("edges", [])
    for edge, share in zip(edges, itertools.accumulate(column.get("shares", [])), strict=False):
        if share >= 0.5:
            return float(edge)
    return float(edges[-1]) if edges else None


def _day(days: float | None) -> str | None:
    return None if days is None else str(np.datetime64(math.floor(days), "D"))
