"""The metadata on top of a model card, as Hugging Face's Hub and its tools read it.

Sources: https://github.com/huggingface/hub-docs/blob/main/modelcard.md; Mitchell et al., "Model Cards for Model
Reporting" (2019), for the card below it.
"""

from __future__ import annotations

import math
import re
from typing import Any

from nnfs_cli.config.config import Config
from nnfs_cli.display.text import number
from nnfs_cli.report.run_facts import RunFacts

METRICS = {"r2": "r_squared", "max_error": "max_error", "brier": "brier_score"}  # what the Hub calls them
SPLIT = re.compile(r"[/\\]")


def metadata(facts: RunFacts) -> dict[str, Any]:
    """Return the metadata of the card of a run as plain values, with the figures of the rows that were held out."""
    config = facts.config
    task = "tabular-regression" if config and config.loss.task == "regression" else "tabular-classification"
    names = [METRICS.get(metric.name, metric.name) for metric in (config.metrics or ())] if config else []
    found: dict[str, Any] = {"library_name": "nnfs", "tags": ["nnfs", "tabular", "neural-network"]}
    found |= {"pipeline_tag": task} if config else {}
    found |= {"metrics": [*dict.fromkeys(names)]} if names else {}
    results = [result for split in ("test", "validation") if (result := _result(facts, split, task))]
    return found | ({"model-index": [{"name": facts.name, "results": results}]} if results else {})


def source_name(facts: RunFacts) -> str:
    """Return the name of the training data, without the folder or the host that it was in."""
    return SPLIT.split(str((facts.data or {}).get("name") or "table"))[-1] or "table"


def dataset_id(name: str) -> str:
    """Return a name as the Hub takes it for a data set: letters, digits, points, dashes and underscores.

    >>> dataset_id("my houses (2026).csv")
    'my-houses-2026'
    """
    stem = re.sub(r"\.[A-Za-z0-9]{1,8}(\.(gz|zst|zip|bz2|xz))?$", "", name)
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-.") or "table"


def _result(facts: RunFacts, split: str, task: str) -> dict[str, Any] | None:
    """Return the figures of a split, as a result of the model index; None if there are none."""
    figures = facts.figures.get(split, {})
    found = facts.predictions
    bounds = found.evaluation.intervals.get(split, {}) if found is not None and split in found.held_out else {}
    if found is not None and split in found.held_out:
        figures = found.evaluation[split]
    metrics = [
        {"type": _type_of(name, facts.config), "name": _with_interval(name, bounds.get(name)), "value": float(value)}
        for name, value in figures.items()
        if name != "rows" and value is not None and math.isfinite(value)
    ]
    if not metrics:
        return None
    data = source_name(facts)
    return {
        "task": {"type": task, "name": task.replace("-", " ").title()},
        "dataset": {"type": dataset_id(data), "name": data, "split": split},
        "metrics": metrics,
    }


def _type_of(figure: str, config: Config | None) -> str:
    """Return the metric that a figure is of: `recall_benign` is a recall."""
    known = [metric.name for metric in (config.metrics or ())] if config else []
    name = max((name for name in known if figure.startswith(name)), key=len, default=figure)
    if figure == "loss" and config is not None:
        return config.loss.name
    return METRICS.get(name, name)


def _with_interval(name: str, bounds: Any) -> str:
    return name if not bounds else f"{name} (95 % interval {number(bounds[0])} to {number(bounds[1])})"
