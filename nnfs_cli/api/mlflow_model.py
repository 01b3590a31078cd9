"""What MLflow loads a model of nnfs by: `mlflow.pyfunc.load_model(uri).predict(rows)`."""

from __future__ import annotations

from typing import Any

from nnfs_cli.api.runs.run import Run
from nnfs_cli.system.extras import needed


class PyfuncModel:
    """The trained net of a run, with the methods that MLflow asks for."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def predict(self, rows: Any, params: dict[str, Any] | None = None) -> Any:
        """Return a DataFrame with the columns of `nnfs predict`, for a DataFrame or any other table of rows."""
        with needed("mlflow", "a model of MLflow"):
            return self.run.predict(rows).to_pandas()


def _load_pyfunc(path: str) -> PyfuncModel:
    """Return the model in a folder, which is that of a run. MLflow calls this by its name."""
    return PyfuncModel(Run.open(path))
