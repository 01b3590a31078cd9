"""The report on how good models are: the tables of the guide and of the README, and the points of their picture."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.comparison import (
    OURS,
    Figures,
    among_rivals,
    duel,
    is_variant,
    means,
    models_of,
    ranks,
    scores,
    shared,
    typical,
    worst,
)

SHORT = {"HistGradientBoosting": "HGB"}  # where a column has little space


def summary(results: Mapping[str, Any]) -> str:
    """Return the short table of the README: a row for each model, the best mean rank first."""
    found: Figures = results["figures"]
    ranked = {model: rank for model, rank in mean_ranks(found).items() if not is_variant(model)}
    lines = ["| model | mean rank | nnfs is better on | seconds to train |", "|---|---:|---:|---:|"]
    for model in sorted(ranked, key=lambda model: ranked[model]):
        of = duel(found, OURS, model)
        name, better = (f"**{model}**", "") if model == OURS else (model, f"{of.better} of {of.tables}")
        lines.append(f"| {name} | {ranked[model]:.1f} | {better} | {typical(found, 'seconds', model):.2f} |")
    about = f"{results['date']}, {results['machine']['processor']}, one thread, {splits_of(found)}."
    return "\n".join([*lines, "", about]) + "\n"


def markdown(results: Mapping[str, Any]) -> str:
    """Return the report of the guide."""
    machine, found = results["machine"], results["figures"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    lines = [
        f"Measured on {results['date']}: {machine['processor']}, one thread, Python {machine['python']}, {packages}.",
        f"There are {len(found)} tables and {splits_of(found)}.",
        "",
        *_losses(found),
        "",
        *_models(found),
    ]
    if OURS in models_of(found):
        lines += ["", *_duels(found)]
    return "\n".join(lines) + "\n"


def mean_ranks(found: Figures) -> dict[str, float]:
    """Return the mean rank of each model, see `among_rivals`; it is NaN if no split is shared by all of them."""
    models = [model for model in models_of(found) if model != "constant"]
    of = {model: among_rivals(found, model) for model in models}
    return {model: ranks(losses)[model] if losses else math.nan for model, losses in of.items()}


def points(found: Figures) -> dict[str, tuple[float, float]]:
    """Return what a picture shows of each model: the CPU seconds to train on a typical table, and the mean rank."""
    return {model: (typical(found, "seconds", model), rank) for model, rank in mean_ranks(found).items()}


def splits_of(found: Figures) -> str:
    """Return in words how many splits of each table were measured, with the models that have fewer."""
    counts: dict[str, list[str]] = {}
    most = max(len(splits) for of in found.values() for splits in of.values())
    for model in models_of(found):
        numbers = {len(of.get(model, ())) for of in found.values()}
        if numbers != {most}:
            counts.setdefault(" to ".join(map(str, sorted({min(numbers), max(numbers)}))), []).append(model)
    fewer = "; ".join(f"{number} for {', '.join(models)}" for number, models in counts.items())
    return f"{most} split{'s' * (most > 1)} of each table" + (f" ({fewer})" if fewer else "")


def tried(path: Path) -> str:
    """Return the table of the ideas that were tried.

    The file is a JSON list of objects with `what`, `percent` (the change of the loss) and its standard `error`,
    `seconds` (in place of one second), `kept` and `note`; a figure that is null was not measured.
    """
    ideas = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    rows = [
        (of["what"], _change(of["percent"], of["error"]), _number(of["seconds"], ".1f"), _yes(of["kept"]), of["note"])
        for of in ideas
    ]
    heads = ("idea", "change of the loss in %", "times the CPU seconds", "kept", "note")
    return "\n".join(_table(heads, rows, "lrrll")) + "\n" if rows else "Not measured yet.\n"


def _losses(found: Figures) -> list[str]:
    """The mean loss of each model on each table, of the splits that all of them have."""
    models = [model for model in models_of(found) if not is_variant(model)]
    losses, rows = means(shared(found, models)), []
    for table, of in losses.items():
        least = min(of.values())
        rows.append((table, *(f"**{loss:.4g}**" if loss == least else f"{loss:.4g}" for loss in of.values())))
    lines = _table(("loss", *(SHORT.get(model, model) for model in models)), rows)
    few = f"All models were measured on {len(losses)} of the tables, which alone count for ranks and scores."
    return lines if len(losses) == len(found) else [*lines, "", few]


def _models(found: Figures) -> list[str]:
    """One row for each model, the best mean rank first."""
    ranked, rows = mean_ranks(found), []
    for model in sorted(models_of(found), key=lambda model: ranked.get(model, math.inf)):
        seconds, memory = (means(shared(found, [model]), key).values() for key in ("seconds", "megabytes"))
        rank, score, first = "-", "-", "-"
        if losses := among_rivals(found, model) if model in ranked else {}:
            rank, score = f"{ranked[model]:.2f}", f"{scores(losses)[model]:.2f}"
            first = str(sum(of[model] == min(of.values()) for of in losses.values()))
        total, most = f"{sum(of[model] for of in seconds):,.1f}", f"{max(of[model] for of in memory):,.0f}"
        rows.append((model, rank, score, first, f"{typical(found, 'seconds', model):.2f}", total, most))
    heads = ("model", "mean rank", "normalised score", "first on", "seconds a table", "seconds in all", "memory in MB")
    return _table(heads, rows)


def _duels(found: Figures) -> list[str]:
    """One row for each rival of nnfs, and the worst that can happen."""
    rows = []
    for model in [model for model in models_of(found) if model not in (OURS, "constant") and not is_variant(model)]:
        of = duel(found, OURS, model)
        sure = f"{of.surely_better} / {of.surely_worse}"
        rows.append((model, f"{of.better} / {of.worse}", sure, f"{of.ratio:.3f}", f"{of.p:.2g}"))
    heads = ("nnfs against", "better / worse", "beyond noise", "ratio of losses", "p over the tables")
    lines = _table(heads, rows)
    for model in [model for model in models_of(found) if model == OURS or is_variant(model)]:
        if of_worst := worst(found, model):
            lines += [
                "",
                f"Worst of {model}: {of_worst[1]:.3f} times the best of constant, linear and MLP ({of_worst[0]}).",
            ]
    return lines


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], aligned: str = "") -> list[str]:
    ends = (aligned or "l" + "r" * (len(heads) - 1)).replace("l", "---|").replace("r", "---:|")
    return ["| " + " | ".join(heads) + " |", f"|{ends}", *("| " + " | ".join(row) + " |" for row in rows)]


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _change(percent: float | None, error: float | None) -> str:
    return _number(percent, "+.2f") + ("" if error is None else f" ± {error:.2f}")


def _yes(kept: bool) -> str:
    return "yes" if kept else "no"
