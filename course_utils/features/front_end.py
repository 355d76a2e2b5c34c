"""The front end as a Keras layer: a batch of sounds in, a batch of feature tables out.

It computes what :mod:`course_utils.features` computes in NumPy, with operations that TensorFlow
Lite has too (``tf.signal.stft``, matrix products, a logarithm), so that an exported model takes raw
samples. Importing this module loads TensorFlow.
"""

import keras
import tensorflow as tf

from course_utils import features

KINDS = ("mfcc", "average", "micro", "log_mel")
"""``mfcc``, ``average`` and ``micro`` are the tutorial's; ``log_mel`` is MFCC without its DCT."""

# The tutorial's own scaling of the micro front end.
_MICRO_SCALE = 10 / 256


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
        Features per frame: coefficients, mel bands, or bins aimed at (``average``).
    low_hz, high_hz : float
        Range of the mel filterbank (``mfcc``, ``log_mel``), in hertz.
    floor : float
        Smallest value that enters the logarithm (``mfcc``, ``log_mel``).

    Raises
    ------
    ValueError
        If the kind is unknown, a window does not fit into a clip, or the filterbank is impossible.

    Notes
    -----
    Input shape (batch, samples), float32 in [-1, 1]; output shape (batch, frames, bins), float32.
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
        super().__init__(**options)
        if kind not in KINDS:
            raise ValueError(
                f"There is no front end {kind!r} (the tutorial's --preprocess); choose one of "
                f"{', '.join(KINDS)}."
            )
        self.settings = {
            "kind": kind, "sample_rate": sample_rate, "clip_duration_ms": clip_duration_ms,
            "window_ms": window_ms, "stride_ms": stride_ms, "bins": bins, "low_hz": low_hz,
            "high_hz": high_hz, "floor": floor,
        }  # fmt: skip
        self.kind, self.sample_rate, self._bins, self._floor = kind, sample_rate, bins, floor
        self.samples = features.milliseconds_to_samples(clip_duration_ms, sample_rate)
        self._window = features.milliseconds_to_samples(window_ms, sample_rate)
        self._hop = features.milliseconds_to_samples(stride_ms, sample_rate)
        if self._hop < 1 or not 1 <= self._window <= self.samples:
            raise ValueError(
                f"A window of {window_ms} ms every {stride_ms} ms does not fit into a clip of "
                f"{clip_duration_ms} ms at {sample_rate} Hz; shorten window_ms or lengthen "
                "clip_duration_ms."
            )
        self._fft_length = features.fft_length(self._window)
        self._matrices = self._constants(low_hz, high_hz)

    def _constants(self, low_hz: float, high_hz: float) -> list:
        """The matrices that a magnitude spectrum is multiplied with."""
        if self.kind not in ("mfcc", "log_mel"):
            return []
        n_bins, mfcc = self._fft_length // 2 + 1, self.kind == "mfcc"
        n_mels = max(40, self._bins) if mfcc else self._bins
        bank = features.mel_filterbank(n_bins, self.sample_rate, n_mels, low_hz, high_hz)
        return [bank, features.dct_matrix(n_mels, self._bins)] if mfcc else [bank]

    @property
    def output_size(self) -> tuple[int, int]:
        """(frames, features per frame) of one clip."""
        return self.compute_output_shape((1, self.samples))[1:]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Shape (batch, frames, features per frame) for an input of shape (batch, samples)."""
        frames = 1 + (input_shape[1] - self._window) // self._hop
        columns = self._bins
        if self.kind == "average":
            n_bins = self._fft_length // 2 + 1
            columns = -(-n_bins // (n_bins // self._bins))
        return (input_shape[0], frames, columns)

    def call(self, samples: tf.Tensor) -> tf.Tensor:
        """Samples (batch, samples) to features (batch, frames, features per frame)."""
        return self._micro(samples) if self.kind == "micro" else self._spectral(samples)

    def _spectral(self, samples: tf.Tensor) -> tf.Tensor:
        magnitude = tf.abs(tf.signal.stft(samples, self._window, self._hop, self._fft_length))
        if self.kind == "average":
            width = magnitude.shape[-1] // self._bins
            pooled = tf.nn.avg_pool2d(
                tf.square(magnitude)[..., None], (1, width), (1, width), "SAME"
            )
            return pooled[..., 0]
        bank, *cosines = (tf.constant(matrix, tf.float32) for matrix in self._matrices)
        table = tf.math.log(tf.maximum(magnitude @ bank, self._floor))
        return table @ cosines[0] if cosines else table

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
