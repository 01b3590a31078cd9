"""Metrics: figures of how good predictions are, for people to read; losses are for training.

Read `base.py` first: it holds `PredictedRows`, which metrics measure, and the contract of a `Metric`. Then read the
metrics: `decisions.py` (predicted classes), `ranks.py` (classes with an order), `probabilities.py` (ranking and
calibration), `numbers.py` (regression). `direction.py` decides which of two figures is better, and `student_t.py` has a
distribution for tests. Importing the package registers every metric.
"""

from nnfs_cli.components.component import load_family
from nnfs_cli.metrics.base import Metric, PredictedRows, decide, default_metrics, mode_of

load_family(__name__, __path__)

__all__ = ["Metric", "PredictedRows", "decide", "default_metrics", "mode_of"]
