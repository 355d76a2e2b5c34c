"""Windows as TFRecord files: exact, complete, spread; and damage that is named."""

import json
import math
import os
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_windows import Pieces, random_windows, write_tracks

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
tf = pytest.importorskip("tensorflow")

from course_utils import audio  # noqa: E402
from course_utils.datasets.genres import manifest as manifests  # noqa: E402
from course_utils.datasets.genres import records, shards, timing  # noqa: E402
from course_utils.datasets.genres.windows import Windows, prepare  # noqa: E402

gfile = tf.io.gfile


@pytest.fixture(params=["local", "ram"])
def folder(request, tmp_path):
    """A folder on the disk, and one of a system of files that Python's own ``open`` cannot see."""
    if request.param == "local":
        return str(tmp_path / "records")
    return f"ram://{uuid.uuid4().hex}/records"


def arrays(dataset) -> list[np.ndarray]:
    """All batches together, one array for each element."""
    return [np.concatenate(parts) for parts in zip(*dataset.as_numpy_iterator(), strict=True)]


def content(path: str) -> bytes:
    with gfile.GFile(path, "rb") as file:
        return file.read()


def put(path: str, data: bytes) -> None:
    if gfile.exists(path):
        gfile.remove(path)  # written over, a file of the "ram" system grows
    with gfile.GFile(path, "wb") as file:
        file.write(data)


def edited(folder: str, change) -> None:
    """Change the manifest's entries in place."""
    entries = json.loads(content(f"{folder}/manifest.json"))
    change(entries)
    put(f"{folder}/manifest.json", json.dumps(entries).encode())


def sentence(error) -> str:
    text = str(error.value)
    assert "\n" not in text and text.endswith(".")
    return text


def same_windows(windows: Windows, x: np.ndarray, tracks: np.ndarray) -> None:
    """Bit by bit the same windows, whatever their order among the windows of a track."""
    for track in range(len(windows.ids)):
        found = sorted(row.tobytes() for row in x[tracks == track])
        assert found == sorted(row.tobytes() for row in windows.x[windows.tracks == track])


# ---------------------------------------------------------------- round trip


@pytest.mark.parametrize(
    ("shape", "tracks", "each"), [((10000, 1), 9, 3), ((224, 224, 3), 5, 2)], ids=["raw", "image"]
)
def test_both_source_forms_come_back_bit_by_bit(folder, shape, tracks, each):
    windows = random_windows(shape, tracks, each)
    manifest = records.write(windows, folder, shards=4)
    assert records.load_manifest(folder) == records.verify(folder) == manifest
    x, classes, numbers = arrays(records.read(folder, 4, with_tracks=True))
    assert x.dtype == np.float32 and x.shape == windows.x.shape
    assert classes.dtype == numbers.dtype == np.int64
    same_windows(windows, x, numbers)
    np.testing.assert_array_equal(classes, windows.track_classes[numbers])


def test_what_the_manifest_says(folder):
    windows = random_windows(tracks=13)
    manifest = records.write(windows, folder, shards=5)
    assert manifest.total == sum(manifest.counts) == len(windows) == 39
    assert [manifest.steps(size) for size in (1, 4, 13, 39, 100)] == [39, 10, 3, 1, 1]
    assert (manifest.shape, manifest.labels) == ((6, 1), windows.labels)
    assert (manifest.ids, manifest.artists) == (windows.ids, windows.artists)
    np.testing.assert_array_equal(manifest.track_classes, windows.track_classes)
    names = [f"windows-{number:05}-of-00005.tfrecord" for number in range(5)]
    assert sorted(gfile.listdir(folder)) == ["manifest.json", *names]
    entries = json.loads(content(f"{folder}/manifest.json"))
    assert (entries["total"], entries["dtype"]) == (39, "float32")
    assert tuple(entries["counts"]) == manifest.counts
    for name, count in zip(names, manifest.counts, strict=True):
        assert sum(1 for _ in tf.data.TFRecordDataset(f"{folder}/{name}")) == count


@pytest.mark.parametrize("count", [1, 3, 16, 17, 40])
def test_the_order_without_shuffling_is_that_of_the_manifest(tmp_path, count):
    """With more shards than are read at a time, too."""
    windows = random_windows(tracks=15, each=4)
    manifest = records.write(windows, tmp_path, shards=count)
    assert len(manifest.shards) == count
    for prefetch in (True, False):
        read = records.read(tmp_path, 7, with_tracks=True, prefetch=prefetch)
        _, classes, tracks = arrays(read)
        np.testing.assert_array_equal(tracks, manifest.tracks)
        np.testing.assert_array_equal(classes, manifest.classes)


def test_there_are_as_many_steps_as_the_manifest_says(tmp_path):
    manifest = records.write(random_windows(), tmp_path)
    for size in (1, 5, 36, 50):
        for seed in (None, 0):
            read = records.read(tmp_path, size, shuffle_seed=seed)
            sizes = [len(x) for x, _ in read]
            assert len(sizes) == int(read.cardinality()) == manifest.steps(size)
            assert sizes == [size] * (36 // size) + [36 % size] * (36 % size > 0)


def test_windows_are_spread_over_the_shards():
    labels = 4
    windows = random_windows(tracks=50, each=3, labels=labels)
    manifest = records.write(windows, f"ram://{uuid.uuid4().hex}", shards=8)
    table = [np.bincount(manifest.track_classes[list(shard.tracks)], minlength=labels)
             for shard in manifest.shards]  # fmt: skip
    assert np.ptp(table, axis=0).max() <= 1 and np.ptp(manifest.counts) <= labels - 1
    # Nor are they sorted within a shard, or all of a genre come at once when they are read.
    assert len(set(manifest.classes[:60])) == labels


def test_fewer_windows_than_shards(tmp_path):
    windows = random_windows(tracks=2, each=1, labels=2)
    manifest = records.write(windows, tmp_path, shards=16)
    assert manifest.counts == (1, 1)
    same_windows(windows, *arrays(records.read(tmp_path, 9, with_tracks=True))[::2])


def test_the_same_windows_give_the_same_files(tmp_path):
    for name in ("a", "b"):
        records.write(random_windows(), tmp_path / name, shards=3)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    other = records.write(random_windows(), tmp_path / "b", shards=3, seed=1)
    assert other.shards != records.load_manifest(tmp_path / "a").shards


def test_writing_again_replaces_all_shards_and_nothing_else(folder):
    records.write(random_windows(), folder, shards=7)
    put(f"{folder}/notes.txt", b"mine")
    manifest = records.write(random_windows(tracks=5), folder, shards=2)
    assert sorted(gfile.listdir(folder)) == sorted(
        ["manifest.json", "notes.txt", *(shard.name for shard in manifest.shards)]
    )
    assert records.verify(folder).total == 15


def test_tracks_are_converted_without_all_their_windows_in_memory(tmp_path):
    tracks = write_tracks(tmp_path / "sounds")
    windows = prepare(tracks, Pieces())
    whole = records.write(windows, tmp_path / "whole", shards=3)
    assert records.convert(tracks, Pieces(), tmp_path / "converted", shards=3) == whole
    assert len(records.convert(tracks, Pieces(), tmp_path / "many", shards=99).shards) == 7


def test_a_path_of_a_storage_system_survives_pathlib():
    # On this system pathlib makes one slash of two.
    for name in ("ram://x/y", "ram:/x/y", "ram://x/y/"):
        assert manifests.located(name) == "ram://x/y"
    assert manifests.located(Path("gs://bucket/records")) == "gs://bucket/records"
    assert manifests.located("/") == "/" and manifests.located("a/b//") == "a/b"


# ---------------------------------------------------------------- shuffling


def order(folder, **options) -> list[bytes]:
    return [row.tobytes() for row in arrays(records.read(folder, 5, **options))[0]]


def test_shuffling_follows_the_seed_and_loses_nothing(tmp_path):
    records.write(random_windows(), tmp_path, shards=4)
    plain, first = order(tmp_path), order(tmp_path, shuffle_seed=3)
    assert first != plain and sorted(first) == sorted(plain)
    assert first == order(tmp_path, shuffle_seed=3) != order(tmp_path, shuffle_seed=4)


def test_every_pass_has_another_order_and_all_the_windows(tmp_path):
    records.write(random_windows(), tmp_path, shards=4)
    read = records.read(tmp_path, 5, shuffle_seed=3)
    passes = [[row.tobytes() for row in arrays(read)[0]] for _ in range(3)]
    assert len({tuple(each) for each in passes}) == 3
    assert len({tuple(sorted(each)) for each in passes}) == 1
    evaluated = records.read(tmp_path, 5)
    np.testing.assert_array_equal(arrays(evaluated)[0], arrays(evaluated)[0])


def test_passes_differ_even_with_hardly_a_buffer(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "_SHUFFLED_BYTES", 0)
    records.write(random_windows(tracks=40), tmp_path, shards=20)
    read = records.read(tmp_path, 6, shuffle_seed=0)
    places = []
    for _ in range(5):
        rows = {row.tobytes(): place for place, row in enumerate(arrays(read)[0])}
        places.append([rows[row] for row in sorted(rows)])
    # Where a window comes in one pass says little about where it comes in another.
    apart = np.corrcoef(places)[np.triu_indices(5, 1)]
    assert abs(apart.mean()) < 0.4 and apart.max() < 0.8


# ---------------------------------------------------------------- what is refused


@pytest.fixture
def written(folder):
    """Records whose damage a reader has to see although it has just found them good."""
    records.write(random_windows(), folder, shards=3)
    arrays(records.read(folder, 4))
    return folder


def flipped(path: str, place: int = 60) -> None:
    data = bytearray(content(path))
    data[place] ^= 1
    put(path, bytes(data))


def without_last_record(path: str) -> None:
    rows = [row.numpy() for row in tf.data.TFRecordDataset(path)]
    gfile.remove(path)
    with tf.io.TFRecordWriter(path) as writer:
        for row in rows[:-1]:
            writer.write(row)


def reordered(path: str) -> None:
    rows = [row.numpy() for row in tf.data.TFRecordDataset(path)]
    gfile.remove(path)
    with tf.io.TFRecordWriter(path) as writer:
        for row in rows[::-1]:
            writer.write(row)


@pytest.mark.parametrize("call", [records.verify, lambda folder: records.read(folder, 4)])
@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (gfile.remove, "is missing; expected the 12 records"),
        (lambda path: put(path, content(path)[:-5]), r"has [\d,]+ bytes instead of [\d,]+;"),
        (without_last_record, r"has [\d,]+ bytes instead of [\d,]+; expected the 12 records"),
        (flipped, "is damaged: a record is cut short or does not fit its checksum"),
        (reordered, "is not the one that the manifest was written for; expected the 12 records"),
    ],
    ids=["missing", "cut", "shorter", "flipped", "reordered"],
)
def test_a_damaged_shard_is_named(written, spoil, found, call):
    name = "windows-00001-of-00003.tfrecord"
    spoil(f"{written}/{name}")
    with pytest.raises(records.RecordsError, match=f"^Shard {name} in .* {found}") as error:
        call(written)
    assert manifests.shown(written) in sentence(error)


def test_a_shard_cut_short_is_named_even_if_the_manifest_knows_its_size(written):
    name = "windows-00002-of-00003.tfrecord"
    put(f"{written}/{name}", content(f"{written}/{name}")[:-5])
    size = len(content(f"{written}/{name}"))
    edited(written, lambda entries: entries["shards"][2].update(bytes=size))
    with pytest.raises(records.RecordsError, match=f"^Shard {name} in .* is damaged: a record"):
        records.verify(written)


def test_damage_after_reading_began_is_an_error_and_not_a_smaller_set(tmp_path):
    records.write(random_windows(), tmp_path, shards=3)
    read = records.read(tmp_path, 4)
    flipped(str(tmp_path / "windows-00000-of-00003.tfrecord"))
    with pytest.raises(tf.errors.DataLossError):
        arrays(read)
    records.write(random_windows(), tmp_path, shards=3)
    without_last_record(str(tmp_path / "windows-00000-of-00003.tfrecord"))
    with pytest.raises(tf.errors.FailedPreconditionError):
        arrays(read)


def test_a_wrong_count(written):
    def one_more(entries):
        shard = entries["shards"][0]
        shard["tracks"].append(0)
        entries["counts"][0] += 1
        entries["total"] += 1

    edited(written, one_more)
    name = "windows-00000-of-00003.tfrecord"
    with pytest.raises(
        records.RecordsError, match=f"^Shard {name} .* holds 12 records; expected the 13"
    ) as error:
        records.read(written, 4)
    sentence(error)


def test_a_manifest_of_other_records(written):
    other = f"{written}_other"
    windows = random_windows()
    records.write(replace(windows, x=windows.x[::-1].copy()), other, shards=3)
    put(f"{written}/manifest.json", content(f"{other}/manifest.json"))
    with pytest.raises(
        records.RecordsError,
        match=r"^Shard windows-00000-of-00003.tfrecord .* is not the one that the manifest was",
    ):
        records.read(written, 4)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: put(f"{folder}/manifest.json", content(f"{folder}/manifest.json")[:-9]),
        lambda folder: put(f"{folder}/manifest.json", b"[]"),
        lambda folder: put(f"{folder}/manifest.json", b""),
        lambda folder: edited(folder, lambda entries: entries.pop("shards")),
        lambda folder: edited(folder, lambda entries: entries.update(format="flowers")),
        lambda folder: edited(folder, lambda entries: entries.update(total=3670)),
        lambda folder: edited(folder, lambda entries: entries.update(labels=["one"])),
        lambda folder: edited(
            folder, lambda entries: entries["shards"][0].update(tracks=[99] * 12)
        ),
        lambda folder: edited(folder, lambda entries: entries["shards"][0].pop("checksum")),
    ],
)
def test_a_damaged_manifest(written, spoil):
    spoil(written)
    with pytest.raises(
        records.RecordsError, match=r"manifest\.json is damaged or not a manifest of genre windows;"
    ) as error:
        records.load_manifest(written)
    sentence(error)


def test_a_manifest_that_is_not_text(written):
    put(f"{written}/manifest.json", b"\xff\xfe\xfa")
    with pytest.raises(records.RecordsError, match=r"manifest\.json cannot be read"):
        records.load_manifest(written)


def test_no_records(folder):
    for call in (records.load_manifest, records.verify, lambda place: records.read(place, 1)):
        with pytest.raises(records.RecordsError, match=r"^There are no records in ") as error:
            call(folder)
        sentence(error)


class Stop(Exception):
    """Where a test stops the writing."""


@pytest.mark.parametrize("moment", ["a record", "the manifest", "its last step"])
def test_an_interrupted_write_is_recognised(folder, monkeypatch, moment):
    """Also where complete records lay before."""
    records.write(random_windows(tracks=20), folder, shards=6)

    def stop(*_, **__):
        raise Stop

    real, left = shards._record, iter(range(30))
    if moment == "a record":
        monkeypatch.setattr(
            shards, "_record", lambda *of: real(*of) if next(left, None) is not None else stop()
        )
    elif moment == "the manifest":
        monkeypatch.setattr(manifests, "save_manifest", stop)
    else:
        monkeypatch.setattr(gfile, "rename", stop)
    with pytest.raises(Stop):
        records.write(random_windows(), folder, shards=3)
    monkeypatch.undo()
    for call in (records.load_manifest, lambda place: records.read(place, 1)):
        with pytest.raises(
            records.RecordsError,
            match=r"has shards and no manifest\.json, which is written last: the writing was"
            r" interrupted; write the records again\.$",
        ):
            call(folder)
    records.write(random_windows(), folder, shards=3)
    assert records.verify(folder).total == 36


def test_a_disk_that_takes_less_than_it_was_given(tmp_path, monkeypatch):
    real = shards.examined
    monkeypatch.setattr(
        shards, "examined", lambda *of: [(count - 1, total) for count, total in real(*of)]
    )
    with pytest.raises(records.RecordsError, match=r"^Shard .* holds 11 records; expected the 12"):
        records.write(random_windows(), tmp_path, shards=3)


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", "nosuchsystem://x/y"):
        with pytest.raises(records.RecordsError, match=r"^Records cannot be written to ") as error:
            records.write(random_windows(), place)
        sentence(error)
    with pytest.raises(records.RecordsError, match="cannot be read"):
        records.load_manifest("nosuchsystem://x/y")


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_numbers_of_shards(tmp_path, count):
    with pytest.raises(ValueError, match=f"^shards is {count}; expected 1 to 1000"):
        records.write(random_windows(), tmp_path, shards=count)


@pytest.mark.parametrize("size", [0, -3])
def test_batch_sizes(tmp_path, size):
    manifest = records.write(random_windows(), tmp_path)
    for call in (manifest.steps, lambda size: records.read(tmp_path, size)):
        with pytest.raises(ValueError, match=f"^batch_size is {size}; expected 1 or more"):
            call(size)


def test_windows_that_are_not_finite_are_not_written(tmp_path):
    windows = random_windows()
    windows.x[5, 2] = np.inf
    with pytest.raises(ValueError, match=r"^Track \d{6} has windows with NaN or infinity"):
        records.write(windows, tmp_path)
    with pytest.raises(records.RecordsError, match="was interrupted"):
        records.load_manifest(tmp_path)


def test_a_track_that_fails_in_conversion_is_named(tmp_path):
    tracks = write_tracks(tmp_path / "sounds")
    tracks[3].path.write_bytes(b"not a sound")
    with pytest.raises(audio.AudioError, match=r"^Track 000003 \(Folk\) cannot be prepared"):
        records.convert(tracks, Pieces(), tmp_path / "records")


# ---------------------------------------------------------------- not read twice


def test_records_are_verified_once_for_each_state(tmp_path, monkeypatch):
    records.write(random_windows(), tmp_path, shards=2)
    for path in tmp_path.glob("*.tfrecord"):
        os.utime(path, (1e9, 1e9))
    calls = []
    real = shards.examined
    monkeypatch.setattr(records, "examined", lambda *of: calls.append(of) or real(*of))
    records.read(tmp_path, 4)
    records.read(tmp_path, 4)
    assert len(calls) == 1
    flipped(str(tmp_path / "windows-00000-of-00002.tfrecord"))
    with pytest.raises(records.RecordsError, match="is damaged"):
        records.read(tmp_path, 4)


# ---------------------------------------------------------------- where the time goes


def test_reading_is_five_times_faster_than_decoding(tmp_path):
    """Both ways give the same windows; the way from the files is MP3 to mel pictures."""
    music = pytest.importorskip("course_utils.features.music")
    tracks = write_tracks(tmp_path / "sounds", 10, 30, "mp3")
    front_end = music.MelImages(windows=1)
    folder = tmp_path / "records"
    records.convert(tracks, front_end, folder, shards=4)
    found = timing.measure(tracks, front_end, folder, passes=7)
    assert (found.tracks, found.windows) == (10, 10)
    assert list(found.per_track) == ["decode", "resample", "compute windows", "read records"]
    assert min(found.per_track.values()) > 0
    spent = sum(list(found.per_track.values())[:3])
    assert math.isclose(found.times_faster, spent / found.per_track["read records"])
    assert found.times_faster >= 5

    decoded = timing.decoded_every_epoch(tracks, front_end, 4)
    read = records.read(folder, 4, with_tracks=True)
    assert timing.epoch(decoded) >= 5 * min(timing.epoch(read) for _ in range(3))
    x, classes, numbers = arrays(read)
    rows = np.argsort(numbers)
    np.testing.assert_array_equal(arrays(decoded)[0], x[rows])
    np.testing.assert_array_equal(arrays(decoded)[1], classes[rows])


def test_decoding_every_epoch_shuffles_by_seed(tmp_path):
    tracks = write_tracks(tmp_path)

    def passes(seed):
        read = timing.decoded_every_epoch(tracks, Pieces(), 4, seed)
        return [arrays(read)[0].tobytes() for _ in range(2)]

    assert passes(1) == passes(1) != passes(2)
    assert len(set(passes(1))) == 2 and len(set(passes(None))) == 1


def test_timing_of_other_records(tmp_path):
    tracks = write_tracks(tmp_path / "sounds")
    records.convert(tracks, Pieces(), tmp_path / "records")
    few = replace(tracks, tracks=tracks.tracks[:2])
    for given, front_end in ((few, Pieces()), (tracks, Pieces(length=25))):
        with pytest.raises(
            records.RecordsError, match=r"windows of shape .* of 7 tracks; expected"
        ):
            timing.measure(given, front_end, tmp_path / "records")
    with pytest.raises(ValueError, match=r"^passes is 0; expected 1 or more"):
        timing.measure(tracks, Pieces(), tmp_path / "records", passes=0)
