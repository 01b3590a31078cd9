"""A page of code as a user would write it, which type checkers must accept; a line marked `wrong` they must reject."""

from __future__ import annotations

from nnfs_cli.nn.initializers import Constant, HeNormal, Normal
from nnfs_cli.nn.layers.base import Layer
from nnfs_cli.nn.layers.batch_norm import BatchNorm
from nnfs_cli.nn.layers.dense import Dense
from nnfs_cli.nn.layers.dropout import Dropout
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.layers.relu import ReLU
from nnfs_cli.nn.layers.reshape import Reshape
from nnfs_cli.nn.layers.residual import Residual
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.layers.tanh import Tanh
from nnfs_cli.nn.losses.huber import Huber
from nnfs_cli.nn.losses.quantile import Quantile
from nnfs_cli.training.callbacks.early_stopping import EarlyStopping
from nnfs_cli.training.callbacks.stop_at import StopAt
from nnfs_cli.training.optimizers import Optimizer
from nnfs_cli.training.optimizers.adam import Adam
from nnfs_cli.training.optimizers.adamw import AdamW
from nnfs_cli.training.optimizers.sgd import SGD
from nnfs_cli.training.schedules import Cosine

layers: list[Layer] = [
    Linear(16),
    Linear(16, bias=False),
    Linear(units=16, init=HeNormal(), bias_init=Constant(0.1), l2=0.01),
    Linear(16, init=Normal(0.02)),
    Dense(16, activation=Tanh()),
    Dropout(),
    Dropout(0.1),
    BatchNorm(momentum=0.01),
    Reshape([4, 4]),
    Residual([Linear(4), Tanh()]),
    Residual([Linear(4)], init=HeNormal()),
]
net = Sequential([Linear(16), ReLU(), Linear(3)])
nested = Sequential([net, Sequential((Linear(2), Tanh())), *layers])
optimizers: list[Optimizer] = [Adam(), Adam(beta1=0.8), AdamW(0.1), SGD(0.9, nesterov=True), SGD(momentum=0.9)]
losses = [Huber(1.0), Huber(delta=0.5, reduction="sum"), Huber()]
quantiles = Quantile([0.1, 0.9], reduction="sum")
schedule = Cosine(2, warmup=1.5)
stopping = EarlyStopping(5, min_delta=0.001, monitor="val_loss")
reached = StopAt(0.95, monitor="val_accuracy", mode="max")
width: int = Linear(16).units

Linear("x")  # wrong
Linear(unit=3)  # wrong
Linear()  # wrong
Linear(16, False)  # wrong
Adam(0.8)  # wrong
Dropout(0.1, 0.2)  # wrong
Residual([Linear(4), 3])  # wrong
Sequential(["relu", 4])  # wrong
Dense(16, activation=HeNormal())  # wrong
Huber(1.0, reduction="product")  # wrong
Cosine(warm_up=1)  # wrong
EarlyStopping("val_loss")  # wrong
