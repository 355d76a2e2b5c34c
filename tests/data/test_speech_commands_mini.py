"""The shipped `speech_commands_mini`: the archive is what its card and its script say."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import shutil
import sys
import zipfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile as sf

from course_utils.datasets.speech_commands import partition

DATA = Path(__file__).resolve().parents[2] / "data"
ARCHIVE, CARD = DATA / "speech_commands_mini.zip", DATA / "speech_commands_mini.json"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_make_mini", DATA / f"make_{CARD.stem}.py")
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
def clips(entries) -> list[str]:
    return [n for n in entries if n.endswith(".opus") and not n.startswith("_")]


def speaker_of(name: str) -> str:
    return name.split("/")[1].split("_")[0]


def listed(entries: dict[str, bytes], part: str) -> list[str]:
    return entries[f"{part}_list.txt"].decode().split()


def speaker_with(script: ModuleType, engine: str) -> str:
    return next(i for i, s in script.all_speakers().items() if s.engine == engine)


def test_checksum_and_size(card):
    content = ARCHIVE.read_bytes()
    assert card["archive"] == ARCHIVE.name
    assert card["bytes"] == len(content) <= 10_000_000
    assert card["sha256"] == hashlib.sha256(content).hexdigest()


def test_card_has_no_url_and_names_its_makers(card):
    assert card["url"] is None
    assert {"espeak-ng", "flite", "festival", "numpy", "soundfile"} <= set(card["made_with"])
    assert card["made_by"] == "data/make_speech_commands_mini.py"


def test_counts(card, entries, clips):
    counts = card["counts"]
    assert counts["clips"] == len(clips)
    assert card["clips_per_word"] == Counter(name.split("/")[0] for name in clips)
    assert counts["words"] == len(card["clips_per_word"])
    assert counts["speakers"] == len(card["speakers"]) == len({speaker_of(n) for n in clips})
    assert counts["backgrounds"] == sum(n.startswith("_background_noise_/") for n in entries)
    for part in ("validation", "testing"):
        assert counts[part] == len(listed(entries, part))
    assert sum(counts[p] for p in ("training", "validation", "testing")) == len(clips)


def test_lists_name_existing_clips_once(entries, clips):
    names = listed(entries, "validation") + listed(entries, "testing")
    assert len(names) == len(set(names))
    assert {n.removesuffix(".wav") for n in names} <= {n.removesuffix(".opus") for n in clips}


def test_parts_share_no_speaker_and_no_voice(card, entries, clips):
    part_of = {n: p for p in ("validation", "testing") for n in listed(entries, p)}
    for name in clips:
        part = part_of.get(name.replace(".opus", ".wav"), "training")
        assert card["speakers"][speaker_of(name)]["part"] == part
    voices = {(s["engine"], s["voice"], s["part"]) for s in card["speakers"].values()}
    assert len(voices) == len({voice[:2] for voice in voices})


def test_each_part_has_several_engines(card):
    engines = {(s["part"], s["engine"]) for s in card["speakers"].values()}
    assert all(n >= 2 for n in Counter(part for part, _ in engines).values())


def test_the_real_hash_gives_the_same_parts(card):
    for speaker_id, speaker in card["speakers"].items():
        assert partition(f"{speaker_id}_nohash_0.wav") == speaker["part"]


def test_every_speaker_says_every_word(card, clips, script):
    said = Counter((speaker_of(n), n.split("/")[0]) for n in clips)
    wanted = {
        (i, w): script.takes(w, s["part"])
        for i, s in card["speakers"].items()
        for w in script.WORDS
    }
    assert said == wanted


def test_clips_decode_and_are_heard(entries, clips):
    quiet, shorter = [], 0
    for name in clips:
        samples, rate = sf.read(io.BytesIO(entries[name]), dtype="float64")
        assert rate == 16000 and samples.ndim == 1 and samples.size <= 16000, name
        shorter += samples.size < 16000
        if np.sqrt(np.mean(samples**2)) < 1e-3 or np.std(samples) == 0:
            quiet.append(name)
    assert not quiet
    assert 0 < shorter < 0.1 * len(clips)


def test_backgrounds_are_long_enough(entries):
    names = [n for n in entries if n.startswith("_background_noise_/")]
    assert len(names) >= 6
    for name in names:
        samples, rate = sf.read(io.BytesIO(entries[name]), dtype="float64")
        assert rate == 16000 and 30 <= samples.size / rate <= 60, name
        assert 0.01 < np.sqrt(np.mean(samples**2)) < 0.3, name


def test_zip_is_reproducible_by_construction():
    with zipfile.ZipFile(ARCHIVE) as archive:
        infos = archive.infolist()
    assert [i.filename for i in infos] == sorted(i.filename for i in infos)
    assert {i.compress_type for i in infos} == {zipfile.ZIP_STORED}
    assert {i.date_time for i in infos} == {(2020, 1, 1, 0, 0, 0)}
    assert {i.external_attr for i in infos} == {0o100644 << 16}


def test_opus_is_the_same_twice_and_keeps_the_length(script):
    rng = np.random.default_rng(0)
    for length in (11001, 15999, 16000):
        samples = rng.integers(-3000, 3000, length).astype(np.int16)
        first = script.packing.encode_opus(samples, 13)
        assert first == script.packing.encode_opus(samples, 13)
        assert len(sf.read(io.BytesIO(first))[0]) == length


@pytest.mark.parametrize("engine", ["espeak-ng", "flite", "festival"])
def test_remaking_one_speaker_gives_the_same_bytes(engine, script, card, entries):
    missing = script.voices.missing_packages()
    if missing:
        pytest.skip(f"synthesisers are missing: {', '.join(missing)}")
    now = script.made_with()
    if now != card["made_with"]:
        pytest.skip(f"other versions than the archive was made with: {now}")
    speaker_id = speaker_with(script, engine)
    made = script.make_speaker(speaker_id)
    assert made == {n: d for n, d in entries.items() if n in made}
    if engine == "espeak-ng":
        assert made == script.make_speaker(speaker_id)


def test_missing_synthesiser_is_one_sentence(script, monkeypatch):
    found = shutil.which
    monkeypatch.setattr(shutil, "which", lambda p: None if p == "flite" else found(p))
    with pytest.raises(script.voices.SynthesisError, match=r"apt-get install.*flite") as error:
        script.voices.require_packages()
    assert str(error.value).count(". ") == 0


def test_unknown_voice_is_an_error(script):
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is missing")
    with pytest.raises(script.voices.SynthesisError):
        script.voices.espeak("yes", "no-such-voice", rate=160, pitch=50, pitch_range=50)


@pytest.mark.long
@pytest.mark.slow
def test_remaking_every_sixth_speaker_and_the_noises_gives_the_same_bytes(script, card, entries):
    missing = script.voices.missing_packages()
    if missing or script.made_with() != card["made_with"]:
        pytest.skip(f"synthesisers are missing or of other versions: {missing}")
    jobs = [("speaker", name) for name in list(script.all_speakers())[::6]]
    jobs += [("background", name) for name in script.noises.BACKGROUNDS]
    with ProcessPoolExecutor(2) as pool:
        for made in pool.map(script._make, jobs):
            assert made == {name: entries[name] for name in made}


def test_packing_the_same_files_gives_the_same_archive(script, entries, tmp_path):
    # With the test above: what `make data` does, without making every clip in every run.
    sounds = sorted(name for name in entries if name.endswith(".opus"))
    assert script.lists(sounds).items() <= entries.items()
    script.packing.write_zip(tmp_path / ARCHIVE.name, entries)
    assert (tmp_path / ARCHIVE.name).read_bytes() == ARCHIVE.read_bytes()
