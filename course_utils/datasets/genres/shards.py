"""Shards: single TFRecord files of windows, how they are filled and how they are proved whole."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack

import numpy as np
import tensorflow as tf

from course_utils.datasets.genres import manifest as manifests
from course_utils.datasets.genres.manifest import Manifest, RecordsError, Shard, reason, shown
from course_utils.datasets.genres.windows import check_piece

_CHECKSUMS = 2**63 - 1


def write_all(
    pieces: Iterable[tuple[int, np.ndarray]], about: tuple, folder: str, shards: int
) -> Manifest:
    """Write pieces into shards, then the manifest.

    Parameters
    ----------
    pieces : iterable of (int, np.ndarray of float32, (windows, *shape))
        Place of a track, and its windows.
    about : tuple
        Shape of a window; labels; ids, artists and classes of the tracks.
    folder : str
        As ``manifest.located`` gives it.
    shards : int

    Raises
    ------
    RecordsError, ValueError
        See ``records.write``.
    """
    shape, labels, ids, artists, classes = (tuple(value) for value in about)
    names = [f"windows-{number:05}-of-{shards:05}.tfrecord" for number in range(shards)]
    tracks = [[] for _ in names]
    try:
        _cleared(folder)
        with ExitStack() as stack:
            writers = [stack.enter_context(tf.io.TFRecordWriter(f"{folder}/{name}"))
                       for name in names]  # fmt: skip
            for place, row, number in _dealt(pieces, shape, ids, classes, shards):
                writers[number].write(_record(row, int(classes[place]), place))
                tracks[number].append(place)
        found = zip(names, tracks, examined(folder, names), strict=True)
        kept = tuple(_shard(folder, *of) for of in found)
        classes = tuple(map(int, classes))
        manifest = Manifest(tuple(map(int, shape)), labels, ids, artists, classes, kept)
        manifests.save_manifest(manifest, folder)
    except (OSError, tf.errors.OpError) as error:
        raise RecordsError(
            f"Records cannot be written to {shown(folder)} ({reason(error)}); expected a folder"
            " with room that may be written to; choose another."
        ) from error
    return manifest


def _cleared(folder: str) -> None:
    """Make the folder; remove what was written before, the manifest first."""
    tf.io.gfile.makedirs(folder)
    for pattern in (manifests.NAME, manifests.UNFINISHED, manifests.SHARDS):
        for path in tf.io.gfile.glob(f"{folder}/{pattern}"):
            tf.io.gfile.remove(path)


def _dealt(
    pieces: Iterable[tuple[int, np.ndarray]], shape: tuple, ids: tuple, classes: tuple, shards: int
) -> Iterator[tuple[int, np.ndarray, int]]:
    """Each window with its track and its shard: every class is spread evenly, and so is the sum."""
    dealt = np.zeros((max(classes, default=0) + 1, shards), np.int64)
    for place, piece in pieces:
        check_piece(piece, shape, ids[place])
        of_class = dealt[classes[place]]
        for row in piece:
            number = int(np.lexsort((dealt.sum(axis=0), of_class))[0])
            of_class[number] += 1
            yield place, row, number


def _record(row: np.ndarray, class_: int, track: int) -> bytes:
    """One window as a tf.train.Example, its values as raw bytes."""
    numbers = {name: tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
               for name, value in (("class", class_), ("track", track))}  # fmt: skip
    raw = tf.train.BytesList(value=[row.astype("<f4", copy=False).tobytes()])
    features = tf.train.Features(feature={"x": tf.train.Feature(bytes_list=raw), **numbers})
    return tf.train.Example(features=features).SerializeToString(deterministic=True)


def _shard(folder: str, name: str, tracks: list[int], found: tuple[int, int]) -> Shard:
    """What the manifest says about a shard, after it has been read again."""
    count, checksum = found
    if count != len(tracks):
        raise RecordsError(
            f"Shard {name} in {shown(folder)} holds {count} records; expected the {len(tracks)}"
            " that were written; write the records again, to another disk if it repeats."
        )
    return Shard(name, tf.io.gfile.stat(f"{folder}/{name}").length, checksum, tuple(tracks))


def examined(folder: str, names: Sequence[str]) -> list[tuple[int, int]]:
    """How many records each shard holds, and a checksum of them in their order.

    Raises
    ------
    RecordsError
        If a shard is cut short or damaged; it names the shard.
    """
    paths = tf.data.Dataset.from_tensor_slices([f"{folder}/{name}" for name in names])
    found = []
    try:
        # In order, so that the place of an error says which shard it is in.
        for count, checksum in paths.map(_summed, tf.data.AUTOTUNE, deterministic=True):
            found.append((int(count), int(checksum)))
    except tf.errors.DataLossError as error:
        raise RecordsError(
            f"Shard {names[len(found)]} in {shown(folder)} is damaged: a record is cut short or"
            " does not fit its checksum; expected whole records; write the records again."
        ) from error
    return found


# Unconverted: converting takes longer than reading a small set.
@tf.autograph.experimental.do_not_convert
def _summed(path: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Count and checksum of a file; the reader compares each record with its own CRC-32C."""

    @tf.autograph.experimental.do_not_convert
    def add(state: tuple, record: tf.Tensor) -> tuple:
        both = tf.strings.join([tf.strings.as_string(state[1]), record])
        return state[0] + 1, tf.strings.to_hash_bucket_fast(both, _CHECKSUMS)

    return tf.data.TFRecordDataset(path).reduce((np.int64(0), np.int64(0)), add)


@tf.autograph.experimental.do_not_convert
def parsed(records: tf.Tensor, shape: tuple[int, ...], with_tracks: bool) -> tuple:
    """A batch of records as (windows, classes), or with the places of the tracks."""
    number = tf.io.FixedLenFeature((), tf.int64)
    kept = {"x": tf.io.FixedLenFeature((), tf.string), "class": number, "track": number}
    found = tf.io.parse_example(records, kept)
    x = tf.io.decode_raw(found["x"], tf.float32, little_endian=True)
    x = tf.reshape(x, (-1, *shape))
    return (x, found["class"], found["track"]) if with_tracks else (x, found["class"])
