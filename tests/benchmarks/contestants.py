"""Who trains: the tool by its shipped path, its peers by the loops that their documentation shows."""

from __future__ import annotations

import itertools
import math
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.workloads import VALIDATION, Workload

# Trains until `after_epoch`, which it calls after each epoch and its look at the validation rows, raises.
Contestant = Callable[[Workload, Callable[[], None]], None]


def nnfs(workload: Workload, after_epoch: Callable[[], None]) -> None:
    """A config, `workflows.train` and all that it does: the log, the figures, the best weights, the run directory."""
    from nnfs_cli import workflows
    from nnfs_cli.config.config import Config
    from nnfs_cli.training.callbacks import Callback, Training

    class Watch(Callback):
        def on_epoch(self, training: Training) -> None:
            after_epoch()

    with tempfile.TemporaryDirectory() as name:
        experiment = workflows.prepare(Config.load(workload.config(Path(name))))
        workflows.train(experiment, workflows.begin(experiment, Path(name) / "runs"), [Watch()])


def nnfs_in_numpy(workload: Workload, after_epoch: Callable[[], None]) -> None:
    """The same where Numba is not installed."""
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    nnfs(workload, after_epoch)


def pytorch(workload: Workload, after_epoch: Callable[[], None]) -> None:
    """Eager PyTorch with its fused optimizers."""
    import torch
    from torch import nn

    (X, y), (X_val, y_val) = [tuple(map(torch.from_numpy, part)) for part in workload.split()]
    layers: list[nn.Module] = []
    for n_inputs, units in itertools.pairwise(workload.widths):
        layers += [nn.Linear(n_inputs, units), nn.ReLU()]
    net = nn.Sequential(*layers[:-1])
    loss_of: nn.Module = nn.BCEWithLogitsLoss() if workload.binary else nn.CrossEntropyLoss()
    if workload.binary:
        y, y_val = y[:, None].float(), y_val[:, None].float()
    rule: Any = torch.optim.SGD if workload.optimizer == "sgd" else torch.optim.Adam
    optimizer = rule(net.parameters(), lr=workload.lr, fused=True)
    while True:
        order, total = torch.randperm(len(X)), torch.zeros(())
        for start in range(0, len(X), workload.batch):
            rows = order[start : start + workload.batch]
            loss = loss_of(net(X[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(rows)
        with torch.no_grad():
            z = net(X_val)
            decided = (z > 0).float() if workload.binary else z.argmax(dim=1)
            figures = [total.item() / len(X), loss_of(z, y_val).item(), (decided == y_val).float().mean().item()]
        assert all(map(math.isfinite, figures))
        after_epoch()


def jax(workload: Workload, after_epoch: Callable[[], None]) -> None:
    """JAX, each epoch one compiled scan over its batches, with the look at the validation rows in it."""
    import jax
    import jax.numpy as jnp

    (X, y), (X_val, y_val) = [tuple(map(jnp.asarray, part)) for part in workload.split()]
    rng, lr = np.random.default_rng(0), workload.lr
    weights = [
        (jnp.asarray(rng.uniform(-1, 1, (n, m)) / math.sqrt(n), jnp.float32), jnp.zeros(m))
        for n, m in itertools.pairwise(workload.widths)
    ]

    def logits(w: Any, x: Any) -> Any:
        for W, b in w[:-1]:
            x = jax.nn.relu(x @ W + b)
        return x @ w[-1][0] + w[-1][1]

    def loss_of(w: Any, x: Any, y: Any) -> Any:
        z = logits(w, x)
        if workload.binary:
            return jnp.mean(jax.nn.softplus(z[:, 0]) - z[:, 0] * y)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1))

    def step(carry: Any, rows: Any) -> Any:
        w, m, v, t = carry
        loss, g = jax.value_and_grad(loss_of)(w, X[rows], y[rows])
        if workload.optimizer == "sgd":
            return (jax.tree.map(lambda w, g: w - lr * g, w, g), m, v, t), loss * len(rows)
        t += 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate, scale = lr / (1 - 0.9**t), 1 / jnp.sqrt(1 - 0.999**t)
        w = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) * scale + 1e-8), w, m, v)
        return (w, m, v, t), loss * len(rows)

    whole = len(X) // workload.batch * workload.batch

    @jax.jit
    def epoch(carry: Any, order: Any) -> Any:
        carry, losses = jax.lax.scan(step, carry, order[:whole].reshape(-1, workload.batch))
        total = losses.sum()
        if whole < len(X):
            carry, loss = step(carry, order[whole:])
            total += loss
        z = logits(carry[0], X_val)
        decided = z[:, 0] > 0 if workload.binary else z.argmax(axis=1)
        return carry, jnp.stack([total / len(X), loss_of(carry[0], X_val, y_val), jnp.mean(decided == y_val)])

    zeros = jax.tree.map(jnp.zeros_like, weights)
    carry = weights, zeros, zeros, jnp.zeros(())
    while True:
        carry, figures = epoch(carry, rng.permutation(len(X)).astype(np.int32))
        assert np.isfinite(figures).all()
        after_epoch()


def scikit_learn(workload: Workload, after_epoch: Callable[[], None]) -> None:
    """scikit-learn's own loop, with its own look at the validation rows."""
    from sklearn.neural_network import MLPClassifier

    class Watched(MLPClassifier):  # type: ignore[misc]
        def _update_no_improvement_count(self, *args: Any, **options: Any) -> None:
            super()._update_no_improvement_count(*args, **options)
            after_epoch()

    Watched(
        workload.hidden,
        solver=workload.optimizer,
        momentum=0,
        nesterovs_momentum=False,
        alpha=0,
        batch_size=workload.batch,
        learning_rate_init=workload.lr,
        max_iter=10**6,
        early_stopping=True,
        n_iter_no_change=10**6,
        validation_fraction=VALIDATION,
    ).fit(*workload.data())


def matrix_products(workload: Workload, after_epoch: Callable[[], None]) -> None:
    """Only the matrix products of the steps, in NumPy: what no net in NumPy can go below."""
    rng, widths = np.random.default_rng(0), workload.widths
    x = [rng.standard_normal((workload.batch, n), np.float32) for n in widths]
    W = [rng.standard_normal((n, m), np.float32) for n, m in itertools.pairwise(widths)]
    y, dx, dW = ([np.empty_like(array) for array in arrays] for arrays in (x, x, W))
    while True:
        for start in range(0, workload.rows, workload.batch):
            n = min(workload.batch, workload.rows - start)
            for i, weight in enumerate(W):
                np.dot(x[i][:n], weight, out=y[i + 1][:n])
            for i, weight in reversed(list(enumerate(W))):
                np.dot(x[i][:n].T, x[i + 1][:n], out=dW[i])
                if i:
                    np.dot(x[i + 1][:n], weight.T, out=dx[i][:n])
        after_epoch()


CONTESTANTS: dict[str, Contestant] = {
    "nnfs": nnfs,
    "without Numba": nnfs_in_numpy,
    "PyTorch": pytorch,
    "JAX": jax,
    "scikit-learn": scikit_learn,
    "matrix products": matrix_products,
}
