"""The Keras front end against its NumPy twin, TensorFlow's own operations and golden values."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from course_utils import features
from course_utils.datasets import speech_commands

tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402

from course_utils.features.front_end import KINDS, FrontEnd  # noqa: E402

RATE = 16000
# Differences come from single precision. A computed tone leaves most bins to rounding.
ORDINARY, TONE = 1e-4, 2e-2


def sine(rate=RATE):
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)


def noise(seed=0, n=RATE):
    return np.random.RandomState(seed).uniform(-0.5, 0.5, n).astype(np.float32)


def impulse():
    samples = np.zeros(RATE, np.float32)
    samples[8000] = 1
    return samples


SOUNDS = {
    "noise": (noise(), ORDINARY),
    "quiet": (noise(1) * 1e-4, ORDINARY),
    "digital silence": (np.zeros(RATE, np.float32), ORDINARY),
    "impulse": (impulse(), ORDINARY),
    "tone": (sine(), TONE),
    "tone of 16 bits": (np.rint(sine() * 32767) / np.float32(32768), TONE / 2),
}


@pytest.fixture(scope="module")
def spoken():
    """Every fortieth clip of the shipped set, (clips, samples)."""
    paths = speech_commands.open("speech_commands_mini").clips()[::40]
    return speech_commands.read_clips(paths, progress=False).steps / np.float32(32768)


def one(front_end, samples):
    return np.asarray(front_end(samples[None]))[0]


def peer_mfcc(samples):
    power = tf.raw_ops.AudioSpectrogram(
        input=samples[:, None], window_size=480, stride=160, magnitude_squared=True
    )
    found = tf.raw_ops.Mfcc(spectrogram=power, sample_rate=RATE, dct_coefficient_count=40)
    return found.numpy()[0]


# ---------------------------------------------------------------- the numbers


@pytest.mark.parametrize(("samples", "bound"), SOUNDS.values(), ids=SOUNDS)
def test_mfcc(samples, bound):
    found = one(FrontEnd("mfcc"), samples)
    assert found.shape == (98, 40) and found.dtype == np.float32
    np.testing.assert_allclose(found, features.mfcc(samples, RATE), atol=bound, rtol=0)
    np.testing.assert_allclose(found, peer_mfcc(samples), atol=bound, rtol=0)


def test_golden_mfcc():
    tone = one(FrontEnd(), sine())
    first = [-44.4835, 18.9755, -1.5125, -6.1049, -7.6704]
    np.testing.assert_allclose(tone[0, :5], first, atol=TONE)
    c0 = [-44.4835, -45.1514, -44.4835, -44.2570, -44.2570, -44.4835]
    np.testing.assert_allclose(tone[:6, 0], c0, atol=TONE)
    assert tone.mean() == pytest.approx(-1.09776, abs=1e-3)
    silence = one(FrontEnd(), np.zeros(RATE, np.float32))
    np.testing.assert_allclose(silence[:, 0], -247.13937, atol=1e-4)
    np.testing.assert_allclose(silence[:, 1:], 0, atol=1e-4)
    hiss = one(FrontEnd(), noise())
    first = [20.1598, -3.3669, -0.5201, -0.2213, -0.7415]
    np.testing.assert_allclose(hiss[0, :5], first, atol=1e-4)
    assert hiss.mean() == pytest.approx(0.31571, abs=1e-5)
    assert hiss.std() == pytest.approx(3.09808, abs=1e-5)
    touched = np.flatnonzero((one(FrontEnd(), impulse()) > silence + 1e-3).any(1))
    assert touched.tolist() == [48, 49]


@pytest.mark.parametrize(("samples", "bound"), SOUNDS.values(), ids=SOUNDS)
def test_log_mel(samples, bound):
    found = one(FrontEnd("log_mel"), samples)
    np.testing.assert_allclose(found, features.log_mel(samples, RATE), atol=5 * bound, rtol=0)


@pytest.mark.parametrize("floor", [1e-6, 1e-3, 1.0])
def test_the_floor_of_the_logarithm(floor):
    for samples in (noise() * 1e-4, np.zeros(RATE, np.float32), noise()):
        found = one(FrontEnd("log_mel", floor=floor, high_hz=7600), samples)
        expected = features.log_mel(samples, RATE, high_hz=7600)
        expected = np.maximum(expected, np.log(np.float32(floor)))
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("bins", [40, 43, 20, 1, 257])
@pytest.mark.parametrize("name", ["noise", "tone"])
def test_average(bins, name):
    samples = SOUNDS[name][0]
    found, expected = (
        one(FrontEnd("average", bins=bins), samples),
        features.average(samples, RATE, n_bins=bins),
    )
    assert found.shape == expected.shape == (98, *FrontEnd("average", bins=bins).output_size[1:])
    np.testing.assert_allclose(found, expected, atol=1e-6 * expected.max(), rtol=0)


def hold_together(clips):
    """Front end and NumPy twin, for 16-bit recordings."""
    expected = np.stack([features.mfcc(clip, RATE) for clip in clips])
    np.testing.assert_allclose(FrontEnd()(clips), expected, atol=1e-3)
    expected = np.stack([features.log_mel(clip, RATE, high_hz=7600) for clip in clips])
    table = FrontEnd("log_mel", floor=1e-3, high_hz=7600)(clips)
    np.testing.assert_allclose(table, np.maximum(expected, math.log(1e-3)), atol=2e-3)


def test_speech(spoken):
    hold_together(spoken)


ROOT = os.environ.get("COURSE_DATA_ROOT")


@pytest.mark.real
@pytest.mark.skipif(
    not ROOT or not (Path(ROOT) / "speech_commands").is_dir(),
    reason="COURSE_DATA_ROOT names no folder with speech_commands in it",
)
def test_real_speech():
    paths = speech_commands.SpeechCommands(Path(ROOT) / "speech_commands").clips()[::10]
    steps = speech_commands.read_clips(paths, progress=False).steps
    hold_together(steps / np.float32(32768))


def by_hand_micro(samples, rate=RATE, window=30, stride=20, bins=40):
    """The tutorial's graph for ``--preprocess=micro``."""
    from tensorflow.lite.experimental.microfrontend.python.ops import audio_microfrontend_op

    steps = tf.cast(tf.multiply(samples, 32768), tf.int16)
    found = audio_microfrontend_op.audio_microfrontend(
        steps, sample_rate=rate, window_size=window, window_step=stride,
        num_channels=bins, out_scale=1, out_type=tf.float32,
    )  # fmt: skip
    return tf.multiply(found, 10.0 / 256.0).numpy()


def test_micro(spoken):
    front_end = FrontEnd("micro", stride_ms=20)
    assert front_end.output_size == (49, 40)
    clips = np.stack([noise(), *spoken[:3]])
    found = np.asarray(front_end(clips))
    expected = np.stack([by_hand_micro(clip) for clip in clips])
    assert expected.max() > 5
    np.testing.assert_array_equal(found, expected)
    loudest = np.ones(RATE, np.float32)
    # 1.0 is 32767: the tutorial's cast would turn it into -32768.
    expected = by_hand_micro(loudest * 32767 / 32768)
    np.testing.assert_array_equal(one(front_end, loudest), expected)
    wide = FrontEnd("micro", 44100, window_ms=25, stride_ms=10, bins=32)
    samples = noise(0, 44100)
    np.testing.assert_array_equal(one(wide, samples), by_hand_micro(samples, 44100, 25, 10, 32))


# ---------------------------------------------------------------- shapes, rates, batches


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, (98, 40)),
        ({"stride_ms": 20}, (49, 40)),
        ({"kind": "average"}, (98, 43)),
        ({"kind": "average", "bins": 43}, (98, 52)),
        ({"kind": "log_mel", "bins": 64, "high_hz": 8000}, (98, 64)),
        ({"bins": 13}, (98, 13)),
        ({"window_ms": 1000}, (1, 40)),
        ({"clip_duration_ms": 500}, (48, 40)),
        ({"stride_ms": 2000}, (1, 40)),
        ({"kind": "micro", "window_ms": 25, "stride_ms": 20}, (49, 40)),
    ],
)
def test_output_size(options, size):
    front_end = FrontEnd(**options)
    assert front_end.output_size == size
    clips = np.zeros((2, front_end.samples), np.float32)
    assert front_end(clips).shape == (2, *size)
    symbolic = front_end(keras.Input((front_end.samples,)))
    assert symbolic.shape == (None, *size)
    graph = tf.function(front_end).get_concrete_function(
        tf.TensorSpec((None, front_end.samples), tf.float32)
    )
    assert graph.output_shapes.as_list() == [None, *size]


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_other_rates(rate):
    """11025, 22050 and 44100 Hz give windows of an odd length, where Hann windows differ."""
    samples = noise(2, rate)
    high = 3800 if rate == 8000 else 4000
    found = one(FrontEnd(sample_rate=rate, high_hz=high), samples)
    expected = features.mfcc(samples, rate, high_hz=high)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=ORDINARY)
    found = one(FrontEnd("average", sample_rate=rate), samples)
    expected = features.average(samples, rate)
    np.testing.assert_allclose(found, expected, atol=1e-6 * expected.max(), rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_clips_of_a_batch_do_not_touch_each_other(kind):
    front_end = FrontEnd(kind)
    clips = np.stack([noise(seed) * scale for seed, scale in enumerate((1, 0, 0.01, 1))])
    together = np.asarray(front_end(clips))
    apart = np.concatenate([front_end(clip[None]) for clip in clips])
    np.testing.assert_allclose(together, apart, rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(together, np.asarray(front_end(clips)))
    assert np.abs(together[0] - together[3]).max() > 0.1


# ---------------------------------------------------------------- keeping it


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded(tmp_path, kind):
    options = {"window_ms": 20, "stride_ms": 10, "bins": 20, "clip_duration_ms": 100}
    options |= {"low_hz": 100, "high_hz": 6000, "floor": 1e-4}
    front_end = FrontEnd(kind, **options)
    inputs = keras.Input((front_end.samples,))
    keras.Model(inputs, front_end(inputs)).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again = loaded.layers[1]
    assert isinstance(again, FrontEnd) and again.settings == front_end.settings
    assert again.settings == {"kind": kind, "sample_rate": RATE} | options
    samples = noise(0, front_end.samples)
    np.testing.assert_array_equal(loaded(samples[None])[0], one(front_end, samples))


def test_single_precision_whatever_the_policy():
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_float16")
        front_end = FrontEnd()
        assert front_end(noise()[None]).dtype == tf.float32
        assert FrontEnd.from_config(front_end.get_config()).dtype_policy.name == "float32"
    finally:
        keras.config.set_dtype_policy(before)
    np.testing.assert_array_equal(one(front_end, noise()), one(FrontEnd(), noise()))


def test_it_converts_to_tensorflow_lite_with_built_in_operations():
    front_end = FrontEnd(clip_duration_ms=100)
    function = tf.function(lambda samples: front_end(samples))
    spec = tf.TensorSpec((1, front_end.samples), tf.float32)
    concrete = function.get_concrete_function(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], front_end)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    interpreter = Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    samples = noise(0, front_end.samples)[None]
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], samples)
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(found, front_end(samples), atol=1e-3)


# ---------------------------------------------------------------- what is refused


def refused(*words, **options):
    """Make a front end that must be refused and hold the message to the rules for messages."""
    with pytest.raises(ValueError) as caught:
        FrontEnd(**options)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and "; " in message
    assert all(word in message for word in words), message


def test_unknown_kinds_list_the_choices():
    refused("'mel'", "--preprocess", "choose one of mfcc, average, micro, log_mel", kind="mel")


@pytest.mark.parametrize(
    "options",
    [
        {"window_ms": 1001},
        {"clip_duration_ms": 29},
        {"window_ms": 0},
        {"window_ms": 0.06},
        {"window_ms": -30},
        {"stride_ms": 0},
        {"stride_ms": -10},
        {"window_ms": math.nan},
        {"stride_ms": math.nan},
        {"stride_ms": math.inf},
        {"clip_duration_ms": math.inf},
        {"clip_duration_ms": math.nan},
        {"sample_rate": 0},
    ],
)
def test_windows_that_do_not_fit(options):
    refused("does not fit into a clip of", "shorten window_ms or lengthen", **options)


def test_impossible_numbers_of_bins():
    for kind, most in (("mfcc", 40), ("log_mel", 257), ("average", 257), ("micro", 257)):
        for bins in (0, -1, most + 1):
            refused(f"bins={bins}", f"expected 1 to {most}", repr(kind), kind=kind, bins=bins)
    refused("expected 1 to 129", kind="average", bins=130, window_ms=16)


@pytest.mark.parametrize("kind", ["mfcc", "log_mel"])
def test_impossible_filterbanks(kind):
    limits = ("inside 0 to 4000 Hz, half the sample rate", "lower high_hz")
    refused("20 to 4001 Hz", *limits, kind=kind, sample_rate=8000, high_hz=4001)
    refused("5000 to 4000 Hz", kind=kind, low_hz=5000)
    refused("-1 to 4000 Hz", kind=kind, low_hz=-1)
    refused("to nan Hz", kind=kind, high_hz=math.nan)


@pytest.mark.parametrize("floor", [0, -1, 1e-40, math.nan, math.inf])
def test_impossible_floors(floor):
    refused(f"floor={floor}", "above zero", "1e-12 is usual", kind="log_mel", floor=floor)


def test_what_micro_cannot_do():
    """The operation crashes Python at a stride above the window, and truncates milliseconds."""
    refused("30 ms every 31 ms", "no longer than the window", kind="micro", stride_ms=31)
    refused("12.5 ms every 10 ms", "whole milliseconds", kind="micro", window_ms=12.5)
    for rate in (8000, 15000):
        refused(f"{rate} Hz", "listens up to 7500 Hz", "'mfcc'", kind="micro", sample_rate=rate)


@pytest.mark.parametrize("shape", [(1, 8000), (2, 16001), (16000,), (1, 16000, 1)])
def test_clips_of_another_length(shape):
    front_end = FrontEnd()
    front_end(np.zeros((1, 16000), np.float32))
    with pytest.raises(ValueError) as caught:
        front_end(np.zeros(shape, np.float32))
    assert str(caught.value) == (
        f"The front end was given clips of shape {shape}; expected (batch, 16000), 1000 ms at"
        " 16000 Hz; give it the sample_rate and clip_duration_ms of the clips."
    )


# ---------------------------------------------------------------- sounds of any length

SPECTRAL = tuple(kind for kind in KINDS if kind != "micro")


def like_speech(seconds):
    """Noise, stronger at low frequencies, that swells and fades a few times a second."""
    white = np.random.default_rng(7).normal(0, 1, round(seconds * RATE))
    tilted = np.convolve(white, 0.8 ** np.arange(30), "same")
    loudness = 0.02 + np.abs(np.sin(2 * np.pi * 1.5 * np.arange(len(white)) / RATE))
    return np.clip(0.1 * tilted * loudness, -1, 1).astype(np.float32)


@pytest.mark.parametrize("kind", SPECTRAL)
@pytest.mark.parametrize("options", [{}, {"stride_ms": 40, "window_ms": 25}])
def test_any_length_gives_a_clip_what_the_layer_gives(kind, options):
    front_end, samples = FrontEnd(kind, **options), like_speech(1)
    expected = one(front_end, samples)
    np.testing.assert_array_equal(front_end.any_length(samples[None])[0], expected)
    assert expected.std(axis=0).min() > 0


@pytest.mark.parametrize("seconds", [0.03, 0.5, 3.21])
def test_any_length_gives_what_numpy_gives(seconds):
    samples = like_speech(seconds)
    expected = {
        "mfcc": features.mfcc(samples, RATE),
        "log_mel": features.log_mel(samples, RATE),
        "average": features.average(samples, RATE),
    }
    for kind in SPECTRAL:
        front_end = FrontEnd(kind)
        found = front_end.any_length(samples[None])[0]
        assert found.shape == expected[kind].shape
        assert len(found) == front_end.frames_in(len(samples))
        np.testing.assert_allclose(found, expected[kind], atol=1e-3, rtol=1e-5)


@pytest.mark.parametrize("kind", SPECTRAL)
def test_a_frame_is_the_same_wherever_the_sound_begins(kind):
    front_end, samples = FrontEnd(kind), like_speech(2)
    whole = front_end.any_length(samples[None])[0]
    for first in (1, 50, 101):
        later = front_end.any_length(samples[None, first * front_end.hop :])[0]
        np.testing.assert_allclose(later, whole[first:], atol=1e-4, rtol=1e-5)


def test_micro_has_no_features_of_any_length():
    with pytest.raises(ValueError, match=r"'micro' adapts .+; expected mfcc, .+; cut the sound"):
        FrontEnd("micro").any_length(like_speech(2)[None])


@pytest.mark.parametrize("samples", [0, 1, 479])
def test_less_than_a_frame_has_no_features(samples):
    message = rf"The sound has {samples} samples; expected at least the 480 of one frame; wait"
    for kind in SPECTRAL:
        with pytest.raises(ValueError, match=message):
            FrontEnd(kind).any_length(np.zeros((1, samples), np.float32))


@pytest.mark.parametrize("options", [{}, {"stride_ms": 40}, {"sample_rate": 11025}])
def test_frames_in(options):
    front_end = FrontEnd(**options)
    window, hop = front_end.window, front_end.hop
    assert [front_end.frames_in(n) for n in (0, 1, window - 1)] == [0, 0, 0]
    for frames in (1, 2, 98, 60_000):
        exact = window + (frames - 1) * hop
        found = [front_end.frames_in(n) for n in (exact - 1, exact, exact + hop - 1, exact + hop)]
        assert found == [frames - 1, frames, frames, frames + 1]
    assert front_end.frames_in(front_end.samples) == front_end.output_size[0]
    sound = np.zeros(3 * window, np.float32)
    assert len(features.frames(sound, window, hop)) == front_end.frames_in(len(sound))
