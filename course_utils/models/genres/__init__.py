"""The recogniser of music genres: classical models and networks behind one door.

:mod:`classical` fits four methods of scikit-learn, :mod:`networks` builds those of Keras;
:class:`Recogniser` puts a front end before a model and the labels behind it; :func:`load` brings a
trained one back. TensorFlow is loaded with the first network, so that a classical recogniser works
without it.
"""

from course_utils.models import on_demand

__all__ = [
    "METHODS", "Recogniser", "load", "mini_weights", "mobilenet", "raw_cnn", "unfreeze",
    "weights_in_use",
]  # fmt: skip

_FOUND_IN = {
    "METHODS": "classical",
    "mini_weights": "networks", "mobilenet": "networks", "raw_cnn": "networks",
    "unfreeze": "networks", "weights_in_use": "networks",
    "Recogniser": "recogniser", "load": "recogniser",
}  # fmt: skip

__getattr__, __dir__ = on_demand.names(__name__, _FOUND_IN)
