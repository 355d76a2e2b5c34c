"""From a checked file to samples: block by block, one channel."""

from typing import BinaryIO

import numpy as np
import soundfile

from course_utils.audio.errors import COMPLETE, MAX_SAMPLES, Name, checked_rate, wrong

_MAX_CHANNELS = 32
_MAX_PEAK = 8.0  # a float file above this holds integers, not sound mixed a little too loud
PCM16 = "16-bit WAV (WAV PCM_16)"
_BLOCK_VALUES = 2**18  # decoded at a time: memory grows with what is there, not what is claimed
_CONTAINERS = ("WAV", "WAVEX", "FLAC", "OGG", "MP3")
_ENCODINGS = ("PCM_", "FLOAT", "DOUBLE", "VORBIS", "OPUS", "MPEG_LAYER_")


class _Stream(soundfile.SoundFile):
    """A sound file that is read from start to end.

    soundfile seeks after every block of a seekable file. libmpg123 then begins the next block
    without the bits that earlier MP3 frames left for it, and the sound is wrong at every joint.
    """

    def seekable(self) -> bool:
        return False


def decode(
    source: str | bytes | BinaryIO, counted: int | None, name: Name
) -> tuple[np.ndarray, int]:
    """Read block by block: the mean of the channels, shape (samples,), and the rate in Hz."""
    blocks, length = [], 0
    with _Stream(source) as stream:
        rate, channels = checked_rate(stream.samplerate, name), stream.channels
        known = stream.format in _CONTAINERS and stream.subtype.startswith(_ENCODINGS)
        if not known or channels > _MAX_CHANNELS:
            found = f"holds {channels} channel(s) of {stream.format} {stream.subtype}"
            todo = f"at most {_MAX_CHANNELS} of WAV (PCM or float), FLAC, OGG or MP3: convert it"
            raise wrong(name, found, todo)
        while len(block := stream.read(_BLOCK_VALUES // channels, "float32", always_2d=True)):
            blocks.append(_mono(block, name))
            length += len(block)
            if length > MAX_SAMPLES:
                raise wrong(name, "is too long", f"at most {MAX_SAMPLES} samples: cut it")
        _check_length(length, stream.frames, counted, stream.format == "MP3", name)
    return np.concatenate(blocks), rate


def decode_pcm16(source: str | bytes | BinaryIO, name: Name) -> tuple[np.ndarray, int]:
    """The values of a 16-bit mono WAV file as int16, shape (samples,), and the rate in Hz."""
    with soundfile.SoundFile(source) as stream:
        rate, kind = checked_rate(stream.samplerate, name), f"{stream.format} {stream.subtype}"
        if stream.format not in ("WAV", "WAVEX") or stream.subtype != "PCM_16":
            todo = f"{PCM16}: convert it, audio.load and audio.save do"
            raise wrong(name, f"is {kind}", todo)
        if stream.channels != 1:
            todo = "one: keep the first (left), or average them as audio.load does, and save that"
            raise wrong(name, f"has {stream.channels} channels", todo)
        if stream.frames > MAX_SAMPLES:
            raise wrong(name, "is too long", f"at most {MAX_SAMPLES} samples: cut it")
        values = stream.read(dtype="int16")
        _check_length(len(values), stream.frames, None, False, name)
    return values, rate


def _mono(block: np.ndarray, name: Name) -> np.ndarray:
    peak = float(np.abs(block).max())
    if not np.isfinite(peak):
        raise wrong(name, "holds NaN or infinity", "values in [-1, 1]: write it again")
    if peak > _MAX_PEAK:
        todo = "values in [-1, 1]: it holds integers as floats, or is damaged, so write it again"
        raise wrong(name, f"has a peak of {peak:.6g}", todo)
    mean = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float64)
    return mean.clip(-1, 1).astype(np.float32)


def _check_length(length: int, claimed: int, counted: int | None, mp3: bool, name: Name) -> None:
    # libmpg123 may leave out a first frame; a FLAC file from a pipe claims 2**63 - 1, for unknown.
    missing = claimed - length - (2304 if mp3 else 0)
    if (counted is None or not mp3) and 0 < missing < 2**62:
        raise wrong(name, f"is truncated (has {length} of {claimed} samples)", COMPLETE)
    if not length:
        raise wrong(name, "holds no samples", "at least one: record it again")
    if mp3 and counted is not None and length >= claimed > counted + 3 * 1152:
        # libsndfile guessed the length from the first frame's bit rate and stopped there; where
        # the frames differ in bit rate, three quarters of the sound can be missing.
        raise wrong(
            name, "does not say how long it is", "an MP3 with a Xing header: encode it again"
        )
