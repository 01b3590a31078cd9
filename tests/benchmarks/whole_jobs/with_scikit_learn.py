"""The job in scikit-learn, whose MLPClassifier splits off its validation rows itself, and computes only accuracy."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import numpy as np
from rows import arguments, load
from sklearn.neural_network import MLPClassifier

given = arguments()
(X, y), (X_val, y_val) = load(given.table)
warnings.simplefilter("ignore")  # it has not converged
net = MLPClassifier(
    given.hidden,
    alpha=0,
    batch_size=given.batch,
    max_iter=given.epochs,
    early_stopping=True,
    validation_fraction=0.2,
    n_iter_no_change=given.epochs,
)
net.fit(np.concatenate([X, X_val]), np.concatenate([y, y_val]))
print(net.validation_scores_)
Path(given.weights).write_bytes(pickle.dumps(net))
