"""The speech recogniser: an utterance to letters, by a network that is trained with CTC. PyTorch.

:class:`Net` is the network, :class:`FrontEnd` what stands before it, :class:`Recogniser` the whole,
:func:`new` makes one that has learned nothing, :func:`load` brings a trained one back. PyTorch is
loaded with the first name that needs it.
"""

from importlib import import_module

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


def __getattr__(name: str) -> object:
    """Load the module that a name is found in when the name is first asked for."""
    if name not in _FOUND_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_FOUND_IN[name]}"), name)
    return found


def __dir__() -> list[str]:
    """All names, loaded or not."""
    return sorted({*globals(), *__all__})
