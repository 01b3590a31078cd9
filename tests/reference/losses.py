"""PyTorch's losses, row by row, with their gradients; those that PyTorch does not have, written with its operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - as everyone writes it

Losses = Callable[[Tensor, Tensor], Tensor]  # of what goes into a loss, and the truth: the loss of each row


def tensor(rows: Any) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


Z = tensor([[0.3, -1.2, 2.0], [-0.5, 0.1, 0.4], [6.0, -2.0, 1.5], [0.0, 0.7, -0.7], [-3.0, -2.5, 4.0], [1.0, 1.1, 0.9]])
ONE, TWO, SIX = Z[:, :1], Z[:, :2], torch.cat([Z, -Z], dim=1)
ASCENDING = Z.sort(dim=1).values
CLASS, BIT = torch.tensor([0, 1, 0, 2, 2, 1]), tensor([0, 1, 0, 1, 1, 1])
BITS = tensor([[0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 1], [0, 1, 0], [0, 0, 0]])
NUMBER = tensor([[0.2, -1.0], [-2.5, 0.2], [5.5, 0.0], [0.3, 0.9], [-3.1, 2.0], [1.4, 1.2]])
COUNT = tensor([[1.0, 0.0], [0.0, 3.0], [400.0, 1.0], [1.0, 2.0], [0.0, 0.0], [2.0, 5.0]])
WEIGHT = tensor([1.0, 0.0, 0.5, 2.0, 0.25, 3.0])


def by_row(function: Callable[..., Tensor], **options: Any) -> Losses:
    """One of PyTorch's losses, averaged over the columns of each row, if there are any."""
    return lambda x, y: function(x, y, reduction="none", **options).reshape(len(x), -1).mean(1)


def of_bits(function: Callable[..., Tensor], smoothing: float = 0) -> Losses:
    """A loss of two classes, whose targets are smoothed as Keras has it; PyTorch leaves that to its user."""
    return lambda x, y: function(x[:, 0], y * (1 - smoothing) + smoothing / 2, reduction="none")


def focal(gamma: float, log_p: Losses) -> Losses:
    """Lin et al. (2017), eq. 4, from the logarithm of the true class's probability."""
    return lambda x, y: -((1 - log_p(x, y).exp()) ** gamma) * log_p(x, y)


def of_class(x: Tensor, y: Tensor) -> Tensor:
    """The true class's entry of each row."""
    return x.gather(1, y[:, None])[:, 0]


def hinge(z: Tensor, y: Tensor) -> Tensor:
    """Crammer and Singer (2001), and what it is for two classes; PyTorch's own loss of margins adds all of them up."""
    if z.shape[1] == 1:
        return F.relu(1 - (2 * y - 1) * z[:, 0])
    others = z.masked_fill(F.one_hot(y).bool(), -torch.inf)
    return F.relu(1 + others.amax(1) - of_class(z, y))


def pinball(*levels: float) -> Losses:
    """Koenker and Bassett (1978), for several levels of each target."""

    def losses(y_hat: Tensor, y: Tensor) -> Tensor:
        q, error = tensor(levels), y[..., None] - y_hat.reshape(*y.shape, -1)
        return torch.maximum(q * error, (q - 1) * error).mean((1, 2))

    return losses


def cumulative(y_hat: Tensor, y: Tensor) -> Tensor:
    """McCullagh (1980): the probability of each class is the difference of two cumulative ones; PyTorch has none."""
    ends = torch.zeros_like(y_hat[:, :1])
    return -of_class(torch.diff(torch.cat([ends, y_hat, ends + 1], dim=1), dim=1), y).log()


FROM_LOGITS: list[tuple[str, Tensor, Tensor, Losses]] = [
    ("cross_entropy", Z, CLASS, by_row(F.cross_entropy)),
    ("cross_entropy: {label_smoothing: 0.1}", Z, CLASS, by_row(F.cross_entropy, label_smoothing=0.1)),
    ("focal", Z, CLASS, focal(2.0, lambda z, y: of_class(z.log_softmax(1), y))),
    ("focal: 0.5", Z, CLASS, focal(0.5, lambda z, y: of_class(z.log_softmax(1), y))),
    ("binary_cross_entropy", ONE, BIT, of_bits(F.binary_cross_entropy_with_logits)),
    ("binary_cross_entropy: {label_smoothing: 0.1}", ONE, BIT, of_bits(F.binary_cross_entropy_with_logits, 0.1)),
    ("binary_cross_entropy", Z, BITS, by_row(F.binary_cross_entropy_with_logits)),
    ("binary_focal", ONE, BIT, focal(2.0, lambda z, y: F.logsigmoid((2 * y - 1) * z[:, 0]))),
    ("binary_focal: 0.5", ONE, BIT, focal(0.5, lambda z, y: F.logsigmoid((2 * y - 1) * z[:, 0]))),
    ("ordinal", ASCENDING, CLASS + 1, lambda z, y: cumulative(z.sigmoid(), y)),
    ("ordinal: [low, medium, high]", ASCENDING[:, :2], CLASS, lambda z, y: cumulative(z.sigmoid(), y)),
    ("poisson", TWO, COUNT, by_row(F.poisson_nll_loss)),
    ("gamma", TWO, COUNT, lambda z, y: (z + y * (-z).exp()).mean(1)),
]
AS_WRITTEN: list[tuple[str, Tensor, Tensor, Losses]] = [
    ("cross_entropy", Z.softmax(1), CLASS, lambda p, y: -of_class(p, y).log()),
    ("focal", Z.softmax(1), CLASS, focal(2.0, lambda p, y: of_class(p, y).log())),
    ("binary_cross_entropy", ONE.sigmoid(), BIT, of_bits(F.binary_cross_entropy)),
    ("binary_cross_entropy", Z.sigmoid(), BITS, by_row(F.binary_cross_entropy)),
    ("binary_focal", ONE.sigmoid(), BIT, focal(2.0, lambda p, y: (1 - y + (2 * y - 1) * p[:, 0]).log())),
    ("ordinal", ASCENDING.sigmoid(), CLASS, cumulative),
    ("hinge", ONE, BIT, hinge),
    ("hinge", Z, CLASS, hinge),
    ("hinge: {squared: true}", ONE, BIT, lambda z, y: hinge(z, y) ** 2),
    ("hinge: {squared: true}", Z, CLASS, lambda z, y: hinge(z, y) ** 2),
    ("mse", TWO, NUMBER, by_row(F.mse_loss)),
    ("mse: 0.5", TWO, NUMBER, lambda y_hat, y: F.mse_loss(y_hat, y, reduction="none").mean(1) / 2),
    ("mae", TWO, NUMBER, by_row(F.l1_loss)),
    ("huber", TWO, NUMBER, by_row(F.huber_loss)),
    ("huber: 0.5", TWO, NUMBER, by_row(F.huber_loss, delta=0.5)),
    ("log_cosh", TWO, NUMBER, lambda y_hat, y: (y_hat - y).cosh().log().mean(1)),
    ("quantile", Z, NUMBER[:, :1], pinball(0.1, 0.5, 0.9)),
    ("quantile: 0.5", TWO, NUMBER, pinball(0.5)),
    ("quantile: [0.05, 0.25, 0.75]", SIX, NUMBER, pinball(0.05, 0.25, 0.75)),
    ("poisson", TWO.exp(), COUNT, by_row(F.poisson_nll_loss, log_input=False, eps=0)),
    ("gamma", TWO.exp(), COUNT, lambda y_hat, y: (y_hat.log() + y / y_hat).mean(1)),
]


def gradient(x: Tensor, y: Tensor, losses: Losses, weight: Tensor) -> Any:
    """Of the weighted sum of the rows' losses, by x."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(losses(x, y), x, weight)[0].tolist()


def answer(text: str, x: Tensor, y: Tensor, losses: Losses) -> dict[str, Any]:
    """The loss of each row, and its gradient when each row counts 1 and when each has its weight."""
    return {
        "loss": text,
        "x": x.tolist(),
        "y": y.tolist(),
        "losses": losses(x, y).tolist(),
        "gradient": gradient(x, y, losses, torch.ones_like(WEIGHT)),
        "weighted": gradient(x, y, losses, WEIGHT),
    }


def answers() -> dict[str, Any]:
    """All of it, and two rows on which ours differ: a certain mistake, and a count of 1 where 1 was expected."""
    none, one = tensor([0.0]), tensor([1.0])
    return {
        "weight": WEIGHT.tolist(),
        "from_logits": [answer(*case) for case in FROM_LOGITS],
        "as_written": [answer(*case) for case in AS_WRITTEN],
        "mistake": F.binary_cross_entropy(one, none).item(),
        "count": F.poisson_nll_loss(one, one, log_input=False).item(),
    }
