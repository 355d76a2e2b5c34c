"""The front end as a Keras layer: a batch of sounds in, a batch of feature tables out.

It computes what :mod:`course_utils.features` computes in NumPy, with operations that TensorFlow
Lite has too (``tf.signal.stft``, matrix products, a logarithm), so that an exported model takes raw
samples. Importing this module loads TensorFlow.
"""

import keras
import numpy as np
import tensorflow as tf

from course_utils import features

KINDS = ("mfcc", "average", "micro", "log_mel")
"""``mfcc``, ``average`` and ``micro`` are the tutorial's; ``log_mel`` is MFCC without its DCT."""

# The tutorial's own scaling of the micro front end, and the top of its filterbank in hertz.
_MICRO_SCALE, _MICRO_HIGH_HZ = 10 / 256, 7500
_MFCC_BANDS = 40


@keras.saving.register_keras_serializable(package="course_utils")
class FrontEnd(keras.layers.Layer):
    """Samples to features.

    Parameters
    ----------
    kind : {"mfcc", "average", "micro", "log_mel"}
    sample_rate : int
        In Hz.
    clip_duration_ms, window_ms, stride_ms : float
        Length of a clip, of a frame, and distance between two frames, in milliseconds.
    bins : int
        Features per frame: coefficients (``mfcc``, at most its 40 mel bands), bands (``log_mel``,
        ``micro``), or bins aimed at (``average``).
    low_hz, high_hz : float
        Range of the mel filterbank (``mfcc``, ``log_mel``), in hertz.
    floor : float
        Smallest value that enters the logarithm (``mfcc``, ``log_mel``).

    Raises
    ------
    ValueError
        If the kind is unknown, a window does not fit into a clip, the filterbank is impossible, or
        (when called) clips are not of the length that was promised.

    Attributes
    ----------
    kind, sample_rate
        As given.
    samples, window, hop : int
        Length of a clip, length of a frame, and distance between two frames, in samples.

    Notes
    -----
    Input shape (batch, samples), float32 in [-1, 1]; output shape (batch, frames, bins), float32.
    Single precision is the difference to :mod:`course_utils.features`: MFCC of speech and noise
    agree to 1e-3, those of a pure computed tone, where most bins hold rounding only, to 2e-2.

    ``micro`` is the integer front end of TensorFlow Lite Micro (noise reduction, gain control,
    logarithm); its operation exists in TensorFlow alone, so such a model is not exported to
    TensorFlow Lite.
    """

    def __init__(
        self,
        kind: str = "mfcc",
        sample_rate: int = 16000,
        clip_duration_ms: float = 1000,
        window_ms: float = 30,
        stride_ms: float = 10,
        bins: int = 40,
        low_hz: float = 20,
        high_hz: float = 4000,
        floor: float = features.LOG_FLOOR,
        **options: object,
    ) -> None:
        # Logarithms of small numbers need single precision, whatever the policy for the network.
        super().__init__(**{"dtype": "float32"} | options)
        self.settings = {
            "kind": kind, "sample_rate": sample_rate, "clip_duration_ms": clip_duration_ms,
            "window_ms": window_ms, "stride_ms": stride_ms, "bins": bins, "low_hz": low_hz,
            "high_hz": high_hz, "floor": floor,
        }  # fmt: skip
        _check(self.settings)
        self.kind, self.sample_rate, self._bins, self._floor = kind, sample_rate, bins, floor
        self.samples = features.milliseconds_to_samples(clip_duration_ms, sample_rate)
        self.window = features.milliseconds_to_samples(window_ms, sample_rate)
        self.hop = features.milliseconds_to_samples(stride_ms, sample_rate)
        self._fft_length = features.fft_length(self.window)
        self._matrices = self._constants(low_hz, high_hz)

    def _constants(self, low_hz: float, high_hz: float) -> list[np.ndarray]:
        """The matrices that a magnitude spectrum is multiplied with."""
        if self.kind not in ("mfcc", "log_mel"):
            return []
        n_bins, mfcc = self._fft_length // 2 + 1, self.kind == "mfcc"
        n_mels = _MFCC_BANDS if mfcc else self._bins
        bank = features.mel_filterbank(n_bins, self.sample_rate, n_mels, low_hz, high_hz)
        return [bank, features.dct_matrix(n_mels, self._bins)] if mfcc else [bank]

    @property
    def output_size(self) -> tuple[int, int]:
        """(frames, features per frame) of one clip."""
        return self.compute_output_shape((1, self.samples))[1:]

    def frames_in(self, samples: int) -> int:
        """How many whole frames a sound of so many samples has."""
        return max(0, 1 + (samples - self.window) // self.hop)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Shape (batch, frames, features per frame) for an input of shape (batch, samples)."""
        frames = self.frames_in(input_shape[1])
        columns = self._bins
        if self.kind == "average":
            n_bins = self._fft_length // 2 + 1
            columns = -(-n_bins // (n_bins // self._bins))
        return (input_shape[0], frames, columns)

    def __call__(self, samples: tf.Tensor, *args: object, **options: object) -> tf.Tensor:
        """Hold the clips to their length, then do what a layer does."""
        shape = tuple(samples.shape)
        if len(shape) != 2 or shape[1] != self.samples:
            raise ValueError(
                f"The front end was given clips of shape {shape}; expected (batch, {self.samples}),"
                f" {self.settings['clip_duration_ms']:g} ms at {self.sample_rate} Hz; give it the"
                " sample_rate and clip_duration_ms of the clips."
            )
        return super().__call__(samples, *args, **options)

    def call(self, samples: tf.Tensor) -> tf.Tensor:
        """Samples (batch, samples) to features (batch, frames, features per frame)."""
        return self._micro(samples) if self.kind == "micro" else self._spectral(samples)

    def any_length(self, samples: tf.Tensor) -> tf.Tensor:
        """Like a call, for sounds of any length: a frame depends on its own samples only.

        Raises
        ------
        ValueError
            For ``micro``, whose frames depend on all frames before them; if the sounds are shorter
            than one frame.
        """
        if self.kind == "micro":
            raise ValueError(
                "The front end 'micro' adapts to what it heard before, so a frame is another one"
                " when the sound begins earlier; expected mfcc, average or log_mel; cut the sound"
                " into clips and compute each by itself."
            )
        length = samples.shape[1]  # unknown while a graph is made
        if length is not None and length < self.window:
            raise ValueError(
                f"The sound has {length} samples; expected at least the {self.window} of one frame;"
                " wait for more of it, or pad it."
            )
        return self._spectral(samples)

    def _spectral(self, samples: tf.Tensor) -> tf.Tensor:
        spectrum = tf.signal.stft(
            samples, self.window, self.hop, self._fft_length, window_fn=self._hann
        )
        magnitude = tf.abs(spectrum)
        if self.kind == "average":
            width = magnitude.shape[-1] // self._bins
            pooled = tf.nn.avg_pool2d(
                tf.square(magnitude)[..., None], (1, width), (1, width), "SAME"
            )
            return pooled[..., 0]
        bank, *cosines = (tf.constant(matrix, tf.float32) for matrix in self._matrices)
        table = tf.math.log(tf.maximum(magnitude @ bank, self._floor))
        return table @ cosines[0] if cosines else table

    def _hann(self, _: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        # tf.signal's own is not periodic when the length is odd, as 30 ms at 44.1 kHz are.
        return tf.constant(features.hann(self.window), dtype)

    def _micro(self, samples: tf.Tensor) -> tf.Tensor:
        from tensorflow.lite.experimental.microfrontend.python.ops import audio_microfrontend_op

        def one(clip: tf.Tensor) -> tf.Tensor:
            return audio_microfrontend_op.audio_microfrontend(
                clip, sample_rate=self.sample_rate,
                window_size=int(self.settings["window_ms"]),
                window_step=int(self.settings["stride_ms"]),
                num_channels=self._bins, out_scale=1, out_type=tf.float32,
            )  # fmt: skip

        steps = tf.cast(tf.clip_by_value(samples * 32768, -32768, 32767), tf.int16)
        table = tf.map_fn(one, steps, fn_output_signature=tf.float32) * _MICRO_SCALE
        return tf.ensure_shape(table, self.compute_output_shape(samples.shape))

    def get_config(self) -> dict:
        """The settings, for a saved model."""
        return super().get_config() | self.settings


def _check(settings: dict) -> None:
    """Refuse settings that no features can be computed with."""
    kind, rate, bins = settings["kind"], settings["sample_rate"], settings["bins"]
    if kind not in KINDS:
        raise ValueError(
            f"There is no front end {kind!r} (the tutorial's --preprocess); choose one of "
            f"{', '.join(KINDS)}."
        )
    times = [settings[name] for name in ("clip_duration_ms", "window_ms", "stride_ms")]
    clip, window, stride = times
    # Written so that a NaN, for which every comparison is false, is refused as well.
    if not (all(1 <= rate * time / 1000 < np.inf for time in times) and window <= clip):
        raise ValueError(
            f"A window of {window} ms every {stride} ms does not fit into a clip of {clip} ms at"
            f" {rate} Hz; expected both to be at least one sample, and the window at most the"
            " clip; shorten window_ms or lengthen clip_duration_ms."
        )
    n_bins = features.fft_length(features.milliseconds_to_samples(window, rate)) // 2 + 1
    most = _MFCC_BANDS if kind == "mfcc" else n_bins
    if not 1 <= bins <= most:
        raise ValueError(
            f"Found bins={bins}; expected 1 to {most} for the front end {kind!r} with a window of"
            f" {window} ms at {rate} Hz; 40 is usual."
        )
    if not 1e-37 <= settings["floor"] < np.inf:  # smaller ones are zero in single precision
        raise ValueError(
            f"Found floor={settings['floor']}; expected a small number above zero, so that the"
            " logarithm of digital silence exists; 1e-12 is usual."
        )
    if kind == "micro":
        _check_micro(rate, window, stride)


def _check_micro(rate: int, window: float, stride: float) -> None:
    """Refuse what the operation reads wrongly, or crashes at."""
    if window % 1 or stride % 1 or stride > window:
        raise ValueError(
            f"Found a window of {window} ms every {stride} ms for the front end 'micro'; expected"
            " whole milliseconds and a stride no longer than the window; 30 and 20 are usual."
        )
    if rate <= 2 * _MICRO_HIGH_HZ:
        raise ValueError(
            f"Found a sample rate of {rate} Hz for the front end 'micro'; expected more than"
            f" {2 * _MICRO_HIGH_HZ} Hz, as it listens up to {_MICRO_HIGH_HZ} Hz; choose 'mfcc' or"
            " 'log_mel' with high_hz lowered."
        )
