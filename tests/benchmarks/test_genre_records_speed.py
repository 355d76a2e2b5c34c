"""An epoch of mel pictures from MP3 files, and from TFRecord files. `make benchmark`.

The lesson asks that reading is at least five times faster; both ways give the same windows.
"""

import os

import numpy as np
import pytest
import soundfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
pytest.importorskip("tensorflow")

from course_utils.datasets.genres import GENRES, Track, Tracks, records, shards, timing
from course_utils.features.music import MelImages, RawWindows

CLIPS, SECONDS, RATE, BATCH = 24, 30, 44_100, 32
FORMS = {"mel image": MelImages(), "raw window": RawWindows()}
GROUP = f"an epoch of {CLIPS} clips of {SECONDS} s, "


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    """Tones in noise as MP3, at the length of FMA's clips."""
    folder, time = tmp_path_factory.mktemp("sounds"), np.arange(RATE * SECONDS) / RATE
    made = []
    for number in range(CLIPS):
        noise = np.random.default_rng(number).normal(0, 0.05, (len(time), 2))
        path = folder / f"{number:06}.mp3"
        tone = 0.3 * np.sin(2 * np.pi * (110 + 20 * number) * time)
        soundfile.write(path, tone[:, None] + noise, RATE)
        made.append(Track(path.stem, path, GENRES[number % 8], str(number), "training"))
    return Tracks("benchmark", GENRES, tuple(made))


@pytest.fixture(scope="module", params=FORMS)
def form(request, tracks, tmp_path_factory):
    """A front end, and its records."""
    folder = tmp_path_factory.mktemp("records")
    records.convert(tracks, FORMS[request.param], folder)
    return FORMS[request.param], folder


def test_decoding_every_epoch(benchmark, tracks, form):
    benchmark.group = GROUP + form[0].settings["kind"]
    batches = timing.decoded_every_epoch(tracks, form[0], BATCH)
    benchmark.pedantic(lambda: timing.epoch(batches), rounds=2)


def test_reading_records(benchmark, form):
    benchmark.group = GROUP + form[0].settings["kind"]
    batches = records.read(form[1], BATCH, shuffle_seed=0)
    benchmark.pedantic(lambda: timing.epoch(batches), rounds=10, warmup_rounds=1)


def test_verifying_records(benchmark, form):
    benchmark.group = GROUP + form[0].settings["kind"]
    names = [shard.name for shard in records.load_manifest(form[1]).shards]
    found = benchmark.pedantic(lambda: shards.examined(str(form[1]), names), rounds=3)
    assert sum(count for count, _ in found) == 3 * CLIPS


def test_where_the_time_goes(benchmark, tracks, form):
    benchmark.group = GROUP + form[0].settings["kind"]
    found = benchmark.pedantic(lambda: timing.measure(tracks, *form, BATCH, passes=9), rounds=1)
    parts = {f"{part}, ms/clip": round(1000 * s, 2) for part, s in found.per_track.items()}
    benchmark.extra_info.update(parts)
    print(parts, f"{found.times_faster:.1f} times faster")
    assert found.times_faster >= 5
