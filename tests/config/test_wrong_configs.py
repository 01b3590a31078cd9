"""Every wrong config gives one message with a position and exit code 2, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from nnfs_cli.cli import app
from nnfs_cli.components.section import Section
from nnfs_cli.config import yaml
from nnfs_cli.config.config import Config
from nnfs_cli.config.document import Document
from nnfs_cli.config.synonyms import EXAMPLES, SYNONYMS
from nnfs_cli.data.split import Split
from nnfs_cli.errors import ConfigError
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping
from nnfs_cli.training.penalty import Penalty
from tests.conftest import Nnfs

Train = Callable[..., Result]

GOOD = """\
dataset: iris
layers:
  - linear: 10
  - relu
  - linear: 3
  - softmax
loss: cross_entropy
epochs: 2
"""
BINARY = """\
dataset: breast_cancer
layers:
  - linear: 1
  - {last}
loss: binary_cross_entropy
epochs: 2
"""
NOT_OURS = ("Traceback", "pydantic", "Input should", "String should", "Value error", "codec")


def but(old: str, new: str) -> str:
    """The good config with one thing changed."""
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def plus(line: str) -> str:
    """The good config with a ninth line."""
    return f"{GOOD}{line}\n"


def csv(settings: str, more: str = "") -> str:
    """The good config, learning from a CSV file."""
    return but("dataset: iris", f"dataset: {{csv: {{{settings}}}}}") + more


def wrong(name: str, text: str | bytes, place: str, *words: str) -> Any:
    """A row of the table below: the text, where its one fault stands, and what the message has to say."""
    return pytest.param(text, place, words, id=name.replace(" ", "-"))


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Train]:
    """Run `nnfs train` in this process, in an empty folder; what the command sets up globally is undone."""
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)
    with warnings.catch_warnings():
        yield lambda *words: CliRunner().invoke(app, ["train", *map(str, words)])
    signal.signal(signal.SIGTERM, handler)


def refused(result: Result) -> str:
    """The message of a train that was refused as it should be."""
    assert result.exit_code == 2, result.stderr
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert not [words for words in NOT_OURS if words in result.stderr]
    assert not Path("runs").exists()
    return result.stderr


WRONG_KEYS = [
    wrong("unknown key", but("epochs: 2", "epoch: 2"), "8:1", "there is no key 'epoch'; did you mean 'epochs'?"),
    wrong("key in capitals", but("epochs: 2", "Epochs: 2"), "8:1", "did you mean 'epochs'?"),
    wrong("key of another tool", plus("learning_rate: 0.1"), "9:1", "no key 'learning_rate'; did you mean 'lr'?"),
    wrong("rows of another tool", but("epochs: 2", "num_epochs: 2"), "8:1", "did you mean 'epochs'?"),
    wrong("setting of a block", plus("patience: 5"), "9:1", "did you mean 'early_stopping.patience', as in"),
    wrong("fraction of another tool", plus("val-split: 0.2"), "9:1", "did you mean 'split.validation', as in"),
    wrong("setting of a component", plus("weight_decay: 0.1"), "9:1", "as optimizer: {adamw: {weight_decay: 0.1}}"),
    wrong("key like no other", plus("wibble: 2"), "9:1", "there is no key 'wibble'"),
    wrong("a number as key", plus("3: 2"), "9:1", "there is no key '3'"),
    wrong("a list as key", plus("? [a, b]\n: 2"), "9:3", "a key must be a plain text, not a list or a block"),
    wrong("duplicate key", plus("epochs: 3"), "9:1", "the key 'epochs' is given twice"),
    wrong("duplicate setting", but("linear: 10", "linear: {units: 10, units: 3}"), "3:25", "'units'", "given twice"),
    wrong("duplicate key in quotes", plus("'epochs': 3"), "9:1", "given twice"),
    wrong("missing key", but("epochs: 2\n", ""), "1:1", "the key 'epochs' is missing"),
    wrong("missing setting", but("linear: 10", "linear"), "3:5", "linear needs the setting 'units'"),
    wrong("missing setting of a block", but("linear: 10", "linear: {bias: false}"), "3:5", "needs the setting 'units'"),
    wrong("misspelt setting", but("linear: 10", "linear: {unit: 10}"), "3:14", "did you mean 'units'?"),
    wrong("unlike others", but("linear: 10", "linear: {units: 10, x: 1}"), "3:25", "its settings are units, bias"),
    wrong("setting where there are none", but("- relu", "- relu: {alpha: 3}"), "4:12", "relu has no setting 'alpha'"),
    wrong("setting of a block", plus("split: {validaton: 0.1}"), "9:9", "did you mean 'validation'?"),
    wrong(
        "settings beside the name", but("- linear: 10", "- linear: 10\n    bias: off"), "3:5",
        "expected one layer, found the keys linear and bias", "settings go inside, as in linear: {...}",
    ),
    wrong("two layers in one entry", but("- linear: 10", "- linear: 10\n    relu:"), "3:5", "the keys linear and relu"),
]  # fmt: skip

WRONG_NAMES = [
    wrong("misspelt dataset", but("iris", "irsi"), "1:10", "there is no dataset 'irsi'; did you mean 'iris'?"),
    wrong("misspelt layer", but("relu", "rleu"), "4:5", "there is no layer 'rleu'; did you mean 'relu'?"),
    wrong("misspelt layer with a value", but("linear: 10", "linaer: 10"), "3:5", "did you mean 'linear'?"),
    wrong("misspelt loss", but("cross_entropy", "cross_entrpy"), "7:7", "did you mean 'cross_entropy'?"),
    wrong("misspelt loss with settings", but("loss: cross_entropy", "loss: {cros_entropy: {}}"), "7:8", "did you mean"),
    wrong("loss like no other", but("cross_entropy", "hope"), "7:7", "no loss 'hope'; there are binary_cross"),
    wrong("misspelt optimizer", plus("optimizer: sdg"), "9:12", "there is no optimizer 'sdg'; did you mean 'sgd'?"),
    wrong("misspelt metric", plus("metrics: [acuracy]"), "9:11", "did you mean 'accuracy'?"),
    wrong("misspelt step", plus("preprocessing: standardise"), "9:16", "did you mean 'standardize'?"),
    wrong(
        "misspelt initializer", but("linear: 10", "linear: {units: 10, init: he_norml}"), "3:31",
        "there is no initializer 'he_norml'; did you mean 'he_normal'?",
    ),
    wrong("misspelt activation", but("linear: 10", "dense: {units: 10, activation: tahn}"), "3:36", "mean 'tanh'?"),
    wrong("misspelt layer in a layer", but("- relu", "- sequential: [linear: 5, tahn]"), "4:29", "mean 'tanh'?"),
    wrong(
        "misspelt setting in a layer", but("- relu", "- sequential: [linear: {unit: 5}]"), "4:27",
        "linear has no setting 'unit'; did you mean 'units'?",
    ),
    wrong("wrong value in a layer", but("- relu", "- sequential: [linear: x]"), "4:26", "expected a whole number"),
    wrong("misspelt choice", plus("dtype: float16"), "9:8", "expected float32 or float64, found 'float16'"),
    wrong("misspelt reduction", but("cross_entropy", "{cross_entropy: {reduction: summ}}"), "7:35", "mean 'sum'?"),
    wrong("number for a name", but("cross_entropy", "3"), "7:7", "expected the name of a loss, found 3"),
    wrong("list for a name", but("- relu", "- [relu]"), "4:5", "expected the name of a layer, found a list"),
    wrong("nothing for a name", but("- relu", "-"), "4:4", "expected the name of a layer, found nothing"),
    wrong("braces in a name", but("cross_entropy", "'{}%s{0}'"), "7:7", "there is no loss '{}%s{0}'"),
]  # fmt: skip

WRONG_VALUES = [
    wrong("text for a number", but("epochs: 2", "epochs: two"), "8:9", "expected a whole number, found 'two'"),
    wrong("true for a number", but("epochs: 2", "epochs: true"), "8:9", "expected a whole number, found true"),
    wrong("float for an int", but("epochs: 2", "epochs: 2.0"), "8:9", "expected a whole number, found 2.0"),
    wrong("nothing for a number", but("epochs: 2", "epochs:"), "8:8", "expected a whole number, found nothing"),
    wrong("nothing for a setting", but("linear: 10", "linear:"), "3:12", "expected a whole number, found nothing"),
    wrong("quoted int", but("epochs: 2", "epochs: '2'"), "8:9", "expected a whole number, found '2'"),
    wrong("quoted float", plus('lr: "0.1"'), "9:5", "expected a number, found '0.1'"),
    wrong("number with a letter", plus("lr: 1e-3x"), "9:5", "expected a number, found '1e-3x'"),
    wrong("number with a comma", plus("lr: 0,1"), "9:5", "expected a number, found '0,1'"),
    wrong("number with an underscore", but("epochs: 2", "epochs: 1_000"), "8:9", "found '1_000'"),
    wrong("date for a number", but("epochs: 2", "epochs: 2024-01-01"), "8:9", "found '2024-01-01'"),
    wrong("not a number", plus("lr: .nan"), "9:5", "expected a finite number, found nan"),
    wrong("infinite number", plus("lr: .inf"), "9:5", "expected a finite number, found inf"),
    wrong("number beyond float", plus("lr: 1e999"), "9:5", "expected a finite number"),
    wrong("int beyond float", plus(f"lr: {'9' * 400}"), "9:5", "this number is too long"),
    wrong("int beyond reading", but("epochs: 2", f"epochs: {'9' * 5000}"), "8:9", "this number is too long"),
    wrong("hex beyond float", plus(f"lr: 0x{'f' * 5000}"), "9:5", "number"),
    wrong("hex beyond writing", but("epochs: 2", f"epochs: 0x{'f' * 5000}"), "8:9", "number"),
    wrong("list for a number", plus("lr: [0.1]"), "9:5", "expected a number, found a list"),
    wrong("block for a number", plus("lr: {a: 0.1}"), "9:5", "expected a number, found a block of settings"),
    wrong("list for a block", plus("split: [0.2]"), "9:8", "expected a fraction of the rows", "found a list"),
    wrong("name for a list", plus("metrics: accuracy"), "9:10", "expected a list, found 'accuracy'"),
    wrong("block for a list", "dataset: iris\nlayers: {linear: 3}\nloss: mse\nepochs: 2", "2:9", "expected a list"),
    wrong("empty list", "dataset: iris\nlayers: []\nloss: mse\nepochs: 2", "2:9", "expected at least one entry"),
    wrong("nothing for a list", "dataset: iris\nlayers:\nloss: mse\nepochs: 2", "2:8", "found nothing"),
    wrong("word for a switch", plus("shuffle: maybe"), "9:10", "expected true or false, found 'maybe'"),
    wrong("number for a switch", plus("shuffle: 1"), "9:10", "expected true or false, found 1"),
    wrong("bare value where none goes", but("- relu", "- relu: 3"), "4:5", "relu takes no bare value, found 3"),
    wrong("zero epochs", but("epochs: 2", "epochs: 0"), "8:9", "must be greater than 0, found 0"),
    wrong("negative units", but("linear: 10", "linear: -3"), "3:13", "must be greater than 0, found -3"),
    wrong("negative lr", plus("lr: -0.1"), "9:5", "must be greater than 0, found -0.1"),
    wrong("negative seed", plus("seed: -1"), "9:7", "must be at least 0, found -1"),
    wrong("word for a batch size", plus("batch_size: many"), "9:13", "rows, such as 32, or full, found 'many'"),
    wrong("true for a batch size", plus("batch_size: true"), "9:13", "found true"),
    wrong("batch size of 0", plus("batch_size: 0"), "9:13", "found 0"),
    wrong("name with a slash", plus("name: a/b"), "9:7", "expected a name of letters, digits", "found 'a/b'"),
    wrong("name of two lines", plus(r'name: "a\nb"'), "9:7", r"found 'a\nb'"),
    wrong("name that leads away", plus("name: .."), "9:7", "expected a name of letters, digits", "found '..'"),
]  # fmt: skip

WRONG_YAML = [
    wrong("tab", but("  - relu", "\t- relu"), "4:1", "not valid YAML", "'\\t'"),
    wrong("indented too far", but("  - relu", "   - relu"), "4:4", "not valid YAML"),
    wrong("indented key", but("epochs: 2", " epochs: 2"), "8:8", "not valid YAML"),
    wrong("colon without a space", but("epochs: 2", "epochs:2"), "8:1", "not valid YAML"),
    wrong("two colons", but("epochs: 2", "epochs: 2: 3"), "8:10", "not valid YAML"),
    wrong("open bracket in the middle", but("linear: 10", "linear: {units: 10"), "5:11", "not valid YAML"),
    wrong("open bracket at the end", plus("metrics: [accuracy"), "9:10", "not valid YAML"),
    wrong("open quote", but("iris", "'iris"), "1:10", "not valid YAML"),
    wrong("reserved sign", but("iris", "@iris"), "1:10", "not valid YAML"),
    wrong("tag", but("iris", "!!str iris"), "1:10", "a config cannot use tags"),
    wrong("tag of python", plus("split: !!python/object/apply:os.mkdir [runs]"), "9:8", "a config cannot use tags"),
    wrong("tag of a block", but("- relu", "- !foo {relu: 3}"), "4:5", "a config cannot use tags"),
    wrong("anchor", but("linear: 10", "linear: &a 10"), "3:13", "anchors and aliases; write the value out"),
    wrong("alias", but("linear: 10", "linear: *a"), "3:13", "a config cannot use anchors and aliases"),
    wrong("merge key", plus("<<: {seed: 3}"), "9:1", "there is no key '<<'"),
    wrong("merge key with an alias", plus("<<: *a"), "9:5", "a config cannot use anchors and aliases"),
    wrong("merge key in a block", plus("split:\n  <<: {test: 0.1}"), "10:3", "split has no setting '<<'"),
    wrong("two documents", plus("---\ndataset: iris"), "9:1", "a second document begins here"),
    wrong("too deep", but("relu", "[" * 21 + "]" * 21), "4:23", "a config is nested at most 20 levels deep"),
    wrong("far too deep", but("relu", "[" * 5000), "4:23", "a config is nested at most 20 levels deep"),
    wrong("list at the top", "- dataset: iris\n- epochs: 3\n", "1:1", "found a list"),
    wrong("word at the top", "hello\n", "1:1", "found 'hello'"),
    wrong("escape", but("iris", "ir\x1bis"), "1:12", "not allowed in YAML"),
    wrong("null", but("iris", "ir\0is"), "1:12", "not allowed in YAML"),
    wrong("latin 1", plus("").encode() + b"name: caf\xe9\n", "10:10", "not UTF-8; save the file with that encoding"),
    wrong("utf 16", GOOD.encode("utf-16"), "1:1", "this is UTF-16; save the file as UTF-8"),
    wrong("byte order mark", b"\xef\xbb\xbf" + but("relu", "rleu").encode(), "4:5", "did you mean 'relu'?"),
    wrong("windows line ends", but("relu", "rleu").replace("\n", "\r\n"), "4:5", "did you mean 'relu'?"),
    wrong("half a character", but("cross_entropy", '"\\ud800"'), "7:7", ""),
    wrong("half a character in a text", plus('name: "\\ud800"'), "9:7", ""),
    wrong("half a character in a block", plus('split: {column: "\\ud800"}'), "9:17", ""),
    wrong("character beyond unicode", but("iris", '"\\U00110000"'), "1:", "not valid YAML"),
    wrong("character far beyond unicode", but("iris", '"\\Uffffffff"'), "1:", "not valid YAML"),
    wrong("yaml from the future", f"%YAML 1.{'9' * 5000}\n---\n{GOOD}", "1:", "YAML"),
]  # fmt: skip

WRONG_TOGETHER = [
    wrong("softmax of 1", but("linear: 3", "linear: 1"), "6:5", "softmax over a single output is always 1", "sigmoid"),
    wrong("softmax of 1 in a layer", but("- relu", "- sequential: [linear: 1, softmax]"), "4:29", "softmax over a"),
    wrong("2 outputs for 3 classes", but("linear: 3", "linear: 2"), "5:5", "gives 2 outputs; iris has 3 classes"),
    wrong(
        "binary loss for 3 classes", but("cross_entropy", "binary_cross_entropy"), "7:7",
        "iris has 3 classes; binary_cross_entropy is for 2 classes; use cross_entropy after softmax",
    ),
    wrong("mse for classes", but("cross_entropy", "mse"), "7:7", "iris has 3 classes; mse predicts numbers"),
    wrong("cross entropy for numbers", but("iris", "diabetes"), "7:7", "diabetes has numbers as its target"),
    wrong("metric of the other task", plus("metrics: [accuracy, rmse]"), "9:21", "rmse is a metric for regression"),
    wrong("metric twice", plus("metrics: [accuracy, accuracy]"), "9:21", "accuracy is listed twice"),
    wrong("scaled classes", plus("preprocessing: {target: standardize}"), "9:25", "standardize is for numbers"),
    wrong("relu at the end", BINARY.format(last="relu"), "4:5", "end with sigmoid instead of relu"),
    wrong("tanh in a layer at the end", BINARY.format(last="sequential: [tanh]"), "4:5", "instead of tanh"),
    wrong("split of 1", plus("split: 1"), "9:8", "expected a fraction of the rows, such as 0.2", "found 1"),
    wrong("split of more than 1", plus("split: {test: 1.5}"), "9:15", "expected a fraction", "found 1.5"),
    wrong("split below 0", plus("split: -0.1"), "9:8", "expected a fraction", "found -0.1"),
    wrong("true for a split", plus("split: true"), "9:8", "expected a fraction", "found true"),
    wrong("split without training rows", plus("split: {validation: 0.6, test: 0.4}"), "9:8", "leaves none to train"),
    wrong("split by the column of a builtin", plus("split: {column: part}"), "9:17", "iris has no such column"),
    wrong("split by a file on a builtin", plus("split: val.csv"), "9:8", "there is no file "),
    wrong(
        "split by column and file", csv("path: here.csv, target: y", "split: {column: a, test: here.csv}"), "9:26",
        "give either a column or files, not both",
    ),
    wrong("split by a missing file", csv("path: here.csv, target: y", "split: gone.csv"), "9:8", "gone.csv"),
    wrong("replacement without shuffling", plus("shuffle: no\nreplacement: yes"), "9:10", "leave shuffle out"),
    wrong("batches never full", plus("batch_size: 500\ndrop_last: true"), "9:13", "120 training rows do not fill"),
    wrong("missing csv", csv("path: gone.csv, target: y"), "1:23", "there is no file", "gone.csv"),
    wrong("misspelt csv", csv("path: hree.csv, target: y"), "1:23", "did you mean 'here.csv'?"),
    wrong("folder for a csv", csv("path: ., target: y"), "1:23", "is not a file"),
    wrong("no path for a csv", csv("path: '', target: y"), "1:23", "expected a path, found ''"),
    wrong("number for a path", csv("path: 3, target: y"), "1:23", "expected a path, found 3"),
    wrong("csv without target", csv("path: here.csv"), "1:11", "csv needs the setting 'target'"),
    wrong("csv with no target", csv("path: here.csv, target: []"), "1:41", "expected at least one entry"),
    wrong("delimiter of 2", csv("path: here.csv, target: y, delimiter: ';;'"), "1:55", "found ';;'"),
    wrong("home of nobody", csv("path: ~nobody-here/x.csv, target: y"), "1:23", "~nobody-here"),
    wrong("path beyond the system", csv(f"path: {'x' * 5000}, target: y"), "1:23", ""),
    wrong("null in a path", csv('path: "a\\0b", target: y'), "1:23", "there is no file"),
]  # fmt: skip

WRONG_TOOLBOX = [
    wrong("early stoping", plus("early_stoping: 3"), "9:1", "no key 'early_stoping'; did you mean 'early_stopping'?"),
    wrong("class weight", plus("class_weight: balanced"), "9:1", "'class_weights', as in class_weights: balanced?"),
    wrong("maxminutes", plus("maxminutes: 3"), "9:1", "did you mean 'max_minutes'?"),
    wrong("code in a config", plus("code: my_layers.py"), "9:1", "there is no key 'code'"),
    wrong("misspelt schedule", plus("schedule: cosin"), "9:11", "there is no schedule 'cosin'; did you mean 'cosine'?"),
    wrong("misspelt averaging", plus("averaging: sma"), "9:12", "there is no averaging 'sma'; did you mean 'swa'?"),
    wrong("misspelt lbfgs", plus("optimizer: lbgfs"), "9:12", "there is no optimizer 'lbgfs'; did you mean 'lbfgs'?"),
    wrong("misspelt normalisation", but("- relu", "- batchnorm"), "4:5", "did you mean 'batch_norm'?"),
    wrong("misspelt focal", but("cross_entropy", "{focl: 2}"), "7:8", "there is no loss 'focl'; did you mean 'focal'?"),
    wrong("misspelt balanced", plus("class_weights: balancd"), "9:16", "did you mean 'balanced'?"),
    wrong("number for a schedule", plus("schedule: 3"), "9:11", "expected the name of a schedule, found 3"),
    wrong("list for a schedule", plus("schedule: [cosine]"), "9:11", "expected the name of a schedule, found a list"),
    wrong("bare step", plus("schedule: step"), "9:", "step needs the setting 'every', as in step: 10"),
    wrong("misspelt setting of a schedule", plus("schedule: {cosine: {restart: 1}}"), "9:21", "mean 'restarts'?"),
    wrong("negative warmup", plus("schedule: {cosine: {warmup: -1}}"), "9:29", "must be at least 0, found -1"),
    wrong("step of 0", plus("schedule: {step: 0}"), "9:18", "must be greater than 0, found 0"),
    wrong("factor above 1", plus("schedule: {exponential: 1.5}"), "9:25", "must be at most 1, found 1.5"),
    wrong("rise of the whole", plus("schedule: {one_cycle: {peak: 1}}"), "9:30", "must be less than 1, found 1"),
    wrong("too many restarts", plus("schedule: {cosine: 301}"), "9:20", "must be at most 300, found 301"),
    wrong("mode like no other", plus("schedule: {reduce_on_plateau: {mode: up}}"), "9:38", "expected min or max"),
    wrong("decay of 1", plus("averaging: {ema: 1}"), "9:18", "must be less than 1, found 1"),
    wrong("start at the end", plus("averaging: {swa: {start: 1.0}}"), "9:26", "must be less than 1, found 1"),
    wrong("negative penalty", plus("penalty: -1"), "9:10", "must be at least 0, found -1"),
    wrong("third penalty", plus("penalty: {l3: 1}"), "9:11", "penalty has no setting 'l3'; its settings are l1 and l2"),
    wrong("negative penalty of a layer", but("linear: 10", "linear: {units: 10, l2: -1}"), "3:29", "at least 0"),
    wrong("clip at 0", plus("clip: 0"), "9:7", "must be greater than 0, found 0"),
    wrong("word for a clip", plus("clip: {value: high}"), "9:15", "expected a number, found 'high'"),
    wrong("accumulate nothing", plus("accumulate: 0"), "9:13", "must be greater than 0, found 0"),
    wrong("accumulate half", plus("accumulate: 1.5"), "9:13", "expected a whole number, found 1.5"),
    wrong("no minutes", plus("max_minutes: 0"), "9:14", "must be greater than 0, found 0"),
    wrong("hours", plus("max_minutes: 1 h"), "9:14", "expected a number, found '1 h'"),
    wrong("endless minutes", plus("max_minutes: .inf"), "9:14", "expected a finite number, found inf"),
    wrong("switch for a patience", plus("early_stopping: true"), "9:17", "expected a whole number, found true"),
    wrong("no patience", plus("early_stopping: {patience: 0}"), "9:28", "must be greater than 0, found 0"),
    wrong("negative delta", plus("early_stopping: {min_delta: -1}"), "9:29", "must be at least 0, found -1"),
    wrong(
        "misspelt patience", plus("early_stopping: {patiance: 3}"), "9:18",
        "early_stopping has no setting 'patiance'; did you mean 'patience'?",
    ),
    wrong(
        "misspelt every", plus("checkpoint: {evry: 3}"), "9:14",
        "checkpoint has no setting 'evry'; did you mean 'every'?",
    ),
    wrong("number for a monitor", plus("checkpoint: {monitor: 3}"), "9:23", "expected a text, found 3"),
    wrong("no monitor", plus("early_stopping: {monitor: ''}"), "9:27", "at least one character, found ''"),
    wrong("misspelt monitor", plus("early_stopping: {monitor: val_los}"), "9:27", "did you mean 'val_loss'?"),
    wrong("monitor like no other", plus("checkpoint: {monitor: f1}"), "9:23", "no figure 'f1'; it has train_loss"),
    wrong("monitor of no split", plus("split: 0\ncheckpoint: {monitor: val_accuracy}"), "10:", "monitor train_acc"),
    wrong("checkpoint every 0", plus("checkpoint: 0"), "9:13", "must be greater than 0, found 0"),
    wrong("negative class weight", plus("class_weights: {setosa: -1}"), "9:25", "a number of 0 or more", "found -1"),
    wrong("endless class weight", plus("class_weights: {setosa: .inf}"), "9:25", "a number of 0 or more", "found inf"),
    wrong("word for a class weight", plus("class_weights: {setosa: x}"), "9:25", "a number of 0 or more", "found 'x'"),
    wrong("list of class weights", plus("class_weights: [1, 2, 3]"), "9:16", "a number for each class", "found a list"),
    wrong("class twice", plus("class_weights: {setosa: 1, 'setosa': 2}"), "9:28", "'setosa' is given twice"),
    wrong("unknown class", plus("class_weights: {setsoa: 2}"), "9:17", "no class 'setsoa'; did you mean 'setosa'?"),
    wrong(
        "classes of numbers", "dataset: diabetes\nlayers: [linear: 1]\nloss: mse\nepochs: 1\nclass_weights: balanced",
        "5:16", "mse predicts numbers, which have no classes",
    ),
    wrong("misspelt weight", csv("path: here.csv, target: y, wieght: a"), "1:44", "did you mean 'weight'?"),
    wrong("two weights", csv("path: here.csv, target: y, weight: [a, b]"), "1:52", "expected a text, found a list"),
    wrong("weight that is not there", csv("path: here.csv, target: y, weight: b"), "1:52", "no column 'b'"),
    wrong("weight of a builtin", but("iris", "{iris: {weight: w}}"), "1:18", "iris has no setting 'weight'"),
    wrong("weight that is the target", csv("path: here.csv, target: y, weight: y"), "1:", "it can't be both"),
    wrong("smoothed away", but("cross_entropy", "{cross_entropy: {label_smoothing: 1}}"), "7:41", "less than 1"),
    wrong("negative focus", but("cross_entropy", "{focal: -1}"), "7:15", "must be at least 0, found -1"),
    wrong("quantile of 1", but("cross_entropy", "{quantile: [0.5, 1]}"), "7:24", "must be less than 1, found 1"),
    wrong("falling quantiles", but("cross_entropy", "{quantile: [0.9, 0.1]}"), "7:18", "levels in ascending order"),
    wrong("no quantile", but("cross_entropy", "{quantile: []}"), "7:18", "expected at least one entry"),
    wrong(
        "sigmoid before a hinge", BINARY.replace("binary_cross_entropy", "hinge").format(last="sigmoid"), "4:5",
        "hinge needs scores of any sign; leave sigmoid out",
    ),
    wrong(
        "probabilities of scores", plus("metrics: [brier]").replace("cross_entropy", "hinge").replace("softmax", "elu"),
        "9:11", "brier needs probabilities, and hinge predicts scores instead",
    ),
    wrong("average like no other", plus("metrics: [{f1: per_clas}]"), "9:16", "did you mean 'per_class'?"),
    wrong("metric twice by its default", plus("metrics: [f1, {f1: macro}]"), "9:15", "f1 macro is listed twice"),
    wrong("pinball of a class", plus("metrics: [{pinball: 0.5}]"), "9:11", "pinball is a metric for regression"),
    wrong("top of nothing", plus("metrics: [{top_k_accuracy: 0}]"), "9:28", "must be greater than 0, found 0"),
    wrong("lbfgs with a batch size", plus("optimizer: lbfgs\nbatch_size: 8"), "10:1", "leave batch_size out"),
    wrong("lbfgs with dropout", plus("optimizer: lbfgs").replace("relu", "dropout"), "9:12", "dropout changes it"),
    wrong("lbfgs with lr", plus("optimizer: {lbfgs: {lr: 1}}"), "9:21", "its settings are memory and tolerance"),
    wrong("negative weight decay", plus("optimizer: {adamw: {weight_decay: -1}}"), "9:35", "must be at least 0"),
    wrong("nesterov without momentum", plus("optimizer: {sgd: {nesterov: yes}}"), "9:", "set momentum too"),
    wrong("dropout of everything", but("- relu", "- dropout: 1"), "4:14", "must be less than 1, found 1"),
    wrong("dropout inside", but("- relu", "- residual: [sequential: [dropout: 2]]"), "4:38", "must be less than 1"),
    wrong("misspelt layer in a residual", but("- relu", "- residual: [linear: 5, rleu]"), "4:27", "mean 'relu'?"),
    wrong("batch norm of single rows", plus("batch_size: 1").replace("relu", "batch_norm"), "9:13", "at least 2 rows"),
    wrong("batch norm inside", plus("batch_size: 1").replace("relu", "residual: [batch_norm]"), "9:13", "at least 2"),
]  # fmt: skip

WRONG_COLUMNS = [
    wrong("misspelt impute", plus("preprocessing: [imput, standardize]"), "9:17", "did you mean 'impute'?"),
    wrong("misspelt kind of column", plus("preprocessing: {number: log1p}"), "9:17", "did you mean 'numbers'?"),
    wrong("number for a step", plus("preprocessing: {numbers: 3}"), "9:26", "a preprocessing step, found 3"),
    wrong("nothing for a step", plus("preprocessing: {numbers: }"), "9:25", "preprocessing step, found nothing"),
    wrong("no step at all", plus("preprocessing: {numbers: []}"), "9:26", "expected at least one entry"),
    wrong("categories", plus("preprocessing: one_hot"), "9:16", "one_hot is for columns of categories; for numbers"),
    wrong("mixed list", plus("preprocessing: {numbers: [impute, one_hot]}"), "9:26", "one_hot cannot stand in a list"),
    wrong("impute behind", plus("preprocessing: [standardize, impute]"), "9:16", "impute must come first"),
    wrong("numbers for words", plus("preprocessing: {categories: robust}"), "9:29", "robust is for columns of numbers"),
    wrong("list for words", plus("preprocessing: {categories: [one_hot]}"), "9:29", "step, found a list"),
    wrong("misspelt one_hot", plus("preprocessing: {categories: onehot}"), "9:29", "did you mean 'one_hot'?"),
    wrong("words for dates", plus("preprocessing: {dates: one_hot}"), "9:24", "for dates there is calendar"),
    wrong("misspelt calendar", plus("preprocessing: {dates: calender}"), "9:24", "did you mean 'calendar'?"),
    wrong("misspelt part", plus("preprocessing: {dates: {calendar: [month]}}"), "9:36", "did you mean 'month_cycle'?"),
    wrong("no part of a date", plus("preprocessing: {dates: {calendar: []}}"), "9:35", "expected at least one entry"),
    wrong("part twice", plus("preprocessing: {dates: {calendar: [trend, trend]}}"), "9:35", "'trend' is listed"),
    wrong("target that stays scaled", plus("preprocessing: {target: clip}"), "9:25", "clip has no inverse"),
    wrong("target", plus("preprocessing: {target: one_hot}"), "9:25", "one_hot is for columns of categories"),
    wrong("list of columns", plus("preprocessing: {columns: [a]}"), "9:26", "a block of settings, found a list"),
    wrong("misspelt step of a column", plus("preprocessing: {columns: {a: log1}}"), "9:30", "did you mean 'log1p'?"),
    wrong("no step of a column", plus("preprocessing: {columns: {a: []}}"), "9:30", "expected at least one entry"),
    wrong("two steps for words", plus("preprocessing: {columns: {a: [one_hot, clip]}}"), "9:30", "one_hot cannot"),
    wrong("column like no other", plus("preprocessing: {columns: {a: log1p}}"), "9:27", "iris has no column 'a'"),
    wrong("number for a column", plus("preprocessing: {columns: {3: log1p}}"), "9:27", "iris has no column '3'"),
    wrong(
        "misspelt column", csv("path: here.csv, target: y", "preprocessing: {columns: {aa: log1p}}"), "9:27",
        "here.csv has no column 'aa'",
    ),
    wrong(
        "one wrong name among several", csv("path: here.csv, target: y, drop: [a, aa]"), "1:54",
        "here.csv has no column 'aa'",
    ),
    wrong(
        "one wrong target among several", csv("path: here.csv, target: [y, yy]"), "1:45",
        "here.csv has no column 'yy'",
    ),
    wrong(
        "step for the target", csv("path: here.csv, target: y", "preprocessing: {columns: {y: one_hot}}"), "9:27",
        "'y' is the target; its steps belong in preprocessing.target",
    ),
    wrong(
        "step for a dropped column",
        csv("path: here.csv, target: y, drop: a", "preprocessing: {columns: {a: log1p}}"), "9:27",
        "'a' is also listed in drop; leave one of them out",
    ),
    wrong("vectors of no length", plus("preprocessing: {columns: {a: {embedding: 0}}}"), "9:42", "greater than 0"),
    wrong(
        "misspelt unseen", plus("preprocessing: {categories: {one_hot: {unseen: others}}}"), "9:48",
        "expected error or other, found 'others'; did you mean 'other'?",
    ),
    wrong("words of 0 rows", plus("preprocessing: {categories: {one_hot: {min_frequency: 0}}}"), "9:55", "found 0"),
    wrong("no category", plus("preprocessing: {categories: {one_hot: {max_categories: 0}}}"), "9:56", "found 0"),
    wrong("place twice", plus("preprocessing: {categories: {ordinal: [low, low]}}"), "9:39", "'low' is listed twice"),
    wrong("places for no words", plus("preprocessing: {categories: {ordinal: []}}"), "9:39", "at least one entry"),
    wrong(
        "places for rare words",
        plus("preprocessing: {categories: {ordinal: {order: [low], min_frequency: 3}}}"), "9:39",
        "order lists all categories",
    ),
    wrong("one bucket", plus("preprocessing: {categories: {hashing: 1}}"), "9:39", "must be at least 2, found 1"),
    wrong("negative smoothing", plus("preprocessing: {categories: {target_mean: -1}}"), "9:43", "at least 0, found -1"),
    wrong("one fold", plus("preprocessing: {categories: {target_mean: {folds: 1}}}"), "9:51", "at least 2, found 1"),
    wrong("misspelt median", plus("preprocessing: {numbers: {impute: medain}}"), "9:35", "did you mean 'median'?"),
    wrong("constant of nothing", plus("preprocessing: {numbers: {impute: constant}}"), "9:35", "needs a value"),
    wrong("value for a median", plus("preprocessing: {numbers: {impute: {value: 3}}}"), "9:35", "takes no value"),
    wrong("bounds that cross", plus("preprocessing: {numbers: {clip: {low: 1, high: 0.1}}}"), "9:39", "less than 1"),
    wrong("low above high", plus("preprocessing: {numbers: {clip: {low: 0.9, high: 0.1}}}"), "9:33", "must be below"),
    wrong("single knot", plus("preprocessing: {numbers: {quantile: 1}}"), "9:37", "must be at least 2, found 1"),
    wrong("bare value of a step", plus("preprocessing: {numbers: {robust: 3}}"), "9:26", "robust takes no bare value"),
    wrong("two steps in one entry", plus("preprocessing: {numbers: {impute: , clip: }}"), "9:26", "impute and clip"),
    wrong("misspelt memory", plus("memory_limt: 2 GB"), "9:1", "did you mean 'memory_limit'?"),
    wrong("no memory", plus("memory_limit: 0 MB"), "9:15", "expected an amount of memory, such as 500 MB or 2 GB"),
    wrong("memory of no unit", plus("memory_limit: lots"), "9:15", "an amount of memory", "found 'lots'"),
    wrong("memory in small letters", plus("memory_limit: 2 gb"), "9:15", "an amount of memory", "found '2 gb'"),
    wrong("switch for memory", plus("memory_limit: true"), "9:15", "an amount of memory", "found true"),
    wrong("half a byte", plus("memory_limit: 1.5"), "9:15", "an amount of memory", "found 1.5"),
    wrong("memory beyond all", plus(f"memory_limit: {'9' * 400} GB"), "9:15", "expected an amount of memory"),
    wrong("memory for nothing", plus("memory_limit: 10 MB"), "9:15", "the program itself needs"),
    wrong("group of a builtin", plus("split: {group: a}"), "9:16", "iris has no such column; give fractions"),
    wrong("time of a builtin", plus("split: {time: a}"), "9:15", "iris has no such column; give fractions"),
    wrong("hash of a builtin", plus("split: {hash: a}"), "9:15", "iris has no such column; give fractions"),
    wrong("misspelt group", csv("path: here.csv, target: y", "split: {groups: a}"), "9:9", "did you mean 'group'?"),
    wrong("unknown group", csv("path: here.csv, target: y", "split: {group: b}"), "9:16", "no column 'b'; it has 'a'"),
    wrong("unknown time", csv("path: here.csv, target: y", "split: {time: b}"), "9:15", "no column 'b'; it has 'a'"),
    wrong("unknown hash", csv("path: here.csv, target: y", "split: {hash: b}"), "9:15", "no column 'b'; it has 'a'"),
    wrong("number for a group", csv("path: here.csv, target: y", "split: {group: 3}"), "9:16", "a text, found 3"),
    wrong("two ways", csv("path: here.csv, target: y", "split: {hash: a, time: a}"), "9:8", "set one of time or hash"),
    wrong(
        "group without rows", csv("path: here.csv, target: y", "split: {validation: here.csv, group: a}"), "9:31",
        "group has no rows to divide; leave group out",
    ),
    wrong("decimal of 2", csv("path: here.csv, target: y, decimal: ',,'"), "1:53", "found ',,'"),
    wrong("letter for a mark", csv("path: here.csv, target: y, decimal: x"), "1:53", "as decimal mark"),
    wrong("mark for both", csv("path: here.csv, target: y, decimal: ','"), "1:16", "both the decimal mark and"),
    wrong("point for both", csv("path: here.csv, target: y, delimiter: '.'"), "1:16", "both the decimal mark and"),
    wrong("encoding like no other", csv("path: here.csv, target: y, encoding: utf-9"), "1:54", "found 'utf-9'"),
    wrong("encoding of no text", csv("path: here.csv, target: y, encoding: base64"), "1:54", "found 'base64'"),
    wrong("number for an encoding", csv("path: here.csv, target: y, encoding: 3"), "1:54", "expected a text, found 3"),
    wrong("number for a header", csv("path: here.csv, target: y, header: 3"), "1:52", "a list of names, found 3"),
    wrong("name twice", csv("path: here.csv, target: y, header: [a, a]"), "1:52", "'a' is listed twice"),
    wrong("no name", csv("path: here.csv, target: y, header: []"), "1:52", "expected at least one entry"),
    wrong("other names", csv("path: here.csv, target: y, header: [a, b]"), "1:41", "no column 'y'; it has 'a'"),
    wrong("number for a gap", csv("path: here.csv, target: y, null: [NA, -1]"), "1:", "put -1 in quotes"),
    wrong("gap of nothing", csv("path: here.csv, target: y, null: ['']"), "1:51", "at least one character"),
    wrong("misspelt null", csv("path: here.csv, target: y, nul: NA"), "1:44", "did you mean 'null'?"),
    wrong("pattern of no file", csv("path: there-*.csv, target: y"), "1:23", "no file matches", "there-*.csv"),
]  # fmt: skip

TABLE = [*WRONG_KEYS, *WRONG_NAMES, *WRONG_VALUES, *WRONG_YAML, *WRONG_TOGETHER, *WRONG_TOOLBOX, *WRONG_COLUMNS]


@pytest.mark.parametrize(("text", "place", "words"), TABLE)
def test_a_wrong_config_gives_one_message_with_a_position(
    text: str | bytes, place: str, words: tuple[str, ...], train: Train, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    (tmp_path / "here.csv").write_text("a,y\n1,no\n2,yes\n")
    message = refused(train("config.yaml"))
    where = f"config.yaml:{place}" if place.endswith(":") else f"config.yaml:{place}: error: "
    assert message.startswith(where)
    assert message.count(" error: ") == 1
    for word in words:
        assert word in message


@pytest.mark.parametrize("text", ["", "\n \n", "# a comment\n# and another", "---\n", GOOD + "#" * 1_000_000])
def test_a_file_that_is_not_a_config_is_named_without_a_position(text: str, train: Train, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(text)
    message = refused(train("config.yaml"))
    assert message.startswith("config.yaml: error: ")
    assert "1,000,000 bytes" in message if len(text) > 1000 else "the file is empty" in message


@pytest.mark.parametrize(
    ("path", "message", "of_library"),
    [
        ("gone.yaml", "gone.yaml: error: there is no such file", "gone.yaml: error: there is no such file"),
        (
            "folder",
            "error: folder is a folder; expected a YAML file",
            "folder: error: this is a folder; expected a YAML file",
        ),
    ],
)
def test_a_config_that_is_not_a_file_is_refused(
    path: str, message: str, of_library: str, train: Train, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    assert refused(train(path)) == f"{message}\n"
    with pytest.raises(ConfigError) as caught:
        Config.load(Path(path))
    assert str(caught.value) == of_library


def test_a_config_below_a_file_does_not_exist(train: Train, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(GOOD)
    assert refused(train("config.yaml/inner.yaml")).startswith("config.yaml/inner.yaml: error: ")


def test_the_line_is_shown_with_the_fault_underlined(train: Train, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(but("relu", "rleu"))
    message = "config.yaml:4:5: error: there is no layer 'rleu'; did you mean 'relu'?\n"
    assert refused(train("config.yaml")) == message + "    4 |   - rleu\n      |     ^^^^\n"


def test_all_faults_come_at_once_in_the_order_of_the_file(train: Train, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("""\
dtype: float16
dataset: iris
metrics: [rmse]
layers:
  - linear: {units: x, bias: 3}
  - rleu
loss: cross_entropy
lr: -1
epoch: 2
""")
    lines = refused(train("config.yaml")).splitlines()
    assert [line.split(": error: ") for line in lines if " error: " in line] == [
        ["config.yaml:1:8", "expected float32 or float64, found 'float16'; did you mean 'float64'?"],
        ["config.yaml:3:11", "rmse is a metric for regression; cross_entropy is a loss for classification"],
        ["config.yaml:5:21", "expected a whole number, found 'x'"],
        ["config.yaml:5:30", "expected true or false, found 3"],
        ["config.yaml:6:5", "there is no layer 'rleu'; did you mean 'relu'?"],
        ["config.yaml:8:5", "must be greater than 0, found -1"],
        ["config.yaml:9:1", "there is no key 'epoch'; did you mean 'epochs'?"],
    ]
    assert lines[-1].startswith("7 errors")


def test_every_missing_key_is_named(train: Train, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("seed: 1\n")
    message = refused(train("config.yaml"))
    assert "the key 'dataset' is missing" in message
    assert "layers" not in message  # a preset fills them in
    (tmp_path / "config.yaml").write_text("layers: [linear: 1]\n")
    message = refused(train("config.yaml"))
    for key in ("dataset", "loss", "epochs"):
        assert f"the key '{key}' is missing" in message
    assert message.endswith("3 errors\n")


@pytest.mark.parametrize(
    "line", [f"epochs: {'9' * 5000}", f"lr: {'9' * 4000}", f"name: {'x/' * 3000}", f"{'x' * 5000}: 3"]
)
def test_a_message_stays_short_whatever_the_file_holds(line: str, train: Train, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(but("epochs: 2", line))
    assert max(map(len, refused(train("config.yaml")).splitlines())) <= 250


def test_a_missing_file_is_reported_relative_to_the_config(train: Train, tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "config.yaml").write_text(csv("path: here.csv, target: y"))
    (tmp_path / "here.csv").write_text("a,y\n1,no\n2,yes\n")
    message = refused(train("configs/config.yaml"))
    assert message.startswith("configs/config.yaml:1:23: error: there is no file ")
    assert "configs/here.csv" in message.splitlines()[0]


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("lr", "expected key=value, such as --set lr=0.05"),
        ("schedule.step.warmup=1", "step needs the setting 'every', as in step: 10"),
        ("layers.0.linear.units=8", "layers.0.linear is 10 and has no 'units'; set all of it, as in layers.0"),
        ("=3", "expected key=value"),
        ("split..test=3", "expected key=value"),
        ("epoch=3", "there is no key 'epoch'; did you mean 'epochs'?"),
        ("3=4", "there is no key '3'"),
        ("split.3=1", "split has no setting '3'"),
        ("lr=fast", "expected a number, found 'fast'"),
        ("lr='0.1'", "expected a number, found '0.1'"),
        ("lr=[1", "not valid YAML"),
        ("lr=!!float 1", "a config cannot use tags"),
        ("lr=&a 1", "a config cannot use anchors and aliases"),
        ("epochs=", "expected a whole number, found nothing"),
        ("epochs=0", "must be greater than 0, found 0"),
        ("epochs.a=3", "epochs is 2 and has no 'a'"),
        ("dataset=irsi", "there is no dataset 'irsi'; did you mean 'iris'?"),
        ("optimizer.sgd.lr=3", "sgd has no setting 'lr'"),
        ("layers=[]", "expected at least one entry"),
        ("layers.1=rleu", "there is no layer 'rleu'; did you mean 'relu'?"),
        ("layers.2.linear=2", "the net gives 2 outputs; iris has 3 classes"),
        ("layers.9.linear=3", "its entries are 0 to 3, and there is no '9'"),
        ("layers.x=3", "its entries are 0 to 3, and there is no 'x'"),
        ("layers.-1=relu", "its entries are 0 to 3, and there is no '-1'"),
        ("metrics.0=rmse", "the config has no metrics to change. To choose them yourself, set the whole list"),
        ("metrics=[rmse]", "rmse is a metric for regression; cross_entropy is a loss for classification"),
        ("split.validation.x=3", "expected a fraction of the rows"),
        ("class_weights.setsoa=3", "there is no class 'setsoa'; did you mean 'setosa'?"),
        ("class_weights.setosa=-3", "expected a number of 0 or more for each class, found -3"),
        ("schedule.cosine.restart=3", "cosine has no setting 'restart'; did you mean 'restarts'?"),
        ("schedule=cosin", "there is no schedule 'cosin'; did you mean 'cosine'?"),
        ("early_stopping.patience=0", "must be greater than 0, found 0"),
        ("checkpoint.monitor=val_los", "the log has no figure 'val_los'; did you mean 'val_loss'?"),
        ("clip.norm=-1", "must be greater than 0, found -1"),
        ("layers.1.dropout=1", "relu"),
        ("optimizer={lbfgs: {memry: 3}}", "lbfgs has no setting 'memry'; did you mean 'memory'?"),
        ("split={validation: 0.6, test: 0.4}", "leaves none to train"),
        ("preprocessing.numbers=one_hot", "one_hot is for columns of categories"),
        ("preprocessing.columns.a=log1p", "iris has no column 'a'"),
        ("preprocessing.columns.a.embedding=0", "must be greater than 0, found 0"),
        ("preprocessing.numbers=[standardize, impute]", "impute must come first"),
        ("memory_limit=2 gb", "expected an amount of memory"),
        ("split.group=a", "iris has no such column"),
        ("lr=\udcff", ""),
    ],
)  # fmt: skip
def test_a_wrong_override_is_named_as_it_was_given(assignment: str, words: str, train: Train, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(GOOD)
    message = refused(train("config.yaml", "--set", assignment))
    assert message.startswith(f"--set {assignment}: error: ".replace("\udcff", "\\xdcff"))
    assert words in message


def test_overrides_that_conflict_are_quoted(train: Train, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(GOOD)
    message = refused(train("config.yaml", "--set", "split.validation=0.6", "--set", "split.test=0.5"))
    assert message.startswith("--set split.")
    assert "leaves none to train" in message


def test_wrong_overrides_come_in_the_order_they_were_given_after_the_faults_of_the_file(
    train: Train, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(but("relu", "rleu"))
    lines = refused(train("config.yaml", "--set", "epochs=0", "--set", "lr=0")).splitlines()
    starts = [line.split(": error: ")[0] for line in lines if " error: " in line]
    assert starts == ["config.yaml:4:5", "--set epochs=0", "--set lr=0"]
    assert lines[-1].startswith("3 errors")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (but("epochs: 2", "epoch: 2").encode(), "8:1"),
        (plus("split: !!python/object/apply:os.mkdir [runs]").encode(), "9:8"),
        (but("linear: 3", "linear: 2").encode(), "5:5"),
    ],
)
def test_the_command_reports_errors_on_stderr_and_exits_with_2(
    text: bytes, place: str, nnfs: Nnfs, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_bytes(text)
    done = nnfs("train", "config.yaml")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"config.yaml:{place}: error: ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(os.name != "posix", reason="limits memory as a Unix shell does")
def test_a_number_of_classes_beyond_memory_is_refused_before_anything_is_made_of_it(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(but("dataset: iris", "dataset: {blobs: {classes: 99999999999}}"))
    command = [
        "sh",
        "-c",
        'ulimit -v 2000000; exec "$@"',
        "sh",
        sys.executable,
        "-m",
        "nnfs_cli",
        "train",
        "config.yaml",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("config.yaml:1:28: error: must be at most 1,000, found 99999999999")


TOO_LARGE = [
    ("epochs: 2", "epochs: 99999999999999999999", "8:9", "must be at most 1,000,000,000"),
    ("epochs: 2", "epochs: 1000000001", "8:9", "must be at most 1,000,000,000"),
    ("epochs: 2", "epochs: 2\nbatch_size: 99999999999999999999", "9:13", "must be at most 1,000,000,000"),
    ("epochs: 2", "epochs: 2\naccumulate: 99999999999999999999", "9:13", "must be at most 1,000,000,000"),
    ("epochs: 2", "epochs: 2\nlog_every: 99999999999999999999", "9:12", "must be at most 1,000,000,000"),
    ("epochs: 2", "epochs: 2\nmembers: 1000000000", "9:10", "must be at most 1,000"),
    ("epochs: 2", "epochs: 2\nthreads: 99999999999999999999", "9:10", "must be at most 1,000,000,000"),
    ("epochs: 2", "epochs: 2\nearly_stopping: 99999999999999999999", "9:17", "must be at most 1,000,000,000"),
    ("linear: 10", "linear: 99999999999999999999", "3:13", "must be at most 1,000,000,000"),
    ("linear: 10", "linear: {units: 10, init: {uniform: 1e301}}", "3:41", "must be at most 1e+300"),
    ("iris", "{moons: 10000001}", "1:18", "must be at most 10,000,000"),
    ("iris", "{moons: {noise: 1e31}}", "1:26", "must be at most 1e+30"),
    ("epochs: 2", "epochs: 2\nmetrics: [calibration_error: 10001]", "9:30", "must be at most 10,000"),
    ("epochs: 2", "epochs: 2\noptimizer: {lbfgs: {memory: 10001}}", "9:29", "must be at most 10,000"),
    ("epochs: 2", "epochs: 2\npreprocessing: {categories: {embedding: 10001}}", "9:41", "must be at most 10,000"),
    ("iris", "{spirals: {classes: 1001}}", "1:30", "must be at most 1,000"),
]


@pytest.mark.parametrize(("old", "new", "place", "words"), TOO_LARGE, ids=[new for _, new, _, _ in TOO_LARGE])
def test_a_number_that_no_machine_can_serve_is_refused_at_once(
    old: str, new: str, place: str, words: str, train: Train
) -> None:
    Path("config.yaml").write_text(but(old, new), encoding="utf-8")
    for command in ("train", "check"):
        message = refused(CliRunner().invoke(app, [command, "config.yaml"]))
        assert message.startswith(f"config.yaml:{place}: error: {words}, found ")
        assert message.count(": error: ") == 1


def test_a_layer_that_a_preset_chooses_cannot_be_changed_alone(train: Train, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("dataset: iris\npreset: tabular\n")
    message = refused(train("config.yaml", "--set", "layers.0.linear=5"))
    assert (
        "the config has no layers to change; a preset chooses them. To choose them yourself, set the whole" in message
    )
    assert "as in --set layers='[{linear: 20}, relu, {linear: 1}]'" in message


@pytest.mark.parametrize("setting", SYNONYMS)
def test_the_names_of_other_tools_lead_to_settings_that_exist(setting: str) -> None:
    key, *path = setting.split(".")
    assert not {*SYNONYMS[setting]} & {*Config.model_fields}
    assert key in Config.model_fields
    blocks: dict[str, type[Section]] = {"split": Split, "early_stopping": EarlyStopping, "penalty": Penalty}
    if key in blocks:
        assert not path or path[0] in blocks[key].model_fields
    else:
        assert path in ([], ["csv", "target"], ["csv", "drop"], ["csv", "weight"])


@pytest.mark.parametrize(("setting", "example"), EXAMPLES.items())
def test_the_example_of_a_setting_is_valid_and_shows_the_setting(setting: str, example: str) -> None:
    value, _ = yaml.read(example.encode())
    data = {"dataset": {"csv": {"path": "t.csv", "target": "y"}}, **value}
    Config.outline(Document("", Path(), data=data), files_must_exist=False)
    for part in setting.split("."):
        value = value[part]


def test_no_name_of_another_tool_has_two_settings() -> None:
    names = [name for of_setting in SYNONYMS.values() for name in of_setting]
    assert len(names) == len(set(names))


def test_a_setting_that_is_set_twice_is_refused(train: Train) -> None:
    Path("config.yaml").write_text(GOOD)
    twice = refused(train("config.yaml", "--set", "lr=0.1", "--epochs", "2", "--set", "lr=0.2"))
    assert twice == "--set lr=0.2: error: lr is set twice; set it once\n"
    assert refused(train("config.yaml", "--set", "epochs=1", "--epochs=2")).endswith(
        "epochs is set twice; set it once\n"
    )
