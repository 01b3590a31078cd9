"""The metrics: what they judge, a file each. Importing the package registers them all."""

from nnfs_cli.components.component import load_family
from nnfs_cli.metrics.base import Metric, PredictedRows, decide, default_metrics, mode_of

load_family(__name__, __path__)

__all__ = ["Metric", "PredictedRows", "decide", "default_metrics", "mode_of"]
