"""Everything that is settled before training: the rows of each split, and the net that will learn from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.config.config import Config
from nnfs_cli.config.cross_checks import memory_faults
from nnfs_cli.config.monitors import monitors, unlogged_figures
from nnfs_cli.data.batches import Batches
from nnfs_cli.data.encoder import Encoder
from nnfs_cli.data.profile import profile
from nnfs_cli.data.table import Label, Table, text_of
from nnfs_cli.data.training_rows import TrainingRows
from nnfs_cli.data.weighted import row_weights
from nnfs_cli.errors import Fault
from nnfs_cli.experiment.encode_splits import encode_splits, rows_in_memory, rows_on_disk, rows_to_fit
from nnfs_cli.experiment.read_data import Budget, LoadedData, load_data
from nnfs_cli.experiment.usable_rows import without_unusable
from nnfs_cli.experiment.warnings import data_warnings, large_net, long_average, net_warnings, unweighted_layer
from nnfs_cli.nn.check_layers import check_layers
from nnfs_cli.nn.class_frequencies import start_at_frequencies
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.system.wording import counted
from nnfs_cli.training.callbacks import Callback
from nnfs_cli.training.engine import engine_for
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.progress import LogRow
from nnfs_cli.training.trainer import Trainer

KEPT_CELLS = 1_000_000  # cells of tables that stay in memory while a net is trained: 8 MB
ROOM_TO_COMPILE = 1 << 30  # bytes of memory_limit; with less, `engine: auto` does not compile


@dataclass(frozen=True)
class Experiment:
    """A config with its encoded rows and its net, ready for training."""

    config: Config
    splits: Mapping[str, EncodedRows]  # train, and validation and test if there are any: the rows that are scored
    # With a holdout the validation rows are training rows, each with a member that does not train on it.
    training_rows: TrainingRows  # the rows that batches are drawn from
    predictor: Predictor
    batches: Batches
    description: Mapping[str, Any]  # of the data, for data.json
    loaded: LoadedData | None = None  # the tables that the rows come from; large ones are not kept

    @property
    def plan(self) -> Plan:
        """How the config says to train the net."""
        config = self.config
        return Plan(
            config.optimizer,
            config.lr,
            config.schedule,
            config.penalty,
            config.clip,
            config.accumulate,
            config.averaging,
            config.log_every,
            config.seed,
            config.edition,
            engine=config.engine,
            threads=config.threads,
        )

    def trainer(self, callbacks: Sequence[Callback], evaluate: Callable[[], LogRow] = dict, **changes: Any) -> Trainer:
        """Return a trainer of the net; `changes` replace fields of the plan."""
        return Trainer(self.predictor.model, self.batches, replace(self.plan, **changes), callbacks, evaluate)

    def anew(self, config: Config) -> Experiment:
        """Return this experiment with other settings of its training, and with a net that is not trained."""
        predictor = Predictor(config, self.predictor.encoder)
        _start(predictor, self.splits["train"], self.training_rows)
        return replace(self, config=config, predictor=predictor)

    @property
    def warnings(self) -> list[str]:
        """The warnings to give before training."""
        config, steps = self.config, self.batches.steps * self.config.epochs // self.config.accumulate
        found = [*data_warnings(self.description, self.batches.size), *net_warnings(config.layers, config.loss)]
        columns = config.dataset.weight_column(), config.dataset.exposure_column()
        weighted = any(columns) and self.splits["train"].weight is not None
        found += [self.large_net, unweighted_layer(self.predictor.model.layers.min_batch_layer, weighted)]
        return [*filter(None, found), *filter(None, [long_average(config.averaging, steps)])]

    @property
    def large_net(self) -> str:
        """The warning about a net that is large for its training rows, or the empty string.

        With a holdout there is none, since the validation figures show whether the net overfits.
        """
        config, n_parameters = self.config, self.predictor.model.n_parameters
        return (
            "" if config.holdout else large_net(n_parameters // config.members, len(self.training_rows), config.members)
        )


def prepare(config: Config, loaded: LoadedData | None = None, encoder: Encoder | None = None) -> Experiment:
    """Read the data, split it, fit the preprocessing on the training rows, and build the net.

    Data that is already loaded is not read again, and an encoder that is already fitted is not fitted again.
    Raises `DataError` or `ConfigError` if data and config do not fit together. Nothing is written.
    """
    loaded = loaded or load_data(config)
    predictor, table, rows = fit_net(config, loaded, encoder)
    config = predictor.config
    check_layers(predictor.model)
    loaded = without_unusable(config, predictor.encoder, loaded)
    loaded = _within_limit(config, loaded, predictor.row_bytes)
    batches = _batches(config, predictor, len(loaded.rows["train"]), loaded.budget)
    stored = rows_on_disk(predictor, loaded, loaded.budget) if loaded.budget is not None else None
    splits = encode_splits(predictor, loaded, stored)
    training_rows = rows_in_memory(splits["train"], config.members) if stored is None else stored
    _start(predictor, splits["train"], training_rows)
    _require_figures(config, splits, predictor.names_of_outputs)
    described = rows if loaded.budget is not None else loaded.rows["train"]
    description = _describe(loaded, table, described, predictor.encoder, splits, config.dataset.weight_column())
    description |= {} if loaded.left_out is None else {"left_out": loaded.left_out.plain()}
    kept = loaded if loaded.n_cells <= KEPT_CELLS else None
    return _settled(Experiment(config, splits, training_rows, predictor, batches, description, kept))


def _start(predictor: Predictor, train: EncodedRows, rows: TrainingRows) -> None:
    """Give the net the start that its training rows suggest."""
    weight = train.weight if rows.arrays is None or rows.arrays[2] is None else rows.arrays[2]
    start_at_frequencies(predictor.model, train.y, weight)


def _settled(experiment: Experiment) -> Experiment:
    """Return an experiment whose config names the engine that trains the net. Raises `ConfigError` if it cannot."""
    config, plan = experiment.config, experiment.plan
    if config.engine == "auto" and config.memory_limit is not None and config.memory_limit < ROOM_TO_COMPILE:
        plan = replace(plan, engine="numpy")
    try:
        engine = engine_for(experiment.predictor.model, plan)
    except ValueError as error:
        raise config.error([Fault(("engine",), str(error))]) from None
    return replace(experiment, config=config.model_copy(update={"engine": engine}))


def _within_limit(config: Config, loaded: LoadedData, row_bytes: int) -> LoadedData:
    """Return the data with a budget if its table fits into memory, but its encoded rows of this size do not."""
    budget = Budget.of(config)
    if budget is None or loaded.budget is not None or row_bytes * sum(map(len, loaded.rows.values())) <= budget.table:
        return loaded
    return replace(loaded, budget=budget)


def fit_net(config: Config, loaded: LoadedData, encoder: Encoder | None = None) -> tuple[Predictor, Table, Array]:
    """Return the untrained net for the data, and a table with the indices of its rows that preprocessing is fitted to.

    An encoder that is already fitted is not fitted again. Raises `ConfigError` if data and config do not fit together.
    """
    table, rows, sample = rows_to_fit(loaded, config)
    today = config.edition > 1  # in edition 1 statistics have no weights, and the calendar goes by UTC
    column = config.dataset.weight_column() if today else None
    encoder = encoder or Encoder.fit(
        table,
        rows,
        loaded.kinds,
        config.dataset.target_columns(),
        loaded.classes,
        config.preprocessing,
        loaded.class_weights,
        config.seed,
        sample,
        row_weights(table, column)[rows] if column else None,
        today,
        loaded.pairs,
        config.dataset.exposure_column(),
    )
    config = config.with_parsers(loaded.parsers)
    config.check(encoder.facts, table.name)
    try:
        predictor = Predictor(config, encoder)
    except MemoryError:
        n_features = encoder.facts.n_features
        raise config.error(memory_faults(config.layers, n_features, config.members, config.dtype, limit=-1)) from None
    return predictor, table, rows


def _batches(config: Config, predictor: Predictor, n_rows: int, budget: Budget | None) -> Batches:
    """Return the batches of the training rows; with a budget, only rows within a window are in memory at once.

    Raises `ConfigError` if a batch needs more rows than exist or fit in memory.
    """
    size = n_rows if config.batch_size == "full" else int(config.batch_size or n_rows)
    needs, window = predictor.model.layers.min_batch_layer, None
    if budget is not None:
        window = budget.window(predictor.row_bytes)
        if config.replacement or size > window:
            key = "replacement" if config.replacement else "batch_size"
            needed = "a batch may need any of them" if config.replacement else f"a batch needs {size:,} of them at once"
            message = f"{n_rows:,} training rows do not fit into memory_limit, and {needed}"
            raise config.error([Fault((key,), message)])
    drawing = (config.shuffle, config.replacement, config.drop_last, config.seed)
    batches = Batches(n_rows, size, *drawing, needs.min_batch, window)
    if not batches.steps:
        message = f"{counted(n_rows, 'training row')} do not fill one batch of {size}, and drop_last drops it"
        raise config.error([Fault(("batch_size",), message)])
    if n_rows < needs.min_batch:
        least = f"{needs.name} needs batches of at least {needs.min_batch} rows"
        raise config.error([Fault(("layers",), f"{least}, but there is only {counted(n_rows, 'training row')}")])
    return batches


def _require_figures(config: Config, splits: Mapping[str, EncodedRows], classes: tuple[str, ...]) -> None:
    """Raise `ConfigError` if the log will not have a figure that is monitored, or will have one of them twice."""
    monitored = monitors(config.early_stopping, config.checkpoint, config.schedule, config.callbacks)
    faults = unlogged_figures(monitored, config.metrics or (), classes, validated="validation" in splits)
    if faults:
        raise config.error(faults)


def _describe(
    loaded: LoadedData,
    table: Table,
    rows: Array,
    encoder: Encoder,
    splits: Mapping[str, EncodedRows],
    weight: str | None,
) -> dict[str, Any]:
    """Return the description of the data for data.json; `rows` of the table are training rows, or a sample of them."""
    truth = {split: encoded.truth for split, encoded in splits.items() if encoded.member is None}
    return {
        "name": loaded.readers["train"].name,
        "sha256": {split: reader.sha256 for split, reader in loaded.readers.items()},
        "rows": {split: len(rows) for split, rows in loaded.rows.items() if len(rows)},
        "inputs": [
            profile(Table(table.name, {name: table.column(name)[rows]}), name, kind)
            for name, kind in encoder.kinds.items()
        ],
        "targets": [
            {
                "name": name,
                "kind": "class",
                "counts": {split: _counts(labels, y[:, i] if encoder.pairs else y) for split, y in truth.items()},
            }
            if (labels := encoder.pairs[i] if encoder.pairs else encoder.classes)
            else {"name": name, "kind": "number", **_range(truth["train"][:, i])}
            for i, name in enumerate(encoder.targets)
        ],
        "weights": {
            "column": weight,
            "exposure": encoder.exposure,
            "classes": dict(zip(map(text_of, encoder.classes or ()), encoder.class_weights or (), strict=False)),
        },
        "fitted": encoder.to_json(),
    }


def _counts(classes: tuple[Label, ...], truth: Array) -> dict[str, int]:
    return dict(zip(map(text_of, classes), np.bincount(truth, minlength=len(classes)).tolist(), strict=True))


def _range(values: Array) -> dict[str, float]:
    return {"min": float(values.min()), "max": float(values.max())}
