"""A page of code as a user would write it, which type checkers must accept; a line marked `wrong` they must reject."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from nnfs_cli import (
    SGD,
    Adam,
    AdamW,
    BatchNorm,
    Callback,
    Checkpoint,
    Dense,
    Dropout,
    EarlyStopping,
    Frame,
    Huber,
    Layer,
    Linear,
    NetClassifier,
    NetRegressor,
    Quantile,
    ReLU,
    Reshape,
    Residual,
    Run,
    Sequential,
    StopAt,
    Tanh,
    cross_validate,
    train,
)
from nnfs_cli.nn.initializers import Constant, HeNormal, Normal
from nnfs_cli.training.callbacks import Training
from nnfs_cli.training.optimizers import Optimizer
from nnfs_cli.training.progress import LogRow
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


class Watch(Callback):
    """A callback of the user's own."""

    def on_log(self, training: Training, row: LogRow) -> None:
        """Stop once the loss is small."""
        if row["train_loss"] < 0.1:
            training.stop("the loss is small")


X, y = np.arange(8.0).reshape(4, 2), np.array([0, 1, 2, 0])
history: Frame = net.fit(
    X, y, loss="cross_entropy", optimizer=SGD(0.9), lr=0.1, epochs=2, batch_size="full", validation_data=(X, y),
    metrics=["accuracy", {"f1": "macro"}], callbacks=[Watch(), Checkpoint(), "stop_at: 0.1"], schedule=Cosine(),
)  # fmt: skip
best: float = history["val_loss"].min()
text_net = Sequential(["linear: 16", "relu", {"linear": {"units": 3}}]).initialize(2, seed=1, dtype="float64")
figures: dict[str, float] = net.evaluate(X, y, sample_weight=[1, 1, 1, 2])
steepest = max(net.gradients(X, y, loss="cross_entropy").values(), key=lambda gradient: float(abs(gradient).max()))
probabilities = net.predict(X).max(axis=1)
net.weights["0.weight"][...] = 0
print(net.summary(), net.summary().parameters, text_net.load(net.weights).reset(3))
settings = {"layers": [Linear(4), Tanh(), Linear(1)], "loss": Huber(), "epochs": 2, "dataset": {"table": "price"}}
homes = {"size": np.arange(20.0), "price": np.arange(20.0) / 3}
run: Run = train(settings, homes, folder=Path(tempfile.mkdtemp()), callbacks=[Watch()], lr=0.1)
price: float = run.predict({"size": 3.0}, interval=0.5)["prediction"][0]
error: float = run.metrics["validation"]["rmse"] + run.evaluate(homes)["input"]["rmse"]
losses_of_epochs = run.history["train_loss"].tolist()
estimator = NetRegressor.load(Run.open(run.path).resume(3, data=homes))
low: float = cross_validate({"one": settings}, homes, folds=2).estimates()["one"]["rmse"].low
classifier = NetClassifier(layers=[Linear(16), ReLU()], optimizer=Adam(beta1=0.8), epochs=5).fit(X, y)
classifier.fit({"a": [1, 2], "b": ["x", None]}, ["yes", "no"], validation_data=({"a": [1], "b": ["x"]}, ["no"]))
classifier.fit([{"a": 1, "b": "x"}, {"a": 2}], ["yes", "no"], [1.0, 2.0]).predict([{"a": 1, "b": "x"}])
weighted = NetClassifier(layers="linear: 4", class_weight={"a": 2}, split=0.25, epochs=1).fit(X, ["a", "b", "a", "b"])
sure: float = weighted.predict_proba(X).max() + weighted.score(X, ["a", "b", "a", "b"])
regressor = NetRegressor(layers=[{"linear": 4}, "tanh"], loss=Huber(0.5), metrics=["mae"], early_stopping=3, epochs=2)
low_end, high_end = regressor.fit(homes, homes["price"]).predict_interval(homes, level=0.5).T
loaded: NetRegressor = NetRegressor.load(regressor.save(Path(tempfile.mkdtemp()) / "saved"))

Linear("x")  # wrong
Linear(unit=3)  # wrong
Linear()  # wrong
Linear(16, False)  # wrong
Adam(0.8)  # wrong
Dropout(0.1, 0.2)  # wrong
Residual([Linear(4), 3])  # wrong
Sequential([Linear(4), 4])  # wrong
net.fit(X, y)  # wrong
run.predict()  # wrong
run.predict(homes, on_error="ignore")  # wrong
train(3)  # wrong
net.fit(X, y, loss="mse", dtype="float16")  # wrong
net.weights["0.weight"] = X  # wrong
Dense(16, activation=HeNormal())  # wrong
Huber(1.0, reduction="product")  # wrong
Cosine(warm_up=1)  # wrong
EarlyStopping("val_loss")  # wrong
NetRegressor(epocs=3)  # wrong
NetRegressor(epochs="3")  # wrong
NetRegressor(class_weight={"a": 2})  # wrong
NetClassifier(dtype="float16")  # wrong
regressor.predict_interval()  # wrong
