"""Names of a package that load the framework they need when they are first asked for (PEP 562)."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def names(
    package: str, found_in: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """What a package's ``__getattr__`` and ``__dir__`` have to be.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    found_in : mapping of str to str
        For each name the module of the package that has it.
    """

    def load(name: str) -> object:
        if name not in found_in:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(f"{package}.{found_in[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    def known() -> list[str]:
        return sorted({*vars(sys.modules[package]), *found_in})

    return load, known
