"""Small parts in the layout of LibriSpeech, made on the spot."""

import io
from pathlib import Path

import numpy as np
import soundfile
from small_sounds import steps_of_noise

SENTENCES = {
    ("84", "121123"): ["GO DO YOU HEAR", "BUT IN LESS THAN FIVE MINUTES"],
    ("84", "121550"): ["HE'S HERE"],
    ("174", "50561"): ["FORGOTTEN TOO THE NAME", "GO DO YOU HEAR", "A"],
}
"""Sentences by (speaker, chapter)."""


def write_part(
    folder: Path, sentences=SENTENCES, rate: int = 16_000, seconds: float = 0.05
) -> Path:
    """A part: noise for sound, one line of transcript for each recording."""
    for (speaker, chapter), texts in sentences.items():
        place = folder / speaker / chapter
        place.mkdir(parents=True, exist_ok=True)
        names = [f"{speaker}-{chapter}-{number:04d}" for number in range(len(texts))]
        for seed, name in enumerate(names):
            soundfile.write(place / f"{name}.flac", steps_of_noise(seed, int(rate * seconds)), rate)
        lines = [f"{name} {text}\n" for name, text in zip(names, texts, strict=True)]
        (place / f"{speaker}-{chapter}.trans.txt").write_text("".join(lines), encoding="utf-8")
    return folder


def flac_of_unknown_length(samples: int, rate: int = 16_000) -> bytes:
    """A recording as a program that pipes it writes it: the header does not say how long it is."""
    memory = io.BytesIO()
    soundfile.write(memory, np.ones(samples or 1, np.int16), rate, format="FLAC")
    flac = bytearray(memory.getvalue())
    flac[21] &= 0xF0  # the number of samples: 36 bits from the middle of byte 21 (RFC 9639, 8.2)
    flac[22:26] = bytes(4)
    return bytes(flac if samples else flac[: _end_of_metadata(flac)])


def _end_of_metadata(flac: bytes) -> int:
    """Where the sound begins: after the last block of metadata."""
    start, last = 4, False
    while not last:
        last = bool(flac[start] & 0x80)
        start += 4 + int.from_bytes(flac[start + 1 : start + 4], "big")
    return start
