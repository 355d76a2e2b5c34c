"""Sound from an archive's small format to the format that the data set officially has."""

import io
from pathlib import Path
from typing import IO

import numpy as np
import soundfile
import soxr

from course_utils import places
from course_utils.datasets.staging import DownloadError


def write_sound(source: IO[bytes], target: Path, sample_rate: int | None, archive: Path) -> None:
    """Decode one recording and write it as 16-bit samples.

    Parameters
    ----------
    source : binary file
        FLAC or Ogg Opus sound, any number of channels.
    target : Path
        ``.wav`` or ``.flac`` file to write.
    sample_rate : int or None
        Rate of the written file in Hz; None keeps the recording's own.
    archive : Path
        Where the recording came from, for the error.

    Raises
    ------
    DownloadError
        If the recording cannot be decoded.
    """
    try:
        samples, rate = soundfile.read(io.BytesIO(source.read()), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DownloadError(
            f"{target.stem!r} in the archive {places.shown(archive)} cannot be decoded ({error}):"
            " FLAC or Opus sound was expected; restore the archive, or install soundfile anew."
        ) from error
    if sample_rate and rate != sample_rate:
        samples, rate = soxr.resample(samples, rate, sample_rate), sample_rate
    # Lossy codecs overshoot full scale; rounding such a sample to int16 would wrap it around.
    whole = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
    # Through memory: soundfile waits for the disk after every file that it closes itself.
    written = io.BytesIO()
    soundfile.write(written, whole, rate, format=target.suffix[1:].upper(), subtype="PCM_16")
    target.write_bytes(written.getbuffer())
