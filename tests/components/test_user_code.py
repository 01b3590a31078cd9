"""Custom components: they work like built-in ones, and their file runs only if the user names it with --code."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnfs_cli import workflows
from nnfs_cli.components.moved_modules import NEW_NAMES
from nnfs_cli.components.user_code import load_code
from nnfs_cli.config.config import Config
from nnfs_cli.errors import ConfigError, NnfsWarning, UserError
from nnfs_cli.nn.gradient_check import gradient_error
from nnfs_cli.nn.model import Model
from nnfs_cli.runs.directory import RunDirectory
from tests.components.registry import components_restored
from tests.conftest import Nnfs, one_message, unsealed, weights_of

Write = Callable[[str, str], Path]

MINE = '''\
"""Components of my own, one of each family."""

import numpy as np

from nnfs_cli.data.steps import NumberStep
from nnfs_cli.nn.initializers import Initializer
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.losses import Loss
from nnfs_cli.metrics import Metric
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.nn.parameters import ParameterSpec
from nnfs_cli.training.schedules import Schedule
from nnfs_cli.components.field_types import PositiveFloat


class Ramp(Initializer, name="ramp", main="top"):
    """From 0 up."""

    top: PositiveFloat = 1.0

    def draw(self, rng, shape, fan_in, fan_out):
        return np.linspace(0, self.top, int(np.prod(shape))).reshape(shape)


class Bend(Layer, name="bend", main="power"):
    """y = weight · |x|^power, with a learned weight for each unit."""

    power: PositiveFloat = 2.0
    init: Initializer = Ramp(top=2.0)

    def build(self, input_shape):
        n = input_shape[-1]
        return input_shape, {"weight": ParameterSpec((n,), self.init, n, n)}

    def forward(self, p, x, context):
        size = np.abs(x) ** self.power

        def backward(dy, g, need_dx):
            np.einsum("bi,bi->i", dy, size, out=g.weight)
            return dy * p.weight * self.power * np.abs(x) ** (self.power - 1) * np.sign(x)

        return size * p.weight, backward


class Fourth(Loss, name="fourth"):
    """L = 1/n Σ (y_hat - y)^4."""

    task = "regression"

    def forward(self, y_hat, y, context):
        e = y_hat - y
        return (e**4).mean(axis=-1), lambda weight: 4 * e**3 * weight / y.shape[-1]


class SignStep(Stepper, name="sign_step", main="keep"):
    """w <- w - lr · sign(v)."""

    default_lr = 0.02
    keep: float = 0.5

    def begin(self, parameters):
        return {"v": np.zeros_like(parameters)}

    def step(self, parameters, gradient, state, lr):
        state["v"] *= self.keep
        state["v"] += gradient
        parameters -= lr * np.sign(state["v"])


class Bias(Metric, name="bias"):
    """Mean of y_hat - y."""

    task = "regression"
    greater_is_better = False

    def measure(self, rows):
        return float(rows.mean(rows.y_hat - rows.y).mean())


class Halving(Schedule, name="halving"):
    """lr(t) = lr / 2^t."""

    def curve(self, t, epochs, state):
        return 0.5**t


class Span(NumberStep, name="span"):
    """x -> (x - min) / (max - min)."""

    invertible = True

    def fit(self, column):
        return {"low": float(column.min()), "width": float(np.ptp(column))}

    def transform(self, values, statistics):
        return (values - statistics["low"]) / statistics["width"]

    def inverse(self, values, statistics):
        return values * statistics["width"] + statistics["low"]
'''
CONFIG: dict[str, Any] = {
    "dataset": {"csv": {"path": "points.csv", "target": "y"}},
    "layers": [{"linear": {"units": 3, "init": "ramp"}}, {"bend": 3}, {"linear": 1}],
    "loss": "fourth",
    "optimizer": "sign_step",
    "schedule": {"halving": {"warmup": 1}},
    "preprocessing": {"numbers": "span", "target": ["log1p", "span"]},
    "metrics": ["bias", "rmse"],
    "epochs": 4,
}
POINTS = "a,b,y\n" + "".join(f"{i % 7},{i % 5},{i % 7 * (i % 5)}\n" for i in range(40))
LAYER = """\
from nnfs_cli.nn.layers import Layer
class Double(Layer, name="double"):
    "y = 2 x."
    def forward(self, p, x, context):
        return 2 * x, lambda dy, g, need_dx: 2 * dy
"""
DOUBLING = json.dumps({"dataset": "iris", "layers": [{"linear": 3}, "double"], "loss": "cross_entropy", "epochs": 1})
PLAIN = DOUBLING.replace(', "double"', "")


@pytest.fixture
def forget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """As if the program had been started anew: what was loaded is unknown again. It is, too, when the test ends."""
    monkeypatch.chdir(tmp_path)
    with components_restored() as restart:
        yield restart


@pytest.fixture
def mine(write: Write, forget: Callable[[], None]) -> Path:
    """A folder with points.csv, config.yaml and mine.py."""
    write("points.csv", POINTS)
    write("config.yaml", json.dumps(CONFIG))
    return write("mine.py", MINE).parent


@pytest.fixture
def run(mine: Path, forget: Callable[[], None], inside: Nnfs) -> Path:
    """A run with components of the user's own, by a program that has ended."""
    done = inside("train", "config.yaml", "--quiet", "--code", "mine.py")
    assert (done.returncode, done.stdout) == (0, "runs/config-1\n"), done.stderr
    forget()
    return Path("runs/config-1")


# Its own place in everything


def test_custom_components_work_like_built_in_ones(run: Path, inside: Nnfs) -> None:
    reported = RunDirectory(run).metrics()
    assert set(reported["validation"]) == {"rows", "loss", "bias", "rmse"}
    assert set(weights_of(RunDirectory(run), "best")) == {"0.weight", "0.bias", "1.weight", "2.weight", "2.bias"}
    assert [row["lr"] for row in RunDirectory(run).epochs()] == [0.02, 0.02, 0.01, 0.005]
    done = inside("evaluate", run, "--code", "mine.py", "--split", "train", "--split", "validation", "--json")
    figures = json.loads(done.stdout)["metrics"]
    assert (done.returncode, done.stderr) == (0, "")
    assert figures == {part: reported[part] for part in figures}
    done = inside("predict", "--run", run, "--input", "points.csv", "--code", "mine.py", "-q")
    predictions = np.array(done.stdout.split()[1:], float)
    assert (done.returncode, done.stderr) == (0, "")
    assert 0 < np.ptp(predictions) < 100


def test_a_custom_step_without_weights_is_refused_for_rows_that_have_them(mine: Path, inside: Nnfs) -> None:
    lines = Path("points.csv").read_text().splitlines()
    Path("points.csv").write_text(
        "\n".join([lines[0] + ",w", *(f"{line},{1 + i % 2}" for i, line in enumerate(lines[1:]))])
    )
    done = inside("train", "config.yaml", "-q", "--code", "mine.py", "--set", "dataset.csv.weight=w")
    wrong = "points.csv: column 'y' has rows with weights, which its preprocessing step does not take"
    remedy = "give Span.fit a parameter `weights`, or leave out the weights"
    assert one_message(done, 2) == f"error: {wrong}; {remedy}\n"


def test_the_gradient_of_a_custom_layer_is_checked(mine: Path) -> None:
    load_code(Path("mine.py"))
    spec = Config.load("config.yaml", ["dtype=float64"])
    rng = np.random.default_rng(1)
    model = Model(spec.layers, spec.loss, (2,), np.float64, rng)
    x, y = rng.standard_normal((6, 2)), rng.standard_normal((6, 1))
    assert gradient_error(model, x, y, rng.random(6)) < 1e-7


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("layers.1=bned", "there is no layer 'bned'; did you mean 'bend'?"),
        ("loss=forth", "there is no loss 'forth'; did you mean 'fourth'?"),
        ("optimizer=sign_stop", "there is no optimizer 'sign_stop'; did you mean 'sign_step'?"),
        ("metrics=[bais]", "there is no metric 'bais'; did you mean 'bias'?"),
        ("schedule=halfing", "there is no schedule 'halfing'; did you mean 'halving'?"),
        ("layers.0.linear.init=rampe", "there is no initializer 'rampe'; did you mean 'ramp'?"),
        ("preprocessing.numbers=spann", "there is no preprocessing step 'spann'; did you mean 'span'?"),
        ("layers.1.bend=-1", "must be greater than 0, found -1"),
        ("layers.1={bend: {pwer: 2}}", "bend has no setting 'pwer'; did you mean 'power'?"),
        ("dataset=iris", "iris has 3 classes; fourth predicts numbers"),
        ("checkpoint.monitor=val_bais", "the log has no figure 'val_bais'; did you mean 'val_bias'?"),
    ],
)
def test_messages_know_custom_components(override: str, words: str, mine: Path, inside: Nnfs) -> None:
    done = inside("train", "config.yaml", "--code", "mine.py", "--set", override)
    assert done.returncode == 2
    assert f" error: {words}" in done.stderr


def test_without_its_code_file_a_config_has_unknown_names(mine: Path, inside: Nnfs) -> None:
    done = inside("train", "config.yaml")
    assert done.returncode == 2
    for words in ("layer 'bend'", "loss 'fourth'", "optimizer 'sign_step'", "metric 'bias'", "initializer 'ramp'"):
        assert f"there is no {words}" in done.stderr


def test_several_files_are_loaded_each_once(mine: Path, write: Write, inside: Nnfs) -> None:
    write("double.py", LAYER)
    write("net.yaml", json.dumps(CONFIG | {"layers": ["double", "bend", {"linear": 1}]}))
    done = inside("train", "net.yaml", "-q", *("--code", "mine.py", "--code", "double.py", "--code", "./mine.py"))
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (mine / "runs/net-1/code").iterdir()} == {"mine.py", "double.py"}


def test_two_files_of_one_name_are_refused(mine: Path, write: Write, inside: Nnfs) -> None:
    (mine / "other").mkdir()
    write("other/mine.py", LAYER)
    write("net.yaml", json.dumps(CONFIG | {"layers": ["double", "bend", {"linear": 1}]}))
    done = inside("train", "net.yaml", "-q", "--code", "mine.py", "--code", "other/mine.py")
    assert (
        one_message(done, 2) == "error: other/mine.py: --code names another file called mine.py; rename one of them\n"
    )


# With a run


@pytest.mark.parametrize("words", [["evaluate"], ["predict", "--input", "points.csv", "--run"]], ids=" ".join)
def test_a_run_without_its_file_is_refused_with_the_remedy(words: list[str], run: Path, inside: Nnfs) -> None:
    message = one_message(inside(*words, run), 2)
    remedy = "give that file, with --code mine.py or load_code('mine.py')"
    assert message == f"error: {run} was trained with components of mine.py; {remedy}\n"


def test_a_copy_of_the_code_is_saved_and_never_run(run: Path, mine: Path, inside: Nnfs) -> None:
    copy = run / "code" / "mine.py"
    assert copy.read_bytes() == (mine / "mine.py").read_bytes()
    copy.write_text("from pathlib import Path\nPath('here').touch()\n")
    assert inside("evaluate", run).returncode == 2
    assert inside("evaluate", run, "--code", "mine.py").returncode == 0
    assert inside("predict", "--run", run, "--input", "points.csv", "--code", "mine.py").returncode == 0
    assert not (mine / "here").exists()


def test_a_file_that_changed_warns_and_is_used(run: Path, mine: Path, inside: Nnfs) -> None:
    (mine / "mine.py").write_text(MINE.replace("size * p.weight, backward", "size * p.weight + 10, backward"))
    done = inside("evaluate", run, "--code", "mine.py", "--json")
    assert done.returncode == 0
    assert done.stderr == f"warning: mine.py is not the file that {run} was trained with\n"
    assert json.loads(done.stdout)["metrics"]["validation"] != RunDirectory(run).metrics()["validation"]


def test_a_code_file_that_lacks_a_component_is_not_reported_as_damage_of_the_run(
    run: Path, mine: Path, inside: Nnfs
) -> None:
    (mine / "mine.py").write_text(MINE.replace('name="bend"', 'name="band"'))
    done = inside("evaluate", run, "--code", "mine.py")
    assert done.returncode == 2
    assert "there is no layer 'bend'; did you mean 'band'?" in done.stderr
    assert "mine.py is not the file" in done.stderr
    assert "damaged" not in done.stderr


def test_the_same_code_file_is_accepted_under_another_path(run: Path, mine: Path, inside: Nnfs) -> None:
    (mine / "mine.py").rename(mine / "yours.py")
    done = inside("evaluate", run, "--code", "yours.py", "-q")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_run_of_built_in_components_needs_no_code_file(mine: Path, write: Write, inside: Nnfs, forget: Any) -> None:
    write("plain.yaml", PLAIN)
    assert inside("train", "plain.yaml", "-q", "--code", "mine.py").returncode == 0
    forget()
    assert not (mine / "runs/plain-1/code").exists()
    assert inside("evaluate", "runs/plain-1").returncode == 0


# What cannot be loaded


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x = 1\ndef f(:\n    pass\n", 2, "SyntaxError: invalid syntax"),
        ("x = 1\nx = (2\n\n", 2, "SyntaxError: '(' was never closed"),
        ("x = 1\n   y = 2\n", 2, "IndentationError: unexpected indent"),
        ("# a\nimport wibble_wobble\n", 2, "ModuleNotFoundError: No module named 'wibble_wobble'"),
        ("from nnfs_cli.nn.layers import Lyaer\n", 1, "ImportError: cannot import name 'Lyaer'"),
        ("def f():\n    raise ValueError('no\\x1b[31m')\n\nf()\n", 2, "ValueError: no\\x1b[31m"),
        ("import json\n\njson.loads('{')\n", 3, "JSONDecodeError: "),
        ("1 / 0\n", 1, "ZeroDivisionError: division by zero"),
        ("assert False\n", 1, "AssertionError"),
        ("open('gone.txt')\n", 1, "FileNotFoundError: "),
        ("import sys\nsys.exit()\n", 2, "SystemExit"),
        ("raise SystemExit(0)\n", 1, "SystemExit"),
        (f"{LAYER}\n\n{LAYER.replace('class Double', 'class Again')}", 9, "two components named 'double'"),
        (LAYER.replace('"double"', '"relu"'), 2, "there are two components named 'relu' in the family 'layer'"),
        ("x = 'caf\xe9'\n".encode("latin-1"), 1, "SyntaxError: (unicode error)"),
    ],
)
@pytest.mark.parametrize("path", ["mine.py", "{here}/mine.py"])
def test_a_file_that_fails_is_one_message_with_its_line(
    path: str, text: str | bytes, line: int, words: str, mine: Path, inside: Nnfs
) -> None:
    (mine / "mine.py").write_bytes(text if isinstance(text, bytes) else text.encode())
    path = path.format(here=mine)
    message = one_message(inside("train", "config.yaml", "--code", path), 2)
    assert message.startswith(f"error: {path}:{line}: ")
    assert words in message
    assert message.count(f"line {line}") == 0  # said once
    assert "bug" not in message
    assert not (mine / "runs").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("from nnfs_cli.layers import Layer", "; nnfs_cli.layers is now nnfs_cli.nn.layers"),
        ("from nnfs_cli.layers.linear import Linear", "; nnfs_cli.layers is now nnfs_cli.nn.layers"),
        (
            "from nnfs_cli.settings import PositiveFloat",
            "; nnfs_cli.settings is now nnfs_cli.components.field_types and nnfs_cli.components.section",
        ),
        ("import nnfs_cli.trainer", "; nnfs_cli.trainer is now nnfs_cli.training.trainer"),
        ("import nnfs_cli.wibble", ""),
        ("import layers", ""),
    ],
)
def test_a_file_that_imports_an_old_module_is_told_the_new_one(
    line: str, words: str, mine: Path, write: Write, inside: Nnfs
) -> None:
    name = line.split()[1]
    missing = "nnfs_cli.layers" if "layers." in name else name
    done = inside("components", "layers", "--code", write("old.py", f"# old\n{line}\n"))
    message = one_message(done, 2)
    assert message.endswith(f"old.py:2: ModuleNotFoundError: No module named '{missing}'{words}\n")


@pytest.mark.parametrize("old", NEW_NAMES)
def test_every_new_name_of_a_module_exists(old: str) -> None:
    for new in NEW_NAMES[old]:
        importlib.import_module(f"nnfs_cli.{new}")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"nnfs_cli.{old}")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("gone.py", "gone.py: No such file or directory; --code takes a Python file"),
        ("folder", "folder: Is a directory; --code takes a Python file"),
        ("folder.py", "folder.py: Is a directory; --code takes a Python file"),
        ("config.yaml", "config.yaml is not a Python file; --code takes a file that ends in .py"),
        ("mine.txt", "mine.txt is not a Python file; --code takes a file that ends in .py"),
        ("mine", "mine is not a Python file; --code takes a file that ends in .py"),
    ],
)
@pytest.mark.parametrize(
    "command", [["train", "config.yaml"], ["evaluate", "runs/x-1"], ["predict", "--input", "points.csv"]], ids=" ".join
)
def test_a_code_file_that_is_not_python_is_refused(
    path: str, words: str, command: list[str], mine: Path, write: Write, inside: Nnfs
) -> None:
    (mine / "folder").mkdir()
    (mine / "folder.py").mkdir()
    write("mine.txt", MINE)
    write("mine", MINE)
    assert one_message(inside(*command, "--code", path), 2) == f"error: {words}\n"


def test_a_file_that_fails_half_way_leaves_nothing_behind(mine: Path, write: Write) -> None:
    write("double.py", f"{LAYER}\nraise ValueError('half way')\n")
    with pytest.raises(UserError, match="half way"):
        load_code(Path("double.py"))
    with pytest.raises(ConfigError, match="there is no layer 'double'"):
        Config.load(write("net.yaml", DOUBLING))
    write("double.py", LAYER)
    load_code(Path("double.py"))
    Config.load(mine / "net.yaml")


def test_code_runs_from_source_and_leaves_no_bytecode(
    mine: Path, inside: Nnfs, write: Write, forget: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    write("net.yaml", DOUBLING)
    losses = []
    for times in "2", "3":
        path = write("double.py", LAYER.replace("2 * x", f"{times} * x"))
        os.utime(path, (1, 1))  # of the same size and time
        done = inside("train", "net.yaml", "-q", "--json", "--code", "double.py")
        losses.append(json.loads(done.stdout)["metrics"]["validation"]["loss"])
        forget()
    assert losses[0] != losses[1]
    assert not (mine / "__pycache__").exists()


@pytest.mark.parametrize(
    ("whole", "fault"),
    [
        ("return 2 * x, lambda dy, g, need_dx: 2 * dy", "raise ValueError('boom')"),
        ("need_dx: 2 * dy", "need_dx: 1 / 0"),
    ],
)
def test_an_exception_of_custom_code_while_training_is_invalid_input(
    whole: str, fault: str, mine: Path, write: Write, inside: Nnfs
) -> None:
    write("net.yaml", DOUBLING)
    write("double.py", LAYER.replace(whole, fault))
    done = inside("train", "net.yaml", "-q", "--code", "double.py")
    assert done.returncode == 2
    assert "bug in nnfs" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: double.py:5: ")  # after a warning of the probes


@pytest.mark.parametrize(
    ("declaration", "words"),
    [
        (
            "from nnfs_cli.nn.layers import Layer\nclass L(Layer, name='lame'): ...",
            "the layer 'lame' does not define forward",
        ),
        ("from nnfs_cli.nn.losses import Loss\nclass L(Loss, name='lame'): task = 'regression'", "not define forward"),
        ("from nnfs_cli.training.schedules import Schedule\nclass S(Schedule, name='lame'): ...", "not define curve"),
        (
            "from nnfs_cli.training.optimizers import Stepper\nclass S(Stepper, name='lame'): ...",
            "not define default_lr",
        ),
        (
            "from nnfs_cli.training.optimizers import Minimizer\nclass S(Minimizer, name='lame'): ...",
            "not define minimize",
        ),
        (
            "from nnfs_cli.training.optimizers import Optimizer\nclass S(Optimizer, name='lame'): ...",
            "a Stepper or a Minimizer",
        ),
        (
            "from nnfs_cli.nn.initializers import Initializer\nclass I(Initializer, name='lame'): ...",
            "not define draw",
        ),
    ],
    ids=lambda text: text.split()[1] if "import" in text else "",
)
def test_a_component_that_lacks_what_its_family_needs_is_refused(
    declaration: str, words: str, mine: Path, inside: Nnfs
) -> None:
    (mine / "mine.py").write_text(declaration + "\n")
    message = one_message(inside("components", "--code", "mine.py"), 2)
    assert message.startswith("error: mine.py:2: TypeError: ")
    assert words in message


def test_a_metric_without_a_task_is_invalid_input(mine: Path, inside: Nnfs) -> None:
    (mine / "mine.py").write_text(MINE.replace('    task = "regression"\n    greater_is_better = False\n', ""))
    done = inside("train", "config.yaml", "-q", "--code", "mine.py")
    assert done.returncode == 2
    assert "bug in nnfs" not in done.stderr


# Never otherwise


MARK = "from pathlib import Path\nPath(__file__).with_name('was_run').touch()\n"


@pytest.mark.parametrize("line", ["code: evil.py", "code: [evil.py]", "extension: evil.py", "import: evil"])
def test_no_key_of_a_config_loads_code(line: str, mine: Path, write: Write, inside: Nnfs) -> None:
    write("evil.py", MARK)
    write("plain.yaml", f"dataset: iris\nlayers: [linear: 3]\nloss: cross_entropy\nepochs: 1\n{line}\n")
    done = inside("train", "plain.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith(f"plain.yaml:5:1: error: there is no key '{line.partition(':')[0]}'")
    assert not (mine / "was_run").exists()


@pytest.mark.parametrize("name", ["evil", "evil.py", "evil:Evil", "tests.test_extension.Evil", "os.system", "../evil"])
def test_no_name_of_a_component_loads_code(name: str, mine: Path, write: Write, inside: Nnfs) -> None:
    write("evil.py", MARK)
    write("plain.yaml", DOUBLING.replace('"double"', json.dumps(name)))
    done = inside("train", "plain.yaml")
    assert done.returncode == 2
    assert f"there is no layer '{name}'" in done.stderr
    assert not (mine / "was_run").exists()


def test_no_file_of_a_run_loads_code(mine: Path, write: Write, inside: Nnfs) -> None:
    write("plain.yaml", PLAIN)
    assert inside("train", "plain.yaml", "-q").returncode == 0
    run = Path("runs/plain-1")
    (run / "code").mkdir()
    for folder in (run, run / "code", mine):
        for name in ("mine.py", "sitecustomize.py", "conftest.py", "__init__.py", "numpy.py"):
            (folder / name).write_text(MARK)
    data = json.loads((unsealed(run) / "data.json").read_text())
    (run / "data.json").write_text(json.dumps(data | {"code": {"mine.py": "0" * 64}}))
    assert inside("evaluate", run).returncode == 2
    (run / "data.json").write_text(json.dumps(data))
    assert inside("evaluate", run).returncode == 0
    (unsealed(run) / "spec.yaml").write_text((run / "spec.yaml").read_text() + "code: mine.py\n")
    done = inside("evaluate", run)
    assert done.returncode == 2
    assert "there is no key 'code'" in done.stderr
    assert list(mine.rglob("was_run")) == []


@pytest.mark.parametrize("code", [["mine.py"], "mine.py", 3, {"mine.py": 3}])
def test_a_damaged_record_of_the_code_is_a_clear_error(code: object, run: Path, inside: Nnfs) -> None:
    data = json.loads((unsealed(run) / "data.json").read_text())
    (run / "data.json").write_text(json.dumps(data | {"code": code}))
    message = one_message(inside("evaluate", run), 2)
    assert message.startswith(f"error: {run} ")


def test_the_library_warns_about_a_changed_code_file(run: Path, mine: Path) -> None:
    (mine / "mine.py").write_text(f"{MINE}\n# and more\n")
    load_code(Path("mine.py"))
    with pytest.warns(NnfsWarning, match="mine.py is not the file"):
        assert workflows.evaluate(RunDirectory.open(run))["validation"] == RunDirectory(run).metrics()["validation"]
