"""The NumPy front end against golden values and against TensorFlow's own operations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import features

RATE = 16000


@pytest.fixture(scope="module")
def tf():
    return pytest.importorskip("tensorflow")


def sine() -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)


def noise(seed: int = 0, n: int = RATE) -> np.ndarray:
    return np.random.RandomState(seed).uniform(-0.5, 0.5, n).astype(np.float32)


def peer_spectrogram(tf, samples, rate, window_ms, stride_ms):
    return tf.raw_ops.AudioSpectrogram(
        input=np.asarray(samples, np.float32)[:, None],
        window_size=features.milliseconds_to_samples(window_ms, rate),
        stride=features.milliseconds_to_samples(stride_ms, rate),
        magnitude_squared=True,
    )


def peer_mfcc(tf, samples, rate=RATE, window_ms=30, stride_ms=10, n_mfcc=40):
    power = peer_spectrogram(tf, samples, rate, window_ms, stride_ms)
    result = tf.raw_ops.Mfcc(
        spectrogram=power,
        sample_rate=rate,
        upper_frequency_limit=4000,
        lower_frequency_limit=20,
        filterbank_channel_count=40,
        dct_coefficient_count=n_mfcc,
    )
    return result.numpy()[0]


class TestGoldenValues:
    """Numbers computed once with TensorFlow, and those of its own unit tests."""

    def test_sine(self):
        found = features.mfcc(sine(), RATE)
        assert found.shape == (98, 40)
        np.testing.assert_allclose(
            found[0, :5], [-44.4835, 18.9755, -1.5125, -6.1049, -7.6704], atol=1e-4
        )
        np.testing.assert_allclose(
            found[:6, 0],
            [-44.4835, -45.1514, -44.4835, -44.2570, -44.2570, -44.4835],
            atol=1e-4,
        )
        assert found.mean() == pytest.approx(-1.09776, abs=1e-5)

    def test_uniform_noise(self):
        found = features.mfcc(noise(), RATE)
        np.testing.assert_allclose(
            found[0, :5], [20.1598, -3.3669, -0.5201, -0.2213, -0.7415], atol=1e-4
        )
        assert found.mean() == pytest.approx(0.31571, abs=1e-5)
        assert found.std() == pytest.approx(3.09808, abs=1e-5)

    def test_digital_silence(self):
        found = features.mfcc(np.zeros(RATE, np.float32), RATE)
        np.testing.assert_allclose(found[:, 0], -247.13937, rtol=1e-6)
        np.testing.assert_allclose(found[:, 1:], 0, atol=1e-4)

    def test_an_impulse_touches_only_the_frames_that_hold_it(self):
        samples = np.zeros(RATE, np.float32)
        silent = features.mfcc(samples, RATE)
        samples[8000] = 1
        changed = np.abs(features.mfcc(samples, RATE) - silent).max(axis=1) > 1e-3
        assert np.flatnonzero(changed).tolist() == [48, 49]

    def test_upstream_mfcc_of_squared_ramp(self):
        magnitudes = np.sqrt(np.arange(1, 514, dtype=float))
        mel = magnitudes @ features.mel_filterbank(513, 22050)
        expected = [29.1397, -6.41569, -0.61903, -0.96779, -0.26820, -0.40907, -0.15615]
        expected += [-0.23203, -0.10481, -0.15430, -0.07698, -0.10806, -0.06048]
        np.testing.assert_allclose(features._mfcc_from_mel(mel[None], 13)[0], expected, atol=1e-4)

    def test_upstream_filterbank(self):
        magnitudes = np.sqrt(np.arange(1, 514, dtype=float))
        mel = magnitudes @ features.mel_filterbank(513, 22050, n_mels=20)
        np.testing.assert_allclose(mel[[0, -1]], [7.38895, 231.59803], atol=1e-4)

    def test_upstream_dct(self):
        found = np.arange(1, 7) @ features.dct_matrix(6, 6)
        np.testing.assert_allclose(found, [12.12436, -4.16256, 0, -0.40825, 0, -0.08008], atol=1e-5)

    def test_upstream_spectrogram(self):
        found = features.power_spectrogram(np.array([-1, 0, 1, 0] * 2), 1000, 8, 8)
        np.testing.assert_allclose(found, [[0, 1, 4, 1, 0]], atol=1e-6)


class TestAgainstTensorFlow:
    @pytest.mark.parametrize("n_mfcc", [13, 40])
    @pytest.mark.parametrize(
        ("rate", "window_ms", "stride_ms"),
        [(16000, 30, 10), (16000, 25, 10), (16000, 30, 20), (8000, 32, 16), (44100, 40, 20)],
    )
    def test_mfcc_of_random_input(self, tf, rate, window_ms, stride_ms, n_mfcc):
        for seed in range(5):
            samples = noise(seed, rate) * 10.0**-seed
            found = features.mfcc(samples, rate, window_ms, stride_ms, n_mfcc)
            expected = peer_mfcc(tf, samples, rate, window_ms, stride_ms, n_mfcc)
            np.testing.assert_allclose(found, expected, atol=1e-4)

    @pytest.mark.parametrize("samples", [sine(), noise(), np.zeros(RATE, np.float32)])
    def test_mfcc_of_the_golden_signals(self, tf, samples):
        np.testing.assert_allclose(features.mfcc(samples, RATE), peer_mfcc(tf, samples), atol=1e-4)

    def test_power_spectrogram(self, tf):
        found = features.power_spectrogram(noise(), RATE)
        expected = peer_spectrogram(tf, noise(), RATE, 30, 10).numpy()[0]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize("n_bins", [1, 7, 40, 100, 257])
    def test_average_front_end(self, tf, n_bins):
        power = peer_spectrogram(tf, noise(), RATE, 30, 10)
        width = power.shape[2] // n_bins
        pooled = tf.nn.avg_pool2d(power[..., None], [1, width], [1, width], "SAME")
        found = features.average(noise(), RATE, n_bins=n_bins)
        np.testing.assert_allclose(found, pooled.numpy()[0, :, :, 0], rtol=1e-4, atol=1e-4)


class TestShapes:
    def test_tutorial_shapes(self):
        assert features.mfcc(noise(), RATE).shape == (98, 40)
        assert features.mfcc(noise(), RATE, stride_ms=20).shape == (49, 40)
        assert features.average(noise(), RATE).shape == (98, 43)
        assert features.power_spectrogram(noise(), RATE).shape == (98, 257)
        assert features.log_mel(noise(), RATE, n_mels=64).shape == (98, 64)

    def test_a_clip_shorter_than_the_window_gives_no_frames(self):
        short = noise()[:479]
        assert features.mfcc(short, RATE).shape == (0, 40)
        assert features.average(short, RATE).shape == (0, 43)
        assert features.power_spectrogram(short, RATE).shape == (0, 257)

    def test_results_are_single_precision(self):
        for function in (features.mfcc, features.log_mel, features.average):
            assert function(noise(), RATE).dtype == np.float32

    @given(n=st.integers(0, 3000), frame_length=st.integers(1, 700), hop_length=st.integers(1, 700))
    @settings(deadline=None)
    def test_frames_are_the_slices_they_claim_to_be(self, n, frame_length, hop_length):
        signal = np.arange(n)
        found = features.frames(signal, frame_length, hop_length)
        starts = range(0, n - frame_length + 1, hop_length)
        assert found.shape == (len(starts), frame_length)
        for row, start in zip(found, starts, strict=True):
            np.testing.assert_array_equal(row, signal[start : start + frame_length])

    def test_features_of_a_part_are_a_part_of_the_features(self):
        """No centring and no padding: a stream can be cut at any whole frame."""
        whole = features.mfcc(noise(), RATE)
        part = features.mfcc(noise()[160 * 10 :], RATE)
        np.testing.assert_allclose(part, whole[10:], atol=1e-5)

    def test_a_mel_band_peaks_at_its_centre(self):
        bank = features.mel_filterbank(8001, RATE, 10, 100, 4000)  # a bin for every hertz
        centres = features.mel_centres(10, 100, 4000)
        np.testing.assert_allclose(bank.argmax(axis=0), centres, atol=1)

    def test_next_power_of_two(self):
        assert [features.fft_length(n) for n in (1, 2, 3, 480, 512, 513)] == [
            1, 2, 4, 512, 512, 1024,
        ]  # fmt: skip


class TestErrors:
    def test_stereo(self):
        with pytest.raises(ValueError, match=r"shape \(2, 16000\).*average or choose"):
            features.mfcc(np.zeros((2, 16000)), RATE)

    @pytest.mark.parametrize(("window_ms", "stride_ms"), [(0, 10), (30, 0), (0.01, 10)])
    def test_empty_window_or_stride(self, window_ms, stride_ms):
        with pytest.raises(ValueError, match="at least one sample"):
            features.mfcc(noise(), RATE, window_ms, stride_ms)

    def test_mel_range_beyond_half_the_rate(self):
        with pytest.raises(ValueError, match="half the sample rate"):
            features.mfcc(noise(), 6000)

    def test_mel_range_upside_down(self):
        with pytest.raises(ValueError, match="from 4000 to 20 Hz"):
            features.log_mel(noise(), RATE, low_hz=4000, high_hz=20)

    @pytest.mark.parametrize("n_mfcc", [0, 41])
    def test_more_coefficients_than_bands(self, n_mfcc):
        with pytest.raises(ValueError, match="expected 1 to 40 coefficients"):
            features.mfcc(noise(), RATE, n_mfcc=n_mfcc)

    @pytest.mark.parametrize("n_bins", [0, 258])
    def test_average_with_an_impossible_width(self, n_bins):
        with pytest.raises(ValueError, match="expected 1 to 257"):
            features.average(noise(), RATE, n_bins=n_bins)


@pytest.mark.parametrize("length", [1, 2, 3, 400, 480, 1323])
def test_the_window_is_scipys(length):
    from scipy.signal import get_window

    np.testing.assert_array_equal(features.hann(length), get_window("hann", length))
