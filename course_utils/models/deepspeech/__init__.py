"""The speech recogniser: an utterance to letters, by a network that is trained with CTC. PyTorch.

:class:`Net` is the network, :class:`FrontEnd` what stands before it, :class:`Recogniser` the whole,
:func:`new` makes one that has learned nothing, :func:`load` brings a trained one back. PyTorch is
loaded with the first name that needs it.
"""

from course_utils.models import on_demand

__all__ = [
    "MINI", "SIZES", "SMALL", "SOURCE", "FrontEnd", "Net", "Recogniser", "Size", "load", "new",
    "parameters",
]  # fmt: skip

_FOUND_IN = {
    "MINI": "network", "SIZES": "network", "SMALL": "network", "SOURCE": "network",
    "Net": "network", "Size": "network",
    "parameters": "network",
    "FrontEnd": "front_end",
    "Recogniser": "recogniser", "load": "recogniser", "new": "recogniser",
}  # fmt: skip

__getattr__, __dir__ = on_demand.names(__name__, _FOUND_IN)
