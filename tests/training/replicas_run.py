"""The same training cell on one logical processor and on two; prints what came of it as JSON.

A process has the logical devices that it began with. The first argument is a folder of records.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

from course_utils.datasets.genres import records
from course_utils.training import distribution

SEED, BATCH, EPOCHS = 1, 8, 3


def model_of(normalised: bool) -> keras.Model:
    layers = [keras.Input((6, 1)), keras.layers.Flatten(), keras.layers.Dense(8, "tanh")]
    layers += [keras.layers.BatchNormalization()] * normalised
    model = keras.Sequential([*layers, keras.layers.Dense(4)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.2), loss, metrics=["accuracy"])
    return model


def trained(strategy: tf.distribute.Strategy, folder: str, fill=True, normalised=False) -> dict:
    """What a notebook does: read, make a model inside the scope, fit, evaluate, predict."""
    keras.utils.set_random_seed(SEED)
    batches = records.read(folder, BATCH, shuffle_seed=SEED)
    if fill:
        batches = distribution.whole_batches(batches, BATCH, strategy)
    if strategy.num_replicas_in_sync == 1:
        next(iter(batches))  # as Keras does with several
    with strategy.scope():
        model = model_of(normalised)
    history = model.fit(batches, epochs=EPOCHS, verbose=0, shuffle=False).history
    in_order = records.read(folder, BATCH)
    return {
        "described": distribution.described(strategy),
        "loss": history["loss"],
        "steps": [int(batches.cardinality()), sum(1 for _ in batches)],
        "seen": sum(len(x) for x, _ in batches),
        "evaluated": model.evaluate(in_order, verbose=0),
        "scores": model.predict(in_order, verbose=0).tolist(),
        "weights": np.concatenate([w.ravel() for w in model.get_weights()]).tolist(),
    }


def refused(batches: tf.data.Dataset, batch_size: int, strategy: tf.distribute.Strategy) -> str:
    try:
        distribution.whole_batches(batches, batch_size, strategy)
    except ValueError as error:
        return str(error)
    return ""


full, odd = sys.argv[1:]
processor = tf.config.list_physical_devices("CPU")[0]
halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(processor, halves)
one, two = tf.distribute.get_strategy(), distribution.strategy()
batches = records.read(odd, BATCH)
print(json.dumps({
    "replicas": [one.num_replicas_in_sync, two.num_replicas_in_sync],
    "full": [trained(strategy, full) for strategy in (one, two)],
    "odd": [trained(strategy, odd, normalised=True) for strategy in (one, two)],
    "not filled": trained(two, odd, fill=False, normalised=True)["weights"],
    "one is as it was": distribution.whole_batches(batches, BATCH, one) is batches,
    "refused": [refused(batches, 7, two), refused(batches, 1, two), refused(batches, 0, two),
                refused(batches.repeat(), BATCH, two)],
}))  # fmt: skip
