"""A network of a few weights, its loop and its batches."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from course_utils.training.keras_loop import Loop, Plan

IDENTITY = {"recipe": {"batch_size": 8}}
CROSS_ENTROPY = keras.losses.CategoricalCrossentropy(from_logits=True)


def network(*more: keras.layers.Layer) -> keras.Model:
    """Dense, batch normalisation and dropout, all with a state of their own."""
    table = keras.Input((5,), name="features")
    first, last = (keras.initializers.GlorotUniform(seed) for seed in (1, 2))
    x = layers.Dense(6, name="hidden", kernel_initializer=first)(table)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Dropout(0.5, seed=3, name="dropout")(x)
    for layer in more:
        x = layer(x)
    x = layers.Dense(3, name="logits", kernel_initializer=last)(x)
    return keras.Model(table, x, name="small")


def looped(folder, model=None, rate=0.05, loss=CROSS_ENTROPY, optimizer=None) -> Loop:
    model = model or network()
    return Loop(folder, model, optimizer or keras.optimizers.AdamW(rate), loss, IDENTITY)


def batches(first: int, steps: int, before=lambda step: None):
    for step in range(first, steps):
        before(step)
        rng = np.random.default_rng([7, step])
        labels = tf.one_hot(rng.integers(0, 3, 8), 3)
        yield tf.constant(rng.normal(size=(8, 5)), tf.float32), labels


def plan(steps: int, **options) -> Plan:
    return Plan(steps, 8, **{"save_every": 3, "evaluate_every": 4} | options)


def values(loop: Loop) -> list[bytes]:
    return [variable.numpy().tobytes() for variable in loop._variables]


def without_clock(history: list[dict]) -> list[dict]:
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in history]
