"""Our parts against PyTorch's, and L-BFGS against SciPy's.

PyTorch's numbers are committed in `tests/reference`; where it is installed, it is asked anew.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import optimize

from nnfs_cli.arrays import Array
from nnfs_cli.nn.embedding import EmbeddedSequential, Embedding, EmbeddingTable
from nnfs_cli.nn.layers import Context, Layer
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.parameters import Parameters
from nnfs_cli.training.optimizers import Optimizer
from nnfs_cli.training.optimizers.lbfgs import LBFGS
from tests.conftest import ROOT

WITHOUT_REFERENCE = {
    "dropout": "is random; its rate and scale have tests of their own",
    "flatten": "only moves numbers",
    "reshape": "only moves numbers",
    "lbfgs": "is SciPy's, and held against it below",
}


@functools.cache
def reference(name: str, source: str = "committed") -> dict[str, Any]:
    """PyTorch's numbers, as they are committed or as it gives them now."""
    if source == "live":
        numbers = importlib.import_module(f"tests.reference.{name}").answers()
    else:
        numbers = json.loads((ROOT / "tests" / "reference" / f"{name}.json").read_text(encoding="utf-8"))
    return dict(numbers)


ACTIVATIONS, LAYERS, OPTIMIZERS = (reference(name)["answers"] for name in ("activations", "layers", "optimizers"))
LOSSES = [
    pytest.param(side, i, id=f"{side}-{i}-{case['loss']}")
    for side in ("from_logits", "as_written")
    for i, case in enumerate(reference("losses")[side])
]
SOURCES = ["committed", "live"] if importlib.util.find_spec("torch") else ["committed"]
with_each_source = pytest.mark.parametrize("source", SOURCES)


def resolved(family: Any, text: str) -> Any:
    return family.resolve(yaml.safe_load(text))


def fresh(rows: int, *, training: bool = False) -> Context:
    context = Context("float64", training=training)
    context.begin(rows)
    return context


def assert_equal(ours: Any, theirs: Any, rtol: float = 1e-9) -> None:
    np.testing.assert_allclose(ours, np.array(theirs), rtol=rtol, atol=1e-15)


@with_each_source
@pytest.mark.parametrize("text", ACTIVATIONS)
def test_an_activation_and_its_gradient_equal_pytorch(text: str, source: str) -> None:
    theirs = reference("activations", source)
    layer, x = resolved(Layer, text), np.array(theirs["x"])
    _, tree = layer.build(x.shape[1:])
    p, g = Parameters(tree, "float64"), Parameters(tree, "float64", gradients=True)
    p.initialize(np.random.default_rng(0))
    y, backward = layer.forward(p.views, x, fresh(len(x)))
    assert_equal(y, theirs["answers"][text]["y"])
    assert_equal(backward(np.array(theirs["dy"]), g.views, True), theirs["answers"][text]["dx"])


@with_each_source
@pytest.mark.parametrize("text", LAYERS)
def test_a_layer_and_its_gradients_equal_pytorch(text: str, source: str) -> None:
    """Batch after batch, then what was kept of them, and what the layer gives once it has learned."""
    x, theirs = np.array(reference("layers", source)["x"]), reference("layers", source)["answers"][text]
    layer = resolved(Layer, text)
    _, tree = layer.build(x.shape[1:])
    p, g = Parameters(tree, "float64"), Parameters(tree, "float64", gradients=True)
    assert set(p.arrays) == set(theirs["parameters"])
    for name, array in p.arrays.items():
        array[...] = theirs["parameters"][name]
    for batch in theirs["passes"]:
        y, backward = layer.forward(p.views, np.array(batch["x"]), fresh(len(batch["x"]), training=True))
        assert_equal(y, batch["y"])
        assert_equal(backward(np.array(batch["dy"]), g.views, True), batch["dx"])
        assert set(g.arrays) == set(batch["gradients"])
        for name, array in g.arrays.items():
            assert_equal(array, batch["gradients"][name])
    for name, array in theirs["kept"].items():
        assert_equal(p.arrays[name], array)
    assert_equal(layer.forward(p.views, x, fresh(len(x)))[0], theirs["learned"])


@with_each_source
def test_an_embedding_and_its_gradients_equal_pytorch(source: str) -> None:
    """Beside other inputs, and with codes that have no vector."""
    theirs = reference("lookup", source)
    embedding = Embedding(tables=tuple(EmbeddingTable(*place, name) for name, place in theirs["tables"].items()))
    net, x = EmbeddedSequential(layers=(Linear(units=3), Tanh()), embedding=embedding), np.array(theirs["x"])
    _, tree = net.build(x.shape[1:])
    p, g = Parameters(tree, "float64"), Parameters(tree, "float64", gradients=True)
    assert set(p.arrays) == set(g.arrays) == set(theirs["parameters"])
    for name, array in p.arrays.items():
        array[...] = theirs["parameters"][name]
    g.vector[:] = 9  # what was there before is overwritten
    for training in (True, False):
        y, backward = net.forward(p.views, x, fresh(len(x), training=training))
        assert_equal(y, theirs["y"])
        backward(np.array(theirs["dy"]), g.views, False)
        for name, array in g.arrays.items():
            assert_equal(array, theirs["gradients"][name])


@with_each_source
@pytest.mark.parametrize(("side", "i"), LOSSES)
def test_a_loss_and_its_gradient_equal_pytorch(side: str, i: int, source: str) -> None:
    theirs, weight = reference("losses", source)[side][i], np.array(reference("losses", source)["weight"])[:, None]
    loss, x = resolved(Loss, theirs["loss"]), np.array(theirs["x"])
    y = loss.encode(np.array(theirs["y"]), x.shape[1]).astype("float64")
    forward = loss.forward_logits if side == "from_logits" else loss.forward
    losses, backward = forward(x, y, fresh(len(x)))
    assert_equal(losses, theirs["losses"])
    assert_equal(backward(1.0), theirs["gradient"])
    assert_equal(forward(x, y, fresh(len(x)))[1](weight), theirs["weighted"])


@with_each_source
def test_as_written_some_losses_differ_on_purpose(source: str) -> None:
    """We keep probabilities and rates away from 0, where they bound the logarithm at -100, or shift all rates."""
    theirs, one = reference("losses", source), np.ones((1, 1))
    mistake, _ = resolved(Loss, "binary_cross_entropy").forward(one, 0 * one, fresh(1))
    assert (mistake.item(), theirs["mistake"]) == pytest.approx((-math.log(1e-8), 100), rel=1e-9)
    count, _ = resolved(Loss, "poisson").forward(one, one, fresh(1))
    assert (count.item(), theirs["count"]) == pytest.approx((1, 1 - math.log1p(1e-8)), rel=1e-12)


@with_each_source
@pytest.mark.parametrize("text", OPTIMIZERS)
def test_an_optimizer_is_where_pytorch_is_after_50_steps(text: str, source: str) -> None:
    optimizer, theirs = resolved(Optimizer, text), reference("optimizers", source)
    w = np.array(theirs["start"])
    state, places = optimizer.begin(w), np.arange(1, len(w) + 1)
    for step in range(theirs["steps"]):
        gradient = w / places + np.cos(step + places) / 10
        optimizer.decay(w, theirs["lr"])
        optimizer.step(w, gradient, state, theirs["lr"])
    assert_equal(w, theirs["answers"][text])


@with_each_source
@pytest.mark.parametrize("name", ["activations", "layers", "lookup", "losses", "optimizers"])
def test_what_is_committed_is_what_pytorch_says(name: str, source: str) -> None:
    def compare(ours: Any, theirs: Any) -> None:
        if isinstance(ours, dict):
            assert list(ours) == list(theirs)
            for key in ours:
                compare(ours[key], theirs[key])
        elif isinstance(ours, list) and ours and isinstance(ours[0], dict):
            for a, b in zip(ours, theirs, strict=True):
                compare(a, b)
        elif isinstance(ours, str):
            assert ours == theirs
        else:
            assert_equal(ours, theirs, rtol=1e-12)

    compare(reference(name), reference(name, source))


@pytest.mark.parametrize(
    ("family", "texts"),
    [
        (Layer, {*ACTIVATIONS, *LAYERS}),
        (Loss, {case["loss"] for side in ("from_logits", "as_written") for case in reference("losses")[side]}),
        (Optimizer, {*OPTIMIZERS}),
    ],
)
def test_every_example_has_a_reference(family: Any, texts: set[str]) -> None:
    parts = [member for name, member in family.registered.items() if name not in WITHOUT_REFERENCE]
    assert {example for member in parts for example in member.examples} <= texts


def rosenbrock(w: Array, g: Array) -> float:
    """A curved valley, whose ground is at (1, 1, ...)."""
    np.copyto(g, optimize.rosen_der(w))
    return float(optimize.rosen(w))


def note(seen: list[Array], enough: float = math.inf) -> Callable[[Array], bool]:
    """Keep what is seen, and say when it is enough."""

    def watch(w: Array) -> bool:
        seen.append(w.copy())
        return len(seen) >= enough

    return watch


START = np.array([-1.2, 1.0, 0.5, 2.0, -0.7])


@pytest.mark.parametrize(("memory", "tolerance", "iterations"), [(10, 1e-4, 200), (3, 1e-8, 200), (10, 1e-4, 7)])
def test_lbfgs_goes_where_scipy_goes(memory: int, tolerance: float, iterations: int) -> None:
    ours: list[Array] = []
    theirs: list[Array] = []
    optimizer = LBFGS(memory=memory, tolerance=tolerance)
    optimizer.minimize(rosenbrock, START, iterations, note(ours))
    options = {"maxcor": memory, "gtol": tolerance, "ftol": 64 * np.finfo(float).eps, "maxiter": iterations}
    found = optimize.minimize(
        optimize.rosen, START, jac=optimize.rosen_der, method="L-BFGS-B", callback=theirs.append, options=options
    )
    assert_equal(ours, theirs, rtol=1e-12)
    assert_equal(ours[-1], found.x, rtol=1e-12)
    assert START.tolist() == [-1.2, 1.0, 0.5, 2.0, -0.7]


def test_lbfgs_comes_back_from_where_the_loss_overflows() -> None:
    """Its first steps, on the slope far to the left of ln(5), would end in the infinite."""

    def objective(w: Array, g: Array) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            rate = np.where(w > 2, np.inf, np.exp(w))
            np.copyto(g, rate - 5)
        return float((rate - 5 * w).sum())

    seen: list[Array] = []
    LBFGS(tolerance=1e-8).minimize(objective, np.array([-30.0, -20.0]), 100, note(seen))
    assert_equal(seen[-1], [math.log(5)] * 2, rtol=1e-8)


def test_lbfgs_ends_when_who_watches_says_so() -> None:
    seen: list[Array] = []
    LBFGS().minimize(rosenbrock, START, 200, note(seen, enough=3))
    assert len(seen) == 3


@pytest.mark.parametrize("error", [KeyboardInterrupt, FloatingPointError])
def test_lbfgs_lets_errors_through(error: type[BaseException]) -> None:
    def fail(*_: object) -> Any:
        raise error

    with pytest.raises(error):
        LBFGS().minimize(fail, START, 200, note([]))
    with pytest.raises(error):
        LBFGS().minimize(rosenbrock, START, 200, fail)


@pytest.mark.parametrize("text", OPTIMIZERS)
def test_an_optimizer_has_no_memory_but_its_state(text: str) -> None:
    """What a checkpoint needs: the parameters and the state, carried over to another optimizer, go on the same."""
    optimizer = resolved(Optimizer, text)
    w = np.array(reference("optimizers")["start"])
    state = optimizer.begin(w)
    for _ in range(3):
        optimizer.step(w, np.cos(w), state, 0.1)
    other, copied = w.copy(), {key: array.copy() for key, array in state.items()}
    optimizer.step(w, np.cos(w), state, 0.1)
    type(optimizer).resolve(optimizer.plain()).step(other, np.cos(other), copied, 0.1)
    np.testing.assert_array_equal(other, w)


@pytest.mark.parametrize("text", OPTIMIZERS)
def test_a_step_allocates_no_vector(text: str) -> None:
    optimizer, w, gradient = resolved(Optimizer, text), np.ones(20_000), np.ones(20_000)
    state = optimizer.begin(w)
    before = {name: id(array) for name, array in state.items()}
    tracemalloc.start()
    optimizer.decay(w, 0.1)
    optimizer.step(w, gradient, state, 0.1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < w.nbytes
    assert {name: id(array) for name, array in state.items()} == before
