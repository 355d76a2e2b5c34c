"""The trigger-word detector: a stream of sound to the moments of one word. PyTorch.

:class:`TriggerNet` is the network, :class:`FrontEnd` what stands before it, :class:`Detector` the
whole, :func:`load` brings a trained one back. ``decisions`` turns probabilities into moments and
needs no framework: PyTorch is loaded with the first name that needs it.
"""

from course_utils.models import on_demand
from course_utils.models.trigger_word.decisions import Detection, Trigger, chimes, detections

__all__ = [
    "SMALL", "SOURCE", "SOURCE_FRONT_END", "Detection", "Detector", "FrontEnd", "Size", "Stream",
    "Trigger", "TriggerNet", "chimes", "detections", "from_keras", "load", "parameters",
]  # fmt: skip

_FOUND_IN = {
    "SMALL": "network", "SOURCE": "network", "Size": "network", "TriggerNet": "network",
    "from_keras": "network", "parameters": "network",
    "FrontEnd": "front_end", "SOURCE_FRONT_END": "front_end",
    "Detector": "detector", "Stream": "detector", "load": "detector",
}  # fmt: skip

__getattr__, __dir__ = on_demand.names(__name__, _FOUND_IN)
