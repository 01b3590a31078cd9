"""A run, for Python: the trained net of a run directory, with its config, log and figures."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, get_args

from nnfs_cli import workflows
from nnfs_cli.api.callbacks import sort_callbacks
from nnfs_cli.api.frame import Frame
from nnfs_cli.api.history import History
from nnfs_cli.api.runs.comparison import Comparison
from nnfs_cli.api.runs.describe_run import describe, describe_html
from nnfs_cli.api.settings import Setting, plain
from nnfs_cli.api.tables import TableOrPath
from nnfs_cli.api.verdicts import Verdicts
from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.data.several_files import all_rows_for
from nnfs_cli.display.progress import progress_for
from nnfs_cli.errors import ConfigError, UserError
from nnfs_cli.metrics import Metric
from nnfs_cli.prediction.batch_predict import BatchPredictor, OnError
from nnfs_cli.prediction.one_row import OneRow
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.warn import warn
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.workflows import Evaluation, Reproduction, Threshold
from nnfs_cli.workflows.load_run import config_of
from nnfs_cli.workflows.predict import predictor_of
from nnfs_cli.workflows.verdicts import recorded_verdict

if TYPE_CHECKING:
    from nnfs_cli.api.runs.audit import DataAudit
    from nnfs_cli.api.runs.explanation import Explanation
    from nnfs_cli.api.runs.reasons import Reasons
    from nnfs_cli.audit.slices import Slices
    from nnfs_cli.explain.attributions import Attributor
    from nnfs_cli.explain.whatif.answer import WhatIf
    from nnfs_cli.export.export import Export


class Run:
    """A run directory, made by `train`, by `save` of an estimator, or by `nnfs train`.

    Everything is read from the directory when it is asked for. The trained net is kept, so that predicting one row is
    fast, and read again after the run has changed. Methods raise `RunError` if the directory is incomplete or damaged.

    >>> from nnfs_cli import Run, train
    >>> run = train("configs/breast_cancer.yaml", epochs=3)
    >>> Run.open("runs/breast_cancer-1").status
    'finished'
    """

    def __init__(self, path: str | os.PathLike[str] | RunDirectory) -> None:
        self._directory = path if isinstance(path, RunDirectory) else RunDirectory.open(Path(path))
        self._restored: tuple[tuple[int, ...], dict[Any, _Restored]] = (), {}

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Return the run at this path. Raises `RunError` if there is none.

        >>> from nnfs_cli import Run, train
        >>> run = train("configs/breast_cancer.yaml", epochs=3)
        >>> Run.open(run.path).path == run.path
        True
        """
        return cls(path)

    @classmethod
    def newest(cls, folder: str | os.PathLike[str] = "runs") -> Self:
        """Return the run in a folder that was started last and has weights. Raises `RunError` if there is none.

        >>> from nnfs_cli import Run, train
        >>> run = train("configs/breast_cancer.yaml", epochs=3)
        >>> Run.newest().path.as_posix()
        'runs/breast_cancer-1'
        """
        return cls(RunDirectory.newest(Path(folder)))

    def __fspath__(self) -> str:
        """Return the path, so that a run can be given wherever its path can."""
        return str(self.path)

    # What the run is

    @property
    def path(self) -> Path:
        """The run directory."""
        return self._directory.path

    @property
    def status(self) -> str:
        """The state of the run: running, finished, interrupted, diverged or failed; "unknown" if it is not recorded."""
        return str(self._directory.status().get("state", "unknown"))

    @property
    def config(self) -> Config:
        """The config, with every default and every choice of the preset.

        >>> from nnfs_cli import train
        >>> train("configs/breast_cancer.yaml", epochs=3).config.epochs
        3
        """
        return config_of(self._directory)

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """The final figures of each split: `rows`, `loss` and the metrics of the config; None for an undefined one.

        >>> from nnfs_cli import train
        >>> sorted(train("configs/breast_cancer.yaml", epochs=3).metrics["validation"])
        ['accuracy', 'loss', 'rows']
        """
        return {split: figures for split, figures in self._directory.metrics().items() if isinstance(figures, dict)}

    @property
    def verdict(self) -> Verdicts:
        """What the training found out about how good the net is, the most important first.

        It is empty for a run of an earlier release, and without held-out rows.

        >>> from nnfs_cli import train
        >>> train("configs/breast_cancer.yaml", epochs=3).verdict[0].code
        'worse_than_linear'
        """
        return Verdicts(recorded_verdict(self._directory))

    @property
    def best_epoch(self) -> int | None:
        """The epoch of the best weights, counted from 1; None if it is not known.

        >>> from nnfs_cli import train
        >>> train("configs/breast_cancer.yaml", epochs=3).best_epoch
        3
        """
        best = self._directory.metrics().get("best_epoch")
        return None if best is None else int(best)

    @property
    def blend(self) -> Frame | None:
        """The models that are blended: `model`, its `weight` for new rows, and its `loss` alone, out of fold.

        The net is the first. It is None if the net is not blended, or if the training has not finished.

        >>> from nnfs_cli import train
        >>> settings = {"dataset": "iris", "epochs": 5, "members": 2, "log_every": 5, "blend": ["linear", "constant"]}
        >>> train(settings).blend["model"].tolist()
        ['net', 'linear', 'constant']
        """
        parts = self._directory.metrics().get("blend") if self._directory.records.has_metrics() else None
        return Frame({name: [part[name] for part in parts] for name in parts[0]}) if parts else None

    @property
    def history(self) -> History:
        """The log: a row for each logged epoch, with `epoch`, `step`, `seconds`, `lr`, `train_loss`, `val_loss`, ...

        >>> from nnfs_cli import train
        >>> train("configs/breast_cancer.yaml", epochs=3).history["epoch"]
        array([1, 2, 3])
        """
        return History.of_rows(self._directory.epochs())

    @property
    def weights(self) -> Mapping[str, Array]:
        """The best parameters by name, as read-only arrays.

        `Sequential(run.config.layers).load(run.weights)` is the net by itself, for arrays of its inputs.

        >>> from nnfs_cli import train
        >>> weights = train("configs/breast_cancer.yaml", epochs=3).weights
        >>> {name: array.shape for name, array in weights.items()}
        {'0.weight': (30, 20), '0.bias': (20,), '2.weight': (20, 1), '2.bias': (1,)}
        """
        arrays = {name: array.view() for name, array in self._restore().predictor.model.parameters.arrays.items()}
        for array in arrays.values():
            array.flags.writeable = False
        return MappingProxyType(arrays)

    # What the net does

    def predict(
        self,
        table: TableOrPath,
        *,
        interval: float | None = None,
        weights: str = "best",
        keep: str | Sequence[str] = (),
        on_error: OnError = "stop",
        explain: int | None = None,
    ) -> Frame:
        """Predict the target of each row, as `nnfs predict` does.

        Parameters
        ----------
        table : table or path
            The rows, with the input columns in any order; other columns are ignored. A table of pandas, polars or
            pyarrow, an array (rows, n_features) if the net was trained on one, a dict of columns, a list of dicts, a
            dict that is one row, or the path or URL of a file. A list of paths is read one after the other.
        interval : float, optional
            Add intervals, or sets of classes, that hold the truth with this probability, such as 0.9.
        weights : str, default "best"
            "best", "last", or "epoch-<n>" if the run kept it.
        keep : str or sequence of str
            Columns of the table to copy; "all" copies all of them.
        on_error : {"stop", "skip", "null"}
            For a row that cannot be predicted: raise `DataError`, leave it out, or leave its prediction empty.
        explain : int, optional
            Add so many main reasons of each prediction; see `reasons` for the effects of all columns.

        Returns
        -------
        Frame
            The kept columns, then `prediction`; of several files, the first column is `file`. Of classes also
            `probability_<label>` (0 to 1) for each, or `score_<label>`. With several targets, `prediction_<target>`
            for each. With an interval `lower` and `upper`, in the units of the target, or `set`: labels joined by |.
            With reasons, the `base` value and `reason_1`, `effect_1` and so on.

        Raises
        ------
        DataError
            If a column is missing or a row cannot be predicted.
        RunError
            If the run lacks these weights, or the calibration that intervals need.

        Warns
        -----
        NnfsWarning
            About rows that are far from the training rows, and columns that the net was not trained on.

        Examples
        --------
        >>> from nnfs_cli import train
        >>> table = {"size": [50, 62, 70, 85, 90, 105], "price": [1.0, 1.3, 1.4, 1.7, 1.8, 2.1]}
        >>> settings = {"layers": ["linear: 1"], "loss": "mse", "epochs": 50, "dataset": {"table": "price"}}
        >>> run = train(settings, table)
        >>> run.predict({"size": 75}).columns
        ('prediction',)
        >>> run.predict({"size": [75, 100]})["prediction"].shape
        (2,)

        """
        restored = self._restore(weights, interval)
        alone = not keep and explain is None and on_error in get_args(OnError)
        if alone and (columns := restored.one_row.predict(table)) is not None:
            return Frame(columns)
        rows = all_rows_for(table, restored.predictor.config.dataset)
        kept: Any = keep if keep == "all" else _listed(keep)
        predictions = BatchPredictor(restored.predictor, restored.inputs, rows, on_error, kept)
        if explain is not None:
            from nnfs_cli.explain.reasons import MainReasons

            predictions.more = MainReasons(self._attributor(restored, None), explain)
        return Frame(predictions.all())

    def reasons(
        self,
        table: TableOrPath,
        *,
        target: str | None = None,
        label: str | None = None,
        samples: int | None = None,
        weights: str = "best",
    ) -> Reasons:
        """Return by how much each column of the table raised or lowered each prediction.

        `predict(..., explain=3)` returns the main ones in words. Of several `targets`, name the one to explain. Of two
        classes, the log-odds of the second are explained, and of more classes those of the predicted one, unless
        `label` names a class. More `samples` than 4 are more exact, and take as many times longer.
        Raises `DataError` for a row that cannot be predicted, and if the run keeps no training rows for explanations
        and its data is missing; `UserError` if there is no such target, class or number of samples.

        >>> from nnfs_cli import train
        >>> run = train("configs/breast_cancer.yaml", epochs=3)
        >>> reasons = run.reasons("configs/examples/new_rows.csv")
        >>> len(reasons), len(reasons.columns), reasons.labels[0]
        (3, 30, 'benign')
        """
        from nnfs_cli.api.runs.reasons import Reasons

        restored = self._restore(weights)
        rows = all_rows_for(table, restored.predictor.config.dataset)
        return Reasons.of(self._attributor(restored, samples), rows, target, label)

    def _attributor(self, restored: _Restored, samples: int | None) -> Attributor:
        from nnfs_cli.explain.attributions import SAMPLES, Attributor
        from nnfs_cli.workflows.background import background_of

        samples = SAMPLES if samples is None else samples
        if samples not in restored.attributors:
            background = background_of(self._directory, restored.predictor)
            restored.attributors[samples] = Attributor(restored.predictor, background, samples)
        return restored.attributors[samples]

    def whatif(
        self,
        row: TableOrPath,
        target: Any,
        *,
        vary: str | Sequence[str] = (),
        keep: str | Sequence[str] = (),
        answers: int = 3,
        number: int | None = None,
    ) -> WhatIf:
        """Return the smallest changes of a row with which the model gives another answer, as `nnfs whatif` does.

        `row` is a dict, or a table or file of one row; of several rows, `number` chooses one, from 1. `target` is a
        label, or for numbers a bound or a range: ">= 300000", "<= 5", "10..20" or a pair (10, 20); of several targets,
        it names one, as in "hail=yes". Only the columns `vary` may change, by default all; those in `keep` may not.
        Each of the `answers` changes other columns; `answers[0].row` is a row that `predict` takes.
        Raises `UserError` for a target or a column that the run does not know, `DataError` for an unusable row.

        >>> from nnfs_cli import train
        >>> table = {"size": [*range(40, 100)], "price": [0.5 + size / 40 for size in range(40, 100)]}
        >>> settings = {"layers": ["linear: 1"], "loss": "mse", "dataset": {"table": "price"}}
        >>> settings |= {"preprocessing": {"numbers": "standardize", "target": "standardize"}, "epochs": 200}
        >>> run = train(settings, table)
        >>> found = run.whatif({"size": 50}, ">= 2.49")
        >>> found.answers[0].changes[0].after
        80
        """
        from nnfs_cli.explain.whatif.whatif import whatif

        return whatif(
            self._directory, row, target, vary=_listed(vary), keep=_listed(keep), answers=answers, number=number
        )

    def evaluate(
        self,
        table: TableOrPath | None = None,
        *,
        splits: str | Sequence[str] | None = None,
        weights: str = "best",
        metrics: Sequence[Setting | Metric] | None = None,
        threshold: Threshold | None = None,
        costs: Mapping[str, float] | None = None,
        data: TableOrPath | None = None,
        by: str | None = None,
    ) -> Evaluation:
        """Return the loss and the metrics, as `nnfs evaluate` does. What `predict` does stays as it was.

        Parameters
        ----------
        table : table or path, optional
            Rows with the target, whose figures are called "input". By default, the rows of the run are scored.
        splits : str or sequence of str, optional
            "train", "validation" or "test"; by default those that were held out.
        weights : str, default "best"
            As for `predict`.
        metrics : list, optional
            Metrics to report instead of those of the config, such as ``["roc_auc", "f1: per_class"]``.
        threshold : float, "best_f1", "best_accuracy" or "none", optional
            For two classes: the probability from which the second one is predicted, or the metric that chooses it on
            the validation rows; "none" for the most probable class. By default the one that `decide` kept.
        costs : dict, optional
            For two classes: what wrong predictions cost, as in ``{"fp": 1, "fn": 20}``; see `decide`. Without a
            threshold, they choose the one of least cost on the validation rows.
        data : table or path, optional
            The rows that the run was trained on, if they were given in Python or have moved.
        by : str, optional
            A column of the table: the metrics of each group that it makes are in the attribute `by` of the result,
            whose `figures` are by split, then by group, as are their 95 % `intervals`. The net need not read it.

        Returns
        -------
        Evaluation
            A dict: by split `rows`, `loss` and the metrics. Its attributes hold the 95 % `intervals`, the `unweighted`
            figures, the figures of each of the `classes`, the `confusion` matrices and, for two classes, the
            `trade_offs` of some thresholds.

        Raises
        ------
        DataError
            If the data is missing or has changed since the training.
        RunError
            If the run lacks a split or these weights.

        Warns
        -----
        NnfsWarning
            If the run was trained on this table, so that the figures are too optimistic.

        Examples
        --------
        >>> from nnfs_cli import train
        >>> run = train("configs/breast_cancer.yaml", epochs=3)
        >>> found = run.evaluate()
        >>> found["validation"] == run.metrics["validation"]
        True
        >>> low, high = found.intervals["validation"]["accuracy"]
        >>> low < found["validation"]["accuracy"] < high
        True
        >>> sorted(found.classes["validation"]["benign"])
        ['f1', 'precision', 'recall', 'support']

        """
        if table is not None and (splits is not None or data is not None):
            raise UserError("give either a table to score, or the splits of the run and their data")
        found = workflows.evaluate(
            self._directory,
            _listed(splits),
            table,
            weights,
            threshold,
            data,
            costs=costs,
            metrics=None if metrics is None else plain(list(metrics), "metrics"),
            by=by,
        )
        if found.trained_on:
            learned = "so these figures include rows that the net has learned from"
            warn(f"{self.path} was trained on this table, {learned}; evaluate(data=...) scores the held-out rows")
        return found

    def audit(self, *, data: TableOrPath | None = None) -> DataAudit:
        """Find faults in the rows of the run, as `nnfs audit` does, with its predictions for held-out rows.

        `data` is as for `evaluate`. Raises its errors, and `DataError` if the rows do not fit into memory.

        >>> from nnfs_cli import train
        >>> run = train("configs/breast_cancer.yaml", epochs=3)
        >>> run.audit().counts
        {'far_cells': 2}
        """
        from nnfs_cli.api.runs.audit import DataAudit
        from nnfs_cli.audit.audit import audit_run

        return DataAudit(audit_run(self._directory, data))

    def decide(
        self,
        threshold: Threshold | None = None,
        *,
        costs: Mapping[str, float] | None = None,
        data: TableOrPath | None = None,
        target: str | None = None,
    ) -> float | dict[str, float] | None:
        """Keep the threshold between two classes that `predict` and `evaluate` use, as `nnfs decide` does; return it.

        `threshold` is a probability; or "best_f1" or "best_accuracy", which choose it on the validation rows; or
        "none", which removes it and returns None. ``costs={"fp": 1, "fn": 20}`` chooses the threshold of least cost on
        these rows instead: `fp` for a row that is wrongly predicted as the second class, `fn` for a row of that class
        that is missed. `data` is as for `evaluate`.
        Of several targets of two classes each, each gets a threshold of its own, or only `target` does; then a dict of
        the thresholds by target is returned.
        Raises `RunError` unless the run has probabilities of two classes, and validation rows if these choose.

        >>> from nnfs_cli import train
        >>> run = train("configs/breast_cancer.yaml", epochs=3)
        >>> run.decide(0.3)
        0.3
        >>> run.decide("none")
        """
        decision = workflows.decide(self._directory, threshold, costs, data, target)
        if decision is not None and "targets" in decision:
            return {name: float(rule["threshold"]) for name, rule in decision["targets"].items()}
        return None if decision is None else float(decision["threshold"])

    def compare(
        self,
        splits: str | Sequence[str] | None = None,
        *,
        weights: str = "best",
        data: TableOrPath | None = None,
    ) -> Comparison:
        """Return the figures of the net and of three baselines (constant, linear, boosting) on the same rows.

        The parameters and errors are those of `evaluate`. The figures are by split, then by model, then by figure; the
        net has the name of the run. It is a dict that is shown as a table.

        >>> from nnfs_cli import train
        >>> run = train("configs/iris.yaml", epochs=3)
        >>> list(run.compare()["validation"])
        ['iris-1', 'constant', 'linear', 'boosting']
        """
        found = workflows.compare(self._directory, _listed(splits), weights, data)
        comparison = Comparison(found)
        comparison.verdict, comparison.out_of_fold = Verdicts(found.verdict), found.out_of_fold
        return comparison

    def slices(self, *, data: TableOrPath | None = None) -> Slices:
        """Return the groups of held-out rows in which the net is clearly worse, at most five.

        They are those of `nnfs evaluate --slices`: each is named by one or two columns, and says how much larger its
        loss is than elsewhere, or by how much its predictions are too high or too low. `data` is as for `evaluate`.
        Raises `DataError` if the data is missing or has changed.

        >>> from nnfs_cli import train
        >>> train("configs/iris.yaml", epochs=3).slices()
        fewer than 100 held-out rows, in which no groups can be told apart
        """
        from nnfs_cli.audit.run_slices import slices_of_run
        from nnfs_cli.workflows.run_predictions import RunPredictions

        return slices_of_run(RunPredictions.of_run(self._directory, data))

    def explain(
        self,
        table: TableOrPath | None = None,
        *,
        columns: int = 6,
        repeats: int | None = None,
        data: TableOrPath | None = None,
    ) -> Explanation:
        """Return which columns matter, how the predictions depend on them, and which act together.

        It is what `nnfs explain` shows: for the held-out rows of the run, or for a `table` with the target. `columns`
        is the number of main columns, whose curves and pairs are shown. Cells are shuffled 5 times, or up to 20 times
        for few rows, unless `repeats` says otherwise. At most 10,000 rows are looked at. `data` is as for `evaluate`.
        The explanation of the run's own rows is kept in the run, and `report` shows it.
        Raises `DataError` if the data is missing or has changed.

        >>> from nnfs_cli import train
        >>> table = {"size": [50 + i * 37 % 60 for i in range(60)], "floor": [i * 29 % 7 for i in range(60)]}
        >>> table["price"] = [0.02 * size for size in table["size"]]
        >>> settings = {"layers": ["linear: 1"], "loss": "mse", "preprocessing": "standardize", "epochs": 50, "lr": 0.1}
        >>> run = train(settings, table, dataset={"table": "price"}, split=0.5)
        >>> found = run.explain(data=table)
        >>> found.importance["column"].tolist(), found.importance["effect"].tolist()
        (['size', 'floor'], ['matters', 'unclear'])
        """
        from nnfs_cli.api.runs.explanation import Explanation
        from nnfs_cli.explain.explanation import explain

        if table is not None and data is not None:
            raise UserError("give either a table to explain with, or the data of the run")
        return Explanation(explain(self._directory, table, columns, repeats, data))

    def report(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        rows: bool = True,
        baselines: bool = False,
        data: TableOrPath | None = None,
    ) -> Path:
        """Write the page that shows the run, as `nnfs report` does, and return its path.

        By default it is `report.html` in the run. Without `rows`, no rows of the data are in it; with `baselines`,
        simple models are scored on the same rows. `data` is as for `evaluate`. If the data is missing or has changed,
        the page says so, and shows the rest.
        Raises `UserError` if there is a file at `path` that is no page of nnfs, and `BlockingIOError` if another
        process trains the run.

        >>> from nnfs_cli import train
        >>> train("configs/breast_cancer.yaml", epochs=3).report().as_posix()
        'runs/breast_cancer-1/report.html'
        """
        from nnfs_cli.report.run_facts import RunFacts
        from nnfs_cli.report.write import write_report

        facts = RunFacts(self._directory, rows=rows, baselines=baselines, data=data, thorough=True)
        return write_report(facts, None if path is None else Path(path))

    def card(self, path: str | os.PathLike[str] | None = None, *, data: TableOrPath | None = None) -> str:
        """Return the model card of the run in Markdown, as `nnfs card` writes it, and write it to `path` if given.

        It says what the model predicts, from what, how good it is and where its limits are; metadata for Hugging Face
        is on top. `data` is as for `evaluate`: without the data, figures have no intervals.
        Raises `UserError` if there is a file at `path`.

        >>> from nnfs_cli import train
        >>> print(train("configs/breast_cancer.yaml", epochs=3).card()[:22])
        ---
        library_name: nnfs
        """
        from nnfs_cli.report.card.card import model_card, write_card
        from nnfs_cli.report.run_facts import RunFacts

        card = model_card(RunFacts(self._directory, data=data, thorough=True))
        if path is not None:
            write_card(card, Path(path))
        return card

    def export(
        self,
        to: str,
        path: str | os.PathLike[str] | None = None,
        *,
        interval: float | None = None,
        weights: str = "best",
        data: TableOrPath | None = None,
    ) -> Export:
        """Write the model in another format, as `nnfs export` does, once the file has proved that it predicts the same.

        `to` is "onnx", "python", "c", "page" or "sql"; `path` is by default a file with the name of the run in the
        current folder. With an `interval`, such as 0.9, the file predicts intervals or sets of classes, too. `data` is
        as for `evaluate`: without the data, only made-up rows are compared.
        Raises `ExportError` if the format cannot hold the model or an answer differs; then nothing is written.

        >>> from nnfs_cli import train
        >>> found = train("configs/breast_cancer.yaml", epochs=3).export("python", "model.py")
        >>> found.proof.held_out, found.proof.made_up, found.proof.difference < 1e-5
        (114, 1000, True)
        """
        from nnfs_cli.export.export import export

        place = None if path is None else Path(path)
        return export(self._directory, to, place, interval=interval, weights=weights, data=data)

    def resume(
        self,
        epochs: int | None = None,
        *,
        data: TableOrPath | None = None,
        changed_data: bool = False,
        callbacks: Sequence[Callback] = (),
        verbose: bool | None = None,
    ) -> Self:
        """Continue the training up to `epochs` in total, by default as many as planned, and return the run itself.

        On the same machine with the same versions, the weights have the same bytes as without the interruption. `data`
        is as for `evaluate`; with `changed_data` it may have changed. The callbacks of the config are used again;
        `callbacks` are objects of your own subclasses of `Callback`.
        Raises `RunError` if there is nothing to continue, `DataError` if the data is missing or has changed,
        `BlockingIOError` if another process trains the run, and the errors of `train`.

        >>> from nnfs_cli import train
        >>> run = train("configs/breast_cancer.yaml", epochs=3).resume(5)
        >>> len(run.history)
        5
        """
        fixed, others = sort_callbacks(callbacks, {})
        if fixed:
            kept = f"{next(iter(fixed))}: a resumed run keeps its config"
            raise ConfigError(f"{kept}; give only callbacks of a class of your own")
        experiment = workflows.reopen(self._directory, epochs, changed_data, data)
        shown = progress_for(verbose, experiment.config.checkpoint, self._directory.epochs())
        with resumable(self._directory):
            workflows.resume(experiment, self._directory, [*shown, *others])
        return self

    def verify(
        self,
        tolerance: float = 0.01,
        *,
        data: TableOrPath | None = None,
        verbose: bool | None = None,
    ) -> Reproduction:
        """Check the digests of all files, train again in a temporary folder, and compare the results.

        In the same environment all bytes must be the same; in another one the final figures may differ by `tolerance`,
        relative to the figure, or to 1 if that is larger. The result says whether all bytes are the same (`exact`),
        the `largest` difference, and what has changed in the environment (`moved`). `data` is as for `evaluate`.
        Raises `RunError` with what has changed or could not be reproduced.

        >>> from nnfs_cli import train
        >>> train("configs/breast_cancer.yaml", epochs=3).verify().exact
        True
        """
        return workflows.verify(self._directory, tolerance, progress_for(verbose), data)

    def _restore(self, weights: str = "best", interval: float | None = None) -> _Restored:
        """Return the net with the descriptions of its inputs, from memory unless the run has changed."""
        stamp, known = self._directory.status_file.stamp(), self._restored
        if known[0] != stamp:
            known = stamp, {}
        if (weights, interval) not in known[1]:
            predictor = predictor_of(self._directory, weights, interval)
            inputs = self._directory.records.data()["inputs"]
            restored = _Restored(predictor, inputs, OneRow(predictor, inputs), {})
            if self.status != "finished":  # training may write new weights without changing the status
                return restored
            known[1][weights, interval] = restored
            self._restored = known
        return known[1][weights, interval]

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle the path only."""
        return type(self), (self._directory,)

    def __repr__(self) -> str:
        return describe(self._directory)

    def _repr_html_(self) -> str:
        return describe_html(self._directory)


class _Restored(NamedTuple):
    """A trained net, the descriptions of its inputs, and what predicts one row at a time with it."""

    predictor: Predictor
    inputs: Sequence[Mapping[str, Any]]
    one_row: OneRow
    attributors: dict[int, Attributor]  # by their number of samples


def _listed(names: str | Sequence[str] | None) -> Sequence[str]:
    """Return names as a list; a single name needs none."""
    return [names] if isinstance(names, str) else names or ()


@contextlib.contextmanager
def resumable(directory: RunDirectory) -> Iterator[None]:
    """Say in a `KeyboardInterrupt` that the run can be resumed, and how."""
    try:
        yield
    except KeyboardInterrupt as stop:
        path = directory.path.as_posix()
        stop.args = (f"{path} keeps what was learned so far; Run.open({path!r}).resume() continues",)
        raise
