"""Compare runs: which of their settings differ, how good they are, and whether a difference is more than chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.components.section import Section
from nnfs_cli.config.config import Config
from nnfs_cli.errors import DataError, RunError, UserError
from nnfs_cli.experiment.encode_splits import encode_splits
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.metrics.base import mode_of
from nnfs_cli.metrics.direction import Mode
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.threads import thread_limit
from nnfs_cli.workflows.bootstrap import paired_differences
from nnfs_cli.workflows.compare import shared_metrics
from nnfs_cli.workflows.load_run import config_of, data_of, restore
from nnfs_cli.workflows.verdicts.interval import Difference

HELD_OUT = ("validation", "test")


class PairedDifferences(NamedTuple):
    """How much greater the figures of a run are than those of the first one, on the same rows of a split."""

    rows: int
    figures: Mapping[str, Difference]  # by figure; with the 95 % interval


@dataclass(frozen=True)
class RunComparison:
    """What differs between runs. Every mapping by run has the runs in their order.

    `settings` are those that differ: plain values by key, as in `optimizer.adam.beta1`, then by run; a run that has
    another optimizer lacks that key. `figures` are the final ones by split, by figure, then by run; a run that has not
    finished lacks them. `modes` says for a figure whether less or more of it is better; a loss has no mode if the runs
    minimize different losses. `differences` are by run, except the first, then by held-out split, and `unpaired` says
    for the other runs why there are none. `same_data` says whether all runs were trained on the same data; if not, no
    figure is better than another.
    """

    runs: Mapping[str, RunDirectory]
    settings: Mapping[str, Mapping[str, Any]]
    figures: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    modes: Mapping[str, Mode]
    differences: Mapping[str, Mapping[str, PairedDifferences]]
    unpaired: Mapping[str, str]
    same_data: bool = True

    def best(self, split: str, figure: str) -> list[str]:
        """Return the runs with the best value of a figure; none if no value is better than another."""
        values = {name: value for name, value in self.figures[split][figure].items() if value is not None}
        if not self.same_data or figure not in self.modes or len({*values.values()}) < 2:
            return []
        best = (min if self.modes[figure] == "min" else max)(values.values())
        return [name for name, value in values.items() if value == best]

    def better(self, figure: str, difference: Difference) -> bool | None:
        """Return whether a difference makes a run better than the first one; None if chance may explain it."""
        if figure not in self.modes or not (difference.positive or difference.negative):
            return None
        return difference.negative if self.modes[figure] == "min" else difference.positive


def compare_runs(runs: Sequence[RunDirectory], data: Any = None, *, paired: bool = True) -> RunComparison:
    """Compare two or more runs with the first of them.

    If two runs hold out the same rows, both nets predict these rows again, and each figure of a pair of nets has a
    difference with a 95 % interval; see `bootstrap.paired_differences`. The interval is about the rows: trained with
    another seed, the same config might differ by more. Without `paired` no row is read. `data` holds the rows, if they
    are not where the configs say, or were given in Python; see `rows_for`.
    Raises `UserError` for fewer than two runs, or a run that is given twice, and `RunError` if one is damaged.
    """
    named = _named(runs)
    configs = {name: config_of(run) for name, run in named.items()}
    differences, unpaired = {}, {}
    if paired:
        first, *others = named
        held_out = {name: _predict_held_out(run, configs[name], data) for name, run in named.items()}
        for name in others:
            found = _differences(held_out[first], held_out[name], [configs[first], configs[name]])
            if isinstance(found, str):
                unpaired[name] = found
            else:
                differences[name] = found
    settings = dict(_differing("", configs))
    settings.pop("name", None)
    figures = _figures(named)
    splits = [*figures.values(), *(of_split.figures for of_run in differences.values() for of_split in of_run.values())]
    modes = _modes([*configs.values()], {figure for of_split in splits for figure in of_split})
    digests = [run.records.trained_on() for run in named.values()]
    same_data = all(of_run == digests[0] for of_run in digests)
    return RunComparison(named, settings, figures, modes, differences, unpaired, same_data)


def _named(runs: Sequence[RunDirectory]) -> dict[str, RunDirectory]:
    """Return the runs by name, or by path if two have the same name."""
    if len(runs) < 2:
        raise UserError("a comparison needs two runs or more")
    names = [run.path.resolve().name for run in runs]
    if len({*names}) < len(names):
        names = [run.path.as_posix() for run in runs]
    named = dict(zip(names, runs, strict=True))
    if len({run.path.resolve() for run in runs}) < len(runs):
        raise UserError("the same run is given twice; compare it with another one")
    return named


# Settings


def _differing(path: str, values: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the keys of settings, and their plain values by run, wherever the values of some runs differ.

    What is of one kind in all runs, such as the same optimizer, is compared part by part.
    """
    first, *others = values.values()
    if all(other == first for other in others):
        return
    if isinstance(first, Component) and path:
        path = f"{path}.{first.name}" if all(type(other) is type(first) for other in others) else path
    for key in _parts(first, others):
        parts = {name: _part(value, key) for name, value in values.items()}
        yield from _differing(f"{path}.{key}" if path else str(key), parts)
    if not _parts(first, others):
        yield path, {name: _plain(value) for name, value in values.items()}


def _parts(first: Any, others: Sequence[Any]) -> list[str | int]:
    """Return the keys or indices by which values of one kind are compared; none if they are compared as a whole."""
    if isinstance(first, Section) and all(type(other) is type(first) for other in others):
        return [*type(first).model_fields]
    if isinstance(first, dict) and all(isinstance(other, dict) for other in others):
        return [*dict.fromkeys(key for value in (first, *others) for key in value)]
    if isinstance(first, tuple) and all(isinstance(other, tuple) for other in others):
        kinds = {tuple(map(type, value)) for value in (first, *others)}
        return [*range(len(first))] if len(kinds) == 1 else []
    return []


def _part(value: Any, key: Any) -> Any:
    if isinstance(value, Section):
        return getattr(value, key)
    return value.get(key) if isinstance(value, dict) else value[key]


def _plain(value: Any) -> Any:
    """Return a setting as short plain values."""
    if isinstance(value, Component):
        return value.brief()
    if isinstance(value, Section):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return value if isinstance(value, int | float | None) else str(value)


# Figures


def _figures(runs: Mapping[str, RunDirectory]) -> dict[str, dict[str, dict[str, float | None]]]:
    """Return the final figures by split, by figure, then by run."""
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for name, run in runs.items():
        finals = run.metrics() if run.records.has_metrics() else {}
        for split, figures in finals.items():
            if isinstance(figures, dict):
                for figure, value in figures.items():
                    found.setdefault(split, {}).setdefault(figure, {})[name] = value
    return found


def _modes(configs: Sequence[Config], figures: Iterable[str]) -> dict[str, Mode]:
    """Return the direction in which each figure is better."""
    metrics = [metric for config in configs for metric in (*(config.metrics or ()), *shared_metrics([config]))]
    modes = {figure: mode for figure in figures if (mode := mode_of(f"val_{figure}", metrics))}
    if len({str(config.loss.plain()) for config in configs}) > 1:
        modes.pop("loss", None)
    return modes


# Differences


@dataclass(frozen=True)
class _HeldOut:
    """The predictions of a net for a held-out split, and which rows these are."""

    source: str  # SHA-256 of the data
    places: Array  # of the rows in the data, (rows,)
    predicted: PredictedRows
    own_weight: Array  # the weight of each row without the weight of its class, (rows,)

    def same_rows(self, other: _HeldOut) -> bool:
        """Return whether the other net has predicted the same rows."""
        if self.source != other.source or not np.array_equal(self.places, other.places):
            return False
        return np.array_equal(self.predicted.y, other.predicted.y)  # rows of weight 0 are not predicted

    def weights_shared_with(self, other: _HeldOut) -> tuple[Array | None] | None:
        """Return the weights (rows,) that both have; without class weights if they differ. None if there are none."""
        one, two = (each.predicted.weight for each in (self, other))
        if one is two is None or (one is not None and two is not None and np.allclose(one, two)):
            return (one,)
        return (self.own_weight,) if np.allclose(self.own_weight, other.own_weight) else None


def _predict_held_out(run: RunDirectory, config: Config, data: Any) -> dict[str, _HeldOut] | str:
    """Return what a net predicts for its held-out splits, or why that is not known."""
    try:
        predictor = restore(run, with_threshold=False)
        loaded = data_of(run, config, "restore the data", data)
        if loaded.budget is not None:
            return f"the rows of {run.path} do not fit into its memory_limit"
        rows = encode_splits(predictor, loaded)
    except (DataError, RunError) as error:
        return str(error)
    found = {}
    for split in HELD_OUT:
        if split in rows:
            reader = loaded.readers[split]
            places = loaded.rows["train" if rows[split].member is not None else split]
            found[split] = _predict(predictor, rows[split], reader.sha256, places)
    return found or f"{run.path} has no held-out rows"


def _predict(predictor: Predictor, rows: EncodedRows, source: str, places: Array) -> _HeldOut:
    with thread_limit(predictor.config.threads):
        predicted = predictor.evaluate(rows)[1]
    own = predictor.own_weight(rows.weight, rows.truth)
    return _HeldOut(source, places, predicted, np.ones(len(rows)) if own is None else own)


def _differences(
    first: dict[str, _HeldOut] | str, other: dict[str, _HeldOut] | str, configs: Sequence[Config]
) -> dict[str, PairedDifferences] | str:
    """Return the differences between two nets by split, or why there are none."""
    if isinstance(first, str) or isinstance(other, str):
        return first if isinstance(first, str) else str(other)
    if len({config.loss.task for config in configs}) > 1:
        return "one run predicts classes, the other numbers"
    found, why = {}, "they hold out other rows"
    for split in first:
        if split not in other or not first[split].same_rows(other[split]):
            continue
        one, two = first[split].predicted, other[split].predicted
        weights = first[split].weights_shared_with(other[split])
        if weights is None or one.classes != two.classes:
            why = "they weigh their held-out rows differently"
            continue
        one, two = (replace(each, weight=weights[0], group=one.group) for each in (one, two))
        differences = paired_differences(shared_metrics(configs), one, two, configs[0].seed)
        found[split] = PairedDifferences(len(one.y), differences)
    return found or why
