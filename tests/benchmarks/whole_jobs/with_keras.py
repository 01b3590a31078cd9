"""The job in Keras, on the backend that KERAS_BACKEND names."""

from __future__ import annotations

import keras
from keras import layers
from rows import arguments, load

given = arguments()
(X, y), validation = load(given.table)
net = keras.Sequential(
    [keras.Input((X.shape[1],)), *[layers.Dense(units, activation="relu") for units in given.hidden], layers.Dense(1)]
)
net.compile(
    optimizer=keras.optimizers.Adam(0.001),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
)
net.fit(X, y, batch_size=given.batch, epochs=given.epochs, validation_data=validation, verbose=2)
net.save_weights(given.weights)
