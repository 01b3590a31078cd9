"""The job in JAX: every epoch is one compiled program, which JAX keeps on disk for the next process."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rows import arguments, load

given = arguments()
(X, y), (X_val, y_val) = [tuple(map(jnp.asarray, part)) for part in load(given.table)]
rng = np.random.default_rng(0)
weights = [
    (jnp.asarray(rng.uniform(-1, 1, (n, m)) / np.sqrt(n), jnp.float32), jnp.zeros(m, jnp.float32))
    for n, m in itertools.pairwise([X.shape[1], *given.hidden, 1])
]


def logits(w: Any, x: Any) -> Any:
    for W, b in w[:-1]:
        x = jax.nn.relu(x @ W + b)
    return (x @ w[-1][0] + w[-1][1])[:, 0]


def loss_of(w: Any, x: Any, y: Any) -> Any:
    z = logits(w, x)
    return jnp.mean(jax.nn.softplus(z) - z * y)


def step(carry: Any, rows: Any) -> Any:
    w, m, v, t = carry
    g = jax.grad(loss_of)(w, X[rows], y[rows])
    t += 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    rate, scale = 0.001 / (1 - 0.9**t), 1 / jnp.sqrt(1 - 0.999**t)
    return (jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) * scale + 1e-8), w, m, v), m, v, t), None


whole = len(X) // given.batch * given.batch


@functools.partial(jax.jit, donate_argnums=0)
def one_epoch(carry: Any, order: Any) -> Any:
    carry, _ = jax.lax.scan(step, carry, order[:whole].reshape(-1, given.batch))
    if whole < len(X):
        carry, _ = step(carry, order[whole:])
    return carry, (loss_of(carry[0], X_val, y_val), jnp.mean((logits(carry[0], X_val) > 0) == y_val))


carry: Any = (weights, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)), np.float32(0))
for epoch in range(1, given.epochs + 1):
    carry, (loss, accuracy) = one_epoch(carry, rng.permutation(len(X)).astype(np.int32))
    print(epoch, float(loss), float(accuracy))
np.savez(given.weights, *[np.asarray(array) for pair in carry[0] for array in pair])
