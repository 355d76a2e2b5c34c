"""One training cell for every machine: one processor, one GPU, several, or a TPU.

A strategy computes each batch in equal shares, one for each replica, and adds up their gradients.
With it a model is made inside ``strategy.scope()``; everything else stays as it is. (Except for the
order of shuffled batches: before it trains with a strategy, Keras takes a first look at the data,
which costs one of its orders.)
"""

import logging

import tensorflow as tf

from course_utils import machine

_NO_TPU = (ValueError, RuntimeError, OSError, tf.errors.OpError)


def strategy() -> tf.distribute.Strategy:
    """The strategy that fits this machine.

    Returns
    -------
    tf.distribute.Strategy
        For a TPU if there is one (TensorFlow finds it by its environment variables, or in this
        machine, as on Colab); else one that mirrors the model on all GPUs, or on all logical
        processors if there are several; else TensorFlow's default.
    """
    for address in ("", "local"):
        resolver = _tpu(address)
        if resolver is not None:
            return tf.distribute.TPUStrategy(resolver)
    for kind, least in (("GPU", 1), ("CPU", 2)):
        devices = [device.name for device in tf.config.list_logical_devices(kind)]
        if len(devices) >= least:
            return tf.distribute.MirroredStrategy(devices)
    return tf.distribute.get_strategy()


def described(strategy: tf.distribute.Strategy) -> str:
    """What a strategy computes on, for people: ``"2 GPUs, each computes a share of a batch"``."""
    count = strategy.num_replicas_in_sync
    if isinstance(strategy, tf.distribute.TPUStrategy):
        kind, unit = "TPU", "TPU core"
    else:
        kind = unit = tf.DeviceSpec.from_string(_devices(strategy)[0]).device_type
    if count > 1:
        return f"{count} {unit}s, each computes a share of every batch"
    return f"one {kind}, which computes every batch whole"


def whole_batches(
    batches: tf.data.Dataset, batch_size: int, strategy: tf.distribute.Strategy
) -> tf.data.Dataset:
    """Training batches of which every replica gets an equal share.

    With several replicas a last, incomplete batch is filled up with examples of another pass over
    the same data: nothing is left out, and some examples are trained on twice. As it is, its
    examples would count less or more than others, as each replica's mean has the same weight; and
    where it has fewer examples than there are replicas, one of these computes batch normalisation
    over nothing, 0 / 0, and the weights of the model are NaN from then on, without an error. For
    evaluation and prediction leave batches as they are: every example counts once there.

    Parameters
    ----------
    batches : tf.data.Dataset
        Of known cardinality; all batches but the last have ``batch_size`` examples.
    batch_size : int
        Examples in a batch, of all replicas together.
    strategy : tf.distribute.Strategy

    Returns
    -------
    tf.data.Dataset
        As many batches as before. With one replica it is the same data set.

    Raises
    ------
    ValueError
        If ``batch_size`` cannot be shared out evenly, or the number of batches is not known.
    """
    replicas, steps = strategy.num_replicas_in_sync, int(batches.cardinality())
    if replicas == 1:
        return batches
    if batch_size < 1 or batch_size % replicas:
        raise ValueError(
            f"batch_size is {batch_size} with {replicas} replicas; expected a multiple of"
            f" {replicas}, so that each gets as much; take"
            f" {max(batch_size // replicas, 1) * replicas}."
        )
    if steps < 1:
        raise ValueError(
            "The number of training batches is not known or not finite; expected a data set that"
            " ends; read it with records.read, or call take."
        )
    filled = batches.repeat().rebatch(batch_size, drop_remainder=True).take(steps)
    return filled.apply(tf.data.experimental.assert_cardinality(steps))


def _tpu(address: str) -> tf.distribute.cluster_resolver.TPUClusterResolver | None:
    """A TPU that is ready, or None."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)  # it tells of a TPU that it looks for and does not find
    try:
        with machine.quietly():
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver(address)
            tf.config.experimental_connect_to_cluster(resolver)
            tf.tpu.experimental.initialize_tpu_system(resolver)
    except _NO_TPU:
        return None
    finally:
        logger.setLevel(level)
    return resolver


def _devices(strategy: tf.distribute.Strategy) -> tuple[str, ...]:
    """Names of the devices that a strategy of this machine computes on."""
    if strategy.num_replicas_in_sync > 1:
        return strategy.extended.worker_devices
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return (found[0].name,)
