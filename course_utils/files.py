"""Files that are whole or not there: written beside their place, then moved onto it in one step."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file so that a program that dies meanwhile leaves the old one as it was.

    Parameters
    ----------
    path : path-like
        Where the file belongs; its folder exists.

    Yields
    ------
    Path
        Where to write it: a hidden file in the same folder, because a file changes its name in one
        step only within a file system, and with the same ending, which decides the format for some
        libraries. At the end of the block it takes the place of ``path``; if anything goes wrong,
        it is removed. Its name is always the same, so that the next attempt uses up what a killed
        program left behind.

    Raises
    ------
    OSError, ValueError
        If the file cannot be moved into its place, or the path names no file.
    """
    path = Path(path)
    unfinished = path.with_name(f".unfinished_{path.name}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError, ValueError):
            unfinished.unlink()
        raise
