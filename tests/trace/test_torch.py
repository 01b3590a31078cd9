"""The trace against PyTorch: the same gradients in every layer, and the same weights after the step."""

from __future__ import annotations

import numpy as np
import pytest

from tests.trace.test_trace import step, traced


@pytest.mark.slow
def test_every_gradient_and_the_step_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    found = traced("iris.yaml", rows=16, dtype="float64", optimizer="adam", lr=0.01)
    forward = {path: step(found, "forward", path) for path in ("layers.0", "layers.2")}
    data = step(found, "data", "data")
    W, b, V, c = (
        torch.nn.Parameter(torch.tensor(forward[path].array(name))) for path in forward for name in ("weight", "bias")
    )
    x, y = (torch.tensor(data.array(name)) for name in ("x", "y"))
    z = x @ W + b
    h = torch.tanh(z)
    logits = h @ V + c
    y_hat = torch.softmax(logits, -1)
    for tensor in (z, h, logits, y_hat):
        tensor.retain_grad()
    loss = -(y * y_hat.log()).sum(-1).mean()
    optimizer = torch.optim.Adam([W, b, V, c], lr=0.01)
    loss.backward()
    optimizer.step()
    assert found.loss == pytest.approx(loss.item(), rel=1e-12)
    expected = {
        ("backward", "layers.0", "dy"): z.grad,
        ("backward", "layers.1", "dy"): h.grad,
        ("backward", "layers.2", "dy"): logits.grad,
        ("backward", "loss", "dy_hat"): y_hat.grad,
        ("backward", "loss.activation", "dx"): logits.grad,
        ("backward", "loss.together", "dz"): logits.grad,
        ("backward", "layers.0", "dweight"): W.grad,
        ("backward", "layers.2", "dbias"): c.grad,
        ("update", "0.weight", "w'"): W.data,
        ("update", "2.bias", "w'"): c.data,
    }
    for (phase, path, name), tensor in expected.items():
        array = step(found, phase, path).array(name)
        np.testing.assert_allclose(array, tensor.numpy(), rtol=1e-9, atol=1e-12, err_msg=f"{path} {name}")
    J = torch.func.vmap(torch.func.jacrev(lambda row: torch.softmax(row, -1)))(logits.detach())
    np.testing.assert_allclose(step(found, "backward", "loss.activation").array("J"), J.numpy(), atol=1e-12)
