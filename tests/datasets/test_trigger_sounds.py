"""What scenes are made of: a learner's recordings, or a word of Speech Commands."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from small_scenes import RATE, clip, noise, sounds, tone
from small_sounds import write, write_set

from course_utils import audio
from course_utils.datasets.speech_commands import PARTS, SpeechCommands
from course_utils.datasets.trigger_word import FOLDERS, Sounds, from_folder, from_speech_commands
from course_utils.datasets.trigger_word import sounds as module
from course_utils.features.activity import active_span

SPEAKERS = [f"s{number:02d}" for number in range(30)]


def raw_data(folder, triggers=("a.wav",), negatives=("b.wav",), backgrounds=("c.wav",)):
    """A folder of recordings as the source has it: half a second of tone in silence, and noise."""
    silence = np.zeros(RATE // 4, np.float32)
    for name, files in zip(FOLDERS, (triggers, negatives, backgrounds), strict=True):
        for seed, file in enumerate(files):
            word = np.concatenate([silence, tone(0.5, 700 + 100 * seed), silence])
            write(folder / name / file, noise(3, seed) if name == "backgrounds" else word, RATE)
    return folder


def refused(error=ValueError, *words):
    """The sentence of an error has to hold these words, an expectation and what to do."""
    expected = ".*".join(f"(?=.*{word})" for word in (*words, "; expected ", r"; [a-z ]+.*\.$"))
    return pytest.raises(error, match=rf"^(?s:{expected})")


# ---------------------------------------------------------------- a folder


def test_the_folders_of_the_source(tmp_path):
    raw_data(tmp_path, ["2.wav", "1.wav"], ["x.wav"], ["room.wav", "street.wav"])
    found = from_folder(str(tmp_path))
    assert [len(part) for part in (found.triggers, found.negatives, found.backgrounds)] == [2, 1, 2]
    assert found.sample_rate == RATE
    assert {each.text for each in found.triggers} == {"activates"}
    assert {each.text for each in found.negatives} == {"negatives"}
    for each in (*found.triggers, *found.negatives):
        # Cut to the tone: the silence around it is gone but for a moment of 30 ms.
        assert 0.5 <= len(each.samples) / RATE <= 0.56
        assert each.samples.dtype == np.float32 and each.speaker == ""
        assert each.rms == pytest.approx(np.sqrt(np.mean(each.samples.astype(float) ** 2)))
    np.testing.assert_allclose(found.backgrounds[0], noise(3, 0), atol=1 / 32768)
    assert str(found) == ("2 trigger words, 1 other words, 1 speakers, 0.1 minutes of background")


def test_in_the_order_of_the_names(tmp_path):
    raw_data(tmp_path, ["2.wav", "1.wav", "10.wav"])
    found = [np.abs(np.fft.rfft(c.samples, RATE)).argmax() for c in from_folder(tmp_path).triggers]
    assert found == [800, 900, 700]  # 1, 10, 2


@pytest.mark.parametrize(
    "name, subtype", [("a.wav", "PCM_24"), ("a.wav", "FLOAT"), ("a.flac", "PCM_16"),
                      ("a.WAV", "PCM_U8"), ("a.ogg", "VORBIS"), ("a.mp3", "MPEG_LAYER_III")]
)  # fmt: skip
def test_files_of_every_kind(tmp_path, name, subtype):
    """Stereo, of 44.1 kHz and in any encoding; what matters is the sound."""
    raw_data(tmp_path, negatives=())
    word = np.concatenate([np.zeros(8820), tone(0.4, 500, 0.5, 44100), np.zeros(8820)])
    path = tmp_path / "negatives" / name
    path.parent.mkdir()
    soundfile.write(path, np.column_stack([word, word / 2]), 44100, subtype=subtype)
    (found,) = from_folder(tmp_path).negatives
    assert 0.4 <= len(found.samples) / RATE < 0.47
    assert np.abs(np.fft.rfft(found.samples, RATE)).argmax() == 500
    assert np.abs(found.samples[400:-400]).max() == pytest.approx(0.375, rel=0.05)


@pytest.mark.parametrize("seconds", [0.02, 0.2, 1, 5])
def test_recordings_of_any_length(tmp_path, seconds):
    raw_data(tmp_path, ["a.wav"])
    write(tmp_path / "activates" / "z.wav", tone(seconds), RATE)
    assert len(from_folder(tmp_path).triggers[-1].samples) == round(seconds * RATE)


@pytest.mark.parametrize("rate", [4000, 16000])
def test_all_come_at_the_rate_asked_for(tmp_path, rate):
    found = from_folder(raw_data(tmp_path), sample_rate=rate)
    assert found.sample_rate == rate and len(found.backgrounds[0]) == 3 * rate
    for each in (*found.triggers, *found.negatives):
        assert 0.5 <= len(each.samples) / rate <= 0.57
        assert np.abs(np.fft.rfft(each.samples, rate)).argmax() == 700


def test_by_default_at_the_rate_of_the_first_trigger(tmp_path):
    raw_data(tmp_path, ["b.wav"])
    write(tmp_path / "activates" / "a.wav", tone(0.5, rate=16000), 16000)
    found = from_folder(tmp_path)
    assert found.sample_rate == 16000 and len(found.backgrounds[0]) == 48000


def test_a_speaker_is_read_from_the_name(tmp_path):
    raw_data(tmp_path, ["anna_nohash_0.wav", "anna_nohash_12.wav", "hello_1.wav"])
    assert [each.speaker for each in from_folder(tmp_path).triggers] == ["anna", "anna", ""]


def test_other_files_are_no_recordings(tmp_path):
    raw_data(tmp_path)
    for name in FOLDERS:
        (tmp_path / name / "notes.txt").write_text("see you")
    assert len(from_folder(tmp_path).triggers) == 1


def test_words_that_are_no_trigger_are_not_needed(tmp_path):
    assert from_folder(raw_data(tmp_path, negatives=())).negatives == ()


@pytest.mark.parametrize("name", ["activates", "backgrounds"])
def test_a_folder_with_nothing_in_it(tmp_path, name):
    raw_data(tmp_path, **{{"activates": "triggers"}.get(name, name): ()})
    with refused(ValueError, f"There are no sound files in .*{name}", r"\.wav, \.flac", "record"):
        from_folder(tmp_path)


@pytest.mark.parametrize("name", ["activates", "negatives"])
def test_a_silent_clip_is_named(tmp_path, name):
    write(raw_data(tmp_path) / name / "hush.wav", np.zeros(RATE, np.float32), RATE)
    with refused(audio.AudioError, f"{name}/hush.wav is digital silence", "record it again"):
        from_folder(tmp_path)


def test_a_silent_background_is_fine(tmp_path):
    write(raw_data(tmp_path) / "backgrounds" / "hush.wav", np.zeros(RATE, np.float32), RATE)
    assert not from_folder(tmp_path).backgrounds[1].any()


@pytest.mark.parametrize("name", FOLDERS)
def test_a_damaged_file_is_named(tmp_path, name):
    (raw_data(tmp_path) / name / "bad.wav").write_bytes(b"RIFF and no more")
    with pytest.raises(audio.AudioError, match=rf"{name}/bad\.wav .*; expected "):
        from_folder(tmp_path)


# ---------------------------------------------------------------- Speech Commands


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> SpeechCommands:
    """Three words by thirty speakers, and a background that rises, so that places can be told."""
    root = write_set(tmp_path_factory.mktemp("words"), ("no", "stop", "yes"), SPEAKERS)
    rising = np.arange(4 * RATE, dtype=np.int16)
    write(root / "_background_noise_" / "room.wav", rising, RATE)
    write(root / "_background_noise_" / "street.wav", rising[:9001], RATE)
    return SpeechCommands(root)


@pytest.fixture(scope="module")
def by_part(words) -> dict[str, Sounds]:
    return {part: from_speech_commands(words, "stop", part) for part in PARTS}


def test_one_word_against_all_others(words, by_part):
    for part, found in by_part.items():
        assert len(found.triggers) == len(words.clips("stop", part)) > 0
        assert len(found.negatives) == 2 * len(found.triggers)
        assert {each.text for each in found.triggers} == {"stop"}
        assert {each.text for each in found.negatives} == {"no", "yes"}
        assert found.sample_rate == RATE
        assert {each.speaker for each in found.triggers} == {
            path.name.partition("_nohash_")[0] for path in words.clips("stop", part)
        }
    clips = [clip for found in by_part.values() for clip in (*found.triggers, *found.negatives)]
    assert len(clips) == 90 and len({each.samples.tobytes() for each in clips}) == 90


def test_no_voice_is_in_two_parts(by_part):
    heard = [
        {each.speaker for each in (*found.triggers, *found.negatives)} for found in by_part.values()
    ]
    assert set().union(*heard) == set(SPEAKERS) and sum(map(len, heard)) == len(SPEAKERS)


def test_no_stretch_of_background_is_in_two_parts(by_part):
    for recording, length in enumerate((4 * RATE, 9001)):
        heard = [np.rint(each.backgrounds[recording] * 32768).tolist() for each in by_part.values()]
        # Training first: put together the stretches are the whole recording.
        assert list(itertools.chain(*heard)) == list(range(length))
        assert min(map(len, heard)) >= int(0.3 * length) - 1


@pytest.mark.parametrize("rate", [RATE, 4000])
def test_clips_are_cut_to_their_word(words, rate):
    """At the rate asked for; the noise in these clips is a word as far as loudness tells."""
    found = from_speech_commands(words, "stop", "testing", sample_rate=rate)
    assert found.sample_rate == rate
    assert len(found.backgrounds[0]) == pytest.approx(1.2 * rate, abs=1)
    for path, heard in zip(words.clips("stop", "testing"), found.triggers, strict=True):
        samples, _ = audio.load(path, rate)
        start, end = active_span(samples, rate)
        np.testing.assert_array_equal(heard.samples, samples[start:end])
        assert heard.rms == pytest.approx(float(np.sqrt(np.mean(samples[start:end] ** 2))))


def test_the_seed_draws_negatives_where_there_are_many(words, monkeypatch):
    monkeypatch.setattr(module, "_MOST_NEGATIVES", 4)

    def drawn(seed):
        found = from_speech_commands(words, "stop", "training", seed=seed).negatives
        return [(each.text, each.speaker) for each in found]

    assert drawn(0) == drawn(0) != drawn(1)
    assert len(drawn(0)) == 4 and drawn(0) == sorted(drawn(0))
    assert len({each for seed in range(30) for each in drawn(seed)}) > 30


def test_a_word_or_part_that_is_not_there(words):
    with pytest.raises(ValueError, match=r"no word 'halt'"):
        from_speech_commands(words, "halt", "training")
    with pytest.raises(ValueError, match=r"^There is no part 'test'; choose one of training, val"):
        from_speech_commands(words, "stop", "test")


def test_a_part_without_the_word(tmp_path):
    data = SpeechCommands(write_set(tmp_path, ("no", "stop"), ["a5d485dc"]))  # trains, by the hash
    with refused(ValueError, "The testing part of .* has no clips of 'stop'", "choose another"):
        from_speech_commands(data, "stop", "testing")


def test_a_set_without_background(tmp_path):
    root = write_set(tmp_path, ("no", "stop"), ["a5d485dc"])
    (root / "_background_noise_" / "room.wav").unlink()
    with refused(ValueError, "The training part of .* has no recordings of background noise"):
        from_speech_commands(SpeechCommands(root), "stop", "training")


def test_a_silent_clip_of_a_set_is_named(tmp_path):
    root = write_set(tmp_path, ("no", "stop"), ["a5d485dc"])
    write(root / "no" / "a5d485dc_nohash_1.wav", np.zeros(RATE, np.int16), RATE)
    with refused(audio.AudioError, "no/a5d485dc_nohash_1.wav is digital silence"):
        from_speech_commands(SpeechCommands(root), "stop", "training")


# ---------------------------------------------------------------- a part set aside


def spoken_by(triggers: str, negatives: str = "") -> Sounds:
    """One clip for each letter, which is its speaker."""
    made = {speakers: [clip(tone(0.1, 500 + 9 * i), speaker) for i, speaker in enumerate(speakers)]
            for speakers in {triggers, negatives}}  # fmt: skip
    backgrounds = (np.arange(1000) / 1000, np.arange(501) / 1000)
    return Sounds(tuple(made[triggers]), tuple(made[negatives]), backgrounds, RATE)


def speakers_of(clips) -> set[str]:
    return {each.speaker for each in clips}


def same(one, other) -> bool:
    return [id(each) for each in one] == [id(each) for each in other]


@pytest.mark.parametrize("percentage, aside", [(1, 1), (20, 2), (50, 5), (85, 8), (99, 9)])
def test_split_by_speaker(percentage, aside):
    whole = spoken_by("aabbcdefghij", "aabcdklmnopqrstu")
    for seed in range(10):
        kept, taken = whole.split(percentage, seed)
        assert len(speakers_of(taken.triggers)) == aside
        for name in ("triggers", "negatives"):
            one, other = getattr(kept, name), getattr(taken, name)
            assert one and other
            assert sorted(map(id, one + other)) == sorted(map(id, getattr(whole, name)))
        heard = [speakers_of(side.triggers + side.negatives) for side in (kept, taken)]
        assert not heard[0] & heard[1]


def test_split_backgrounds():
    kept, taken = spoken_by("ab").split(20)
    lengths = [[len(each) for each in side.backgrounds] for side in (kept, taken)]
    assert lengths == [[800, 400], [200, 101]]
    for pair in zip(kept.backgrounds, taken.backgrounds, strict=True):
        joined = np.concatenate(pair)
        np.testing.assert_array_equal(joined, np.arange(len(joined)) / 1000)


def test_split_draws_with_a_seed():
    whole = spoken_by("abcdefghij")
    assert same(whole.split(30)[1].triggers, whole.split(30, seed=0)[1].triggers)
    drawn = {tuple(sorted(speakers_of(whole.split(30, seed)[1].triggers))) for seed in range(30)}
    assert len(drawn) > 15


def test_one_speaker_is_split_by_clip():
    whole = spoken_by("a" * 10, "a" * 5)
    kept, taken = whole.split(20)
    assert [len(kept.triggers), len(taken.triggers)] == [8, 2]
    assert [len(kept.negatives), len(taken.negatives)] == [4, 1]
    ids = [set(map(id, side.triggers + side.negatives)) for side in (kept, taken)]
    assert not ids[0] & ids[1] and len(ids[0] | ids[1]) == 15


def test_others_are_still_split_by_speaker():
    kept, taken = spoken_by("aaaaa", "bbccddee").split(50)
    assert [len(kept.triggers), len(taken.triggers)] == [3, 2]
    heard = [speakers_of(side.negatives) for side in (kept, taken)]
    assert [len(each) for each in heard] == [2, 2] and not heard[0] & heard[1]


def test_one_speaker_of_all_the_other_words():
    kept, taken = spoken_by("abcd", "eeee").split(50)
    assert not speakers_of(kept.triggers) & speakers_of(taken.triggers)
    assert [len(kept.negatives), len(taken.negatives)] == [2, 2]


@pytest.mark.parametrize("triggers", ["", "a"])
def test_too_few_to_split(triggers):
    with refused(ValueError, f"There are {len(triggers)} trigger words to split", "record more"):
        spoken_by(triggers, "abc").split()


@pytest.mark.parametrize("percentage", [0, 100, -1, float("nan")])
def test_a_share_that_is_none(percentage):
    with refused(ValueError, f"percentage is {percentage}"):
        spoken_by("abc").split(percentage)


def test_in_one_line():
    text = str(replace(sounds((0.5,) * 1200, backgrounds=(90.0,))))
    assert text == "1,200 trigger words, 1 other words, 2 speakers, 1.5 minutes of background"
