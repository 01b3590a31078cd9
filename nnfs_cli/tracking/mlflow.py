"""Runs of MLflow: settings as params, figures as metrics, and the trained net as a model."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from nnfs_cli.components.field_types import Text
from nnfs_cli.system.secrets import filled, without_secrets
from nnfs_cli.tracking.base import Columns, Ending, Row, TrackedRun, Tracker
from nnfs_cli.tracking.mlflow_names import Names, cleaned
from nnfs_cli.tracking.mlflow_uri import TrackingUri, database

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

MOST_METRICS = 1000  # that MLflow takes in one request
MOST_PARAMS = 100
LONGEST_PARAM = 6000  # characters
DEFAULTS = {  # for the process that writes, unless the user has set them; a server that does not answer is given up
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
IDENTITY = "nnfs.run"  # the tag by which a resumed run finds its run of MLflow
STATUS = {"finished": "FINISHED", "interrupted": "KILLED"}  # all others are FAILED
LOADER = "nnfs_cli.api.mlflow_model"


class MLflow(Tracker, name="mlflow", main="uri"):
    """A run of MLflow with the settings as params, the figures of every epoch as metrics, and the net as a model.

    The model is a `pyfunc` with a signature, which predicts as `nnfs predict` does. Epochs are passed on once the run
    has saved its state, which it does every ten seconds, because MLflow takes no figure back.
    """

    extra = "mlflow"
    package = "mlflow"
    withdraws = False
    examples = ("mlflow: http://localhost:5000", "mlflow: {uri: 'sqlite:///mlflow.db', experiment: houses}")

    uri: TrackingUri | None = Field(default=None, kw_only=False)
    """URL of the server or the database, such as `http://localhost:5000` or `sqlite:///mlflow.db`; a relative path is
    relative to the folder of the config. By default MLflow decides: `MLFLOW_TRACKING_URI`, or a file `mlflow.db`."""
    experiment: Text | None = None
    """Name of the experiment. By default `MLFLOW_EXPERIMENT_NAME`, or the name of the config."""

    def open(self, run: TrackedRun) -> MLflowWriter:
        """Begin a run of MLflow, or continue the one of an earlier session."""
        for name, value in DEFAULTS.items():
            os.environ.setdefault(name, value)
        import mlflow

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        uri = filled(self.uri) if self.uri is not None else mlflow.get_tracking_uri()
        experiment = self.experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or run.settings["name"]
        return MLflowWriter(uri, experiment, run)

    def place(self, run: Path) -> str:
        """Return the URL of the server or the database."""
        return without_secrets(self.uri or os.environ.get("MLFLOW_TRACKING_URI") or "its default, mlflow.db")


class MLflowWriter:
    """Writes one run of MLflow."""

    def __init__(self, uri: str, experiment: str, run: TrackedRun) -> None:
        from mlflow import MlflowClient

        self._uri, self._run, self._names = uri, run, Names()
        self._client = MlflowClient(uri)
        self._experiment = _experiment(self._client, uri, experiment)
        self._id, self._logged = self._earlier() or (self._begin(), 0)

    def write(self, rows: Sequence[Row]) -> None:
        """Write the figures of each row that MLflow does not have, with the epoch as the step."""
        from mlflow.entities import Metric

        metrics = [
            Metric(self._names.of(name), float(row[name]), int(self._run.time(row) * 1000), int(row["epoch"]))
            for row in rows
            if row["epoch"] > self._logged
            for name in (*(name for name in row if name != "epoch"), "epoch")  # the epoch last: then it has all others
        ]
        for some in _parts(metrics, MOST_METRICS):
            self._client.log_batch(self._id, metrics=some)

    def finish(self, ending: Ending) -> None:
        """Write the final figures, the status and the model."""
        from mlflow.entities import Metric

        now = self._client.get_run(self._id).info.start_time
        figures = [
            Metric(f"final/{cleaned(split)}/{cleaned(name)}", float(value), now, 0)
            for split, of_split in ending.metrics.items()
            if isinstance(of_split, Mapping)
            for name, value in of_split.items()
            if value is not None
        ]
        for some in _parts(figures, MOST_METRICS):
            self._client.log_batch(self._id, metrics=some)
        if changed := self._names.changed:
            self._client.log_dict(self._id, changed, "figures.json")
        try:
            if ending.state == "finished":
                self._log_model(ending)
        finally:
            self._client.set_terminated(self._id, STATUS.get(ending.state, "FAILED"))

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _earlier(self) -> tuple[str, int] | None:
        """Return the id of the run of an earlier session, and its last epoch; None if there is none to continue.

        If that one has epochs that the run has lost, as when a minimizer starts again, it is left to itself.
        """
        for run in self._client.search_runs([self._experiment], f"tags.`{IDENTITY}` = '{self._identity}'"):
            id, logged = str(run.info.run_id), int(run.data.metrics.get("epoch", 0))
            if logged <= self._run.epoch:
                self._client.update_run(id, status="RUNNING")
                return id, logged
            self._client.set_tag(id, IDENTITY, f"{self._identity} lost")
            self._client.set_terminated(id, "KILLED")
        return None

    def _begin(self) -> str:
        """Begin a run, and return its id."""
        from mlflow.entities import Param

        begun = int(self._run.begun.timestamp() * 1000)
        tags = {"mlflow.source.name": "nnfs", "mlflow.source.type": "LOCAL", IDENTITY: self._identity}
        run = self._client.create_run(self._experiment, begun, tags, self._run.name)
        names = Names()
        settings = self._run.settings.items()
        params = [Param(names.of(key), value[:LONGEST_PARAM]) for key, value in settings]
        for some in _parts(params, MOST_PARAMS):
            self._client.log_batch(run.info.run_id, params=some)
        self._client.log_text(run.info.run_id, self._run.spec, "config.yaml")
        return str(run.info.run_id)

    @property
    def _identity(self) -> str:
        return f"{self._run.stamp} {cleaned(self._run.name)}"

    def _log_model(self, ending: Ending) -> None:
        """Write the net as a model. It is the run itself, which nnfs reads: no code and no pickle."""
        import mlflow

        from nnfs_cli import __version__

        with tempfile.TemporaryDirectory(prefix="nnfs-") as folder, _tracking_to(self._uri):
            columns = ending.save(Path(folder) / "run")
            with mlflow.start_run(run_id=self._id):
                mlflow.pyfunc.log_model(
                    name="model",
                    loader_module=LOADER,
                    data_path=str(Path(folder) / "run"),
                    signature=_signature(columns),
                    pip_requirements=[f"nnfs-cli=={__version__}", "pandas"],
                )


def _experiment(client: MlflowClient, uri: str, name: str) -> str:
    """Return the id of an experiment, which is made if there is none. Beside a file of SQLite, it keeps its models."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        file = database(uri)
        location = (file.parent / "mlruns" / cleaned(name)).as_uri() if file else None
        with contextlib.suppress(MlflowException):  # another process may have made it now
            return str(client.create_experiment(name, location))
        found = client.get_experiment_by_name(name)
        if found is None:
            return str(client.create_experiment(name, location))
    return str(found.experiment_id)


def _signature(columns: Columns) -> ModelSignature:
    """Return the names of the columns. Inputs are of any type: MLflow would refuse whole numbers for numbers."""
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, Schema

    types = {"number": "double", "text": "string", "truth": "boolean"}
    inputs = [ColSpec(AnyType(), name) for name, _ in columns.inputs]
    outputs = [ColSpec(types[kind], name) for name, kind in columns.outputs]
    return ModelSignature(Schema(inputs), Schema(outputs))


@contextlib.contextmanager
def _tracking_to(uri: str) -> Iterator[None]:
    """Let functions of MLflow that take no URL use this one."""
    import mlflow

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


def _parts(entries: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    return (entries[i : i + most] for i in range(0, len(entries), most))
