"""The script that measures how hard the shipped music is."""

from __future__ import annotations

import importlib.util
import io
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile as sf

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    pytest.importorskip("librosa")
    spec = importlib.util.spec_from_file_location(
        "_measure_genres", DATA / "measure_genre_difficulty.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made_up(script):
    """Features that know the artist well and the genre a little; cues that know nothing."""
    rng = np.random.default_rng(0)
    artists = np.repeat(np.arange(60), 3)
    genres = np.array(["Folk", "Pop", "Rock", "Jazz"])[artists % 4]
    parts = np.where(artists < 44, "training", "test")
    means = rng.normal(0, 1, (60, 12))
    means[:, 0] += 0.8 * (np.arange(60) % 4)
    features = means[artists] + rng.normal(0, 0.2, (180, 12))
    cues = rng.normal(0, 1, (180, len(script.CUES)))
    return script.Tracks(features, cues, genres, artists.astype(str), parts)


def test_a_leak_of_artists_is_seen(script, made_up):
    leak, apart = (
        script.repeated(made_up, script.MODELS["support vector machine"], made_up.features, kind)
        for kind in (True, False)
    )
    assert len(leak) == len(apart) == script.REPEATS
    assert leak.mean() > apart.mean() + 0.2


def test_models_are_scored_on_the_official_test_part(script, made_up):
    results = script.unheard(made_up)
    assert set(results) == set(script.MODELS)
    for found in results.values():
        low, high = found["interval_95"]
        assert found["n"] == 48 and low < found["accuracy"] < high
        assert set(found["per_genre"]) == {"Folk", "Pop", "Rock", "Jazz"}
        assert np.mean([*found["per_genre"].values()]) == pytest.approx(found["accuracy"], abs=0.01)


def test_cues_without_meaning_are_at_chance(script, made_up):
    shares = script.cue_accuracies(made_up)
    assert list(shares) == list(script.CUES)
    assert 0.1 < np.mean([*shares.values()]) < 0.4


def test_an_archive_is_measured(script, tmp_path):
    table = (
        ",artist,set,track,track\n,id,split,bit_rate,genre_top\ntrack_id,,,,\n"
        "1001,7,training,32000,Pop\n1002,8,test,48000,Rock\n"
    )
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "small.zip", "w") as archive:
        archive.writestr("fma_metadata/tracks.csv", table)
        for number, rate, channels in ((1001, 22050, 1), (1002, 44100, 2)):
            sound = io.BytesIO()
            samples = 0.1 * rng.standard_normal((2 * rate, channels))
            sf.write(sound, samples, rate, format="MP3")
            archive.writestr(f"fma_small/001/{number:06d}.mp3", sound.getvalue())
    tracks = script.load(tmp_path / "small.zip", processes=1)
    assert tracks.genres.tolist() == ["Pop", "Rock"] and tracks.artists.tolist() == ["7", "8"]
    assert tracks.features.shape[0] == 2 and np.isfinite(tracks.features).all()
    cues = [dict(zip(script.CUES, row, strict=True)) for row in tracks.cues]
    assert [c["sample rate"] for c in cues] == [22050, 44100]
    assert [c["bit rate"] for c in cues] == [32000, 48000] and cues[1]["channels"] == 2
    assert np.exp(cues[0]["loudness"]) == pytest.approx(0.1, rel=0.1)
    assert cues[0]["seconds"] == pytest.approx(2, abs=0.15)


def test_an_interval_holds_its_share(script):
    low, high = script.interval(0.7, 100)
    assert 0.59 < low < 0.7 < high < 0.8
