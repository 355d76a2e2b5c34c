"""The networks by name.

Adding one is a function in ``classic.py``, ``modern.py`` or a file of its own, and a line here.
"""

from collections.abc import Callable

import keras

from course_utils.models.speech_commands import classic, modern

ARCHITECTURES: dict[str, Callable[[tuple[int, int], int], keras.Model]] = {
    "single_fc": classic.single_fc,
    "conv": classic.conv,
    "low_latency_conv": classic.low_latency_conv,
    "low_latency_svdf": classic.low_latency_svdf,
    "tiny_conv": classic.tiny_conv,
    "tiny_embedding_conv": classic.tiny_embedding_conv,
    "ds_cnn": modern.ds_cnn,
    "tc_resnet": modern.tc_resnet,
    "res_cnn": modern.res_cnn,
}
"""Networks by name; each takes the size of the features and the number of labels."""


def build(name: str, size: tuple[int, int], n_labels: int) -> keras.Model:
    """A network with fresh weights.

    Parameters
    ----------
    name : str
        One of :data:`ARCHITECTURES`.
    size : (int, int)
        Frames and features per frame (``FrontEnd.output_size``).
    n_labels : int

    Returns
    -------
    keras.Model
        From features (batch, frames, bins) to logits (batch, labels).

    Raises
    ------
    ValueError
        If there is no such architecture.
    """
    if name not in ARCHITECTURES:
        raise ValueError(
            f"There is no architecture {name!r}; choose one of {', '.join(ARCHITECTURES)}."
        )
    return ARCHITECTURES[name](tuple(size), n_labels)
