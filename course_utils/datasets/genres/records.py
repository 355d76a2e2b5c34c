"""Windows as TFRecord files: written once in shards, read in parallel, every epoch.

Three rules against what goes wrong with such files. Counts stand in a manifest, and nobody types
them in. A damaged shard is an error that names it; the reader never leaves out what it cannot read.
Every shard has its part of every genre, so that a small shuffle buffer is enough.
"""

import os
import time
from functools import lru_cache, partial, reduce
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from course_utils.datasets.genres import manifest as manifests
from course_utils.datasets.genres.manifest import (
    READERS,
    Manifest,
    RecordsError,
    Shard,
    load_manifest,
    located,
    reason,
    shown,
)
from course_utils.datasets.genres.shards import examined, parsed, write_all
from course_utils.datasets.genres.windows import FrontEnd, Windows, pieces_of

if TYPE_CHECKING:
    from course_utils.datasets.genres import Tracks

__all__ = [
    "Manifest", "RecordsError", "Shard", "convert", "load_manifest", "read", "verify", "write",
]  # fmt: skip

_SHUFFLED_BYTES = 2**28  # of records that wait to be drawn from
_MAX_SHARDS = 1000  # all are open while they are written
_SETTLED_NS = 2 * 10**9  # TensorFlow gives the time of a file in whole seconds


def write(
    windows: Windows, folder: str | os.PathLike[str], shards: int = 16, seed: int = 0
) -> Manifest:
    """Write windows as records.

    Parameters
    ----------
    windows : Windows
    folder : str or path-like
        Local, or ``gs://...``; made if it is not there. Records that it holds are replaced.
    shards : int
        Files to write; with fewer windows, as many as there are windows. TensorFlow's guide asks
        for ten times as many as there are machines that read, and for 10 MB each at least.
    seed : int
        Decides the order of the tracks.

    Returns
    -------
    Manifest
        It is written last, and in one step: without it nobody takes the folder for complete.

    Raises
    ------
    ValueError
        If there is no shard to write, or a window is not finite.
    RecordsError
        If the folder cannot be written, or what it took cannot be read again.
    """
    order = np.random.default_rng(seed).permutation(len(windows.ids))
    pieces = ((place, windows.x[windows.tracks == place]) for place in order.tolist())
    about = (windows.shape, windows.labels, windows.ids, windows.artists, windows.track_classes)
    return write_all(pieces, about, located(folder), min(_checked(shards), len(windows)))


def convert(
    tracks: "Tracks",
    front_end: FrontEnd,
    folder: str | os.PathLike[str],
    shards: int = 16,
    seed: int = 0,
) -> Manifest:
    """Prepare tracks and write their windows, with few tracks in memory at a time.

    For a set that does not fit into memory as windows; otherwise the records are those of
    ``write(prepare(tracks, front_end), folder)``. With fewer tracks than shards there are as many
    shards as tracks. Raises as :func:`write` and ``windows.prepare``.
    """
    order = np.random.default_rng(seed).permutation(len(tracks)).tolist()
    about = (front_end.shape, tracks.labels, tracks.ids, tracks.artists, tracks.classes)
    pieces = pieces_of(tracks, front_end, order)
    return write_all(pieces, about, located(folder), min(_checked(shards), max(len(tracks), 1)))


def read(
    folder: str | os.PathLike[str],
    batch_size: int,
    *,
    shuffle_seed: int | None = None,
    prefetch: bool = True,
    with_tracks: bool = False,
) -> tf.data.Dataset:
    """Batches of records, of known cardinality ``manifest.steps(batch_size)``.

    All records of the folder are verified first, once for each state of its files.

    Parameters
    ----------
    folder : str or path-like
        Local, or ``gs://...``.
    batch_size : int
        The last batch may be smaller.
    shuffle_seed : int, optional
        Draws the order of the shards and, within 256 MiB of records, of these; every pass has
        another order, the same for the same seed. By default the order is that of
        ``manifest.tracks``.
    prefetch : bool
        Whether batches are made while earlier ones are used.
    with_tracks : bool
        Whether to give the place of each window's track as a third element (which Keras would
        take for weights).

    Returns
    -------
    tf.data.Dataset of (float32 (batch, *shape), int64 (batch,)) or with int64 (batch,) of tracks

    Raises
    ------
    RecordsError, ValueError
        As :func:`verify`, and if ``batch_size`` is below 1.
    """
    manifest = verify(folder)
    manifest.steps(batch_size)
    paths = [f"{located(folder)}/{shard.name}" for shard in manifest.shards]
    found = _shuffled(paths, shuffle_seed) if shuffle_seed is not None else _in_order(paths)
    found = found.apply(tf.data.experimental.assert_cardinality(manifest.total))
    if shuffle_seed is not None:
        wanted = _SHUFFLED_BYTES // (4 * int(np.prod(manifest.shape)))
        buffer = min(manifest.total, max(wanted, batch_size))
        found = found.shuffle(buffer, shuffle_seed)
    batches = found.batch(batch_size).map(
        partial(parsed, shape=manifest.shape, with_tracks=with_tracks),
        num_parallel_calls=tf.data.AUTOTUNE if prefetch else None,
        deterministic=True if prefetch else None,
    )
    return batches.prefetch(tf.data.AUTOTUNE) if prefetch else batches


def verify(folder: str | os.PathLike[str]) -> Manifest:
    """Read all records of a folder and compare them with its manifest.

    Returns
    -------
    Manifest

    Raises
    ------
    RecordsError
        As :func:`load_manifest`, and if a shard is missing, cut short, damaged, or not the one
        that the manifest was written for; it names the shard.
    """
    folder = located(folder)
    manifest = load_manifest(folder)
    states = tuple(_state(folder, shard) for shard in manifest.shards)
    # A file that was written just now could change and keep its time; some systems keep no time.
    settled = all(0 < changed < time.time_ns() - _SETTLED_NS for _, changed in states)
    (_verified if settled else _verified.__wrapped__)(folder, manifest, states)
    return manifest


@lru_cache(64)
def _verified(folder: str, manifest: Manifest, states: tuple) -> None:
    """Compare; files that have not changed since they were found good are not read again."""
    found = examined(folder, [shard.name for shard in manifest.shards])
    for shard, (count, checksum) in zip(manifest.shards, found, strict=True):
        if count != len(shard.tracks):
            raise _unfit(folder, shard, f"holds {count} records")
        if checksum != shard.checksum:
            raise _unfit(folder, shard, "is not the one that the manifest was written for")


def _state(folder: str, shard: Shard) -> tuple[int, int]:
    """Size and time of a shard's file; RecordsError if it is not there or not whole."""
    try:
        stat = tf.io.gfile.stat(f"{folder}/{shard.name}")
    except tf.errors.NotFoundError as error:
        raise _unfit(folder, shard, "is missing") from error
    except tf.errors.OpError as error:
        raise _unfit(folder, shard, f"cannot be read ({reason(error)})") from error
    if stat.length != shard.bytes:
        raise _unfit(folder, shard, f"has {stat.length:,} bytes instead of {shard.bytes:,}")
    return stat.length, stat.mtime_nsec


def _unfit(folder: str, shard: Shard, found: str) -> RecordsError:
    return RecordsError(
        f"Shard {shard.name} in {shown(folder)} {found}; expected the {len(shard.tracks)} records"
        f" that {manifests.NAME} counts; write the records again, or copy the whole folder."
    )


def _shuffled(paths: list[str], seed: int) -> tf.data.Dataset:
    """Records of all shards, which are taken up in another order in every pass."""
    shards = tf.data.Dataset.from_tensor_slices(paths).shuffle(len(paths), seed)
    # A quarter of them at a time: of all at a time the first records would always come first.
    readers = min(max(len(paths) // 4, 1), READERS)
    return tf.data.TFRecordDataset(shards, num_parallel_reads=readers)


def _in_order(paths: list[str]) -> tf.data.Dataset:
    """Records of some shards in turn, then of the next ones.

    Were one shard to take the place of another that ends sooner, the manifest could not say the
    order. The number of readers is fixed: finding one takes TensorFlow longer than a small set.
    """
    groups = [paths[start : start + READERS] for start in range(0, len(paths), READERS)]
    read = (tf.data.TFRecordDataset(group, num_parallel_reads=len(group)) for group in groups)
    return reduce(tf.data.Dataset.concatenate, read)


def _checked(shards: int) -> int:
    if not 1 <= shards <= _MAX_SHARDS:
        raise ValueError(f"shards is {shards}; expected 1 to {_MAX_SHARDS}; 16 is usual.")
    return shards
