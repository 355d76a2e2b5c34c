"""The shipped `librispeech_mini`: the archive is what its card and its script say."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import re
import shutil
import sys
import zipfile
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
import soundfile as sf

DATA = Path(__file__).resolve().parents[2] / "data"
ARCHIVE, CARD = DATA / "librispeech_mini.zip", DATA / "librispeech_mini.json"
PARTS = ("train-clean-mini", "dev-clean-mini", "test-clean-mini")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "_make_librispeech", DATA / f"make_{CARD.stem}.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def grammar(script) -> ModuleType:
    return importlib.import_module("synthesis.sentences")


@pytest.fixture(scope="module")
def card() -> dict:
    return json.loads(CARD.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def entries() -> dict[str, bytes]:
    with zipfile.ZipFile(ARCHIVE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def sounds(entries) -> list[str]:
    return [name for name in entries if name.endswith(".opus")]


class Line(NamedTuple):
    """What one line of a transcript says, and in which part."""

    part: str
    text: str


@pytest.fixture(scope="module")
def lines(entries) -> dict[str, Line]:
    """By utterance."""
    found = {}
    for name in entries:
        if name.endswith(".trans.txt"):
            for row in entries[name].decode("ascii").splitlines():
                utterance, text = row.split(" ", 1)
                assert utterance.startswith(Path(name).name.removesuffix(".trans.txt") + "-")
                assert utterance not in found
                found[utterance] = Line(name.split("/")[0], text)
    return found


@pytest.fixture(scope="module")
def written(entries, script) -> list[str]:
    """Sentences that nobody reads."""
    return entries[script.TEXT_FILE].decode("ascii").splitlines()


class Sound(NamedTuple):
    """What is measured of a recording."""

    form: tuple[int, int]
    seconds: float
    loudest: float
    level: float
    at_the_end: int  # samples that have no room left


@pytest.fixture(scope="module")
def heard(entries, sounds) -> dict[str, Sound]:
    found = {}
    for name in sounds:
        samples, rate = sf.read(io.BytesIO(entries[name]), dtype="float64", always_2d=True)
        sizes = np.abs(samples)
        found[name] = Sound(
            (rate, samples.shape[1]),
            len(samples) / rate,
            sizes.max(),
            np.sqrt(np.mean(samples**2)),
            np.count_nonzero(sizes > 0.999),
        )
    return found


def words(texts) -> set[str]:
    return {word for text in texts for word in text.split()}


def test_checksum_and_size(card):
    content = ARCHIVE.read_bytes()
    assert card["archive"] == ARCHIVE.name and card["name"] == ARCHIVE.stem
    assert card["bytes"] == len(content) <= 10_000_000
    assert card["sha256"] == hashlib.sha256(content).hexdigest()


def test_card_has_no_url_and_names_its_makers(card):
    assert card["url"] is None and card["licence"] == "CC0 1.0"
    assert {"espeak-ng", "espeak-ng-data", "numpy", "soundfile"} <= set(card["made_with"])
    assert card["made_by"] == "data/make_librispeech_mini.py"
    assert (DATA.parent / card["made_by"]).is_file()


def test_counts(card, sounds, lines, heard):
    counts = card["counts"]
    assert counts["utterances"] == len(sounds) == len(lines)
    assert counts["speakers"] == len(card["speakers"]) == len({n.split("/")[1] for n in sounds})
    assert counts["words"] == len(words(line.text for line in lines.values()))
    parts = Counter(name.split("/")[0] for name in sounds)
    assert parts == {part: counts[part] for part in PARTS}
    minutes = sum(sound.seconds for sound in heard.values()) / 60
    assert counts["minutes"] == pytest.approx(minutes, abs=0.051)
    for number in (counts["utterances"], counts["speakers"], counts["words"], round(minutes)):
        assert f"{number} " in card["description"]


def test_there_are_enough_voices_and_words(card):
    assert card["counts"]["speakers"] >= 20 and card["counts"]["words"] >= 150


def test_the_layout_is_the_official_one(entries, sounds):
    layout = re.compile(r"([a-z-]+)/(\d+)/(\d+)/\2-\3(-\d{4}\.opus|\.trans\.txt)")
    places = [layout.fullmatch(name) for name in entries if "/" in name]
    assert all(places) and {place[1] for place in places} == set(PARTS)
    # As in the original, a chapter has one speaker, and a speaker is in one part.
    for owner, owned in ((1, 2), (2, 3)):
        assert len({(p[owner], p[owned]) for p in places}) == len({p[owned] for p in places})
    assert {name for name in entries if "/" not in name} == {
        "LICENSE", "README.md", "SPEAKERS.TXT", "librispeech-lm-norm.txt",
    }  # fmt: skip
    numbers = defaultdict(list)
    for name in sorted(sounds):
        numbers[Path(name).parent].append(int(Path(name).stem[-4:]))
    assert all(found == list(range(len(found))) for found in numbers.values())


def test_every_utterance_has_its_line_and_the_reverse(sounds, lines):
    there = {Path(name).stem: name.split("/")[0] for name in sounds}
    assert there == {utterance: line.part for utterance, line in lines.items()}


def test_texts_are_words_in_capitals(lines, written):
    for text in [line.text for line in lines.values()] + written:
        assert re.fullmatch(r"[A-Z']+( [A-Z']+)*", text), text


def test_parts_share_no_voice(card, lines):
    family_in = defaultdict(set)
    for number, speaker in card["speakers"].items():
        assert {line.part for name, line in lines.items() if name.startswith(number)} == {
            speaker["part"]
        }
        # Gene and Gene2 are relatives; f1 and f2 are not.
        family_in[re.sub(r"(?<=\w\w)\d+$", "", speaker["voice"])].add(speaker["part"])
    assert all(len(parts) == 1 for parts in family_in.values())
    assert len({speaker["voice"] for speaker in card["speakers"].values()}) == len(card["speakers"])
    klatt = {"espeak-ng klatt", "espeak-ng caleb"} & family_in.keys()
    assert {part for family in klatt for part in family_in[family]} <= {"train-clean-mini"}


def test_no_sentence_is_there_twice(lines, written):
    texts = [line.text for line in lines.values()] + written
    assert [text for text, count in Counter(texts).items() if count > 1] == []
    assert len(written) >= 1000


def test_every_word_to_recognise_is_heard_in_training(lines):
    heard = {part: words(n.text for n in lines.values() if n.part == part) for part in PARTS}
    assert (heard["dev-clean-mini"] | heard["test-clean-mini"]) - heard["train-clean-mini"] == set()


def test_sounds_are_short_and_neither_clipped_nor_silent(heard):
    assert {sound.form for sound in heard.values()} == {(16_000, 1)}
    odd = {
        name: sound
        for name, sound in heard.items()
        if not 0.7 <= sound.seconds <= 6
        or not (sound.loudest > 0.05 and 0.01 < sound.level < 0.3)
        or sound.at_the_end > 5  # the codec overshoots where the loudest sample was 0.99
    }
    assert odd == {}


def test_the_table_of_speakers_agrees(entries, card, heard):
    head, *rows = entries["SPEAKERS.TXT"].decode("ascii").splitlines()
    assert head.startswith(";ID") and [field.strip() for field in head.split("|")][2] == "SUBSET"
    found = {}
    for row in rows:
        number, sex, part, minutes, name = (field.strip() for field in row.split("|"))
        found[number] = {
            "part": part,
            **dict(zip(("voice", "accent"), name.split(", "), strict=True)),
        }
        seconds = sum(s.seconds for n, s in heard.items() if n.split("/")[1] == number)
        assert float(minutes) == pytest.approx(seconds / 60, abs=0.0051) and sex == "-"
    assert found == card["speakers"]


def test_the_script_of_today_gives_these_readers_and_texts(script, card, lines, written, entries):
    readers = script.readers()
    assert {str(n): r.folder for n, r in readers.items()} == {
        number: speaker["part"] for number, speaker in card["speakers"].items()
    }
    said = {
        f"{reader.chapter}-{place:04d}": text.upper()
        for reader in readers.values()
        for place, text in enumerate(reader.sentences)
    }
    assert said == {utterance: line.text for utterance, line in lines.items()}
    assert written == [text.upper() for text in script._texts()[len(said) :]]
    counts = script.counted(card["counts"]["minutes"] * 60)
    assert counts == card["counts"]
    described = script.card(ARCHIVE, script.DESCRIPTION.format(**counts), counts)
    described["made_with"] = card["made_with"]
    assert json.loads(json.dumps(described)) == card
    readme = entries["README.md"].decode()
    assert card["description"] in readme and f"{len(written)} sentences" in readme


def test_zip_is_reproducible_by_construction(entries, tmp_path, script):
    with zipfile.ZipFile(ARCHIVE) as archive:
        infos = archive.infolist()
    assert [i.filename for i in infos] == sorted(i.filename for i in infos)
    assert {i.date_time for i in infos} == {(2020, 1, 1, 0, 0, 0)}
    # With the tests of remaking: what `make data` does, without making every sound in every run.
    script.packing.write_zip(tmp_path / ARCHIVE.name, entries)
    assert (tmp_path / ARCHIVE.name).read_bytes() == ARCHIVE.read_bytes()


def remade(script: ModuleType, card: dict, numbers: list[int]) -> list[dict[str, bytes]]:
    """All files of some readers, made again; a skip with its reason where nothing can be told."""
    missing = script.voices.missing_packages()
    if missing:
        pytest.skip(f"synthesisers are missing: {', '.join(missing)}")
    now = script.papers.made_with()
    if now != card["made_with"]:
        pytest.skip(f"other versions than the archive was made with: {now}")
    with ProcessPoolExecutor(2) as pool:
        return [files for files, _ in pool.map(script.make_reader, numbers)]


def test_remaking_one_speaker_gives_the_same_bytes(script, card, entries):
    last = max(script.readers())
    (made,) = remade(script, card, [last])
    assert made == {n: d for n, d in entries.items() if n.split("/")[1:2] == [str(last)]}
    assert len(made) > 2


@pytest.mark.long
@pytest.mark.slow
def test_remaking_every_eighth_speaker_gives_the_same_bytes(script, card, entries):
    numbers = list(script.readers())[::8]
    for number, made in zip(numbers, remade(script, card, numbers), strict=True):
        assert made == {n: d for n, d in entries.items() if n.split("/")[1:2] == [str(number)]}


def test_missing_synthesiser_is_one_sentence(script, monkeypatch, tmp_path):
    found = shutil.which
    monkeypatch.setattr(shutil, "which", lambda p: None if p == "espeak-ng" else found(p))
    with pytest.raises(script.voices.SynthesisError, match=r"apt-get install.*espeak-ng") as error:
        script.make_archive(tmp_path / "made.zip")
    assert str(error.value).count(". ") == 0 and str(error.value).endswith(".")
    assert list(tmp_path.iterdir()) == []


def test_sentences_are_as_many_as_asked_for_all_different_and_short(grammar):
    texts = grammar.sentences(500, np.random.default_rng(0))
    assert len(texts) == len(set(texts)) == 500
    assert max(map(len, texts)) <= grammar.LONGEST
    assert all(re.fullmatch(r"[a-z']+( [a-z']+)*", text) for text in texts)


def test_sentences_follow_from_the_generator_alone(grammar):
    first, again, more, other = (
        grammar.sentences(count, np.random.default_rng(seed))
        for count, seed in ((50, 3), (50, 3), (80, 3), (50, 4))
    )
    assert first == again == more[:50] and first != other


def test_sentences_that_are_taken_are_left_out(grammar):
    taken = set(grammar.sentences(200, np.random.default_rng(0)))
    others = grammar.sentences(200, np.random.default_rng(0), without=taken)
    assert len(others) == 200 and not taken & set(others)


@pytest.fixture(scope="module")
def many(grammar) -> list[str]:
    return grammar.sentences(6000, np.random.default_rng(1))


def test_what_is_done_goes_with_what_it_is_done_to(grammar, many):
    wrong = []
    for text in many:
        for verb, ends in (grammar.DEEDS | grammar.MOVES).items():
            _, found, after = f" {text} ".partition(f" {verb} ")
            if found and not after.startswith(tuple(f"{end} " for end in ends)):
                wrong.append(text)
    assert wrong == []


def test_articles_and_owners_are_right(grammar, many):
    family, others = grammar.PEOPLE[:4], grammar.PEOPLE[4:]
    never = (
        r"\ba [aeiou]", r"\ban [^aeiou]", r"\b(\w+) \1\b",
        rf"\b(my|her|his|our) ({'|'.join(others)})\b", rf"\bthe ({'|'.join(family)})\b",
        rf"\b(the|my|her|his|our) ({'|'.join(grammar.NAMES)})\b",
        rf"\b({'|'.join(grammar.NUMBERS)}) (man|woman|child|boat|ship|bird|tree|horse)\b",
    )  # fmt: skip
    assert [text for text in many if any(re.search(each, text) for each in never)] == []


def test_nobody_meets_himself(grammar, many):
    for text in many:
        met = Counter(text.split())
        assert all(met[each] < 2 for each in grammar.PEOPLE + grammar.NAMES + grammar.ANIMALS), text


def test_every_entry_of_the_tables_is_used(grammar):
    tables = [grammar.PEOPLE, grammar.NAMES, grammar.ANIMALS, grammar.TIMES, grammar.NUMBERS,
              grammar.WEATHER, grammar.FEELINGS, grammar.LOOKS, grammar.ANIMAL_DEEDS]  # fmt: skip
    tables += [
        [f"{start} {end}" for end in ends]
        for table in (grammar.DEEDS, grammar.PLACES, grammar.MOVES)
        for start, ends in table.items()
    ]
    # Without the limit of length: what is long itself seldom stays below it.
    rng = np.random.default_rng(2)
    spaced = " " + " | ".join(grammar.sentence(rng) for _ in range(6000)) + " "
    assert [each for table in tables for each in table if f" {each} " not in spaced] == []
