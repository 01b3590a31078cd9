"""The labels of a target of classes, and their indices among the net's outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.numbers import is_number
from nnfs_cli.data.table import Label, Table, text_of
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import did_you_mean, listing, named, shown

TARGET = "the target"  # what messages call the target column
IF_MISSING = "missing_target: drop leaves out such rows"

_BOOLEANS = {case(text): text == "true" for text in ("true", "false") for case in (str, str.title, str.upper)}
_NOT_FINITE = re.compile(r"[-+]?(inf|infinity|nan)", re.IGNORECASE)


def find_classes(table: Table, name: str) -> tuple[Label, ...]:
    """Return the labels of a target, in the order that the table gives or sorted.

    Labels are booleans if all cells are true or false, whole numbers if all cells are written as such (1 or 1.0, but
    not 01), else texts. Raises `DataError` for empty cells, fractions, too many different numbers, or a single label.
    """
    if table.classes:
        return table.classes
    texts = table.texts(name)
    counts = texts.counts()
    expected = "classes, which are texts or whole numbers (mse predicts other numbers)"
    if None in counts:
        raise table.error(int(np.argmax(texts.gaps)), name, expected, TARGET, IF_MISSING)
    found = [str(text) for text in counts]
    labels: set[Label]
    if all(text in _BOOLEANS for text in found):
        labels = {_BOOLEANS[text] for text in found}
    elif all(_is_numeric(text, table.decimal) for text in found):
        wholes = {text: _whole_number(text, table.decimal) for text in found}
        fractions = {text for text in found if wholes[text] is None and not re.fullmatch(r"[-+]?[0-9]+", text.strip())}
        if fractions:
            wrong = texts.look_up(dict.fromkeys(fractions, 1), 0)
            raise table.error(int(np.argmax(wrong)), name, expected, TARGET)
        if None in wholes.values():
            labels = set(found)
        else:
            labels = {whole for whole in wholes.values() if whole is not None}
            if len(labels) > max(20, table.n_rows // 4):
                different = f"{len(labels):,} different numbers in {table.n_rows:,} rows"
                raise DataError(
                    f"{table.name}: the target {named(name)} holds {different}; to predict numbers, use loss: mse"
                )
    else:
        labels = set(found)
    classes: tuple[Label, ...] = tuple(sorted(labels))
    if len(classes) < 2:
        always = f"is always {shown(classes[0])}, but classification needs at least two classes"
        raise DataError(f"{table.name}: the target {named(name)} {always}")
    return classes


def in_order(classes: tuple[Label, ...], order: Sequence[Label], what: str) -> tuple[Label, ...]:
    """Return classes from lowest to highest: in the `order` given, else that of whole numbers.

    `what` is the name of the target in messages. Raises `ValueError` if texts have no order, or another one is given.
    """
    if not order:
        if isinstance(classes[0], str):
            raise ValueError(f"{what} holds texts; name them from lowest to highest, as in  ordinal: [low, mid, high]")
        return tuple(sorted(classes))
    labels, wanted = {text_of(label): label for label in classes}, [text_of(label) for label in order]
    if unknown := [text for text in wanted if text not in labels]:
        hint = did_you_mean(unknown[0], labels) or f"; there are {listing(list(labels)[:12])}"
        raise ValueError(f"{what} has no class {shown(unknown[0])}{hint}")
    if missing := [text for text in labels if text not in wanted]:
        raise ValueError(f"{what} has the class {shown(missing[0])}, which is not in the order")
    return tuple(labels[text] for text in wanted)


def class_indices(table: Table, name: str, classes: tuple[Label, ...]) -> Array:
    """Return the index of each row's label among the classes, (rows,); labels are compared as texts.

    Raises `DataError` for the first row whose label is not among the classes.
    """
    index_of = {text_of(label): i for i, label in enumerate(classes)}
    texts = table.texts(name)
    known = {text: index_of.get(_usual(text, classes, table.decimal), -1) for text in texts.distinct.tolist()}
    indices = texts.look_up(known, -1)
    if (indices < 0).any():
        more = ["another class"] if len(index_of) > 8 else []
        wanted = listing([*map(shown, list(index_of)[:8]), *more], "or")
        raise table.error(int(np.argmin(indices)), name, wanted, TARGET)
    return indices


def find_pairs(table: Table, names: Sequence[str]) -> tuple[tuple[Label, Label], ...]:
    """Return the two classes of each target. Raises `DataError` for a target without two; see `find_classes`."""
    pairs = []
    for name in names:
        classes = find_classes(replace(table, classes=None), name)
        if len(classes) != 2:
            found = f"holds {len(classes):,} classes; several targets must hold two classes each"
            raise DataError(f"{table.name}: the target {named(name)} {found}")
        pairs.append((classes[0], classes[1]))
    return tuple(pairs)


def label_indices(table: Table, names: Sequence[str], pairs: Sequence[tuple[Label, Label]]) -> Array:
    """Return for each target whether a row has its second label, 1 or 0, (rows, targets); see `class_indices`."""
    return np.stack([class_indices(table, name, pair) for name, pair in zip(names, pairs, strict=True)], axis=1)


def combinations(indices: Array, least: int = 10) -> Array:
    """Return strata (rows,) by which labels (rows, targets) can be spread evenly over splits.

    A stratum is a combination of labels. Rows of a combination that fewer than `least` rows have share a stratum with
    those of the other rare ones that have the same rarest label.
    """
    _, strata, counts = np.unique(indices, axis=0, return_inverse=True, return_counts=True)
    strata = strata.reshape(-1)
    rare = counts[strata] < least
    share = indices.mean(axis=0)
    surprise = np.where(indices == 1, 1 - share, share)  # how rare each label of a row is
    strata[rare] = len(counts) + surprise[rare].argmax(axis=1)
    return np.asarray(strata)


def _usual(text: str, classes: tuple[Label, ...], decimal: str) -> str:
    """Return the usual way to write a label of this type, such as "1" for "1.0"."""
    if isinstance(classes[0], bool):
        return text_of(_BOOLEANS.get(text, text))
    if isinstance(classes[0], int):
        whole = _whole_number(text, decimal)
        return text if whole is None else text_of(whole)
    return text


def _is_numeric(text: str, decimal: str) -> bool:
    return is_number(text, decimal) or _NOT_FINITE.fullmatch(text.strip()) is not None


def _whole_number(text: str, decimal: str) -> int | None:
    """Return the whole number that a text writes in the usual way, as in 7 or 7.0; None for any other text.

    A number of more than 1,000 digits stays a text, since Python refuses to convert very long ones.
    """
    found = re.fullmatch(rf"(-?(?:0|[1-9][0-9]{{0,999}}))(?:{re.escape(decimal)}0*)?", text.strip())
    return int(found[1]) if found else None
