"""What a folder of records holds: a JSON file of counts, written when everything else is.

The folder may be local or on Google Storage: all access goes through ``tf.io.gfile``.
"""

import json
import os
import re
from dataclasses import asdict, dataclass, fields

import numpy as np
import tensorflow as tf

from course_utils import places

NAME, UNFINISHED = "manifest.json", "unfinished_manifest.json"
SHARDS = "windows-*-of-*.tfrecord"
READERS = 16
"""Shards that are read at the same time."""
_FORMAT = "genre windows 1"


class RecordsError(ValueError):
    """Records that cannot be used: one sentence that says what, where and what to do."""


@dataclass(frozen=True)
class Shard:
    """One file of records.

    Attributes
    ----------
    name : str
        File name.
    bytes : int
        Size of the file.
    checksum : int
        Of all its records, in order.
    tracks : tuple of int
        Place of each record's track, in order.
    """

    name: str
    bytes: int
    checksum: int
    tracks: tuple[int, ...]


@dataclass(frozen=True)
class Manifest:
    """What a folder of records holds.

    Attributes
    ----------
    shape : tuple of int
        Shape of one window, which is float32.
    labels : tuple of str
        Genres.
    ids, artists : tuple of str, one for each track
    classes_of_tracks : tuple of int
        Place of each track's genre in ``labels``.
    shards : tuple of Shard
    """

    shape: tuple[int, ...]
    labels: tuple[str, ...]
    ids: tuple[str, ...]
    artists: tuple[str, ...]
    classes_of_tracks: tuple[int, ...]
    shards: tuple[Shard, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Records in each shard."""
        return tuple(len(shard.tracks) for shard in self.shards)

    @property
    def total(self) -> int:
        """Records in all."""
        return sum(self.counts)

    @property
    def tracks(self) -> np.ndarray:
        """Place of each record's track, int64, (total,), in the order of reading unshuffled."""
        order = []
        for start in range(0, len(self.shards), READERS):
            group = [shard.tracks for shard in self.shards[start : start + READERS]]
            for row in range(max(map(len, group))):
                order += [tracks[row] for tracks in group if row < len(tracks)]
        return np.array(order, np.int64)

    @property
    def track_classes(self) -> np.ndarray:
        """Class of each track, int64, (tracks,)."""
        return np.array(self.classes_of_tracks, np.int64)

    @property
    def classes(self) -> np.ndarray:
        """Class of each record, int64, (total,), in the order of reading unshuffled."""
        return self.track_classes[self.tracks]

    def steps(self, batch_size: int) -> int:
        """Batches in one pass: all records, the last batch may be smaller.

        Raises
        ------
        ValueError
            If ``batch_size`` is below 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; expected 1 or more; choose another.")
        return -(-self.total // batch_size)


def located(folder: str | os.PathLike[str]) -> str:
    """A folder as ``tf.io.gfile`` wants it, without a slash at the end."""
    # pathlib makes "gs:/bucket" of "gs://bucket".
    text = re.sub(r"^(\w{2,}):/+", r"\1://", os.fspath(folder))
    return text.rstrip("/") or "/"


def shown(path: str) -> str:
    """A path for people: a local one short, one of a storage system as it is."""
    return path if "://" in path else places.shown(path)


def load_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """Read what a folder of records holds.

    Parameters
    ----------
    folder : str or path-like
        Local, or ``gs://...``.

    Returns
    -------
    Manifest

    Raises
    ------
    RecordsError
        If there are no records, their writing was interrupted, or the manifest is damaged or of
        something else.
    """
    folder = located(folder)
    path = f"{folder}/{NAME}"
    try:
        if not tf.io.gfile.exists(path):
            raise _no_manifest(folder)
        with tf.io.gfile.GFile(path) as file:
            return _parsed(json.loads(file.read()))
    except (KeyError, TypeError, AttributeError, IndexError, json.JSONDecodeError) as error:
        raise RecordsError(
            f"{shown(path)} is damaged or not a manifest of genre windows; expected what"
            " records.write leaves there; write the records again."
        ) from error
    except (UnicodeDecodeError, tf.errors.OpError) as error:
        raise RecordsError(
            f"{shown(path)} cannot be read ({reason(error)}); expected the manifest that"
            " records.write leaves there; check the address and its rights."
        ) from error


def save_manifest(manifest: Manifest, folder: str) -> None:
    """Write the manifest, whole or not at all."""
    entries = {"format": _FORMAT, "total": manifest.total, "counts": manifest.counts,
               "dtype": "float32", **asdict(manifest)}  # fmt: skip
    unfinished = f"{folder}/{UNFINISHED}"
    with tf.io.gfile.GFile(unfinished, "w") as file:
        file.write(json.dumps(entries, indent=1))
    tf.io.gfile.rename(unfinished, f"{folder}/{NAME}", overwrite=True)


def reason(error: Exception) -> str:
    """What the file system said, on one line."""
    return " ".join((getattr(error, "message", None) or str(error)).split()).rstrip(".")


def _no_manifest(folder: str) -> RecordsError:
    if tf.io.gfile.isdir(folder) and tf.io.gfile.glob(f"{folder}/{SHARDS}"):
        return RecordsError(
            f"{shown(folder)} has shards and no {NAME}, which is written last: the writing was"
            " interrupted; write the records again."
        )
    return RecordsError(
        f"There are no records in {shown(folder)}; expected {NAME} and the shards it counts; write"
        " them with records.write."
    )


def _parsed(entries: dict) -> Manifest:
    """The manifest; one of the errors that :func:`load_manifest` knows if it is not sound."""
    shards = tuple(
        Shard(**{**shard, "tracks": tuple(shard["tracks"])}) for shard in entries["shards"]
    )
    names = {field.name for field in fields(Manifest)} - {"shards"}
    found = Manifest(**{name: tuple(entries[name]) for name in names}, shards=shards)
    sound = (
        entries["format"] == _FORMAT
        and entries["dtype"] == "float32"
        and tuple(entries["counts"]) == found.counts
        and entries["total"] == found.total > 0
        and len(found.ids) == len(found.artists) == len(found.classes_of_tracks)
        and all(0 <= place < len(found.labels) for place in found.classes_of_tracks)
        and all(0 <= place < len(found.ids) for shard in shards for place in shard.tracks)
    )
    if not sound:
        raise KeyError("its entries do not fit together")
    return found
