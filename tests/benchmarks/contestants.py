"""Who trains: the tool by its shipped path, its peers by the loops that their documentation shows."""

from __future__ import annotations

import functools
import itertools
import math
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_cli.system.threads import VARIABLES
from tests.benchmarks.race import Turns
from tests.benchmarks.workloads import VALIDATION, Workload

# Trains until `turns` raises, which it calls after each epoch and its look at the validation rows.
Contestant = Callable[[Workload, Turns], None]


def variables(threads: int) -> dict[str, str]:
    """What limits the threads of all of them, each in its own way. PyTorch and nnfs are told again in the program."""
    limits = dict.fromkeys(VARIABLES, str(threads))
    if threads == 1:
        limits |= {"NPROC": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
    return limits


def nnfs(workload: Workload, turns: Turns) -> None:
    """A config, `workflows.train` and all that it does: the log, the figures, the best weights, the run directory."""
    from nnfs_cli import workflows
    from nnfs_cli.config.config import Config
    from nnfs_cli.training.callbacks import Callback, Training

    class Watch(Callback):
        def on_epoch(self, training: Training) -> None:
            turns()

    with tempfile.TemporaryDirectory() as name:
        experiment = workflows.prepare(Config.load(workload.config(Path(name))))
        run = workflows.begin(experiment, Path(name) / "runs")
        turns.ready()
        workflows.train(experiment, run, [Watch()])


def nnfs_compiled(workload: Workload, turns: Turns) -> None:
    """The same with compiled steps."""
    nnfs(replace(workload, engine="compiled"), turns)


def pytorch(workload: Workload, turns: Turns) -> None:
    """Eager PyTorch with its fused optimizers."""
    import torch

    net, loss_of = _pytorch_net(workload)
    rule: Any = torch.optim.SGD if workload.optimizer == "sgd" else torch.optim.Adam
    optimizer = rule(net.parameters(), lr=workload.lr, fused=True)

    def step(X: Any, y: Any, rows: Any, total: Any) -> None:
        loss = loss_of(net(X[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(rows)

    _pytorch_loop(workload, turns, net, loss_of, step)


def pytorch_compiled(workload: Workload, turns: Turns) -> None:
    """PyTorch, a whole step in one graph of `torch.compile`: gather, forward, loss, backward and optimizer."""
    import torch
    from torch._inductor import config

    config.cpp_wrapper = True  # no Python between its kernels; faster for small nets, and no slower for others
    net, loss_of = _pytorch_net(workload)
    names, lr = [name for name, _ in net.named_parameters()], workload.lr
    weights = [weight.data for weight in net.parameters()]
    m, v = ([torch.zeros_like(weight) for weight in weights] for _ in range(2))
    t = torch.zeros(())

    def loss_at(w: Any, x: Any, y: Any) -> Any:
        return loss_of(torch.func.functional_call(net, dict(zip(names, w, strict=True)), (x,)), y)

    def step(X: Any, y: Any, rows: Any, total: Any) -> None:
        gradients, loss = torch.func.grad_and_value(loss_at)(weights, X[rows], y[rows])
        total.add_(loss * len(rows))
        if workload.optimizer == "sgd":
            for w_i, g in zip(weights, gradients, strict=True):
                w_i.sub_(lr * g)
            return
        t.add_(1)
        rate, scale = lr / (1 - 0.9**t), 1 / torch.sqrt(1 - 0.999**t)
        for w_i, g, m_i, v_i in zip(weights, gradients, m, v, strict=True):
            m_i.mul_(0.9).add_(0.1 * g)
            v_i.mul_(0.999).add_(0.001 * g * g)
            w_i.sub_(rate * m_i / (torch.sqrt(v_i) * scale + 1e-8))

    _pytorch_loop(workload, turns, net, loss_of, torch.compile(step, fullgraph=True, dynamic=False))


def _pytorch_net(workload: Workload) -> tuple[Any, Any]:
    """The net, which gives logits, and the loss."""
    from torch import nn

    layers: list[nn.Module] = []
    for n_inputs, units in itertools.pairwise(workload.widths):
        layers += [nn.Linear(n_inputs, units), nn.ReLU()]
    return nn.Sequential(*layers[:-1]), nn.BCEWithLogitsLoss() if workload.binary else nn.CrossEntropyLoss()


def _pytorch_loop(workload: Workload, turns: Turns, net: Any, loss_of: Any, step: Any) -> None:
    """Epochs of steps, each with a look at the validation rows."""
    import torch

    (X, y), (X_val, y_val) = [tuple(map(torch.from_numpy, part)) for part in workload.split()]
    if workload.binary:
        y, y_val = y[:, None].float(), y_val[:, None].float()
    turns.ready()
    while True:
        order, total = torch.randperm(len(X)), torch.zeros(())
        for start in range(0, len(X), workload.batch):
            step(X, y, order[start : start + workload.batch], total)
        with torch.no_grad():
            z = net(X_val)
            decided = (z > 0).float() if workload.binary else z.argmax(dim=1)
            figures = [total.item() / len(X), loss_of(z, y_val).item(), (decided == y_val).float().mean().item()]
        assert all(map(math.isfinite, figures))
        turns()


def jax(workload: Workload, turns: Turns) -> None:
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

    @functools.partial(jax.jit, donate_argnums=0)  # the new weights take the memory of the old ones
    def epoch(carry: Any, order: Any) -> Any:
        carry, losses = jax.lax.scan(step, carry, order[:whole].reshape(-1, workload.batch))
        total = losses.sum()
        if whole < len(X):
            carry, loss = step(carry, order[whole:])
            total += loss
        z = logits(carry[0], X_val)
        decided = z[:, 0] > 0 if workload.binary else z.argmax(axis=1)
        return carry, jnp.stack([total / len(X), loss_of(carry[0], X_val, y_val), jnp.mean(decided == y_val)])

    carry = (weights, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)), jnp.zeros(()))
    turns.ready()
    while True:
        carry, figures = epoch(carry, rng.permutation(len(X)).astype(np.int32))
        assert np.isfinite(figures).all()
        turns()


def scikit_learn(workload: Workload, turns: Turns) -> None:
    """scikit-learn's own loop, with its own look at the validation rows."""
    from sklearn.neural_network import MLPClassifier

    class Watched(MLPClassifier):  # type: ignore[misc]
        def _update_no_improvement_count(self, *args: Any, **options: Any) -> None:
            super()._update_no_improvement_count(*args, **options)
            turns()

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


def matrix_products(workload: Workload, turns: Turns) -> None:
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
        turns()


CONTESTANTS: dict[str, Contestant] = {
    "nnfs, compiled": nnfs_compiled,
    "nnfs, NumPy": nnfs,
    "PyTorch": pytorch,
    "torch.compile": pytorch_compiled,
    "JAX": jax,
    "scikit-learn": scikit_learn,
    "matrix products": matrix_products,
}
COMPILING = ("nnfs, compiled", "torch.compile", "JAX")
NEEDS = {"nnfs, compiled": "numba", "PyTorch": "torch", "torch.compile": "torch", "JAX": "jax"}  # packages
