"""Long recordings: every word where the ground truth says, every file as it was written."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import audio
from course_utils.datasets.speech_commands.clips import Clips
from course_utils.datasets.speech_commands.examples import ExampleSet
from course_utils.streaming import Recording, read_ground_truth, recordings

RATE = 1000
LABELS = ("_silence_", "_unknown_", "yes", "no")
ONLY_WORDS = {"background_volume": 0, "unknown_percentage": 0}


def examples(
    each: int = 5, length: int = 100, labels=LABELS, noise=None, rate: int = RATE
) -> ExampleSet:
    """Clips of noise, told apart by their speakers; those of silence are silent."""
    rng = np.random.default_rng(7)
    classes = np.repeat(np.arange(len(labels)), each).astype(np.int32)
    steps = rng.integers(-32768, 32768, (len(classes), length)).astype(np.int16)
    steps[classes == 0] = 0
    if noise is None:
        noise = [rng.integers(-3000, 3000, length + rate).astype(np.int16)]
    speakers = tuple(f"speaker{row}" for row in range(len(classes)))
    return ExampleSet(labels, Clips(steps, rate, 0, 0), classes, speakers, tuple(noise))


def constant(*values: int, length: int = 2000) -> list[np.ndarray]:
    """Recordings that never change: noise of which every volume can be read off."""
    return [np.full(length, value, np.int16) for value in values]


def row_of(speaker: str) -> int:
    return int(speaker.removeprefix("speaker"))


def ramped(piece: np.ndarray, ramp: int) -> np.ndarray:
    """A piece that fades in and out, sample by sample."""
    result = np.array(piece, np.float64)
    for place in range(min(ramp, len(piece))):
        result[place] *= place / ramp
        result[-1 - place] *= place / ramp
    return result


def words_by_hand(recording: Recording, source: ExampleSet, ramp: int) -> np.ndarray:
    """The sound that the ground truth stands for, without noise."""
    track = np.zeros(len(recording.samples))
    for (label, start_ms), speaker in zip(recording.ground_truth, recording.speakers, strict=True):
        row = row_of(speaker)
        assert source.labels[source.classes[row]] == label
        start = int(start_ms * recording.sample_rate / 1000)
        clip = ramped(source.clips.steps[row] / 32768, ramp)
        track[start : start + len(clip)] += clip
    return track


@pytest.mark.parametrize(
    ("rate", "length", "ramp"), [(1000, 100, 31), (16000, 1600, 500), (22050, 2205, 689)]
)
def test_every_clip_is_where_the_ground_truth_says(rate, length, ramp):
    source = examples(length=length, rate=rate)
    found = recordings.make(source, seconds=10, word_gap_ms=200, **ONLY_WORDS)
    assert len(found.ground_truth) == 33 and found.sample_rate == rate and found.seconds == 10
    np.testing.assert_allclose(found.samples, words_by_hand(found, source, ramp), atol=1e-6)


def test_words_are_as_loud_as_asked_for():
    loud, soft = (
        recordings.make(examples(), seconds=10, word_gap_ms=200, word_volume=volume, **ONLY_WORDS)
        for volume in (1, 0.25)
    )
    np.testing.assert_allclose(soft.samples, loud.samples / 4, atol=1e-6)
    assert (soft.ground_truth, soft.ends_ms) == (loud.ground_truth, loud.ends_ms)


def test_the_published_sizes_are_the_defaults():
    """200 words of a second each in ten minutes, each in the first two seconds of its three."""
    found = recordings.make(examples(20, 1000), seed=3)
    assert len(found.samples) == 600_000 and found.samples.dtype == np.float32
    assert len(found.ground_truth) == len(found.ends_ms) == len(found.speakers) == 200
    later = [time - 3000 * slot for slot, (_, time) in enumerate(found.ground_truth)]
    assert all(type(time) is int for time in later) and len(set(later)) > 150
    assert 0 <= min(later) < 100 and 1900 < max(later) < 2000
    assert 40 < sum(label == "_unknown_" for label, _ in found.ground_truth) < 80  # of 60
    assert max(found.ends_ms) <= 600_000


@settings(deadline=None)  # thousands of words, or one
@given(
    st.integers(40, 300), st.floats(0, 500), st.floats(1.5, 5), st.integers(0, 2**32),
    st.sampled_from([1000, 1600, 11025]),
)  # fmt: skip
def test_words_follow_one_another_and_end_in_time(length, gap, seconds, seed, rate):
    source = examples(1, length, rate=rate)
    found = recordings.make(
        source, seconds=seconds, word_gap_ms=gap, background_volume=0, seed=seed
    )
    clip_ms = 1000 * length / rate
    period = clip_ms + gap
    assert len(found.ground_truth) == pytest.approx(1000 * seconds / period, abs=1.01)
    for slot, ((_, start), end) in enumerate(zip(found.ground_truth, found.ends_ms, strict=True)):
        assert slot * period - 1 <= start <= slot * period + gap
        assert start <= end <= start + clip_ms + 0.5
    assert found.ground_truth[-1][1] + clip_ms <= 1000 * seconds + 1


def test_labels_are_drawn_as_often_as_asked_for():
    source = examples(8, 20)
    options = {"seconds": 100, "word_gap_ms": 30, "background_volume": 0}
    found = recordings.make(source, unknown_percentage=40, **options)
    drawn = [label for label, _ in found.ground_truth]
    assert len(drawn) == 2000
    for label, share in (("_unknown_", 0.4), ("yes", 0.3), ("no", 0.3)):
        assert drawn.count(label) / 2000 == pytest.approx(share, abs=0.04)
    assert {row_of(each) for each in found.speakers} == set(range(8, 32)), "every clip but silence"
    for percentage, labels in ((0, {"yes", "no"}), (100, {"_unknown_"})):
        found = recordings.make(source, unknown_percentage=percentage, **options)
        assert {label for label, _ in found.ground_truth} == labels


def test_a_seed_decides_everything():
    first, again, other = (
        recordings.make(examples(), seconds=5, word_gap_ms=100, seed=seed) for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(first.samples, again.samples)
    assert first.ground_truth == again.ground_truth and first.speakers == again.speakers
    assert first.ends_ms == again.ends_ms
    assert not np.array_equal(first.samples, other.samples)
    assert [time for _, time in first.ground_truth] != [time for _, time in other.ground_truth]


# Noise.


def noise_only(noise, seconds: float = 600, volume: float = 0.1, length: int = 1000) -> np.ndarray:
    source = examples(1, length, noise=noise)
    return recordings.make(
        source, seconds=seconds, background_volume=volume, word_volume=0
    ).samples.astype(np.float64)


def test_noise_piece_by_piece():
    """Of a second and a half, one every second, fading for a quarter of a second."""
    track = noise_only(constant(16384))
    volumes = 2 * track.reshape(600, 1000)[:, 750]  # where there is one piece only
    expected = np.zeros(602_000)
    for number, volume in enumerate(volumes):
        expected[1000 * number :][:1500] += ramped(np.full(1500, volume / 2), 250)
    np.testing.assert_allclose(track, expected[:600_000], atol=1e-6)
    assert 0 <= volumes.min() < 0.002 and 0.098 < volumes.max() <= 0.1
    assert volumes.mean() == pytest.approx(0.05, abs=0.005)
    assert track.max() <= 2 * 0.1 * 0.5, "no more than two pieces add up"


def test_every_recording_of_noise_and_every_part_of_it():
    track = noise_only([*constant(9000), -np.arange(9000, 12000).astype(np.int16)])
    pieces = track.reshape(600, 1000)[:, 600:900]
    assert 0.4 < (pieces > 0).mean() < 0.6
    # How steep a piece is, whatever its volume, tells where in the recording it begins.
    falling = pieces[(pieces < 0).all(axis=1)]
    begins = 299 / (falling[:, -1] / falling[:, 0] - 1) - 9000 - 600
    assert -1 < begins.min() < 100 and 1400 < begins.max() < 1501


def test_recordings_of_noise_that_are_too_short_are_not_drawn_from():
    track = noise_only([*constant(9000), *constant(-9000, length=1500)], seconds=60)
    assert (track >= 0).all() and track.any()


@pytest.mark.parametrize("noise", [[], constant(100, length=1500)])
def test_no_noise(noise):
    with pytest.raises(
        ValueError, match=r"no recording of background noise .* longer than 1500 ms"
    ):
        noise_only(noise, seconds=10)
    assert not noise_only(noise, seconds=10, volume=0).any()


@given(st.sampled_from([-32768, 32767]), st.integers(0, 2**32))
def test_never_louder_than_a_sound_can_be(value, seed):
    source = examples(2, noise=constant(value))
    source.clips.steps[:] = value
    found = recordings.make(source, seconds=3, word_gap_ms=50, background_volume=1, seed=seed)
    assert np.abs(found.samples).max() <= 1 and np.isfinite(found.samples).all()
    assert (found.samples == np.sign(value)).any()


def test_the_examples_are_left_as_they_are():
    source = examples()
    steps, noise = source.clips.steps.copy(), source.noise[0].copy()
    recordings.make(source, seconds=5, word_gap_ms=100)
    np.testing.assert_array_equal(source.clips.steps, steps)
    np.testing.assert_array_equal(source.noise[0], noise)


# Where words end.


def beep(*parts: tuple[int, int, float]) -> ExampleSet:
    """One clip of a second at 8 kHz: tones from and to these milliseconds, so loud."""
    rate = 8000
    clip = np.zeros(rate)
    for begin, end, volume in parts:
        clip[8 * begin : 8 * end] = volume * np.sin(np.arange(8 * (end - begin)))
    steps = np.rint(clip * 32767).astype(np.int16)[None]
    return ExampleSet(("yes",), Clips(steps, rate, 0, 0), np.zeros(1, np.int32), ("anna",), ())


@pytest.mark.parametrize(
    ("parts", "end"),
    [
        ([(200, 500, 0.5)], 500),
        ([(200, 500, 0.5), (500, 900, 0.5 * 10 ** (-30 / 20))], 500),  # room, no word
        ([(200, 500, 0.5), (500, 700, 0.5 * 10 ** (-20 / 20))], 700),
        ([(200, 300, 0.01), (600, 650, 0.01)], 650),  # however soft
        ([(0, 40, 0.5), (300, 1000, 0.001)], 40),
    ],
)
def test_a_word_ends_with_its_last_loud_moment(parts, end):
    """A moment lasts 30 ms; one that holds just a bit of the word's end may still be loud."""
    found = recordings.make(beep(*parts), seconds=30, **ONLY_WORDS)
    for (_, start), end_ms in zip(found.ground_truth, found.ends_ms, strict=True):
        assert type(end_ms) is int and end <= end_ms - start <= end + 30


@pytest.mark.parametrize("parts", [[(100, 1000, 0.5)], []])
def test_a_word_ends_with_its_clip_at_the_latest(parts):
    found = recordings.make(beep(*parts), seconds=30, **ONLY_WORDS)
    assert [end - start for (_, start), end in zip(found.ground_truth, found.ends_ms, strict=True)]\
        == [1000] * 10  # fmt: skip


# Errors.


@pytest.mark.parametrize(
    ("name", "most"),
    [("seconds", None), ("word_gap_ms", None), ("unknown_percentage", 100),
     ("background_volume", 1), ("word_volume", 1)],
)  # fmt: skip
def test_impossible_numbers(name, most):
    expected = f"from 0 to {most}" if most else "from 0 up"
    for value in (-1, np.nan, np.inf, *([most * 1.01] if most else [])):
        with pytest.raises(ValueError, match=f"^{name} is {value}; expected a number {expected}; "):
            recordings.make(examples(), **{name: value})


@pytest.mark.parametrize("seconds", [0, 0.299])
def test_no_room_for_a_word(seconds):
    with pytest.raises(ValueError, match=f"^A recording of {seconds} s has no room for a word of"
                       " 100 ms and a gap of 200 ms; expected at least one"):  # fmt: skip
        recordings.make(examples(), seconds=seconds, word_gap_ms=200)
    assert len(recordings.make(examples(), seconds=0.3, word_gap_ms=200).ground_truth) == 1


@pytest.mark.parametrize("missing", ["_unknown_", "yes", "no"])
def test_a_label_without_a_clip(missing):
    """The source falls over, in the middle of its work, only once it draws the label."""
    source = examples()
    source = source.take(source.classes != LABELS.index(missing))
    with pytest.raises(ValueError, match=f"no clip of '{missing}' among the 15 given; expected at"):
        recordings.make(source, seconds=10)
    # Nothing is missing that is not asked for.
    percentage = 0 if missing == "_unknown_" else 100
    recordings.make(source, seconds=10, unknown_percentage=percentage)


@pytest.mark.parametrize(
    ("labels", "percentage", "named"),
    [(("_silence_", "yes"), 30, "_unknown_"), (("_silence_", "_unknown_"), 30, "any word")],
)
def test_examples_without_such_a_label(labels, percentage, named):
    source = examples(labels=labels)
    with pytest.raises(ValueError, match=f"There is no clip of '{named}' among the 10 given"):
        recordings.make(source, seconds=10, unknown_percentage=percentage)


# Files.


def recording(*words: tuple[str, int]) -> Recording:
    samples = np.random.default_rng(0).uniform(-1, 1, 500).astype(np.float32)
    return Recording(samples, RATE, words, (0,) * len(words), ("",) * len(words))


def test_the_files_of_a_recording(tmp_path):
    made = recordings.make(examples(), seconds=5, word_gap_ms=100)
    labels = made.save(tmp_path / "long.test.wav")
    assert labels == tmp_path / "long.test_labels.txt"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["long.test.wav", labels.name]
    samples, rate = audio.load(tmp_path / "long.test.wav")
    assert rate == RATE
    np.testing.assert_allclose(samples, made.samples, atol=1 / 32768)
    assert read_ground_truth(labels) == list(made.ground_truth)
    lines = labels.read_bytes().split(b"\n")
    assert lines[0].decode() == "{}, {}".format(*made.ground_truth[0]) and lines[-1] == b""


letters = st.text(st.characters(categories=["L", "N", "P"], exclude_characters=","), min_size=1)
words = st.lists(st.tuples(letters, st.integers(0, 10**8)), max_size=9)


@settings(deadline=None)  # files take as long as the disk takes
@given(words)
def test_words_come_back_as_they_were_written(tmp_path_factory, words):
    path = tmp_path_factory.mktemp("words") / "x.wav"
    found = read_ground_truth(recording(*words).save(path))
    assert found == sorted(words, key=lambda word: word[1])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"yes, 1250\nno, 90\n", [("no", 90), ("yes", 1250)]),
        (b"\xef\xbb\xbfyes, 1250\r\n\r\n  no ,90.5  \r\n", [("no", 90.5), ("yes", 1250)]),
        (b"left hand,1e3\n \n'yes',-5", [("'yes'", -5), ("left hand", 1000)]),
        (b'"yes, 1\n"no, 2\n', [('"yes', 1), ('"no', 2)]),
        ("grün, 7".encode(), [("grün", 7)]),
        (b"b, 5\na, 5", [("b", 5), ("a", 5)]),
        (b"", []),
    ],
)
def test_files_of_other_tools(tmp_path, content, expected):
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    assert read_ground_truth(path) == expected


@pytest.mark.parametrize(
    "line",
    ["yes", "yes 1250", "yes, 1250, 3", ", 1250", "yes,", "yes, soon", "yes, nan", "yes, inf",
     "1250; yes", "yes, 12 50"],
)  # fmt: skip
def test_malformed_lines(tmp_path, line):
    path = tmp_path / "words.txt"
    path.write_text(f"no, 90\n\n{line}\nyes, 100\n")
    with pytest.raises(ValueError) as error:
        read_ground_truth(path)
    assert str(error.value).startswith("Line 3 of ")
    assert f"words.txt is {line!r}; expected a label and a time in milli" in str(error.value)


def test_unreadable_files(tmp_path):
    (tmp_path / "latin.txt").write_bytes("grün, 7".encode("latin-1"))
    for path in (tmp_path / "none.txt", tmp_path, tmp_path / "latin.txt"):
        with pytest.raises(
            ValueError, match=r"cannot be read .*; expected a text file .* its name"
        ):
            read_ground_truth(path)


def contents(folder) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


def test_a_failure_leaves_the_old_files_whole(tmp_path):
    path = tmp_path / "x.wav"
    recording(("yes", 5)).save(path)
    before = contents(tmp_path)
    unfit = Recording(np.full(5, 2, np.float32), RATE, (("no", 1),), (0,), ("",))
    for attempt, target in (
        (unfit, path),
        (recording(("no", 1)), tmp_path / "x.mp3"),
        (recording(("no", 1)), tmp_path / "missing" / "x.wav"),
    ):
        with pytest.raises(audio.AudioError):
            attempt.save(target)
        assert contents(tmp_path) == before
    # Here the sound can be written and the words cannot.
    with pytest.raises(
        audio.AudioError, match=r"x_labels\.txt cannot be written .*; expected a fo"
    ):
        recording(*itertools.repeat(("no", 7), 5), ("\udc80", 1)).save(path)
    assert contents(tmp_path) == before


def test_words_that_cannot_be_written_leave_nothing_behind(tmp_path):
    (tmp_path / "x_labels.txt").mkdir()
    with pytest.raises(audio.AudioError, match=r"x_labels\.txt cannot be written"):
        recording(("yes", 5)).save(tmp_path / "x.wav")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x.wav", "x_labels.txt"]
