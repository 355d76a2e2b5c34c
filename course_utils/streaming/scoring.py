"""Run a recogniser over a sound of any length. Importing this module loads TensorFlow.

A recogniser hears one second at a time. Moved along by 30 ms it hears 970 ms again, so its features
are kept: each frame is computed once. Where the network begins with SVDF, its first layer keeps its
results as well. Lesson: 04.
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from course_utils import audio
from course_utils.features.front_end import FrontEnd
from course_utils.models.speech_commands import Recogniser, Stream
from course_utils.progress import bar
from course_utils.streaming.scores import Scores

_BATCH = 200  # windows that the network hears at once: more do not make it faster
_CHUNK_S = 10  # seconds of a recording whose features are computed at once


class Scorer:
    """Scores of one window after another, of a sound that comes in pieces.

    Pieces of one hop, as they come from a microphone, give the scores as soon as they can be known;
    a whole recording in one piece is scored in batches. The scores are the same.

    Parameters
    ----------
    recogniser : Recogniser
    hop_ms : float
        Time from the beginning of a window to that of the next, in milliseconds; a multiple of the
        front end's stride.
    with_memory : bool
        Frame by frame with the memory of SVDF, in place of window by window; for
        ``low_latency_svdf`` only.

    Attributes
    ----------
    labels : tuple of str
    hop_ms : float

    Raises
    ------
    ValueError
        If the hop is no multiple of the stride, the features of a frame depend on the frames before
        it (``micro``), or there is no SVDF to keep a memory.
    """

    def __init__(
        self, recogniser: Recogniser, hop_ms: float = 30, *, with_memory: bool = False
    ) -> None:
        self.labels, self.hop_ms = recogniser.labels, hop_ms
        self._front_end = recogniser.front_end
        self._hop = _frames_per_hop(self._front_end, hop_ms)
        run = _Memory if with_memory else _Windows
        self._network = run(recogniser.network, self._front_end.output_size, self._hop)
        self._features = _compiled(self._front_end.any_length, (1, None))
        # The end of a clip that is too short for one more frame: a window lasts until there.
        self._end = (self._front_end.samples - self._front_end.window) % self._front_end.hop
        self._sound = _Waiting()
        self._scored = 0

    def push(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hear some more sound.

        Parameters
        ----------
        samples : np.ndarray of float, shape (samples,)
            What follows the sound that was given before, at the front end's rate; any length from
            one sample up.

        Returns
        -------
        (np.ndarray, shape (windows,), np.ndarray of float32, shape (windows, labels))
            Of every window that is complete now and was not before: when it begins, in milliseconds
            from the very first sample, and its scores. Often none.

        Raises
        ------
        audio.AudioError
            If the sound is unfit (see :func:`audio.check`). Nothing is kept of it.
        """
        samples, _ = audio.check(samples, self._front_end.sample_rate)
        self._sound.add(samples)
        sound = self._sound.rows[: max(0, len(self._sound.rows) - self._end)]
        frames = self._front_end.frames_in(len(sound))
        logits = np.zeros((0, len(self.labels)), np.float32)
        if frames > 0:
            logits = self._network.push(self._features(sound[None])[0].numpy())
            self._sound.drop(frames * self._front_end.hop)
        times = (self._scored + np.arange(len(logits))) * float(self.hop_ms)
        self._scored += len(logits)
        return times, tf.nn.softmax(logits).numpy()


def _compiled(run: Callable[[tf.Tensor], tf.Tensor], shape: tuple) -> Callable:
    """A function of arrays of one shape, in which None is any length, as a TensorFlow graph."""
    # Made here and now. One that is made at its first call counts as a retracing, of which
    # TensorFlow warns after a few scorers.
    graph = tf.function(run).get_concrete_function(tf.TensorSpec(shape, tf.float32))
    return lambda values: graph(tf.constant(values, tf.float32))


class _Waiting:
    """What came and is still needed, the oldest first: samples, or frames."""

    def __init__(self, *shape: int) -> None:
        self.rows = np.zeros((0, *shape), np.float32)
        self._owed = 0  # to be dropped, but yet to come: hops may be longer than what is cut out

    def add(self, rows: np.ndarray) -> None:
        passed_over = min(self._owed, len(rows))
        self._owed -= passed_over
        self.rows = np.concatenate([self.rows, rows[passed_over:]])

    def drop(self, count: int) -> None:
        self._owed += max(0, count - len(self.rows))
        self.rows = self.rows[count:].copy()  # a view would keep what is dropped


class _Windows:
    """The network over one window of frames after another."""

    def __init__(self, network: keras.Model, size: tuple[int, int], hop: int) -> None:
        self._frames, bins = size
        self._hop, self._labels = hop, network.output_shape[-1]
        self._forward = _compiled(lambda tables: network(tables, training=False), (None, *size))
        self._table = _Waiting(bins)

    def push(self, frames: np.ndarray) -> np.ndarray:
        """Logits of the windows that these frames complete."""
        self._table.add(frames)
        if len(self._table.rows) < self._frames:
            return np.zeros((0, self._labels), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(self._table.rows, self._frames, axis=0)
        windows = windows[:: self._hop].transpose(0, 2, 1)
        self._table.drop(len(windows) * self._hop)
        batches = range(0, len(windows), _BATCH)
        return np.concatenate([self._forward(windows[i : i + _BATCH]) for i in batches])


class _Memory:
    """A network that begins with SVDF, over one frame after another."""

    def __init__(self, network: keras.Model, size: tuple[int, int], hop: int) -> None:
        self._stream = Stream(network)
        self._frames, self._hop, self._heard = size[0], hop, 0
        self._labels = network.output_shape[-1]

    def push(self, frames: np.ndarray) -> np.ndarray:
        """Logits of the windows that these frames complete."""
        found = []
        for frame in frames:
            logits = self._stream.push(frame)
            self._heard += 1
            after = self._heard - self._frames
            if after >= 0 and after % self._hop == 0:
                found.append(logits)
        return np.array(found, np.float32).reshape(-1, self._labels)


def _frames_per_hop(front_end: FrontEnd, hop_ms: float) -> int:
    """Frames from one window to the next; ValueError where that is not a whole number."""
    if front_end.kind == "micro":
        raise ValueError(
            "The front end 'micro' adapts to what it heard before, so the features of a frame"
            " depend on where its window begins; expected mfcc, average or log_mel; score with"
            " score_window_by_window, which needs no shared frames."
        )
    # Of whole samples: 10 ms at 22050 Hz are 220.
    stride_ms = 1000 * front_end.hop / front_end.sample_rate
    frames = hop_ms / stride_ms
    if not (0.5 < frames < np.inf and abs(frames - round(frames)) < 1e-6):
        usual = max(1, round(30 / stride_ms)) * stride_ms
        raise ValueError(
            f"hop_ms is {hop_ms:g}; expected a multiple of the front end's stride,"
            f" {stride_ms:.10g} ms, so that windows share their frames; choose {usual:.10g}, say."
        )
    return round(frames)


def score(
    recogniser: Recogniser,
    samples: np.ndarray,
    sample_rate: int,
    hop_ms: float = 30,
    *,
    with_memory: bool = False,
    progress: bool = True,
) -> Scores:
    """Score a whole recording.

    Parameters
    ----------
    recogniser, hop_ms, with_memory
        As :class:`Scorer`.
    samples : np.ndarray of float, shape (samples,)
        Sound in [-1, 1], at least as long as a window; one of another rate is resampled.
    sample_rate : int
        In Hz.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Scores

    Raises
    ------
    audio.AudioError, ValueError
        If the sound is unfit or shorter than a window, or as :class:`Scorer`.
    """
    scorer = Scorer(recogniser, hop_ms, with_memory=with_memory)
    samples = _long_enough(recogniser, samples, sample_rate)
    chunk, found = _CHUNK_S * recogniser.sample_rate, []
    with bar(len(samples), "scoring", "sample", progress) as shown:
        for start in range(0, len(samples), chunk):
            piece = samples[start : start + chunk]
            found.append(scorer.push(piece))
            shown.update(len(piece))
    times, values = (np.concatenate(part) for part in zip(*found, strict=True))
    return Scores(recogniser.labels, times, values, _window_ms(recogniser))


def score_window_by_window(
    recogniser: Recogniser, samples: np.ndarray, sample_rate: int, hop_ms: float = 30
) -> Scores:
    """Score a whole recording as TensorFlow's tool does: each window by itself, from its samples.

    For comparison, and for front ends whose frames cannot be shared. Parameters, result and errors
    are those of :func:`score`.
    """
    samples = _long_enough(recogniser, samples, sample_rate)
    hop, length = hop_ms * recogniser.sample_rate / 1000, recogniser.front_end.samples
    if not 1 <= hop < np.inf:
        raise ValueError(
            f"hop_ms is {hop_ms:g}; expected at least one sample, {1000 / recogniser.sample_rate:g}"
            " ms; 30 is usual."
        )
    starts = hop * np.arange(1 + (len(samples) - length) // hop)
    run = _compiled(lambda window: recogniser.model(window, training=False), (1, length))
    values = [run(samples[None, round(s) : round(s) + length]).numpy()[0] for s in starts]
    times = 1000 * starts / recogniser.sample_rate
    return Scores(recogniser.labels, times, np.array(values), _window_ms(recogniser))


def _window_ms(recogniser: Recogniser) -> float:
    return recogniser.front_end.settings["clip_duration_ms"]


def _long_enough(recogniser: Recogniser, samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """The sound at the recogniser's rate; AudioError where it is shorter than one window."""
    samples = audio.resample(samples, sample_rate, recogniser.sample_rate)
    if len(samples) < recogniser.front_end.samples:
        raise audio.AudioError(
            f"The sound lasts {1000 * len(samples) / recogniser.sample_rate:g} ms; expected at"
            f" least the {_window_ms(recogniser):g} ms of one window; give a longer recording, or"
            " predict the clip."
        )
    return samples
