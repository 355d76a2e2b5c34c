"""Scenes of trigger words, measured."""

import itertools
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_scenes import RATE, clip, level, noise, sounds, tone
from small_sounds import write

from course_utils.datasets.speech_commands import PARTS, SpeechCommands
from course_utils.datasets.trigger_word import (
    Mix,
    Scenes,
    Sounds,
    from_folder,
    from_speech_commands,
    label_steps,
)

MIX = Mix(seconds=4, triggers=(0, 3), negatives=(0, 2))
SILENCE = (np.zeros(8 * RATE, np.float32),)
NOISES = (noise(7, 0), noise(8, 1))


def span(scene, word) -> np.ndarray:
    """The samples of a word."""
    start, end = (round(time * scene.sample_rate / 1000) for time in (word.start_ms, word.end_ms))
    return scene.samples[start:end]


def made(number: int, mix: Mix, of: Sounds, seed: int = 0) -> list:
    scenes = Scenes(of, mix, seed)
    return [scenes[i] for i in range(number)]


# ---------------------------------------------------------------- the same again


def test_a_seed_decides_everything_in_any_order():
    one, other = Scenes(sounds(), MIX, 3), Scenes(sounds(), MIX, 3)
    forwards = [one[number] for number in range(12)]
    for number in (11, 3, 0, 7, 3):
        again = other[number]
        np.testing.assert_array_equal(again.samples, forwards[number].samples)
        assert again.words == forwards[number].words
    assert len({scene.samples.tobytes() for scene in forwards}) == 12
    assert Scenes(sounds(), MIX, 4)[0].samples.tobytes() != forwards[0].samples.tobytes()


def test_the_sounds_stay_as_they_are():
    used = sounds()
    before = [each.samples.copy() for each in (*used.triggers, *used.negatives)]
    before += [each.copy() for each in used.backgrounds]
    made(10, Mix(4, word_dbfs=(0, 0), background_dbfs=(-1, -1)), used)
    after = [each.samples for each in (*used.triggers, *used.negatives)] + [*used.backgrounds]
    assert all((a == b).all() for a, b in zip(after, before, strict=True))


# ---------------------------------------------------------------- what is in a scene


lengths = st.lists(st.floats(0.01, 1), min_size=1, max_size=3)
mixes = st.builds(
    Mix,
    seconds=st.floats(4.6, 5),
    triggers=st.tuples(st.just(0), st.integers(0, 2)),
    negatives=st.tuples(st.just(0), st.integers(0, 1)),
    word_dbfs=st.just((-20.0, 0.0)),
    background_dbfs=st.just((-30.0, -3.0)),
    gap_ms=st.floats(0, 200),
    speed_percentage=st.sampled_from([0, 20]),
)


@given(mixes, lengths, lengths, st.integers(0, 2**32), st.sampled_from([8000, 11025]))
def test_every_scene_keeps_the_rules(mix, triggers, negatives, seed, rate):
    used = replace(sounds(triggers, negatives, (), rate), backgrounds=NOISES)
    scene = Scenes(used, mix, seed)[seed % 5]
    assert scene.samples.dtype == np.float32 and scene.sample_rate == rate
    assert len(scene.samples) == round(mix.seconds * rate)
    assert scene.seconds == len(scene.samples) / rate
    assert np.abs(scene.samples).max() <= 1
    counts = [sum(word.is_trigger == kind for word in scene.words) for kind in (True, False)]
    assert counts[0] <= mix.triggers[1] and counts[1] <= mix.negatives[1]
    total_ms = 1000 * scene.seconds
    for word in scene.words:
        assert word.text == ("hey" if word.is_trigger else "no")
        assert word.speaker == ("anna" if word.is_trigger else "bert")
        assert 0 <= word.start_ms < word.end_ms <= total_ms - mix.gap_ms + 1e-6
    for one, other in itertools.pairwise(scene.words):
        assert other.start_ms - one.end_ms >= mix.gap_ms - 1e-6
    assert scene.ends_ms == [word.end_ms for word in scene.words if word.is_trigger]
    assert scene.ends_s == [end / 1000 for end in scene.ends_ms]
    labels = label_steps(scene.ends_ms, total_ms, 100, 5)
    assert labels.any() == any(int(end * 100 / total_ms) < 99 for end in scene.ends_ms)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100])
def test_words_may_fill_a_scene(rate):
    """Rounded times never put a label outside, nor one word upon the other."""
    for samples in (1009, 1023, 2010, 4409):
        full = Sounds(
            (clip(tone(samples / rate, rate=rate)),), (), (np.zeros(20_000, np.float32),), rate
        )
        for count in (1, 2, 3):
            mix = Mix(count * samples / rate, (count, count), (0, 0))
            scene = Scenes(full, mix)[0]
            places = [round(word.start_ms * rate / 1000) for word in scene.words]
            assert places == [number * samples for number in range(count)]
            label_steps(scene.ends_ms, 1000 * scene.seconds, 50, 2)


def test_words_that_touch_do_not_overlap():
    """A millisecond is 22.05 samples here, and 10 ms are too few to keep twelve words apart."""
    packed = Sounds((clip(np.ones(441, np.float32)),), (), SILENCE, 22050)
    for scene in made(100, Mix(0.2505, (12, 12), (0, 0)), packed):
        edges = [(word.start_ms, word.end_ms) for word in scene.words]
        assert all(one[1] <= other[0] + 1e-6 for one, other in itertools.pairwise(edges))


def test_every_number_of_words_is_equally_likely():
    found = made(900, Mix(4, (1, 3), (0, 2)), sounds((0.1,), (0.1,)))
    counts = np.zeros((4, 3), int)
    for scene in found:
        triggers = sum(word.is_trigger for word in scene.words)
        counts[triggers, len(scene.words) - triggers] += 1
    assert not counts[0].any() and (np.abs(counts[1:] - 100) < 40).all()


def test_every_clip_and_every_stretch_of_background_is_used():
    clips = tuple(clip(tone(0.1), str(number)) for number in range(5))
    rising = np.linspace(0.1, 0.2, 5 * RATE, dtype=np.float32)
    falling = rising[::-1]
    used = Sounds(clips, (), (rising, falling, rising[:100]), RATE)
    drawn, stretches = set(), []
    for scene in made(150, Mix(4, (0, 1), (0, 0)), used):
        drawn |= {word.speaker for word in scene.words}
        if not scene.words:
            first, last = scene.samples[0], scene.samples[-1]
            stretches.append((first < last, min(first, last) / max(first, last)))
    assert drawn == set("01234")
    # How steep a piece is tells where it was cut from.
    for kind in (True, False):
        steepness = [ratio for rising, ratio in stretches if rising == kind]
        assert len(steepness) > 20
        assert min(steepness) < 0.56 and max(steepness) > 0.595


# ---------------------------------------------------------------- levels


def test_words_have_the_levels_asked_for():
    quiet_and_loud = sounds((0.5, 1.0), (0.4,), ())
    used = Sounds(quiet_and_loud.triggers, (clip(noise(0.7, 1, 0.9)),), SILENCE, RATE)
    found = [
        level(span(scene, word))
        for scene in made(150, Mix(8, (1, 2), (1, 1), word_dbfs=(-30, -18)), used)
        for word in scene.words
    ]
    # Without a click at the edges a word is a little softer: by 0.1 dB if it lasts 0.4 s.
    assert -30.1 < min(found) < -29.5 and -18.5 < max(found) <= -18
    assert np.mean(found) == pytest.approx(-24, abs=0.6)


def test_the_background_has_the_level_asked_for():
    growing = noise(9, 1) * np.geomspace(0.001, 1, 9 * RATE, dtype=np.float32)
    used = Sounds((), (), (*sounds().backgrounds, growing), RATE)
    found = [level(s.samples) for s in made(300, Mix(4, (0, 0), (0, 0)), used)]
    assert -55.001 < min(found) < -54 and -36 < max(found) < -34.999
    assert np.mean(found) == pytest.approx(-45, abs=1)


def test_digital_silence_stays_what_it_is():
    used = Sounds((), (), SILENCE, RATE)
    assert not any(scene.samples.any() for scene in made(5, Mix(4, (0, 0), (0, 0)), used))


def test_nothing_is_clipped_and_the_balance_is_kept():
    clicks = tone(0.5) * 0.01
    clicks[200::400] = 1
    used = Sounds((clip(clicks),), (), (noise(5),), RATE)
    for scene in made(20, Mix(4, (1, 1), (0, 0), (-6, -6), (-30, -30)), used):
        assert np.abs(scene.samples).max() == 1
        (word,) = scene.words
        spoken = span(scene, word).astype(float)
        rest = np.concatenate(
            [scene.samples[: int(word.start_ms * 8)], scene.samples[int(word.end_ms * 8) + 1 :]]
        )
        assert level(spoken) - level(rest) == pytest.approx(24, abs=0.3)


# ---------------------------------------------------------------- words


def test_a_word_ends_where_its_sound_ends(tmp_path):
    """Files with silence before and after, at another rate: the label follows the sound."""
    silence = np.zeros(7000, np.float32)
    for name, seconds in (("activates", 0.6), ("negatives", 0.35)):
        word = np.concatenate([silence, tone(seconds, rate=22050), silence])
        write(tmp_path / name / "a.wav", word, 22050)
    write(tmp_path / "backgrounds" / "b.wav", noise(5), RATE)
    used = from_folder(tmp_path, RATE)
    for scene in made(40, Mix(4, (1, 2), (0, 1), gap_ms=100), used):
        for word in scene.words:
            length = 600 if word.is_trigger else 350
            assert length <= word.end_ms - word.start_ms <= length + 60
            last, after = (
                scene.samples[int((word.end_ms + a) * 8) : int((word.end_ms + b) * 8)]
                for a, b in ((-70, -40), (1, 31))
            )
            assert level(last) > -32 and level(after) < -34
            assert level(after) < level(scene.samples) + 3


def test_a_word_does_not_click():
    loud = Sounds((clip(tone(0.5, 100)),), (), SILENCE, RATE)  # a cosine: begins at its peak
    for scene in made(10, Mix(4, (1, 1), (0, 0), (-10, -10)), loud):
        steps = np.abs(np.diff(scene.samples))
        assert steps.max() < 1.2 * 10 ** (-10 / 20) * math.sqrt(2) * 2 * math.pi * 100 / RATE
        assert steps.max() > 0.01


def test_a_word_of_one_sample():
    tiny = Sounds((clip(np.float32([0.5])),), (), SILENCE, RATE)
    scene = Scenes(tiny, Mix(1, (1, 1), (0, 0), (-20, -20)))[0]
    assert np.abs(scene.samples).max() == pytest.approx(0.1) and np.sum(scene.samples != 0) == 1


def test_faster_is_shorter_and_higher_and_as_loud():
    speeds = []
    mix = Mix(4, (1, 1), (0, 0), (-20, -20), speed_percentage=20)
    for scene in made(60, mix, Sounds((clip(tone(0.8, 1000)),), (), SILENCE, RATE)):
        (word,) = scene.words
        heard = span(scene, word)
        hertz = np.abs(np.fft.rfft(heard, 8 * RATE)).argmax() / 8
        speeds.append(800 / (word.end_ms - word.start_ms))
        assert hertz / 1000 == pytest.approx(speeds[-1], rel=0.005)
        assert level(heard) == pytest.approx(-20, abs=0.1)
    assert 0.8 <= min(speeds) < 0.83 and 1.17 < max(speeds) <= 1.201
    assert np.mean(speeds) == pytest.approx(1, abs=0.05)
    slow = made(5, Mix(4, (1, 1), (0, 0)), Sounds((clip(tone(0.8, 1000)),), (), SILENCE, RATE))
    assert {scene.words[0].end_ms - scene.words[0].start_ms for scene in slow} == {800}


def test_a_sound_of_high_pitch_is_as_loud_at_another_speed():
    """Reading between samples takes high frequencies away; the level is set after that."""
    hiss = Sounds((clip(noise(0.8)),), (), SILENCE, RATE)
    for scene in made(10, Mix(4, (1, 1), (0, 0), (-20, -20), speed_percentage=30), hiss):
        assert level(span(scene, scene.words[0])) == pytest.approx(-20, abs=0.1)


def test_clips_from_a_fifth_of_a_second_to_five_seconds():
    """Where drawn words are together too long, others are drawn: a scene always comes."""
    used = sounds((0.2, 1, 5), (0.2, 5), (6.0,))
    found = made(60, Mix(6, (1, 2), (0, 1)), used)
    ends = [word.end_ms - word.start_ms for scene in found for word in scene.words]
    assert {round(each) for each in ends} == {200, 1000, 5000}


# ---------------------------------------------------------------- what cannot be made


def test_a_clip_that_is_longer_than_the_scene():
    scenes = Scenes(sounds((5.0,), (), (6.0,)), Mix(4, (1, 1), (0, 0)))
    sentence = (
        r"^Clip 0 of 1 lasts 5000 ms and does not fit: of the 4000 ms of the scene 4000 ms are left"
        r"; expected clips of 4000 ms in all at most, .*; give fewer or shorter clips, or a longer "
        r"scene\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        scenes[0]


def test_too_many_words():
    scenes = Scenes(sounds((0.9,)), Mix(4, (5, 5), (0, 0), gap_ms=100))
    with pytest.raises(ValueError, match=r"^Clip 4 of 5 lasts 1000 ms and .* 0 ms are left; exp"):
        scenes[7]


def test_a_background_that_is_shorter_than_a_scene():
    sentence = (
        r"^The longest of 2 background recordings lasts 3\.5 s; expected one of at least 4 s, the "
        r"length of a scene; record a longer one, or make scenes shorter\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        Scenes(sounds(backgrounds=(2.0, 3.5)), MIX)
    with pytest.raises(ValueError, match=r"^The longest of 0 background recordings lasts 0\.0 s;"):
        Scenes(sounds(backgrounds=()), MIX)
    assert Scenes(sounds(backgrounds=(2.0, 4.0)), MIX)[0].seconds == 4


@pytest.mark.parametrize("kind", ["triggers", "negatives"])
def test_words_of_a_kind_that_is_not_there(kind):
    without = sounds(**{kind: ()})
    sentence = (
        rf"^The mix asks for up to [32] {kind} and there is no clip of that kind; expected at least"
        rf" one; record some, or set {kind}=\(0, 0\)\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        Scenes(without, MIX)
    scene = Scenes(without, Mix(4, **{kind: (0, 0)}))[0]
    assert all(word.is_trigger == (kind == "negatives") for word in scene.words)


@pytest.mark.parametrize(
    "settings, sentence",
    [
        ({"seconds": 0}, "seconds is 0 and gap_ms 0.0; expected a length above 0 and a gap from 0"),
        ({"seconds": math.nan}, "seconds is nan"),
        ({"seconds": math.inf}, "seconds is inf"),
        ({"gap_ms": -1}, "seconds is 10.0 and gap_ms -1; expected"),
        ({"gap_ms": math.nan}, "seconds is 10.0 and gap_ms nan; expected"),
        ({"triggers": (2, 1)}, "triggers is (2, 1); expected a lowest and a highest value between"),
        ({"triggers": (-1, 1)}, "triggers is (-1, 1); expected a lowest and a highest value betwe"),
        ({"negatives": (0, 1001)}, "negatives is (0, 1001); expected a lowest and a highest value"),
        ({"word_dbfs": (-20, 1)}, "word_dbfs is (-20, 1); expected a lowest and a highest value b"),
        ({"word_dbfs": (math.nan, 0)}, "word_dbfs is (nan, 0); expected a lowest and a highest va"),
        ({"background_dbfs": (-30, -40)}, "background_dbfs is (-30, -40); expected a lowest and a"),
        ({"speed_percentage": 100}, "speed_percentage is 100; expected 0 to below 100; 0 switches"),
        ({"speed_percentage": -1}, "speed_percentage is -1; expected 0 to below 100; 0 switches i"),
        ({"speed_percentage": math.nan}, "speed_percentage is nan; expected"),
    ],
)  # fmt: skip
def test_an_impossible_mix(settings, sentence):
    with pytest.raises(ValueError) as caught:
        Mix(**settings)
    assert str(caught.value).startswith(sentence) and str(caught.value).endswith(".")


# ---------------------------------------------------------------- labels


@pytest.mark.parametrize("end, first, last", [(9700, 1334, 1374), (4251, 585, 634), (0, 1, 50)])
def test_labels_of_the_source(end, first, last):
    labels = label_steps([end], 10_000, 1375)
    assert labels.shape == (1375,) and labels.dtype == np.float32
    assert np.flatnonzero(labels).tolist() == list(range(first, last + 1))
    assert set(labels.tolist()) == {0, 1}


def test_labels_of_several_words():
    assert not label_steps([], 10_000, 20).any()
    found = label_steps([1000, 2000, 9000], 10_000, 20, width=3)
    assert np.flatnonzero(found).tolist() == [3, 4, 5, 6, 7, 19]
    assert not label_steps([9999, 10_000], 10_000, 20, width=3).any()  # too late for a step


@pytest.mark.parametrize("end", [-1, 10_001, math.nan])
def test_a_word_that_ends_outside(end):
    sentence = (
        rf"^A trigger word ends at {end} ms in a scene of 10000 ms; expected .*; change it\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        label_steps([end], 10_000, 1375)


# ---------------------------------------------------------------- real recordings

ROOT = os.environ.get("COURSE_DATA_ROOT")


@pytest.mark.real
@pytest.mark.skipif(
    not ROOT or not (Path(ROOT) / "speech_commands").is_dir(),
    reason="COURSE_DATA_ROOT names no folder with speech_commands in it",
)
def test_real_recordings():
    data = SpeechCommands(Path(ROOT) / "speech_commands")
    heard = []
    for part in PARTS:
        used = from_speech_commands(data, "yes", part)
        heard.append({each.speaker for each in (*used.triggers, *used.negatives)})
        assert len(used.triggers) == len(data.clips("yes", part)) and len(used.backgrounds) == 6
        lasting = np.array([len(each.samples) for each in used.triggers]) / used.sample_rate
        assert 0.3 < np.median(lasting) < 0.8
        for scene in made(20, Mix(10, (1, 4), (0, 2)), used):
            assert np.abs(scene.samples).max() <= 1 and scene.ends_ms
            for word in scene.words:
                assert -33 < level(span(scene, word)) < -17
    assert not (heard[0] & heard[1] or heard[0] & heard[2] or heard[1] & heard[2])
