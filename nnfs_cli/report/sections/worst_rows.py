"""The held-out rows that the net gets most wrong, with their cells."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import Table
from nnfs_cli.data.texts import Texts
from nnfs_cli.display.text import ROWS_OF, number, value
from nnfs_cli.report.blocks import Block, Rows, Section, Text
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.system.wording import counted, cut
from nnfs_cli.workflows.run_predictions import RunPredictions

SHOWN = 12  # rows
COLUMNS = 20  # of the inputs
LONGEST = 40  # characters of a cell
DIGITS = 10  # characters of a number from which on it is rounded


def worst_rows(facts: RunFacts) -> Section | None:
    """Return the rows of the main held-out split with the largest losses."""
    found = facts.predictions
    if found is None or not facts.rows:
        return None
    split = found.main_split
    losses = losses_of(found, split)
    order = np.argsort(-np.nan_to_num(losses, nan=np.inf), kind="stable")[:SHOWN]
    intro = (
        f"The {len(order)} {ROWS_OF[split]} with the largest loss. Look for cells that were read or entered wrongly."
    )
    blocks: list[Block] = [Text(intro), _table(found, split, order, losses)]
    more = len(found.predictor.encoder.kinds) - COLUMNS
    if found.table(split, order[:1]) is None:
        remedy = "is large; `nnfs report` shows them" if found.dropped else "does not fit into the memory limit"
        blocks.append(Text(f"Their inputs are left out, since the table {remedy}.", soft=True))
    elif more > 0:
        blocks.append(
            Text(f"{counted(more, 'more column')} of inputs {'is' if more == 1 else 'are'} not shown.", soft=True)
        )
    return Section("worst-rows", "Worst rows", blocks)


def losses_of(found: RunPredictions, split: str) -> Array:
    """Return the loss of each row of a split, (rows,), whatever its weight."""
    rows, predictor = found.rows[split], found.predictor
    with np.errstate(all="ignore"):
        return predictor.config.loss.of_rows(predictor.outputs_for(rows.X, rows.member), rows.y)


def _table(found: RunPredictions, split: str, places: Array, losses: Array) -> Rows:
    """Return the truth, the prediction and the cells of some rows."""
    cells = found.table(split, places)
    names = [*found.predictor.encoder.kinds][:COLUMNS] if cells is not None else []
    header = ["loss", *_answers(found), *names]
    rows = []
    for i, place in enumerate(places.tolist()):
        inputs = [] if cells is None else [cell(cells[0], i, name) for name in names]
        rows.append([number(float(losses[place])), *_answer(found, split, place), *inputs])
    if cells is not None:
        header = ["row of the data", *header]
        rows = [[f"{row + 1:,}", *shown] for row, shown in zip(cells[1].tolist(), rows, strict=True)]
    counting = ", with their numbers in the data, counted from 1" if cells is not None else ""
    return Rows(f"Rows with the largest loss, the worst first{counting}", header, rows, 0)


def _answer(found: RunPredictions, split: str, place: int) -> list[str]:
    """Return the truth and the prediction of a row."""
    predicted, labels = found.predicted(split), found.predictor.labels
    if labels:
        truth, decided = int(predicted.y[place]), int(predicted.decided[place])
        return [
            cut(labels[truth], LONGEST),
            cut(labels[decided], LONGEST),
            number(float(predicted.y_hat[place, truth])),
        ]
    pairs = zip(predicted.y[place].tolist(), predicted.y_hat[place].tolist(), strict=True)
    return [value(each) for pair in pairs for each in pair][: 2 * COLUMNS]


def _answers(found: RunPredictions) -> list[str]:
    """Return the names of the columns of truth and prediction."""
    predictor = found.predictor
    if predictor.labels:
        kind = "probability" if predictor.config.loss.probabilistic else "score"
        return ["true class", "predicted class", f"{kind} of the true class"]
    targets = predictor.encoder.targets
    predicted = "probability of" if predictor.encoder.pairs else "predicted"
    return [f"{which} {target}" for target in targets for which in ("true", predicted)][: 2 * COLUMNS]


def cell(table: Table, row: int, name: str) -> str:
    """Return the text of a cell; a number with many digits is rounded to six."""
    column = table.columns[name]
    entry = None if isinstance(column, Texts) else column[row]
    if isinstance(entry, float | np.floating) and len(table.text_of(row, name)) > DIGITS:
        return value(float(entry))
    return cut(table.text_of(row, name), LONGEST)
