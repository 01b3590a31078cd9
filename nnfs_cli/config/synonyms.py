"""The names that other tools give to the settings of a config: they are suggested, and never taken silently."""

from __future__ import annotations

from collections.abc import Iterable

from nnfs_cli.system.wording import closest, named

SYNONYMS = {
    setting: names.split()
    for setting, names in {
        "accumulate": "accumulate_grad_batches gradient_accumulation gradient_accumulation_steps",
        "averaging": "ema swa weight_averaging",
        "batch_size": "batch train_batch_size per_device_train_batch_size minibatch_size",
        "class_weights": "class_weight scale_pos_weight auto_class_weights",
        "clip": "clip_grad_norm clipnorm clipvalue gradient_clip gradient_clip_val gradient_clipping max_grad_norm",
        "dataset": "data data_path file input path table train_data training_data",
        "dataset.csv.drop": "drop drop_columns ignored_columns ignore_columns",
        "dataset.csv.target": "label label_column output target target_column targets y",
        "dataset.csv.weight": "sample_weight sample_weights weight weight_column",
        "dtype": "precision",
        "early_stopping": "early_stop",
        "early_stopping.min_delta": "min_delta tol",
        "early_stopping.patience": "early_stopping_patience early_stopping_rounds n_iter_no_change patience",
        "epochs": "epoch iterations max_epochs max_iter n_epochs n_iter nb_epoch num_epochs num_train_epochs",
        "layers": "activation architecture batch_norm dropout dropout_rate hidden hidden_dim hidden_dims"
        " hidden_layer_sizes hidden_layers hidden_size hidden_units model net network num_layers units",
        "loss": "criterion loss_fn loss_function objective",
        "lr": "learning_rate learning_rate_init lr_init eta step_size",
        "max_minutes": "max_time time_limit timeout time_limit_s",
        "members": "ensemble ensemble_size n_estimators n_models num_models",
        "metrics": "eval_metric eval_metrics metric scoring",
        "optimizer": "optim optimiser solver",
        "penalty.l1": "l1 reg_alpha",
        "penalty.l2": "alpha l2 l2_regularization reg_lambda regularization",
        "preprocessing": "encoder normalization normalize scaler scaling standardize",
        "schedule": "lr_schedule lr_scheduler scheduler",
        "seed": "random_seed random_state rng_seed",
        "split.group": "group group_column groups",
        "split.test": "test test_fraction test_size test_split",
        "split.time": "time time_column",
        "split.validation": "val_size val_split valid_size validation validation_fraction validation_size"
        " validation_split",
        "threads": "n_jobs n_threads num_threads num_workers nthread nthreads workers",
    }.items()
}
EXAMPLES = {  # of settings whose values are not obvious; blocks are written as YAML has them
    "class_weights": "class_weights: balanced",
    "clip": "clip: {norm: 1}",
    "dataset": "dataset: {csv: {path: houses.csv, target: price}}",
    "dataset.csv.drop": "dataset: {csv: {path: houses.csv, target: price, drop: [id]}}",
    "dataset.csv.target": "dataset: {csv: {path: houses.csv, target: price}}",
    "dataset.csv.weight": "dataset: {csv: {path: houses.csv, target: price, weight: importance}}",
    "early_stopping.min_delta": "early_stopping: {patience: 10, min_delta: 0.001}",
    "early_stopping.patience": "early_stopping: {patience: 10}",
    "layers": "layers: [{linear: 20}, relu, {dropout: 0.1}, {linear: 1}]",
    "penalty.l1": "penalty: {l1: 0.001}",
    "penalty.l2": "penalty: {l2: 0.001}",
    "preprocessing": "preprocessing: {numbers: standardize}",
    "split.group": "split: {group: patient}",
    "split.test": "split: {test: 0.2}",
    "split.time": "split: {time: date}",
    "split.validation": "split: {validation: 0.2}",
}
_SETTING = {name: setting for setting, names in SYNONYMS.items() for name in names}


def setting_meant_by(key: str, known: Iterable[str]) -> str | None:
    """Return the setting that was probably meant by an unknown key; the `known` ones are compared by their letters."""
    return _SETTING.get(key.lower().replace("-", "_")) or closest(key, known)


def is_plain(setting: str) -> bool:
    """Tell whether the value that another tool gives to a setting may be meant here, too."""
    return not setting.startswith("dataset") and ("." in setting or setting not in EXAMPLES)


def hint(setting: str) -> str:
    """Return ``"; did you mean 'split.test', as in split: {test: 0.2}?"`` for the setting that was meant."""
    example = f", as in {EXAMPLES[setting]}" if setting in EXAMPLES else ""
    return f"; did you mean {named(setting)}{example}?"
