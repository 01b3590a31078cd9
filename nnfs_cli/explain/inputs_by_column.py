"""Find the inputs of a net that come from each column of a table."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.prediction.predictor import Predictor


def inputs_by_column(predictor: Predictor) -> dict[str, Array]:
    """Return the inputs of the net, by index (n,), that come from each column of the table.

    A column that a parser turns into several, such as a range with a lower and an upper end, counts as one column.
    Every input depends on one column only, so whoever replaces the inputs of a column replaces its cells.
    """
    parsers = predictor.config.dataset.parsers
    column_of = {output: name for name, parser in parsers.items() for output in parser.outputs(name)}
    origins = [origin for block in predictor.encoder.inputs for origin in block.origins]
    columns = [column_of.get(origin, origin) for origin in origins]
    return {name: np.flatnonzero([column == name for column in columns]) for name in dict.fromkeys(columns)}
