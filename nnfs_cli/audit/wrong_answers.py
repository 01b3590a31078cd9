"""The rows whose answer in the table is probably wrong, as findings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.audit.audited_rows import AuditedRows
from nnfs_cli.audit.finding import RowFinding
from nnfs_cli.audit.improbable_answers import improbable_answers
from nnfs_cli.audit.label_errors import label_errors, suspicion
from nnfs_cli.data.table import Label, text_of
from nnfs_cli.display.text import value
from nnfs_cli.system.wording import counted, named, percent

MANY = 0.1  # share of suspected labels from which on most of them are only surprising


def wrong_answers(rows: AuditedRows) -> Iterator[RowFinding]:
    """Yield the rows whose answer is probably wrong, for each target that has any."""
    encoder = rows.predictor.encoder
    if not len(rows.judged):
        return
    if encoder.classes:
        if rows.predictor.config.loss.probabilistic:
            yield from _labels(rows, encoder.targets[0], encoder.classes, rows.truth, rows.answer)
        return
    for i, target in enumerate(encoder.targets):
        answer = rows.answer[:, i]
        if encoder.pairs:
            yield from _labels(rows, target, encoder.pairs[i], rows.truth[:, i], np.stack([1 - answer, answer], axis=1))
        else:
            yield from _numbers(rows, i, target)


def _labels(
    rows: AuditedRows, target: str, classes: tuple[Label, ...], truth: Array, answer: Array
) -> Iterator[RowFinding]:
    """Yield the rows whose label is probably wrong; `answer` (judged, classes) are probabilities."""
    found, labels = label_errors(truth, answer), [text_of(label) for label in classes]
    if not len(found.rows):
        return
    given = [labels[i] for i in truth[found.rows].tolist()]
    likely = [labels[i] for i in found.likely.tolist()]
    of_given, of_likely = (answer[found.rows, each].tolist() for each in (truth[found.rows], found.likely))
    shares = [(percent(one, 1), percent(other, 1)) for one, other in zip(of_given, of_likely, strict=True)]
    reasons = [
        f"{named(new)} has a probability of {there}, and {named(old)} {here}"
        for old, new, (here, there) in zip(given, likely, shares, strict=True)
    ]
    n = len(found.rows)
    yield RowFinding(
        "label_errors",
        f"{counted(n, 'label')} of {len(truth):,} ({percent(n / len(truth), 1)}) in {named(target)}"
        f" {'is' if n == 1 else 'are'} improbable, and may be wrong",
        "nets that have not seen these rows are as sure of another label as they are of rows that have it: either the"
        " label is wrong, or the columns do not tell what decides it",
        "look at these rows, the most improbable first; "
        + (
            "correct their labels, or leave them out of the training"
            if n < MANY * len(truth)
            else "where so many are improbable, most are right: correct only those that you know to be wrong"
        ),
        rows.judged[found.rows],
        suspicion(truth, answer)[found.rows],
        reasons,
        given,
        likely,
        [f"{here} against {there}" for here, there in shares],
    )


def _numbers(rows: AuditedRows, i: int, target: str) -> Iterator[RowFinding]:
    """Yield the rows whose answer in a target of numbers is improbable."""
    scale = rows.predictor.encoder.scale_target
    truth, answer = (scale(each.astype(np.float64))[:, i] for each in (rows.truth, rows.answer))
    found = improbable_answers(truth, answer)
    if not len(found.rows):
        return
    given, likely = rows.truth[found.rows, i].tolist(), rows.answer[found.rows, i].tolist()
    error = np.abs(rows.truth[:, i] - rows.answer[:, i])
    half = float(np.median(error))
    n = len(found.rows)
    yield RowFinding(
        "improbable_answers",
        f"{counted(n, 'answer')} of {len(truth):,} ({percent(n / len(truth), 1)}) in {named(target)}"
        f" {'is' if n == 1 else 'are'} improbable, and may be wrong",
        "nets that have not seen these rows err far more on them than on other rows with similar predictions",
        "look at these rows, the most improbable first; correct their answers, or leave them out of the training",
        rows.judged[found.rows],
        found.score,
        [f"{value(one)} is expected; half of all errors are below {value(half)}" for one in likely],
        [value(one) for one in given],
        [value(one) for one in likely],
        [
            f"off by {value(abs(one - other))}; half are below {value(half)}"
            for one, other in zip(given, likely, strict=True)
        ],
    )
