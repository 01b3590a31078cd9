"""Tables: where rows come from, how they are split, and how their columns become arrays and predictions.

Read in this order: `table` (named columns, some of them `texts`); `source`, `file_source` and `arrow_source` (what a
data set is) with `csv/`, `parquet/`, `sql/` and others; `parsing/`, which reads texts as numbers and dates; `split`,
`folds` and `weights`; `steps/`, `preprocessing` and `encoder`, which turn columns into arrays; `training_rows` and
`batches`, which feed the training loop; `profile` and `drift`, for new rows; `division` deals rows into groups.

Importing the package registers every data set and every preprocessing step.
"""

from nnfs_cli.components.component import load_family
from nnfs_cli.data.source import DataSource

load_family(__name__, __path__)

__all__ = ["DataSource"]
