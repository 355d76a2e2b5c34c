"""The shipped `fma_mini`: the archive is what its card and its script say."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile as sf

DATA = Path(__file__).resolve().parents[2] / "data"
ARCHIVE, CARD = DATA / "fma_mini.zip", DATA / "fma_mini.json"
GENRES = (
    "Electronic", "Experimental", "Folk", "Hip-Hop", "Instrumental", "International", "Pop", "Rock"
)  # fmt: skip


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_make_fma", DATA / "make_fma_mini.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def card() -> dict:
    return json.loads(CARD.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def entries() -> dict[str, bytes]:
    with zipfile.ZipFile(ARCHIVE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def sounds(entries) -> list[str]:
    return [name for name in entries if name.endswith(".mp3")]


@pytest.fixture(scope="module")
def table(entries) -> dict[int, dict[tuple[str, str], str]]:
    """Track number -> column -> value."""
    over, under, index, *rows = csv.reader(io.StringIO(entries["fma_metadata/tracks.csv"].decode()))
    assert index == ["track_id"] + [""] * (len(over) - 1) and over[0] == under[0] == ""
    columns = list(zip(over, under, strict=True))[1:]
    return {int(row[0]): dict(zip(columns, row[1:], strict=True)) for row in rows}


def test_checksum_and_size(card):
    content = ARCHIVE.read_bytes()
    assert card["archive"] == ARCHIVE.name and card["name"] == ARCHIVE.stem
    assert card["bytes"] == len(content) and 14_000_000 < len(content) < 16_500_000
    assert card["sha256"] == hashlib.sha256(content).hexdigest()


def test_card_names_its_makers_and_leaves_the_files_alone(card):
    assert card["url"] is None and card["licence"] == "CC0 1.0" and card["sound"] is None
    assert {"fluidsynth", "fluid-soundfont-gm", "lame", "mido", "numpy"} <= set(card["made_with"])
    assert card["made_by"] == "data/make_fma_mini.py"
    assert (DATA.parent / card["made_by"]).is_file()


def test_counts(card, sounds, table):
    counts = card["counts"]
    assert counts["tracks"] == len(sounds) == len(table)
    assert counts["artists"] == len(card["artists"])
    parts = Counter(row["set", "split"] for row in table.values())
    assert [parts[name] for name in ("training", "validation", "test")] == [
        counts[name] for name in ("training", "validation", "testing")
    ]
    assert counts["genres"] == len({row["track", "genre_top"] for row in table.values()})
    assert f"{counts['tracks']} clips" in card["description"]
    assert f"{counts['artists']} artists" in card["description"]


def test_the_layout_is_the_official_one(entries, sounds, table):
    assert sorted(sounds) == [f"fma_small/{n // 1000:03d}/{n:06d}.mp3" for n in sorted(table)]
    assert set(entries) - set(sounds) == {
        "LICENSE", "README.md", "fma_metadata/genres.csv", "fma_metadata/tracks.csv",
    }  # fmt: skip
    assert len({name.split("/")[1] for name in sounds}) > 50


def test_the_table_has_the_columns_of_the_real_one(entries, table):
    pandas = pytest.importorskip("pandas")
    wanted = {
        ("artist", "id"), ("artist", "name"), ("album", "id"), ("set", "split"), ("set", "subset"),
        ("track", "genre_top"), ("track", "genres"), ("track", "title"), ("track", "duration"),
        ("track", "bit_rate"), ("track", "license"),
    }  # fmt: skip
    # As FMA's own utils.py reads it.
    file = io.BytesIO(entries["fma_metadata/tracks.csv"])
    frame = pandas.read_csv(file, index_col=0, header=[0, 1])
    assert wanted <= set(frame.columns) and list(frame.index) == sorted(table)
    assert set(frame["set", "subset"]) == {"small"}
    assert frame["artist", "id"].dtype.kind == "i" and not frame.isna().any(axis=None)


def test_genres_have_the_numbers_of_the_real_table(entries, table):
    rows = list(csv.DictReader(io.StringIO(entries["fma_metadata/genres.csv"].decode())))
    assert list(rows[0]) == ["genre_id", "#tracks", "parent", "title", "top_level"]
    numbers = {row["title"]: row["genre_id"] for row in rows}
    assert numbers == dict(
        zip(GENRES, ["15", "38", "17", "21", "1235", "2", "10", "12"], strict=True)
    )
    counts = Counter(row["track", "genre_top"] for row in table.values())
    assert {row["title"]: int(row["#tracks"]) for row in rows} == counts
    for row in table.values():
        assert row["track", "genres"] == f"[{numbers[row['track', 'genre_top']]}]"


def test_no_artist_is_in_two_parts_or_genres(card, table):
    of = defaultdict(set)
    for row in table.values():
        of[row["artist", "id"]].add((row["set", "split"], row["track", "genre_top"]))
    assert all(len(found) == 1 for found in of.values())
    assert {n: (a["part"], a["genre"]) for n, a in card["artists"].items()} == {
        number: found for number, (found,) in of.items()
    }
    numbers = Counter(found for (found,) in of.values())
    assert numbers == {
        (part, genre): count
        for part, count in (("training", 9), ("validation", 2), ("test", 4))
        for genre in GENRES
    }
    assert {count for count in Counter(r["artist", "id"] for r in table.values()).values()} == {3}


def test_what_is_tested_was_heard_in_training(card):
    styles = defaultdict(set)
    for artist in card["artists"].values():
        styles[artist["part"]].add(artist["style"])
    assert styles["test"] | styles["validation"] <= styles["training"]


def test_files_have_the_form_that_the_script_drew(entries, script, table):
    for number, track in script.tracks().items():
        found = sf.info(io.BytesIO(entries[track.path]))
        rate, channels, kbit_per_s = track.form
        assert (found.samplerate, found.channels, found.format) == (rate, channels, "MP3")
        assert int(table[number]["track", "bit_rate"]) == 1000 * kbit_per_s
        # The encoder adds up to a few frames of 1152 samples.
        low, high = script.SECONDS
        assert low <= found.duration <= high + 0.2
        size = len(entries[track.path]) * 8 / 1000 / found.duration
        assert size == pytest.approx(kbit_per_s, rel=0.04)


def test_odd_forms_are_few_and_in_every_genre(script):
    odd = Counter(t.genre for t in script.tracks().values() if t.form != (22050, 1, 32))
    assert set(odd) == set(GENRES) and max(odd.values()) < 45 * 0.35
    assert {t.form for t in script.tracks().values()} == set(script.FORMS)


def test_sounds_are_neither_silent_nor_clipped(entries, sounds):
    odd = {}
    for name in sounds:
        samples, _ = sf.read(io.BytesIO(entries[name]), dtype="float64", always_2d=True)
        level, loudest = np.sqrt((samples**2).mean()), np.abs(samples).max()
        seconds = np.array_split(samples[:, 0], 10)
        silent = sum(np.abs(second).max() < 1e-3 for second in seconds)
        clipped = np.mean(np.abs(samples) > 0.999)  # the encoder overshoots a little
        if not (0.02 < level < 0.3 and loudest > 0.1 and silent <= 3 and clipped < 0.002):
            odd[name] = level, loudest, silent, clipped
    assert odd == {}


def test_the_script_of_today_gives_this_table_and_card(script, card, table, entries):
    text = entries["fma_metadata/tracks.csv"].decode()
    seconds = {number: float(row["track", "duration"]) for number, row in table.items()}
    assert script.tracks_table(seconds) == text
    assert script.genres_table() == entries["fma_metadata/genres.csv"].decode()
    counts = script.counted(card["counts"]["minutes"] * 60)
    assert counts == card["counts"]
    made = script.card(ARCHIVE, script.texts.DESCRIPTION.format(**counts), counts)
    made |= {key: card[key] for key in ("made_with", "difficulty")}
    assert json.loads(json.dumps(made)) == card
    assert card["description"] in entries["README.md"].decode()
    assert "MIT" in entries["LICENSE"].decode() and "CC0 1.0" in entries["LICENSE"].decode()


def test_measured_difficulty_is_as_promised(card):
    measured = card["difficulty"]
    models = measured["artists_never_heard"]
    best = models[measured["best"]]
    assert best["accuracy"] == max(model["accuracy"] for model in models.values())
    assert 0.6 <= best["accuracy"] <= 0.8 and best["n"] == card["counts"]["testing"]
    assert all(0.125 < share < 1 for share in best["per_genre"].values())
    for model in models:
        splits = measured["random_splits"][model]
        leak, apart = splits["over tracks"], splits["over artists"]
        # The standard error of a mean over 20 splits is below two points.
        assert leak["mean"] - apart["mean"] > 0.1
    assert max(measured["cheap_cues"].values()) <= 0.35


def test_zip_is_reproducible_by_construction(entries, tmp_path, script):
    with zipfile.ZipFile(ARCHIVE) as archive:
        infos = archive.infolist()
    assert [i.filename for i in infos] == sorted(i.filename for i in infos)
    assert {i.date_time for i in infos} == {(2020, 1, 1, 0, 0, 0)}
    script.packing.write_zip(tmp_path / ARCHIVE.name, entries)
    assert (tmp_path / ARCHIVE.name).read_bytes() == ARCHIVE.read_bytes()


def remade(script: ModuleType, card: dict, numbers: list[int], processes: int) -> dict[str, bytes]:
    """Some tracks, made again; a skip with its reason where nothing can be told."""
    if missing := script.soundfont.missing_packages(script.PACKAGES):
        pytest.skip(f"Debian packages are missing: {', '.join(missing)}")
    now = script.made_with()
    if now != card["made_with"]:
        pytest.skip(f"other versions than the archive was made with: {now}")
    with ProcessPoolExecutor(processes) as pool:
        made = list(pool.map(script.make_track, numbers))
    return {script.tracks()[n].path: data for n, (data, _) in zip(numbers, made, strict=True)}


def test_remaking_a_track_gives_the_same_bytes(script, card, entries):
    for path, data in remade(script, card, [max(script.tracks())], 1).items():
        assert data == entries[path]


@pytest.mark.long
@pytest.mark.slow
def test_remaking_tracks_of_all_forms_gives_the_same_bytes(script, card, entries):
    first = {track.form: number for number, track in script.tracks().items()}
    numbers = [*first.values(), *list(script.tracks())[::30]]
    made = remade(script, card, numbers, 2)
    assert len(made) > 10 and made == {path: entries[path] for path in made}


def test_missing_packages_are_one_sentence(script, monkeypatch, tmp_path):
    found = shutil.which
    monkeypatch.setattr(shutil, "which", lambda p: None if p == "lame" else found(p))
    with pytest.raises(script.soundfont.SynthesisError, match=r"apt-get install.*lame") as error:
        script.make_archive(tmp_path / "made.zip")
    assert str(error.value).count(". ") == 0 and str(error.value).endswith(".")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_encoder_is_one_sentence(script, monkeypatch):
    failed = subprocess.CompletedProcess([], 2, b"", b"bad bit rate")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(script.soundfont.SynthesisError, match=r"exit status 2: bad bit rate\.$"):
        script.encoded(np.zeros((100, 1), np.float32), 22050, 32)


def test_an_unknown_track_is_refused(script, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(script.soundfont, "require_packages", lambda packages: None)
    out = tmp_path / "one.zip"
    monkeypatch.setattr(sys, "argv", ["make", "--track", "7", "--output", str(out)])
    with pytest.raises(SystemExit):
        script.main()
    assert re.search(r"no track 7; choose one", capsys.readouterr().err) and not out.exists()
