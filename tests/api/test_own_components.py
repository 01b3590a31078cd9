"""Components of one's own in Python: defined in a module or a notebook, trained, saved and opened again."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from sklearn.base import clone

from nnfs_cli import (
    ConfigError,
    Dropout,
    Layer,
    Linear,
    NetRegressor,
    NnfsWarning,
    Residual,
    Run,
    RunError,
    Sequential,
    UserError,
    load_code,
    train,
)
from nnfs_cli.components.user_code import LOADED
from nnfs_cli.nn.initializers import Initializer
from tests.components.registry import components_restored
from tests.conftest import Nnfs, one_message, unsealed

pytestmark = pytest.mark.filterwarnings("ignore:the net has")

MODULE = """\
from nnfs_cli import Layer
class Double(Layer, name="double"):
    "y = 2 x."
    def forward(self, p, x, context):
        return 2 * x, lambda dy, g, need_dx: 2 * dy
"""
TABLE = {"a": np.arange(20.0), "y": 3 * np.arange(20.0)}
SETTINGS: dict[str, Any] = {
    "dataset": {"table": "y"}, "layers": ["linear: 3", "double", "linear: 1"], "loss": "mse", "epochs": 2,
}  # fmt: skip


@pytest.fixture(autouse=True)
def forget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """As if Python had been started anew, in a folder with my_layers.py; at the end of the test, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "my_layers.py").write_text(MODULE)
    with components_restored() as forget:

        def restart() -> None:
            forget()
            sys.modules.pop("my_layers", None)

        yield restart
        restart()


def cell(text: str, module: str = "__main__") -> dict[str, Any]:
    """Run a cell of a notebook, and return its names."""
    names: dict[str, Any] = {"__name__": module}
    exec(text, names)  # noqa: S102 - it is our own
    return names


def test_a_cell_that_is_run_again_replaces_its_components() -> None:
    cell(MODULE)
    new = cell(MODULE.replace("2 *", "5 *"))["Double"]
    assert Layer.registered["double"] is new
    with pytest.raises(TypeError, match="two components named 'double'"):
        cell(MODULE.replace("class Double", "class Other"))
    with pytest.raises(TypeError, match="two components named 'relu'"):
        cell(MODULE.replace('"double"', '"relu"'))
    with pytest.raises(TypeError, match="two components named 'double'"):
        cell(MODULE, "another_module")
    assert Layer.registered["double"] is new


def test_a_module_that_is_reloaded_replaces_its_components(tmp_path: Path) -> None:
    module = importlib.import_module("my_layers")
    (tmp_path / "my_layers.py").write_text(MODULE.replace("2 *", "5 * "))
    importlib.reload(module)
    assert Layer.registered["double"] is module.Double
    assert module.Double().forward({}, 1, None)[0] == 5
    load_code("my_layers.py")  # the same file
    assert not LOADED


def test_a_file_that_changed_is_loaded_again(tmp_path: Path) -> None:
    load_code("my_layers.py")
    first = Layer.registered["double"]
    load_code(tmp_path / "my_layers.py")
    assert Layer.registered["double"] is first
    (tmp_path / "my_layers.py").write_text(MODULE + "raise ValueError('half way')\n")
    with pytest.raises(UserError, match="half way"):
        load_code("my_layers.py")
    assert Layer.registered["double"] is first
    (tmp_path / "my_layers.py").write_text(MODULE.replace("2 *", "5 *"))
    load_code("my_layers.py")
    assert Layer.registered["double"] is not first
    (tmp_path / "other").mkdir()
    (tmp_path / "other/my_layers.py").write_text(MODULE)
    with pytest.raises(UserError, match=r"another file called my_layers\.py"):
        load_code("other/my_layers.py")


def test_a_run_says_which_module_to_import(forget: Callable[[], None], inside: Nnfs) -> None:
    importlib.import_module("my_layers")
    run = train(SETTINGS, TABLE, name="mine")
    expected = run.predict(TABLE)["prediction"]
    assert run.verify(data=TABLE).exact
    forget()
    needs = "runs/mine-1 was trained with the layer 'double' of the module my_layers; import that first, or give its"
    for open_ in (lambda: Run("runs/mine-1").predict(TABLE), lambda: NetRegressor.load("runs/mine-1")):
        with pytest.raises(RunError, match=f"^{needs} file with --code$"):
            open_()
    Path("rows.csv").write_text("a\n" + "\n".join(map(str, TABLE["a"])))
    words = ["predict", "--run", "runs/mine-1", "--input", "rows.csv"]
    assert one_message(inside(*words), 2) == f"error: {needs} file with --code\n"
    done = inside(*words, "--code", "my_layers.py", "-q")
    np.testing.assert_allclose(np.array(done.stdout.split()[1:], float), expected, rtol=1e-6)
    forget()
    importlib.import_module("my_layers")
    np.testing.assert_array_equal(Run("runs/mine-1").predict(TABLE)["prediction"], expected)


def test_a_run_says_which_class_of_a_notebook_to_define(forget: Callable[[], None]) -> None:
    double = cell(MODULE)["Double"]
    net = NetRegressor([Linear(3), double(), Linear(1)], epochs=2).fit(TABLE["a"][:, None], TABLE["y"])
    net.save("runs/net")
    forget()
    with pytest.raises(RunError, match="'double' of the notebook or script that trained it; define the class Double"):
        NetRegressor.load("runs/net")
    cell(MODULE)
    again = NetRegressor.load("runs/net")
    np.testing.assert_array_equal(again.predict(TABLE["a"][:, None]), net.predict(TABLE["a"][:, None]))


@pytest.mark.parametrize("way", [load_code, lambda path: importlib.import_module(Path(path).stem)])
def test_a_run_of_a_code_file_opens_in_python(
    way: Callable[[str], ModuleType | None], forget: Callable[[], None], inside: Nnfs
) -> None:
    Path("points.csv").write_text("a,y\n" + "".join(f"{a},{3 * a}\n" for a in range(20)))
    Path("net.yaml").write_text(
        "dataset: {csv: {path: points.csv, target: y}}\nlayers: [linear: 3, double, linear: 1]\nloss: mse\nepochs: 2\n"
    )
    assert inside("train", "net.yaml", "-q", "--code", "my_layers.py").returncode == 0
    forget()
    with pytest.raises(RunError, match=r"with --code my_layers.py or load_code\('my_layers.py'\)"):
        Run("runs/net-1").predict("points.csv")
    way("my_layers.py")
    run = Run("runs/net-1")
    assert len(run.predict("points.csv")) == 20
    assert run.verify().exact
    forget()
    Path("my_layers.py").write_text(MODULE + "# changed\n")
    way("my_layers.py")
    with pytest.warns(NnfsWarning, match="my_layers.py is not the file that"):
        Run("runs/net-1").predict("points.csv")


@pytest.mark.parametrize("base", [Layer, Linear])
def test_a_layer_without_a_name_is_refused_before_anything_is_trained(base: type[Layer]) -> None:
    class Nameless(base):  # type: ignore[valid-type,misc]
        def forward(self, p: Any, x: Any, context: Any) -> Any:
            raise AssertionError("it was trained")

    layer = Nameless(3) if base is Linear else Nameless()
    with pytest.raises(ConfigError, match="the layer Nameless needs a name, by which a run records it"):
        train({**SETTINGS, "layers": [Linear(3), layer, Linear(1)]}, TABLE)
    assert not [*Path("runs").iterdir()]
    if base is Layer:
        assert layer.label() == "Nameless"


def test_a_component_inside_another_is_recorded_too() -> None:
    class Tiny(Initializer, name="tiny"):
        def draw(self, rng: Any, shape: Any, fan_in: int, fan_out: int) -> Any:
            return np.full(shape, 0.01)

    run = train({**SETTINGS, "layers": [Linear(3, init=Tiny()), Linear(1)]}, TABLE)
    assert run._directory.records.data()["components"] == [
        {"family": "initializer", "name": "tiny", "module": __name__, "class": Tiny.__qualname__}
    ]


@pytest.mark.parametrize("rows", ["double", [3], [{"family": "layer"}], {"family": "layer"}])
def test_a_record_that_lists_no_components_is_damaged(rows: Any) -> None:
    run = train({**SETTINGS, "layers": ["linear: 1"]}, TABLE)
    directory = run._directory
    directory.records.write_data({**directory.records.data(), "components": rows})
    unsealed(run.path)
    with pytest.raises(RunError, match="does not list the user's components"):
        Run(run.path).predict(TABLE)


class Wrong(Layer):
    """A layer whose faults the tests choose; without one, y = 2 x."""

    fault: str = ""

    def build(self, input_shape: Any) -> Any:
        if self.fault == "array":
            return input_shape, {"w": np.ones(input_shape)}
        return input_shape[0] if self.fault == "number" else (input_shape, {})

    def forward(self, p: Any, x: Any, context: Any) -> Any:
        match self.fault:
            case "only y":
                return 2 * x
            case "no y":
                return None, lambda dy, g, need_dx: dy
            case "no dx":
                return 2 * x, lambda dy, g, need_dx: None
            case "float64":
                return 2 * x.astype(np.float64), lambda dy, g, need_dx: 2 * dy
            case "narrow":
                return x[:, :1], lambda dy, g, need_dx: 2 * dy
            case "domain":
                assert x.min() >= 0
        return 2 * x, lambda dy, g, need_dx: 2 * dy


FAULTS = {
    "array": "build of Wrong should declare each parameter, as in {'w': ParameterSpec(",
    "number": "build of Wrong should return the shape of an output row and a dict",
    "only y": "the layer Wrong: forward should return two things, the output y and the function backward; it returned "
    "an array of the shape (2, 3), of float32",
    "no y": "the layer Wrong: forward should return y as an array; it returned None",
    "no dx": "the layer Wrong: backward should return dx as an array; it returned None",
    "float64": "the layer Wrong: forward should return y as float32, the type of x; it returned an array of the shape "
    "(2, 3), of float64",
    "narrow": "the layer Wrong: forward should return y of the shape (2, 3); it returned an array of the shape (2, 1)",
}


@pytest.mark.parametrize(("fault", "nested"), [*product(FAULTS, [False]), ("only y", True), ("array", True)])
def test_a_layer_that_breaks_the_contract_is_named_before_training(fault: str, nested: bool) -> None:
    layer = Residual([Wrong(fault=fault)]) if nested else Wrong(fault=fault)
    net = Sequential([Linear(3), layer, Linear(1)])
    with pytest.raises(ConfigError, match=re.escape(FAULTS[fault])):
        net.fit(TABLE["a"][:, None], TABLE["y"], loss="mse")
    with pytest.raises(UserError, match=re.escape(FAULTS[fault])):
        NetRegressor([Linear(3), layer, Linear(1)], epochs=2).fit(TABLE["a"][:, None], TABLE["y"])


@pytest.mark.parametrize("fault", ["", "domain"])
def test_checking_own_layers_changes_no_number(fault: str) -> None:
    X = TABLE["a"][:, None]
    net = NetRegressor([Wrong(fault=fault), Linear(4), Dropout(0.5), Linear(1)], epochs=2, preprocessing="min_max")
    checked = net.fit(X, TABLE["y"]).predict(X)
    with patch("nnfs_cli.experiment.experiment.check_layers", lambda model: None):
        np.testing.assert_array_equal(clone(net).fit(X, TABLE["y"]).predict(X), checked)


def test_numbers_of_another_type_are_allowed_where_they_do_no_harm() -> None:
    net = Sequential([Linear(3), Residual([Wrong(fault="float64")]), Linear(1)])
    assert len(net.fit(TABLE["a"][:, None], TABLE["y"], loss="mse", epochs=2)) == 2
