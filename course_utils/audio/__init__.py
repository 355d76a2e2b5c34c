"""The one checked door for sound: load, resample, save, play.

Sound in memory is float32 in [-1, 1], mono, shape ``(samples,)``, and travels with its rate in Hz.
Whatever is wrong with a file or an array is an `AudioError` of one sentence. TensorFlow's
``DecodeWav``, which the Speech Commands tutorial reads with, differs in three ways: it takes 16-bit
WAV only, the left channel of a stereo file, and any sample rate without a word.
"""

import base64
import html
import io
import os
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from course_utils import files
from course_utils.audio.errors import (
    MAX_RATE,
    MAX_SAMPLES,
    MIN_RATE,
    AudioError,
    checked_rate,
    name_of,
    one_error,
    reason_of,
    wrong,
)
from course_utils.audio.headers import checked_source
from course_utils.audio.reading import PCM16, decode, decode_pcm16

__all__ = [
    "MAX_RATE", "MIN_RATE", "AudioError", "Player",
    "check", "load", "load_pcm16", "play", "resample", "save",
]  # fmt: skip


def load(
    path: str | os.PathLike[str], sample_rate: int | None = None, *, resample: bool = True
) -> tuple[np.ndarray, int]:
    """Read a sound file: WAV (PCM of 8 to 32 bits, float), FLAC, OGG (Vorbis, Opus) or MP3.

    Several channels become their mean (TensorFlow's reader takes the left one). A 16-bit file gives
    exactly ``int16 / 32768``. What a lossy decoder, the resampler or a float file puts slightly
    outside [-1, 1] is clipped. An MP3 file without a Xing or Info header promises no length, so
    one of constant bit rate that lost its end cannot be told from a shorter one.

    Parameters
    ----------
    path : str or os.PathLike
    sample_rate : int, optional
        Rate wanted, in Hz; the file's own by default.
    resample : bool
        Whether a file of another rate is resampled (soxr, HQ) or refused.

    Returns
    -------
    (np.ndarray of float32, shape (samples,), int)
        Samples in [-1, 1] and their rate in Hz.

    Raises
    ------
    AudioError
        If the file is missing, unreadable, empty, truncated, not one of the formats above, without
        samples, not finite, or of an absurd or (``resample=False``) of another rate.
    """
    name = name_of(path)
    wanted = None if sample_rate is None else checked_rate(sample_rate, "The target")
    with one_error(name):
        samples, found = decode(*checked_source(os.fsdecode(path), name), name)
    if wanted in (None, found):
        return samples, found
    if not resample:
        todo = f"{wanted} Hz: convert the file, or load it with resample=True"
        raise wrong(name, f"has a rate of {found} Hz", todo)
    return _resample(samples, found, wanted, name), wanted


def load_pcm16(path: str | os.PathLike[str]) -> tuple[np.ndarray, int]:
    """Read a 16-bit mono WAV file as the integers it holds, and nothing else.

    For clips to train on, which have to be uniform: `load` would convert the odd one silently.

    Returns
    -------
    (np.ndarray of int16, shape (samples,), int)
        Values that divided by 32768 are samples in [-1, 1), and the rate in Hz.

    Raises
    ------
    AudioError
        If `load` would refuse the file, or it is not WAV, not 16-bit PCM, or not mono.
    """
    name = name_of(path)
    with one_error(name):
        return decode_pcm16(checked_source(os.fsdecode(path), name, PCM16)[0], name)


def resample(samples: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Change the sample rate with soxr's HQ filter.

    Parameters
    ----------
    samples : np.ndarray of float, shape (samples,)
    from_rate, to_rate : int
        In Hz.

    Returns
    -------
    np.ndarray of float32, shape (round(samples * to_rate / from_rate),)
        Clipped to [-1, 1], because the filter rings at steep edges; with equal rates the input.

    Raises
    ------
    AudioError
        If the sound or a rate is unfit (see `check`), or nothing or too much would come out.
    """
    samples, from_rate = check(samples, from_rate)
    return _resample(samples, from_rate, checked_rate(to_rate, "The target"), "The sound")


def check(samples: np.ndarray, sample_rate: int, where: str = "The sound") -> tuple:
    """Hold a sound to the course's convention.

    Parameters
    ----------
    samples : np.ndarray of float, shape (samples,)
    sample_rate : int
        In Hz, from 1 kHz to 768 kHz.
    where : str
        What the message calls the sound.

    Returns
    -------
    (np.ndarray of float32, shape (samples,), int)

    Raises
    ------
    AudioError
        If the samples are not a non-empty one-dimensional float array of finite values in
        [-1, 1], or the rate is absurd.
    """
    try:
        samples = np.asarray(samples)
    except (TypeError, ValueError, RuntimeError) as error:
        raise wrong(where, "is no array", "floats of shape (samples,)") from error
    if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
        todo = "floats of shape (samples,): average channels, divide 16-bit integers by 32768"
        raise wrong(where, f"has shape {samples.shape} and type {samples.dtype}", todo)
    if not 0 < len(samples) <= MAX_SAMPLES:
        todo = f"1 to {MAX_SAMPLES}: record it again or cut it into parts"
        raise wrong(where, f"holds {len(samples) or 'no'} samples", todo)
    peak = float(np.abs(samples).max())
    if not np.isfinite(peak):
        raise wrong(where, "holds NaN or infinity", "values in [-1, 1]: mend what made it")
    if peak > 1:
        raise wrong(where, f"has a peak of {peak:.6g}", "at most 1: scale it down or clip it")
    return samples.astype(np.float32, copy=False), checked_rate(sample_rate, where)


def save(path: str | os.PathLike[str], samples: np.ndarray, sample_rate: int) -> None:
    """Write a sound (shape (samples,), rate in Hz) as 16-bit mono WAV, whole or not at all.

    The name ends in ``.wav`` and its folder exists. Samples are rounded to steps of 1/32768; +1.0
    becomes 32767. Raises AudioError if the sound is unfit (see `check`) or cannot be written; a
    file that was there then stays as it was.
    """
    name = name_of(path)
    if Path(os.fsdecode(path)).suffix.lower() != ".wav":
        raise wrong(name, "cannot be saved", "a name that ends in .wav: rename it")
    samples, sample_rate = check(samples, sample_rate, f"The sound for {name}")
    steps = _steps(samples)
    memory = io.BytesIO()
    with wave.open(memory, "wb") as writer:
        writer.setparams((1, 2, sample_rate, len(steps), "NONE", ""))
        writer.writeframes(steps.tobytes())
    try:
        with files.whole(os.fsdecode(path)) as unfinished:
            unfinished.write_bytes(memory.getvalue())
    except (OSError, ValueError) as error:
        todo = "a folder that exists and may be written to: create it or choose another"
        raise wrong(name, f"cannot be written ({reason_of(error)})", todo) from error


@dataclass(frozen=True)
class Player:
    """A sound that Jupyter shows as a player and a terminal as a line of text."""

    title: str
    seconds: float
    sample_rate: int
    flac: bytes

    def __repr__(self) -> str:
        title = f"{self.title}, " if self.title else ""
        return f"sound: {title}{self.seconds:.2f} s at {self.sample_rate} Hz"

    def _repr_html_(self) -> str:
        caption = f"<figcaption>{html.escape(self.title)}</figcaption>" if self.title else ""
        source = "data:audio/flac;base64," + base64.b64encode(self.flac).decode("ascii")
        audio = f'<audio controls aria-label="{html.escape(repr(self))}" src="{source}"></audio>'
        return f"<figure>{caption}{audio}</figure>"


def play(samples: np.ndarray, sample_rate: int, title: str = "") -> Player:
    """A player for a sound (shape (samples,), rate in Hz), to be the last line of a cell.

    Never normalised: that one sound is louder than another is part of the lessons. FLAC, which
    every browser plays, is as exact as 16-bit WAV and halves what a notebook stores.
    """
    samples, sample_rate = check(samples, sample_rate)
    memory = io.BytesIO()
    soundfile.write(memory, _steps(samples), sample_rate, format="FLAC", subtype="PCM_16")
    title = " ".join(title.split())
    return Player(title, len(samples) / sample_rate, sample_rate, memory.getvalue())


def _steps(samples: np.ndarray) -> np.ndarray:
    """Samples as 16-bit integers, rounded to steps of 1/32768; +1.0 becomes 32767."""
    return np.rint(samples.astype(np.float64) * 32768).clip(-32768, 32767).astype("<i2")


def _resample(samples: np.ndarray, from_rate: int, to_rate: int, where: str) -> np.ndarray:
    if from_rate == to_rate:
        return samples
    length = int(len(samples) * to_rate / from_rate + 0.5)  # as soxr rounds
    try:
        if not 0 < length <= MAX_SAMPLES:
            raise ValueError(f"{length} samples would come out")
        return np.clip(soxr.resample(samples, from_rate, to_rate, quality="HQ"), -1, 1)
    except (ValueError, RuntimeError, MemoryError) as error:
        found = f"cannot go from {from_rate} to {to_rate} Hz ({reason_of(error)})"
        todo = f"1 to {MAX_SAMPLES} samples: choose another rate or length"
        raise wrong(where, found, todo) from error
