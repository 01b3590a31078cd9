"""Find problems in a config and its data before training, each with a line of YAML that would help."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.labels import class_indices
from nnfs_cli.data.parsing.recognise import Recognised
from nnfs_cli.data.split import SPLITS
from nnfs_cli.data.steps import PreprocessingStep
from nnfs_cli.data.steps.none import Unchanged
from nnfs_cli.data.steps.views import Views
from nnfs_cli.data.table import Column, Label, Table, gaps_of, text_of
from nnfs_cli.data.texts import Texts
from nnfs_cli.data.weighted import quantiles
from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.experiment.read_data import LoadedData
from nnfs_cli.inspection.column_kinds import ColumnProfile, profile_column
from nnfs_cli.inspection.column_relations import (
    RowGroups,
    coded,
    find_leak,
    find_repeats,
    find_row_groups,
    list_columns,
)
from nnfs_cli.inspection.disguises import disguises
from nnfs_cli.inspection.finding import Finding
from nnfs_cli.inspection.inspected_rows import CELLS, InspectedRows
from nnfs_cli.inspection.propose import skewness, too_empty
from nnfs_cli.inspection.repeated_rows import repeated_rows
from nnfs_cli.inspection.suggest import column_steps, drop_column, parse_column
from nnfs_cli.inspection.suggestion import Suggestion
from nnfs_cli.inspection.tails import follows_tail, indicators, logarithm_fits
from nnfs_cli.inspection.time_order import ALIKE, likeness_in_time
from nnfs_cli.presets.tabular import EMBEDDING, MANY_CATEGORIES, ONE_HOT
from nnfs_cli.system.wording import counted, listing, named, percent, shown

EMBEDDED = (PreprocessingStep.resolve(EMBEDDING),)  # the steps of the preset for many categories
RARE = 10  # training rows below which a class is rare
SHOWN = 5  # rare classes that a finding names
SKEWED = 3  # skewness of a target from which on its logarithm is easier to learn
TAMING = frozenset(  # steps that are robust to outliers
    ("quantile", "robust", "clip", "smooth_clip", "log1p", "piecewise_linear")
)


def find(config: Config, loaded: LoadedData, experiment: Experiment, data: InspectedRows) -> list[Finding]:
    """Return all findings: about columns, relations, ranges, the target, the rows and the net, in this order."""
    compared = data.fewer(CELLS // 4)
    inputs = [name for name in loaded.kinds if name in compared.columns]
    profiles = {name: profile_column(data.table, name) for name in inputs}
    disguised = {name: one for name, one in profiles.items() if not _has_steps(config, name)}
    findings = [*_disguised(config, data.table, disguises(data.table, disguised, disguised))]
    known = {finding.column for finding in findings}
    findings += _columns(config, {name: one for name, one in profiles.items() if name not in known})
    bad = {one.column for one in findings if one.what in ("constant", "empty", "identifier", "text", "disguised")}
    inputs = [name for name in inputs if name not in bad]
    groups = find_row_groups(data.table, inputs, config.dataset.target_columns()[0])
    related = [*_relations(config, compared, inputs, groups)]
    doubtful = {one.column for one in related if one.what == "leak" or one.suggestion}
    others = [name for name in inputs if name not in doubtful]
    findings += [*_split_groups(config, groups), *_split_in_time(config, data.table, others), *related]
    findings += _ranges(config, data, [name for name in others if loaded.kinds[name] == "number"])
    findings += _target(config, data, loaded)
    tables = {split: data.rows_of(split) for split in SPLITS if len(data.rows[split])}
    names = [*loaded.kinds, *config.dataset.target_columns()]
    findings += [Finding(what, None, message) for what, message in repeated_rows(tables, names, loaded.kinds)]
    findings += _sizes(experiment, loaded)
    return _with_an_input_left(findings, loaded.kinds)


def _with_an_input_left(findings: list[Finding], inputs: Iterable[str]) -> list[Finding]:
    """Return the findings without suggestions to drop columns if these would leave no input."""
    dropped = {one.column for one in findings if one.suggestion and one.suggestion.kind == "drop"}
    if not dropped.issuperset(inputs):
        return findings
    return [replace(one, suggestion=None) if one.column in dropped else one for one in findings]


def _disguised(config: Config, table: Table, found: Mapping[str, Recognised]) -> Iterator[Finding]:
    """Yield inputs that are read as categories, but hold numbers, dates or booleans as people write them."""
    for name, one in found.items():
        message = f"holds texts, which the net takes as categories, but {one.evidence}"
        message += f" ({listing(map(shown, one.misfits[:SHOWN]), 'or')} does not)" if one.misfits else ""
        message += f"; it {one.question}" if one.question else ""
        gaps = bool(one.misfits) or bool(gaps_of(table.column(name)).any())
        parse = parse_column(config, name, one.parser.brief(), one.parser.kind, gaps)
        yield Finding("disguised", name, message, None if one.question else parse)


def _columns(config: Config, profiles: Mapping[str, ColumnProfile]) -> Iterator[Finding]:
    """Yield findings about single columns: what they hold and how much is missing."""
    for name, one in profiles.items():
        if not one.usable:
            yield Finding(one.nature, name, _because(one), drop_column(config, name))
            continue
        if one.missing:
            how = {
                "number": "imputed",
                "category": "lists without entries" if one.lists else "counted as a category",
                "date": "marked by an extra input",
            }
            share = f"is empty in {percent(one.share_missing)} of the rows; these cells are {how[one.kind]}"
            why = too_empty(one)
            yield Finding("missing", name, why or share, drop_column(config, name) if why else None)
        if one.lists and not _has_steps(config, name):
            message = f"holds lists such as {shown(one.lists.example)}, each of which is a category of its own"
            yield Finding("lists", name, message, column_steps("encode", name, one.lists.step))
        if one.coded and name not in config.preprocessing.columns:
            steps = column_steps("encode", name, EMBEDDING if one.different > MANY_CATEGORIES else ONE_HOT)
            yield Finding("code", name, "seems to hold codes but is read as a quantity", steps)


def _has_steps(config: Config, name: str) -> bool:
    """Return whether the config chose the steps of a column, and not its preset."""
    return config.preprocessing.columns.get(name, ()) not in ((), EMBEDDED)


def _because(one: ColumnProfile) -> str:
    if one.nature == "identifier":
        return f"{one.why}: a net cannot learn from it"
    return one.why


def _split_groups(config: Config, groups: Sequence[RowGroups]) -> Iterator[Finding]:
    """Yield groups of rows that a random split distributes over several splits."""
    if not any(config.split.fractions.values()) or config.split.column_by_key.keys() & {"column", "time"}:
        return
    for i, group in enumerate(groups):
        message = f"{group}: rows of one owner in two splits make the test too easy"
        only = i == 0 and not config.split.column_by_key
        suggestion = Suggestion("split", ("split", "group"), group.column) if only else None
        yield Finding("group", group.column, message, suggestion)


def _split_in_time(config: Config, table: Table, inputs: Sequence[str]) -> Iterator[Finding]:
    """Yield the first column of dates in whose order targets are alike, if rows are dealt at random."""
    if config.split.column_by_key or not (any(config.split.fractions.values()) or config.holdout):
        return
    dates = [name for name in inputs if table.kind(name) == "date"]
    for name, target in itertools.product(dates, config.dataset.target_columns()):
        likeness = likeness_in_time(table, name, target, config.loss.task == "classification")
        if likeness > ALIKE:
            alike = f"orders rows in time, and {named(target)} of neighbours is alike (by {likeness:.2f} of 1)"
            message = f"{alike}: with a random split, the net looks better than it will be on later rows"
            yield Finding("time", name, message, Suggestion("split", ("split", "time"), name))
            return


def _relations(
    config: Config, table: Table, inputs: Sequence[str], row_groups: Sequence[RowGroups]
) -> Iterator[Finding]:
    """Yield columns that leak the target and columns that repeat others."""
    classes, leaks = config.loss.task == "classification", set()
    owners = {group.column for group in row_groups}
    inputs = [name for name in inputs if name not in owners]
    for target in config.dataset.target_columns():
        y = table.column(target)
        if gaps_of(y).any() or _is_constant(y):
            continue
        for name in inputs:
            leak = find_leak(table.column(name), y, classes)
            if leak and name not in leaks:
                leaks.add(name)
                message = f"leaks the target {named(target)}: it {leak.how}"
                message += "" if leak.exact else "; leave it out, unless its value is known when you predict"
                yield Finding("leak", name, message, drop_column(config, name) if leak.exact else None)
    others = [name for name in inputs if name not in leaks]
    for name, relation in find_repeats(table, [*sorted(owners), *others]).items():
        if name not in owners:
            message = f"repeats {list_columns(relation.others)}: it {relation.how}"
            message += "" if relation.exact else ", so only their difference tells more"
            yield Finding("repeats", name, message, drop_column(config, name) if relation.exact else None)


def _is_constant(column: Column) -> bool:
    """Return whether a column has the same value in every row; anything would determine it."""
    values = column.codes if isinstance(column, Texts) else column
    return bool((values == values[:1]).all())


def _ranges(config: Config, data: InspectedRows, numbers: Sequence[str]) -> Iterator[Finding]:
    """Yield columns with outliers and columns that no step scales."""
    table = data.rows_of("train")
    for name in numbers:
        values = np.asarray(table.column(name), np.float64)
        there = np.isfinite(values)
        values = values[there]
        if len(values) < 20:
            continue
        steps = config.preprocessing.steps(name, "number")
        low, q1, median, q99, high = quantiles(values, (0, 0.01, 0.5, 0.99, 1))
        with np.errstate(over="ignore", invalid="ignore"):
            size = max(abs(median), float(values.std()))
        far = max(high - q99, q1 - low)
        if far > 10 * (q99 - q1) and q99 > q1 and not _tame(steps):
            message = f"has outliers: 98 % lie from {q1:,.6g} to {q99:,.6g}, all from {low:,.6g} to {high:,.6g}"
            follows = follows_tail(values, _as_learned(config, table)[there])
            impute = ("impute",) if config.preprocessing.takes_gaps(name) else ()
            tamed = column_steps("scale", name, *impute, {"views": (("robust", "smooth_clip"), "quantile")})
            message += "; the target follows them" if follows else ""
            yield Finding("outliers", name, message, None if follows else tamed)
        elif all(isinstance(step, Unchanged) for step in steps) and size > 100:
            message = f"is not scaled and ranges from {low:,.6g} to {high:,.6g}; nets learn best from inputs around 0"
            yield Finding("scale", name, message, column_steps("scale", name, "standardize"))


def _tame(steps: Iterable[PreprocessingStep]) -> bool:
    """Return whether one of these steps, or one in one of several views, is robust to outliers."""
    return any(step.name in TAMING or (isinstance(step, Views) and any(map(_tame, step.chains))) for step in steps)


def _as_learned(config: Config, table: Table) -> Array:
    """Return the targets as the net should learn them, (rows, n): logarithms of skewed numbers, a column per class."""
    targets = config.dataset.target_columns()
    if config.loss.task == "classification":
        return np.concatenate([indicators(coded(table.column(target)).codes) for target in targets], axis=1)
    return np.stack([_logs(config, table.numbers(target)) for target in targets], axis=1)


def _logs(config: Config, y: Array) -> Array:
    logs = y.min() >= 0 and (
        skewness(y) > SKEWED or any(step.name == "log1p" for step in config.preprocessing.target or ())
    )
    return np.log1p(y) if logs else y


def _target(config: Config, data: InspectedRows, loaded: LoadedData) -> Iterator[Finding]:
    """Yield findings about the distribution of the target."""
    targets = config.dataset.target_columns()
    if loaded.classes or loaded.pairs:
        for target, classes in zip(targets, loaded.pairs or [loaded.classes or ()], strict=True):
            yield from _classes(config, loaded, target, classes)
        return
    train = data.rows_of("train")
    numbers = [name for name, kind in loaded.kinds.items() if kind == "number"]
    positive = all(train.numbers(target).min() >= 0 for target in targets)  # they share their steps
    for target in targets:
        y = train.numbers(target)
        low, high = float(y.min()), float(y.max())
        steps = {step.name for step in config.preprocessing.target or ()}
        if (
            len(y) >= 20
            and low >= 0
            and skewness(y) > SKEWED
            and steps == {"standardize"}
            and config.loss.target_range is None
        ):
            message = f"is skewed: it ranges from {low:,.6g} to {high:,.6g} with a median of {np.median(y):,.6g}"
            logs = Suggestion("target", ("preprocessing", "target"), ("clamp", "log1p", "standardize"))
            helps = positive and logarithm_fits([np.asarray(train.column(name), np.float64) for name in numbers], y)
            yield Finding("lopsided", target, message, logs if helps else None)
        at_end = {value: int((y == value).sum()) for value in (low, high)}
        for value, n in at_end.items():
            if low < high and n >= 20 and n > 0.02 * len(y) and len(np.unique(y)) > 100 and value:
                end = "largest" if value == high else "smallest"
                message = (
                    f"has its {end} value, {value:,.6g}, in {percent(n / len(y))} of the rows: it seems to be capped"
                )
                yield Finding("capped", target, message)


def _classes(config: Config, loaded: LoadedData, target: str, classes: tuple[Label, ...]) -> Iterator[Finding]:
    counts = {}
    for split, reader in loaded.readers.items():
        if len(loaded.rows[split]):
            indices = class_indices(reader.survey, target, classes)[loaded.rows[split]]
            counts[split] = np.bincount(indices, minlength=len(classes))
    train = counts["train"]
    names = [shown(text_of(label)) for label in classes]
    by_split = [
        ", ".join(f"{counts[split][i]:,} {verb}" for split, verb in _PURPOSES.items() if split in counts)
        for i in range(len(classes))
    ]
    rare = [i for i in range(len(classes)) if train[i] < RARE]
    if len(rare) == 1:
        yield Finding("rare", target, f"has a rare class, {names[rare[0]]}: {by_split[rare[0]]}")
    elif rare:
        each = [f"{names[i]} ({by_split[i]})" for i in rare[:SHOWN]]
        more = [f"{len(rare) - SHOWN:,} more"] if len(rare) > SHOWN else []
        yield Finding("rare", target, f"has {len(rare):,} rare classes: {listing([*each, *more])}")
    for i, name in enumerate(names):
        missing = [split for split in counts if split != "train" and not counts[split][i]]
        if missing and i not in rare:
            yield Finding("rare", target, f"has no {missing[0]} row of the class {name}: {by_split[i]}")
    least, most = int(train.min()), int(train.max())
    metrics = tuple(metric.name for metric in config.metrics or ())
    if most > 10 * max(least, 1) and config.class_weights is None and set(metrics) <= {"accuracy"}:
        message = (
            f"has imbalanced classes: {shown(text_of(classes[int(train.argmax())]))} has {percent(most / train.sum())}"
            f" of the training rows, {shown(text_of(classes[int(train.argmin())]))} {percent(least / train.sum())};"
            " the accuracy does not show whether the rare class is found"
        )
        shows = Suggestion(
            "metrics", ("metrics",), (*metrics, "average_precision" if loaded.pairs else "balanced_accuracy")
        )
        yield Finding("imbalance", target, message, shows)


_PURPOSES = {"train": "to train", "validation": "to validate", "test": "to test"}


def _sizes(experiment: Experiment, loaded: LoadedData) -> Iterator[Finding]:
    """Yield findings about the size of the net and the number of validation rows."""
    if experiment.large_net:
        yield Finding("parameters", None, experiment.large_net)
    n = len(loaded.rows["validation"])
    if 0 < n < 50:
        message = f"{counted(n, 'validation row')} {'is' if n == 1 else 'are'} too few to choose the best epoch well"
        yield Finding("few", None, message)
