"""In the steady state a training step allocates nothing that grows with the rows, the features or the weights.

NumPy reports every array and buffer to tracemalloc. Each operation first runs a few times, as in training. After that
its peak must stay below a bound that covers Python's own small objects: views, closures, tuples and the state of a
random stream. The shapes are so large that the smallest growing array, one boolean for each row or feature, exceeds the
bound. All arrays are float32, so that a float64 number would make a new array.

A ufunc that converts its input, such as booleans to numbers, or that repeats one short row, uses a buffer of its own,
of 8,192 entries whatever the size of the arrays. Here that buffer is made smaller, so that no array hides behind it.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import yaml

from nnfs_cli.arrays import Array, Shape
from nnfs_cli.data.batches import Batches
from nnfs_cli.nn.embedding import Embedding, EmbeddingTable
from nnfs_cli.nn.layers import Backward, Context, Layer
from nnfs_cli.nn.layers.base import ShapeError
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses import Loss
from nnfs_cli.nn.losses.mse import MSE
from nnfs_cli.nn.model import Model
from nnfs_cli.nn.parameters import Parameters, Views
from nnfs_cli.training.averaging import Average, Averaging
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.clipping import Clip
from nnfs_cli.training.optimizers import Optimizer, Stepper
from nnfs_cli.training.penalty import Penalty
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.schedules import Schedule
from nnfs_cli.training.trainer import Trainer

MANY, FEW = 32_768, 4
BOUND = MANY // 2  # bytes; MANY truth values take twice that, MANY numbers eight times
FLOAT = np.dtype("float32")


@pytest.fixture(autouse=True)
def small_conversion_buffers() -> Iterator[None]:
    """The least that NumPy takes: 16 entries."""
    before = np.setbufsize(16)
    yield
    np.setbufsize(before)


def allocated(run: Callable[[], object]) -> int:
    """How many bytes more than before there are at some moment, once it has been run a few times."""
    run()
    run()
    tracemalloc.start()
    try:
        run()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        run()
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def resolved(family: Any, text: str) -> Any:
    return family.resolve(yaml.safe_load(text))


def examples(family: Any) -> dict[str, Any]:
    """Every member in every form that it gives as an example: a new one is looked at as soon as it is registered."""
    return {text: resolved(family, text) for member in family.registered.values() for text in member.examples}


# --- Layers ---


def places(layer: Layer) -> dict[str, tuple[Layer, Shape, int]]:
    """Where a layer meets many of something: the layer, the shape of a row, and the rows of a batch."""
    found = {
        "many rows": (layer, (FEW,), MANY),
        "many features": (layer, (MANY,), FEW),
        "more axes": (layer, (2, 3, MANY), FEW),
    }
    if "units" in type(layer).model_fields:
        found["many units"] = layer.model_copy(update={"units": MANY}), (FEW,), FEW
    return {name: place for name, place in found.items() if fits(*place[:2])}


def fits(layer: Layer, shape: Shape) -> bool:
    try:
        layer.build(shape)
    except ShapeError:
        return False
    return True


def passes(layer: Layer, shape: Shape, rows: int, training: bool = True) -> Callable[[], None]:
    """There and back with a batch, and with a smaller one, as at the end of an epoch."""
    rng = np.random.default_rng(0)
    y_shape, tree = layer.build(shape)
    p, g = Parameters(tree, FLOAT), Parameters(tree, FLOAT, gradients=True)
    p.initialize(rng)
    x, dy = (rng.standard_normal((rows, *axes), FLOAT) for axes in (shape, y_shape))
    context = Context(FLOAT, training=training)

    def run() -> None:
        for n in (rows, rows // 2):
            context.begin(n, lambda: np.random.default_rng(0))
            _, backward = layer.forward(p.views, x[:n], context)
            backward(dy[:n], g.views, True)

    return run


LAYERS = examples(Layer)


@pytest.mark.parametrize("training", [True, False], ids=["learning", "learned"])
@pytest.mark.parametrize(("text", "place"), [(text, place) for text in LAYERS for place in places(LAYERS[text])])
def test_a_layer(text: str, place: str, training: bool) -> None:
    assert allocated(passes(*places(LAYERS[text])[place], training)) < BOUND


def test_every_layer_is_covered() -> None:
    """They all take rows of four numbers; none has fallen out because it does not fit."""
    assert [text for text, layer in LAYERS.items() if "many rows" not in places(layer)] == []


@pytest.mark.parametrize(
    ("words", "width", "rows"),
    [(5, FEW, MANY), (MANY, FEW, FEW), (5, MANY, FEW)],
    ids=["many rows", "many words", "wide vectors"],
)
def test_an_embedding(words: int, width: int, rows: int) -> None:
    """An embedding is not named in a config: preprocessing puts it before the first layer."""
    embedding, rng = (
        Embedding(tables=(EmbeddingTable(3, words, width, "zip"), EmbeddingTable(1, words, width, "city"))),
        fresh(),
    )
    model = Model([Linear(units=2)], MSE(), (6,), FLOAT, rng, embedding)
    x, y = rng.integers(-1, 5, (rows, 6)).astype(FLOAT), np.zeros((rows, 2), FLOAT)
    assert allocated(lambda: [model.differentiate(x[:n], y[:n]) for n in (rows, rows // 2)]) < BOUND


# --- Losses ---


def sizes(loss: Loss) -> dict[str, tuple[int, int]]:
    """The classes or targets that a loss may meet, and the rows of a batch; of some there are two at the most."""
    found = {"many rows": (FEW, MANY), "two classes": (2, MANY), "many features": (MANY, FEW)}
    found = {name: (size, rows) for name, (size, rows) in found.items() if n_outputs(loss, size)}
    return found | ({"labels, many rows": (FEW, MANY), "many labels": (MANY, FEW)} if loss.several_labels else {})


def n_outputs(loss: Loss, size: int) -> int:
    """How many the loss needs for so many classes or targets; 0 if it is not for them."""
    try:
        return loss.n_outputs(*((size, 1) if loss.task == "classification" else (None, size)))
    except ValueError:
        return 0


def loss_passes(loss: Loss, side: str, size: int, rows: int, weighted: bool) -> Callable[[], None]:
    """The same for a loss, on one side of the final activation."""
    rng, labels = fresh(), size if loss.several_labels and size != 2 else 1
    one = loss.task == "classification" and labels == 1
    n = loss.n_outputs(2, labels) if labels > 1 else n_outputs(loss, size)
    y = loss.encode(rng.integers(0, 2, rows if one else (rows, size)), n).astype(FLOAT)
    y_hat, weight = (rng.uniform(0.1, 0.9, shape).astype(FLOAT) for shape in (y.shape, (rows, 1)))
    context, forward = Context(FLOAT, training=True), getattr(loss, side)

    def run() -> None:
        for n in (rows, rows // 2):
            context.begin(n)
            _, backward = forward(y_hat[:n], y[:n], context)
            backward(weight[:n] if weighted else 1 / n)

    return run


LOSSES = examples(Loss)
SIDES = [
    (text, side, size)
    for text, loss in LOSSES.items()
    for side in ("forward", *(["forward_logits"] if loss.activation else []))
    for size in sizes(loss)
]


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize(("text", "side", "size"), SIDES)
def test_a_loss(text: str, side: str, size: str, weighted: bool) -> None:
    loss = LOSSES[text]
    assert allocated(loss_passes(loss, side, *sizes(loss)[size], weighted)) < BOUND


def test_every_loss_is_covered() -> None:
    assert [text for text, loss in LOSSES.items() if "two classes" not in sizes(loss)] == []


# --- What makes a step of a gradient ---


STEPPERS = {text: optimizer for text, optimizer in examples(Optimizer).items() if isinstance(optimizer, Stepper)}


@pytest.mark.parametrize("text", STEPPERS)
def test_an_optimizer(text: str) -> None:
    """Its decay and its step."""
    optimizer = STEPPERS[text].model_copy(update={"weight_decay": 0.1})
    w, gradient = np.ones((2, MANY), FLOAT)
    state = optimizer.begin(w)

    def run() -> None:
        gradient.fill(0.5)
        optimizer.decay(w, 0.1)
        optimizer.step(w, gradient, state, 0.1)

    assert allocated(run) < BOUND


@pytest.mark.parametrize("size", [1.0, 1e30], ids=["", "squares overflow"])
@pytest.mark.parametrize("clip", [Clip(norm=0.1), Clip(value=0.1), Clip(norm=1.0, value=0.1)], ids=str)
@np.errstate(over="ignore")
def test_clipping(clip: Clip, size: float) -> None:
    gradient = np.empty(MANY, FLOAT)

    def run() -> None:
        gradient.fill(size)
        clip.apply(gradient)

    assert allocated(run) < BOUND


@pytest.mark.parametrize("penalty", [Penalty(l1=0.1), Penalty(l2=0.1), Penalty(l1=0.1, l2=0.1)], ids=str)
def test_a_penalty(penalty: Penalty) -> None:
    parameters = Parameters(Linear(units=FEW).build((MANY,))[1], FLOAT)
    factors, w, gradient = penalty.begin(parameters), *np.ones((2, parameters.learned.size), FLOAT)

    def run() -> None:
        penalty.add_gradient(w, gradient, factors)
        penalty.value(w, factors)

    assert allocated(run) < BOUND


@pytest.mark.parametrize("rule", examples(Averaging).values(), ids=str)
def test_averaging(rule: Averaging) -> None:
    average = Average(rule, np.ones(MANY, FLOAT))

    def run() -> None:
        for step in range(1, 5):
            average.after_step(step)
            average.after_epoch(step, 4)
        with average.in_place():
            pass

    assert allocated(run) < BOUND


# --- A step as a whole ---


class Peaks(Callback):
    """What each step takes more than there was when the one before ended, from the second of an epoch on.

    Before the first, the order of the rows is drawn, and the epoch before is evaluated.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []  # the epoch, and the bytes
        self._epoch = self._before = 0

    def on_step(self, training: Training) -> None:
        if training.progress.epoch == self._epoch:
            self.seen.append((training.progress.epoch, tracemalloc.get_traced_memory()[1] - self._before))
        self._epoch = training.progress.epoch
        tracemalloc.reset_peak()
        self._before, _ = tracemalloc.get_traced_memory()


NET = ["batch_norm", "linear: 3", "dropout: 0.2", "residual: [linear: 4, leaky_relu]", "layer_norm", "linear: 1"]


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize(("features", "size"), [(FEW, MANY), (MANY, FEW)], ids=["many rows", "many features"])
def test_a_step_of_training(features: int, size: int, weighted: bool, accumulate: int) -> None:
    """With all that a step may do, in batches of two sizes."""
    rng, rows, epochs, peaks = fresh(), 5 * size // 2, 3, Peaks()
    X, y = rng.standard_normal((rows, features), FLOAT), rng.integers(0, 2, (rows, 1)).astype(FLOAT)
    layers, loss = [resolved(Layer, text) for text in NET], resolved(Loss, "binary_cross_entropy")
    trainer = Trainer(
        Model(layers, loss, (features,), FLOAT, rng),
        Batches(rows, size),
        Plan(
            resolved(Optimizer, "adamw"),
            0.001,
            schedule=resolved(Schedule, "cosine"),
            penalty=Penalty(l1=0.1, l2=0.1),
            clip=Clip(norm=1.0, value=0.5),
            averaging=resolved(Averaging, "ema"),
            accumulate=accumulate,
        ),
        [peaks],
    )
    tracemalloc.start()
    try:
        trainer.fit(X, y, epochs, np.linspace(0, 2, rows, dtype=FLOAT) if weighted else None)
    finally:
        tracemalloc.stop()
    steady = [taken for epoch, taken in peaks.seen if epoch > 1]
    assert len(steady) == (epochs - 1) * (trainer.steps - 1)
    assert max(steady) < BOUND


# --- Whether this would notice ---


class Wasteful(Tanh):
    """It makes one array more than it needs, and throws it away."""

    waste: Callable[[Array], object]
    backwards: bool

    def forward(self, p: Views, x: Array, context: Context) -> tuple[Array, Backward]:
        y, right = super().forward(p, x, context)
        if not self.backwards:
            self.waste(x)

        def backward(dy: Array, g: Views, need_dx: bool) -> Array:
            if self.backwards:
                self.waste(dy)
            return right(dy, g, need_dx)

        return y, backward


WASTES: dict[str, Callable[[Array], object]] = {
    "a batch": np.square,
    "a batch of truth values": lambda x: x > 0,
    "a sum for each row": lambda x: x.sum(axis=-1),
    "a sum for each feature": lambda x: x.sum(axis=0),
    "a truth value for each row": lambda x: x[:, 0] > 0,
    "a truth value for each feature": lambda x: x[0] > 0,
}


def worst(layer: Layer) -> int:
    return max(allocated(passes(*place)) for place in places(layer).values())


@pytest.mark.parametrize("backwards", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("waste", WASTES)
def test_one_array_too_many_is_noticed(waste: str, backwards: bool) -> None:
    assert worst(Wasteful(waste=WASTES[waste], backwards=backwards)) > BOUND
    assert worst(Tanh()) < BOUND / 4


def test_the_buffers_of_conversions_do_not_grow() -> None:
    """With NumPy's own size of them, which training uses, too."""
    np.setbufsize(8192)

    def buffers(n: int) -> int:
        truth, numbers = np.ones(n, bool), np.ones(n, FLOAT)
        return allocated(lambda: np.multiply(truth, numbers, out=numbers))

    assert buffers(8 * MANY) == buffers(MANY) < 2 * 8192 * FLOAT.itemsize


def fresh() -> np.random.Generator:
    return np.random.default_rng(0)
