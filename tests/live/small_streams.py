"""Detectors that need no training, sounds to try them on, and the demo to do better than."""

from __future__ import annotations

import queue

import numpy as np

RATE = 1000  # Hz; the loop does not care


class Samples:
    """A stream with a step for every sample: its time and, as its score, the sample itself."""

    def __init__(self, sample_rate: int = RATE) -> None:
        self.sample_rate, self.pieces, self.position = sample_rate, [], 0

    def push(self, samples):
        assert samples.dtype == np.float32 and samples.ndim == 1
        times_s = (self.position + np.arange(len(samples))) / self.sample_rate
        self.position += len(samples)
        self.pieces.append(samples.copy())
        return times_s, samples

    @property
    def heard(self) -> np.ndarray:
        return np.concatenate([*self.pieces, np.zeros(0, np.float32)])


class Nothing:
    """A rule that never finds anything."""

    def push(self, times_s, scores):
        return []


class Bursts:
    """A stream that finds the ends of loud sounds: for ``label_s`` from ``delay_s`` after each.

    In seconds. One step every 10 ms. A step is loud if its RMS is above ``loud``.
    """

    def __init__(self, sample_rate=RATE, loud=0.2, delay_s=0.0, label_s=0.3) -> None:
        self.sample_rate, self.loud = sample_rate, loud
        self.step = sample_rate // 100
        self.delay, self.label = round(100 * delay_s), round(100 * label_s)
        self.rest, self.steps, self.last = np.zeros(0, np.float32), 0, -(10**9)
        self.was_loud = False

    def push(self, samples):
        samples = np.concatenate([self.rest, samples])
        count = len(samples) // self.step
        self.rest = samples[count * self.step :]
        blocks = samples[: count * self.step].reshape(count, self.step)
        scores = np.zeros(count)
        if not self.was_loud and self.steps > self.last and not np.any(abs(blocks) > self.loud):
            self.steps += count  # a short cut: nothing is going on
        else:
            for place, loud in enumerate((np.sqrt((blocks**2).mean(1)) > self.loud).tolist()):
                if self.was_loud and not loud:
                    self.last = self.steps + self.delay + self.label
                self.was_loud = loud
                scores[place] = self.last - self.label <= self.steps < self.last
                self.steps += 1
        return (self.steps - count + 1 + np.arange(count)) * self.step / self.sample_rate, scores


def noise(seconds: float, rms: float, sample_rate: int = RATE, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0, rms, round(seconds * sample_rate)).clip(-1, 1).astype(np.float32)


def scene(seconds, words, room=0.002, word=0.5, sample_rate=RATE) -> np.ndarray:
    """Noise, with a loud sound, which stands for a word, in each interval of seconds."""
    samples = noise(seconds, room, sample_rate)
    for start, end in words:
        place = slice(round(start * sample_rate), round(end * sample_rate))
        samples[place] += word * np.sign(noise(end - start, 1, sample_rate, seed=1))
    return samples.clip(-1, 1)


def chunks(samples: np.ndarray, seconds: float = 0.5, sample_rate: int = RATE) -> list[np.ndarray]:
    size = round(seconds * sample_rate)
    return [samples[start : start + size] for start in range(0, len(samples), size)]


class Demo:
    """The trigger-word demo: its callback, its main loop and its rule, to the letter.

    Source: Tony607/Keras-Trigger-Word, trigger_word_detection.ipynb. ``callback`` stands for
    PyAudio's, ``turn`` for one round of the main thread; a model's scores are those of the window.
    """

    silence_threshold = 100

    def __init__(self, feed_s=10.0, chunk_s=0.5, sample_rate=RATE, model=None) -> None:
        self.feed_s, self.chunk_s, self.model = feed_s, chunk_s, model
        self.feed_samples = round(feed_s * sample_rate)
        self.data = np.zeros(self.feed_samples, np.int16)
        self.q = queue.Queue()

    def callback(self, samples) -> None:
        data0 = np.round(samples * 32767).astype(np.int16)
        if np.abs(data0).mean() < self.silence_threshold:
            return
        self.data = np.append(self.data, data0)
        if len(self.data) > self.feed_samples:
            self.data = self.data[-self.feed_samples :]
            self.q.put(self.data)

    def turn(self) -> bool:
        if self.q.empty():
            return False
        self.data = self.q.get()
        predictions = self.model().push((self.data / 32767).astype(np.float32))[1]
        return self.has_new_triggerword(predictions)

    def has_new_triggerword(self, predictions, threshold=0.5) -> bool:
        predictions = predictions > threshold
        chunk_predictions_samples = int(len(predictions) * self.chunk_s / self.feed_s)
        chunk_predictions = predictions[-chunk_predictions_samples:]
        level = chunk_predictions[0]
        for pred in chunk_predictions:
            if pred > level:
                return True
            level = pred
        return False

    def chimes(self, pieces) -> list[float]:
        """When it chimes, in seconds of what really went by."""
        found = []
        for number, piece in enumerate(pieces, start=1):
            self.callback(piece)
            if self.turn():
                found.append(number * self.chunk_s)
        return found
