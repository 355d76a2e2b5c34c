"""Windows kept on disk between two calls: one NPZ file for a list of tracks and a front end.

The name of a file says which tracks and settings it is for; inside stands what the sound files
looked like, so that windows of a file that has changed are recognised. Genres are not kept: they
are the tracks' own, and a control with shuffled labels takes the same windows.
"""

import hashlib
import json
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_utils import files, places

if TYPE_CHECKING:
    from course_utils.datasets.genres import Tracks
    from course_utils.datasets.genres.windows import FrontEnd

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


def load(
    folder: str | Path, tracks: "Tracks", front_end: "FrontEnd"
) -> tuple[np.ndarray, np.ndarray] | None:
    """What :func:`save` has kept for these tracks and settings.

    Returns
    -------
    (np.ndarray of float32, (windows, *shape); np.ndarray of int64, (tracks,)) or None
        Windows, track after track, and how many each track has. None when nothing is kept, and,
        with a warning, when it is damaged or the sound files have changed since.
    """
    path = _path(folder, tracks, front_end)
    if not path.exists():
        return None
    try:
        # Given a name, NumPy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            x, counts, seen = kept["x"], kept["counts"], str(kept["files"])
    except _UNREADABLE:
        return _anew(path, "is damaged")
    if seen != _files(tracks):
        return _anew(path, "is of files that have changed")
    if (
        (x.dtype, x.shape[1:]) != (np.dtype(np.float32), tuple(front_end.shape))
        or counts.shape != (len(tracks),)
        or counts.min(initial=1) < 1
        or counts.sum() != len(x)
    ):
        return _anew(path, "holds other windows than its name says")
    return x, counts


def save(
    folder: str | Path, tracks: "Tracks", front_end: "FrontEnd", x: np.ndarray, counts: np.ndarray
) -> None:
    """Keep windows for the next call; a warning if the disk does not take them."""
    path = _path(folder, tracks, front_end)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.whole(path) as unfinished:
            np.savez(unfinished, x=x, counts=counts, files=_files(tracks))
    except OSError as error:
        # Minutes of work are in these arrays: they are not lost because a disk is full.
        warnings.warn(
            f"The windows are not kept in {places.shown(path)} ({error.strerror or error}); the"
            " next call computes them again; make room there, or name another cache.",
            stacklevel=3,
        )


def _anew(path: Path, found: str) -> None:
    warnings.warn(
        f"The cache {places.shown(path)} {found}; its windows are computed and kept again.",
        stacklevel=4,
    )


def _path(folder: str | Path, tracks: "Tracks", front_end: "FrontEnd") -> Path:
    key = _digest([front_end.settings, list(tracks.ids)])
    kind = str(front_end.settings["kind"]).replace(" ", "_")
    return Path(folder) / f"{kind}_{key[:16]}.npz"


def _files(tracks: "Tracks") -> str:
    """What the sound files look like from outside: reading them is what the cache saves."""
    looks = []
    for path in (Path(track.path) for track in tracks):
        stat = path.stat() if path.exists() else None
        looks.append([path.name, stat and stat.st_size, stat and stat.st_mtime_ns])
    return _digest(looks)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
