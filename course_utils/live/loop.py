"""The loop: hears all that waits in one turn, and tells what it found if it is still news.

A queue that is worked off chunk by chunk falls behind for good as soon as the detector is slow
once; here nothing ever waits for longer than one turn takes. Lesson: 05.
"""

import math
import threading
from collections.abc import Callable

import numpy as np
import soxr

from course_utils.audio.errors import checked_rate, reason_of
from course_utils.live.inbox import Counts, Inbox, length_of, mono
from course_utils.live.level import SILENCE_DB, Meter, level_db
from course_utils.live.turns import Found, Heard, Rule, Stream, Turn


class Loop:
    """Listens: chunks in from any thread, detections out.

    The newest chunk always wins: what waits is heard in one go, and what does not fit into the
    inbox is dropped, oldest first, and counted. Time always advances: a chunk is never left out
    because it is quiet, and where chunks were dropped the stream is given as many zeros. (Up to
    ``capacity_s`` of them; beyond that only the clock goes on, because a stream that cannot keep up
    would fall further behind with every zero.)

    Chunks of another rate than the stream's are resampled without a seam (soxr, HQ, as
    ``audio.resample``), which delays them: by up to 40 ms from 44.1 or 48 kHz to 16 kHz, by 120 ms
    from 8 to 16 kHz. Times stay those of the sound.

    Parameters
    ----------
    stream : Stream
    trigger : Rule
        A ``Trigger``: it has the threshold and the refractory period.
    sample_rate : int, optional
        Of the chunks, in Hz; the stream's own by default.
    capacity_s : float
        How much may wait, in seconds.
    margin_db : float or None
        How far above the noise floor a detection has to be; 0 or None for no matter.
    late_s : float
        A detection that is older is recorded, not told.
    on_detection : callable, optional
        Called with each `Heard` that is told, in the thread that turns.

    Attributes
    ----------
    sample_rate, capacity : int
        Of the chunks, in Hz, and how much may wait, in samples.
    time_s : float
        How much of the stream has gone by, dropped parts included, up to the newest turn.
    level_db : float
        The level of the newest turn, in dBFS.
    problem : str or None
        The newest thing that went wrong, in a sentence.

    Raises
    ------
    ValueError
        If a number is out of range, or a rate absurd.
    """

    def __init__(
        self,
        stream: Stream,
        trigger: Rule,
        *,
        sample_rate: int | None = None,
        capacity_s: float = 2.0,
        margin_db: float | None = 6.0,
        late_s: float = 1.0,
        on_detection: Callable[[Heard], object] | None = None,
    ) -> None:
        wanted = checked_rate(stream.sample_rate, "The stream")
        self.sample_rate = wanted if sample_rate is None else checked_rate(sample_rate, "The loop")
        margin_db = 0 if margin_db is None else margin_db
        _check(capacity_s, margin_db, late_s)
        self.capacity = max(1, int(capacity_s * self.sample_rate))
        self._stream, self._trigger, self._on_detection = stream, trigger, on_detection
        self._margin_db, self._late_s = margin_db, late_s
        self._inbox = Inbox(self.capacity, self.sample_rate)
        self._meter = Meter(self.sample_rate)
        self._resampler = (
            None
            if wanted == self.sample_rate
            else soxr.ResampleStream(self.sample_rate, wanted, 1, dtype="float32", quality="HQ")
        )
        self._skipped_s = 0.0  # what the stream never got, not even as zeros
        self._heard: list[Heard] = []
        self._turning = threading.RLock()  # who is told may turn, too
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self.time_s, self.level_db, self.problem = 0.0, SILENCE_DB, None

    def put(self, samples: np.ndarray) -> None:
        """Hand in the next chunk, from any thread; it is copied, and nobody waits.

        Nothing is raised, for that would end an audio callback: a chunk that is no sound is counted
        as bad, zeros take its place, and `problem` says what is wrong with it.

        Parameters
        ----------
        samples : array of float in [-1, 1] or int16, shape (samples,) or (samples, channels)
            An empty one is no chunk.
        """
        try:
            self._inbox.put(mono(samples))
        except ValueError as error:
            self.problem = str(error)
            self._inbox.put(np.zeros(length_of(samples), np.float32), good=False)
        self._wake.set()

    def turn(self) -> Turn | None:
        """Hear all that waits, in one go, up to the newest chunk; None if nothing does.

        What the stream, the trigger or ``on_detection`` raises is raised.
        """
        with self._turning:
            taken = self._inbox.take()
            if taken is None:
                return None
            steps = self._cross(taken.gap)
            for piece, good in taken.pieces:
                self._meter.push(piece) if good else self._meter.skip(len(piece))
            samples = np.concatenate([piece for piece, _ in taken.pieces])
            steps.append(self._hear(samples))
            self.time_s, self.level_db = taken.end / self.sample_rate, level_db(samples)
            found = [self._record(each) for step in steps for each in self._trigger.push(*step)]
            for each in found:
                if each.told and self._on_detection:
                    self._on_detection(each)
            rate = self.sample_rate
            return Turn(
                self.time_s, len(samples) / rate, taken.gap / rate, self.level_db, self.floor_db,
                *map(np.concatenate, zip(*steps, strict=True)), tuple(found),
            )  # fmt: skip

    def _cross(self, gap: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Let the stream get over dropped chunks."""
        self._meter.skip(gap)
        zeros = min(gap, self.capacity)
        steps = [self._hear(np.zeros(zeros, np.float32))] if zeros else []
        self._skipped_s += (gap - zeros) / self.sample_rate
        return steps

    def _hear(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self._resampler:
            # The filter rings at steep edges.
            samples = self._resampler.resample_chunk(samples).clip(-1, 1)
        times_s, scores = self._stream.push(samples)
        return np.asarray(times_s) + self._skipped_s, np.asarray(scores)

    def _record(self, found: Found) -> Heard:
        told_s = self._inbox.received_s
        quiet = self._margin_db > 0 and self._meter.rise_db(found.time_s) < self._margin_db
        late = told_s - found.time_s > self._late_s
        heard = Heard(found.time_s, found.score, told_s, late, quiet)
        self._heard.append(heard)
        return heard

    def start(self) -> "Loop":
        """Turn in a daemon thread whenever something waits; does nothing if that is so already."""
        if not self.running:
            self.stop()
            self.problem = None
            self._stopping = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._stopping,), name="live loop", daemon=True
            )
            self._thread.start()
        return self

    def _run(self, stopping: threading.Event) -> None:
        try:
            last = False
            while not last:
                self._wake.wait()
                self._wake.clear()
                last = stopping.is_set()  # asked before the turn, which so hears all that was put
                self.turn()
        except BaseException as error:
            self._error = error
            self.problem = (
                f"The loop ended at {self.time_s:.2f} s of the stream, with {type(error).__name__}"
                f" ({reason_of(error)}) in its detector or in what is called for a detection; stop"
                " it to see where, mend that and start it again."
            )

    def stop(self) -> None:
        """Hear what waits, and end the thread; what ended it before is raised here."""
        self._stopping.set()
        self._wake.set()
        if self._thread in (None, threading.current_thread()):
            return  # who is told of a detection may stop the loop
        self._thread.join()
        self._thread, error, self._error = None, self._error, None
        if error:
            raise error

    def __enter__(self) -> "Loop":
        return self.start()

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            self.stop()
        except BaseException:
            if kind is None:  # else that which ended the block says more
                raise

    @property
    def running(self) -> bool:
        """Whether a thread turns."""
        thread = self._thread
        return thread is not None and thread.is_alive() and not self._stopping.is_set()

    @property
    def counts(self) -> Counts:
        """What became of the chunks up to now."""
        return self._inbox.counts

    @property
    def floor_db(self) -> float:
        """The noise floor, in dBFS, see `Meter`."""
        return self._meter.floor_db

    @property
    def detections(self) -> list[Heard]:
        """All that were found, told or not, in order; no more than the refractory period allows."""
        return list(self._heard)


def _check(capacity_s: float, margin_db: float, late_s: float) -> None:
    # Written so that a NaN, for which every comparison is false, is refused as well.
    for name, value, good, usual in (
        ("capacity_s", capacity_s, 0 < capacity_s < math.inf, "seconds above 0; 2 is usual"),
        ("margin_db", margin_db, 0 <= margin_db < math.inf, "decibels from 0 up; 6 is usual"),
        ("late_s", late_s, late_s >= 0, "seconds from 0 up; 1 is usual"),
    ):
        if not good:
            raise ValueError(f"{name} is {value}; expected {usual}.")
