"""The words of a target that names classes, and their places among the net's outputs."""

from __future__ import annotations

import re

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Label, Table, is_number, text_of
from nnfs_cli.errors import DataError
from nnfs_cli.system.wording import listing, named, shown

TARGET = "the target"  # what messages call the column

_SWITCH = {case(text): text == "true" for text in ("true", "false") for case in (str, str.title, str.upper)}
_NO_NUMBER = re.compile(r"[-+]?(inf|infinity|nan)", re.IGNORECASE)


def find_classes(table: Table, name: str) -> tuple[Label, ...]:
    """The labels of a target, in the table's own order or sorted: texts, booleans or whole numbers.

    They are booleans where all are true or false, numbers where all are whole and written as such are (1 or 1.0; 01 is
    a text), else texts. Raises `DataError` where the column holds anything else, or one label only.
    """
    if table.classes:
        return table.classes
    texts = table.texts(name)
    counts = texts.counts()
    expected = "classes, which are texts or whole numbers (mse predicts others)"
    if None in counts:
        raise table.error(int(np.argmax(texts.gaps)), name, expected, TARGET)
    words = [str(label) for label in counts]
    labels: set[Label]
    if all(label in _SWITCH for label in words):
        labels = {_SWITCH[label] for label in words}
    elif all(_is_numeric(label, table.decimal) for label in words):
        wholes = {label: _whole(label, table.decimal) for label in words}
        broken = {label for label in words if wholes[label] is None and not re.fullmatch(r"[-+]?[0-9]+", label.strip())}
        if broken:
            wrong = texts.look_up(dict.fromkeys(broken, 1), 0)
            raise table.error(int(np.argmax(wrong)), name, expected, TARGET)
        if None in wholes.values():
            labels = set(words)
        else:
            labels = {whole for whole in wholes.values() if whole is not None}
            if len(labels) > max(20, table.n_rows // 4):
                different = f"{len(labels):,} different numbers in {table.n_rows:,} rows"
                raise DataError(
                    f"{table.name}: the target {named(name)} holds {different}; mse is a loss to predict numbers"
                )
    else:
        labels = set(words)
    classes: tuple[Label, ...] = tuple(sorted(labels))
    if len(classes) < 2:
        always = f"is always {shown(classes[0])}; there is nothing to tell apart"
        raise DataError(f"{table.name}: the target {named(name)} {always}")
    return classes


def class_indices(table: Table, name: str, classes: tuple[Label, ...]) -> Array:
    """The place of each row's label among the classes, (rows,); labels are compared by the word they are written as.

    Raises `DataError` with the first row whose label is none of them.
    """
    places = {text_of(label): i for i, label in enumerate(classes)}
    texts = table.texts(name)
    known = {text: places.get(_usual(text, classes, table.decimal), -1) for text in texts.distinct.tolist()}
    indices = texts.look_up(known, -1)
    if (indices < 0).any():
        more = ["another class"] if len(places) > 8 else []
        wanted = listing([*map(shown, list(places)[:8]), *more], "or")
        raise table.error(int(np.argmin(indices)), name, wanted, TARGET)
    return indices


def _usual(text: str, classes: tuple[Label, ...], decimal: str) -> str:
    """The word that a label of this kind usually is written as."""
    if isinstance(classes[0], bool):
        return text_of(_SWITCH.get(text, text))
    if isinstance(classes[0], int):
        whole = _whole(text, decimal)
        return text if whole is None else text_of(whole)
    return text


def _is_numeric(text: str, decimal: str) -> bool:
    return is_number(text, decimal) or _NO_NUMBER.fullmatch(text.strip()) is not None


def _whole(text: str, decimal: str) -> int | None:
    """The whole number that a text is the usual way to write, as 7 or 7.0."""
    found = re.fullmatch(rf"(-?(?:0|[1-9][0-9]*))(?:{re.escape(decimal)}0*)?", text.strip())
    return int(found[1]) if found else None
