"""The trigger-word detector: a stream of sound to the moments of one word. PyTorch.

:class:`TriggerNet` is the network, :class:`FrontEnd` what stands before it, :class:`Detector` the
whole, :func:`load` brings a trained one back. ``decisions`` turns probabilities into moments and
needs no framework: PyTorch is loaded with the first name that needs it.
"""

from importlib import import_module

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


def __getattr__(name: str) -> object:
    """Load the module that a name is found in when the name is first asked for."""
    if name not in _FOUND_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_FOUND_IN[name]}"), name)
    return found


def __dir__() -> list[str]:
    """All names, loaded or not."""
    return sorted({*globals(), *__all__})
