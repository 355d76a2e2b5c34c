"""The recogniser of spoken commands: one second of sound to one of a few labels. Keras.

:func:`build` makes a network by name; :class:`Recogniser` puts the front end before it and the
labels behind it; :func:`load` brings a trained one back. :mod:`export` writes files for devices,
:mod:`exported` reads them, :mod:`labelling` labels sound files.

TensorFlow is loaded with the first name that needs it, so that an exported file is read, by
:mod:`exported`, :mod:`labelling` or the command line, without it.
"""

from course_utils.models import on_demand

__all__ = [
    "ARCHITECTURES", "Recogniser", "Stream", "Svdf", "build", "load", "multiply_adds",
    "multiply_adds_per_frame",
]  # fmt: skip

_FOUND_IN = {
    "ARCHITECTURES": "architectures", "build": "architectures",
    "Recogniser": "recogniser", "load": "recogniser",
    "Stream": "svdf", "Svdf": "svdf",
    "multiply_adds": "counting", "multiply_adds_per_frame": "counting",
}  # fmt: skip

__getattr__, __dir__ = on_demand.names(__name__, _FOUND_IN)
