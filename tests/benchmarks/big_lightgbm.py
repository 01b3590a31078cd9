"""Train LightGBM with its defaults on rows.parquet, and write what it says of others.parquet."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from lightgbm import LGBMClassifier, LGBMRegressor
from pyarrow import parquet


def matrix(table: pa.Table, words: dict[str, pa.Array]) -> np.ndarray:
    """The columns as numbers: a category by its place among those of the training rows."""
    columns = []
    for name in table.column_names:
        column = table[name].combine_chunks()
        if name in words:
            column = pa.compute.index_in(column, words[name])
        columns.append(column.to_numpy(zero_copy_only=False))
    return np.stack(columns, axis=1)


def main(target: str) -> None:
    """Read, train, predict and write."""
    rows = parquet.read_table("rows.parquet")
    y = rows[target].to_numpy(zero_copy_only=False)
    rows = rows.drop_columns([target])
    words = {name: rows[name].unique() for name in rows.column_names if rows[name].type == pa.string()}
    places = [j for j, name in enumerate(rows.column_names) if name in words]
    kind: Any = LGBMRegressor if y.dtype.kind == "f" else LGBMClassifier
    model = kind(verbose=-1).fit(matrix(rows, words), y, categorical_feature=places or "auto")
    others = matrix(parquet.read_table("others.parquet"), words)
    if kind is LGBMRegressor:
        said = {"prediction": model.predict(others)}
    else:
        said = dict(
            zip((f"probability_{label}" for label in model.classes_), model.predict_proba(others).T, strict=True)
        )
    parquet.write_table(pa.table(said), "lightgbm.parquet")


if __name__ == "__main__":
    main(sys.argv[1])
