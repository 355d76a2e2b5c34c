"""A recogniser over a long sound: the same scores in every way, each frame computed once."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

tf = pytest.importorskip("tensorflow")

from small_recognisers import LABELS, RATE, front_end, untrained, with_weights  # noqa: E402

from course_utils import audio, places  # noqa: E402
from course_utils.datasets import speech_commands  # noqa: E402
from course_utils.datasets.speech_commands import examples  # noqa: E402
from course_utils.features.front_end import FrontEnd  # noqa: E402
from course_utils.models import speech_commands as models  # noqa: E402
from course_utils.streaming import Scores, recordings  # noqa: E402
from course_utils.streaming.scoring import Scorer, score, score_window_by_window  # noqa: E402

KINDS = ("log_mel", "mfcc", "average")
STRIDE_MS, WINDOW = 20, 4000  # of the small front ends: 24 frames, and 10 ms that none reaches
CLOSE = 1e-5


def sound(seconds, seed=0, rate=RATE):
    """Noise that swells and fades, with a tone that comes and goes."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    loudness = 0.1 * np.abs(np.sin(2 * np.pi * 0.7 * time)) ** 3
    tone = 0.1 * np.sin(2 * np.pi * 600 * time) * (np.sin(2 * np.pi * 0.45 * time) > 0)
    return np.clip(rng.normal(0, 1, len(time)) * loudness + tone, -1, 1).astype(np.float32)


def small(kind="log_mel", architecture="tiny_embedding_conv", **options):
    """A recogniser with random weights, and settings of its own for the front end."""
    front = front_end(kind, **options)
    network = with_weights(models.build(architecture, front.output_size, len(LABELS)))
    return models.Recogniser(front, network, LABELS)


def pushed(scorer, samples, lengths):
    """Scores of a sound in pieces of these lengths, what is left over in one."""
    ends = [end for end in accumulate(lengths) if end < len(samples)]
    found = [scorer.push(piece) for piece in np.split(samples, ends)]
    times, values = (np.concatenate(part) for part in zip(*found, strict=True))
    return Scores(scorer.labels, times, values)


def assert_same(found, expected, close=CLOSE):
    np.testing.assert_array_equal(found.times_ms, expected.times_ms)
    np.testing.assert_allclose(found.values, expected.values, atol=close, rtol=0)


@pytest.fixture(scope="module", params=KINDS)
def any_kind(request):
    return small(request.param)


@pytest.fixture(scope="module")
def svdf():
    return small(architecture="low_latency_svdf")


@pytest.fixture(scope="module")
def recogniser():
    return small()


# ---------------------------------------------------------------- the same scores in every way


@pytest.mark.parametrize("hop_ms", [STRIDE_MS, 3 * STRIDE_MS])
def test_batches_hops_and_pieces_give_what_single_windows_give(any_kind, hop_ms):
    samples, hop = sound(2.39), hop_ms * RATE // 1000
    expected = score_window_by_window(any_kind, samples, RATE, hop_ms)
    assert len(expected.times_ms) == 1 + (len(samples) - WINDOW) // hop
    assert expected.values.std(axis=0).max() > 0.02
    assert_same(score(any_kind, samples, RATE, hop_ms), expected)
    scorer = Scorer(any_kind, hop_ms)
    assert_same(pushed(scorer, samples, [hop] * (len(samples) // hop)), expected)
    lengths = np.random.default_rng(hop_ms).integers(1, 1500, 100)
    assert_same(pushed(Scorer(any_kind, hop_ms), samples, lengths), expected)


def test_a_window_has_the_scores_that_its_clip_has(any_kind):
    samples = sound(3)
    found = score(any_kind, samples, RATE, 60)
    assert found.labels == LABELS and found.window_ms == 500
    for row in (0, 1, 17, len(found.times_ms) - 1):
        start = round(found.times_ms[row] * RATE / 1000)
        alone = any_kind.predict(samples[start : start + WINDOW], RATE)
        np.testing.assert_allclose(found.values[row], list(alone.values()), atol=CLOSE)


def test_long_recordings_have_no_seams():
    """Several chunks, none a whole number of hops, and several batches in each."""
    recogniser, samples = small(), sound(31.7)
    expected = score_window_by_window(recogniser, samples, RATE, 60)
    assert len(expected.times_ms) == 521
    assert_same(score(recogniser, samples, RATE, 60), expected)
    assert_same(pushed(Scorer(recogniser, 60), samples, []), expected)
    every = score(recogniser, samples, RATE, STRIDE_MS)
    assert_same(every.every(3), expected)


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=30), st.sampled_from([1, 3, 7]))
def test_pieces_of_any_lengths(recogniser, lengths, strides):
    samples, hop_ms = sound(2), strides * STRIDE_MS
    expected = score(recogniser, samples, RATE, hop_ms)
    assert_same(pushed(Scorer(recogniser, hop_ms), samples, lengths), expected)


@pytest.mark.parametrize("hop_ms", [STRIDE_MS, 3 * STRIDE_MS])
def test_memory_gives_what_whole_windows_give(svdf, hop_ms):
    samples = sound(3)
    expected = score_window_by_window(svdf, samples, RATE, hop_ms)
    assert expected.values.std(axis=0).max() > 0.02
    assert_same(score(svdf, samples, RATE, hop_ms), expected)
    assert_same(score(svdf, samples, RATE, hop_ms, with_memory=True), expected)
    lengths = np.random.default_rng(hop_ms).integers(1, 1500, 100)
    scorer = Scorer(svdf, hop_ms, with_memory=True)
    assert_same(pushed(scorer, samples, lengths), expected)


def test_memory_has_no_seams_either(svdf):
    samples = sound(11)
    expected = score(svdf, samples, RATE, 60)
    assert_same(score(svdf, samples, RATE, 60, with_memory=True), expected)


@pytest.mark.parametrize(
    ("options", "hop_ms"),
    [
        ({}, 700),  # longer than a window
        ({"stride_ms": 47}, 47),  # longer than a frame, the last of which ends with its window
        ({"stride_ms": 47}, 658),
    ],
)
@pytest.mark.parametrize("with_memory", [False, True])
def test_hops_may_be_longer_than_what_they_skip(options, hop_ms, with_memory):
    recogniser, samples = small(architecture="low_latency_svdf", **options), sound(5)
    expected = score_window_by_window(recogniser, samples, RATE, hop_ms)
    found = score(recogniser, samples, RATE, hop_ms, with_memory=with_memory)
    assert_same(found, expected)
    scorer = Scorer(recogniser, hop_ms, with_memory=with_memory)
    assert_same(pushed(scorer, samples, [137] * 300), expected)


def test_two_scorers_of_a_recogniser_do_not_share_anything(svdf):
    sounds = sound(1.5, 1), sound(1.5, 2)
    scorers = [Scorer(svdf, 60, with_memory=True) for _ in sounds]
    found = [[], []]
    for start in range(0, len(sounds[0]), 480):
        for i, scorer in enumerate(scorers):
            found[i].append(scorer.push(sounds[i][start : start + 480])[1])
    for values, samples in zip(found, sounds, strict=True):
        expected = score(svdf, samples, RATE, 60)
        np.testing.assert_allclose(np.concatenate(values), expected.values, atol=CLOSE)


@pytest.mark.parametrize("with_memory", [False, True])
def test_another_rate_is_resampled(svdf, with_memory):
    samples = sound(2, rate=11025)
    found = score(svdf, samples, 11025, 60, with_memory=with_memory)
    resampled = audio.resample(samples, 11025, RATE)
    assert_same(found, score(svdf, resampled, RATE, 60), CLOSE)
    assert len(found.times_ms) == 26
    assert_same(score_window_by_window(svdf, samples, 11025, 60), found)


def test_strides_of_no_whole_samples():
    """10 ms at 11025 Hz are 110 samples, so that a hop of 30 ms does not exist."""
    recogniser = small(sample_rate=11025, stride_ms=10)
    refused(Scorer, recogniser, 30, words=("hop_ms is 30", "9.977324263 ms", "choose 29.93197279"))
    hop_ms = 3000 * 110 / 11025
    samples = sound(2, rate=11025)
    expected = score_window_by_window(recogniser, samples, 11025, hop_ms)
    found = score(recogniser, samples, 11025, hop_ms)
    np.testing.assert_allclose(found.times_ms, expected.times_ms, rtol=1e-12)
    np.testing.assert_allclose(found.values, expected.values, atol=CLOSE)
    Scorer(recogniser, 29.93197279)  # the number that the message offers


def test_hops_of_no_whole_samples_window_by_window():
    """Each window begins at the nearest sample, and the last one is inside the sound."""
    recogniser, samples = small(), sound(0.5 + 13 / RATE)
    found = score_window_by_window(recogniser, samples, RATE, 1.7 * 1000 / RATE)
    np.testing.assert_allclose(found.times_ms * RATE / 1000, 1.7 * np.arange(8))
    for row, start in enumerate([0, 2, 3, 5, 7, 8, 10, 12]):
        expected = list(recogniser.predict(samples[start : start + WINDOW], RATE).values())
        np.testing.assert_allclose(found.values[row], expected, atol=CLOSE)


# ---------------------------------------------------------------- once, in time, within bounds


@pytest.fixture
def work(monkeypatch):
    """Counts frames that the front end computes, and how often the graphs are made."""
    counts = {"frames": 0, "graphs": 0}
    compute = FrontEnd.any_length

    def count(frames):
        counts["frames"] += int(frames)

    def counting(self, samples):
        counts["graphs"] += 1
        table = compute(self, samples)
        tf.numpy_function(count, [tf.shape(table)[1]], [])
        return table

    monkeypatch.setattr(FrontEnd, "any_length", counting)
    for layer, method in ((models.Svdf, "from_memory"), (models.Svdf, "call")):
        original = getattr(layer, method)

        def traced(self, inputs, original=original):
            counts["graphs"] += 1
            return original(self, inputs)

        monkeypatch.setattr(layer, method, traced)
    return counts


@pytest.mark.parametrize("with_memory", [False, True])
@pytest.mark.parametrize("in_hops", [False, True])
def test_each_frame_is_computed_once(svdf, work, with_memory, in_hops):
    samples = sound(12)
    if in_hops:
        pushed(Scorer(svdf, 60, with_memory=with_memory), samples, [480] * 1000)
    else:
        score(svdf, samples, RATE, 60, with_memory=with_memory)
    # The last 80 samples could belong to a frame that no window needs.
    assert work["frames"] == svdf.front_end.frames_in(len(samples) - 80) == 599


@pytest.mark.parametrize("with_memory", [False, True])
def test_graphs_are_made_once_whatever_the_lengths(svdf, work, with_memory):
    scorer = Scorer(svdf, 20, with_memory=with_memory)
    samples = sound(4)
    pushed(scorer, samples, [WINDOW])
    before = work["graphs"]
    assert 0 < before <= 4
    pushed(scorer, samples, np.random.default_rng(0).integers(1, 3000, 40))
    assert work["graphs"] == before


@pytest.mark.parametrize("clip_duration_ms", [500, 510, 517.3])
@pytest.mark.parametrize("with_memory", [False, True])
def test_a_window_is_scored_when_its_last_sample_is_there(clip_duration_ms, with_memory):
    recogniser = small(architecture="low_latency_svdf", clip_duration_ms=clip_duration_ms)
    scorer = Scorer(recogniser, 60, with_memory=with_memory)
    assert (scorer.labels, scorer.hop_ms) == (LABELS, 60)
    window, samples = recogniser.front_end.samples, sound(2)
    heard, awaited = 0, 0
    while heard < len(samples) - 500:
        for step in (window + 480 * awaited - heard - 1, 1):
            times, values = scorer.push(samples[heard : heard + step])
            heard += step
            assert values.shape == (len(times), len(LABELS)) and values.dtype == np.float32
            assert times.tolist() == ([60.0 * awaited] if step == 1 else [])
        awaited += 1
    assert awaited > 20


def kept_bytes(thing, seen):
    """Bytes of all arrays below a thing, the whole of those that are only parts of one."""
    if id(thing) in seen or not type(thing).__module__.startswith(("numpy", "course_utils")):
        return 0
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        while isinstance(thing.base, np.ndarray):
            thing = thing.base
        return thing.nbytes
    below = vars(thing).values() if hasattr(thing, "__dict__") else ()
    return sum(kept_bytes(each, seen) for each in below)


@pytest.mark.parametrize("with_memory", [False, True])
@pytest.mark.parametrize("in_hops", [False, True])
def test_little_is_kept_of_a_long_sound(svdf, with_memory, in_hops):
    scorer, samples = Scorer(svdf, 60, with_memory=with_memory), sound(60)
    constant = kept_bytes(scorer, set())
    frames, bins = svdf.front_end.output_size
    window, hop = svdf.front_end.window, svdf.front_end.hop
    most = constant + 4 * (window + 2 * hop) + (0 if with_memory else 4 * (frames + 2) * bins)
    for piece in np.split(samples, range(480, len(samples), 480)) if in_hops else [samples]:
        scorer.push(piece)
        assert constant < kept_bytes(scorer, set()) <= most


# ---------------------------------------------------------------- what is refused


def refused(action, *arguments, words, error=ValueError, **options):
    """Do what must be refused and hold the message to the rules for messages."""
    with pytest.raises(error) as caught:
        action(*arguments, **options)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and "expected" in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize("hop_ms", [0, -20, 10, 30, 20.1, 1e-9, np.nan, np.inf, -np.inf])
def test_hops_of_no_whole_strides(recogniser, hop_ms):
    words = (f"hop_ms is {hop_ms:g};", "multiple of the front end's stride, 20 ms", "choose 40")
    refused(Scorer, recogniser, hop_ms, words=words)
    refused(score, recogniser, sound(1), RATE, hop_ms, words=words)


@pytest.mark.parametrize("hop_ms", [0, -20, 0.1, np.nan, np.inf])
def test_hops_of_no_sample(recogniser, hop_ms):
    words = (f"hop_ms is {hop_ms:g};", "at least one sample, 0.125 ms", "30 is usual")
    refused(score_window_by_window, recogniser, sound(1), RATE, hop_ms, words=words)


def test_micro_is_scored_window_by_window_only():
    recogniser = untrained("tiny_embedding_conv", "micro")
    refused(Scorer, recogniser, 20, words=("'micro' adapts", "score_window_by_window"))
    samples = sound(0.6, rate=2 * RATE)
    found = score_window_by_window(recogniser, samples, 2 * RATE, 50)
    assert found.times_ms.tolist() == [0, 50, 100]
    expected = recogniser.predict(samples[1600:], 2 * RATE)
    np.testing.assert_allclose(found.values[2], list(expected.values()), atol=CLOSE)


def test_memory_needs_svdf(recogniser):
    words = ("begins with", "expected Svdf", "low_latency_svdf")
    refused(Scorer, recogniser, 20, with_memory=True, words=words)
    refused(score, recogniser, sound(1), RATE, 20, with_memory=True, words=words)


@pytest.mark.parametrize("scored", [score, score_window_by_window])
def test_sounds_shorter_than_a_window(recogniser, scored):
    samples, own = sound(0.5), {"hop_ms": 20}
    assert len(scored(recogniser, samples, RATE, **own).times_ms) == 1
    words = ("lasts 499.875 ms", "at least the 500 ms", "longer recording")
    refused(scored, recogniser, samples[:-1], RATE, **own, words=words, error=audio.AudioError)
    words = ("lasts 250 ms", "at least the 500 ms")
    refused(scored, recogniser, samples, 2 * RATE, **own, words=words, error=audio.AudioError)


UNFIT = {
    "NaN": (np.array([0, np.nan]), "holds NaN"),
    "integers": (np.array([0, 1], np.int16), "divide 16-bit integers by 32768"),
    "stereo": (np.zeros((2, 5)), "average channels"),
    "too loud": (np.array([0, 1.5]), "peak of 1.5"),
    "nothing": (np.zeros(0), "no samples"),
}


@pytest.mark.parametrize(("unfit", "word"), UNFIT.values(), ids=UNFIT)
def test_nothing_is_kept_of_unfit_sound(recogniser, unfit, word):
    words, samples = (word,), sound(1)
    for scored in (score, score_window_by_window):
        refused(scored, recogniser, unfit, RATE, 20, words=words, error=audio.AudioError)
    scorer = Scorer(recogniser, 20)
    found = [scorer.push(samples[:5000])]
    refused(scorer.push, unfit, words=words, error=audio.AudioError)
    found.append(scorer.push(samples[5000:]))
    times, values = (np.concatenate(part) for part in zip(*found, strict=True))
    assert_same(Scores(LABELS, times, values), score(recogniser, samples, RATE, 20))


# ---------------------------------------------------------------- the shipped recogniser


@pytest.mark.slow
def test_the_shipped_recogniser_scores_alike_live_and_in_batches():
    words = speech_commands.open("speech_commands_mini")
    chosen = speech_commands.select(words)
    testing = examples.prepare(words, chosen, "testing", progress=False)
    recording = recordings.make(testing, seconds=20, seed=4)
    recogniser = models.load(places.shipped() / "results" / "speech_commands")
    expected = score(recogniser, recording.samples, recording.sample_rate)
    assert len(expected.times_ms) == 634
    live = pushed(Scorer(recogniser), recording.samples, [480] * 1000)
    assert_same(live, expected)
    alone = score_window_by_window(recogniser, recording.samples, recording.sample_rate)
    assert_same(alone, expected)
    # It hears most words: a window that holds all of one gives its label most of the time.
    heard = 0
    for label, begin_ms in recording.ground_truth:
        row = np.searchsorted(expected.times_ms, begin_ms)
        heard += expected.labels[expected.values[row].argmax()] == label
    assert heard >= 0.6 * len(recording.ground_truth)
