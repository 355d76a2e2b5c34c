"""Sound to Ogg Opus to zip, byte for byte the same every time."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import soundfile as sf

from course_utils import files
from synthesis.delivery import SAMPLE_RATE

_TAGS = b"OpusTags" + struct.pack("<II", 0, 0)  # no vendor, no comments


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(value)
    return table


_CRC = _crc_table()


def ogg_crc(page: bytes) -> int:
    """Return the checksum of an Ogg page whose own checksum field is zero (RFC 3533)."""
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[value >> 24 ^ byte]
    return value


def normalise_ogg(data: bytes, serial: int) -> bytes:
    """Give every page a fixed serial number and drop the encoder's tags and padding.

    libsndfile draws a random serial for each file; without this no two runs would agree. Its
    tag page names a version and is padded to 800 bytes, a third of a one-second clip.

    Parameters
    ----------
    data
        One Ogg Opus stream: header page, tag page, audio pages.
    serial
        The new serial number.

    Returns
    -------
    bytes
        The same sound.
    """
    pages, offset = [], 0
    while offset < len(data):
        if data[offset : offset + 4] != b"OggS":
            raise ValueError(f"No Ogg page at byte {offset} of {len(data)}.")
        lacing = data[offset + 27 : offset + 27 + data[offset + 26]]
        start = offset + 27 + len(lacing)
        body = data[start : start + sum(lacing)]
        head = data[offset : offset + 14] + struct.pack("<I", serial)
        head += data[offset + 18 : offset + 22] + b"\0\0\0\0"
        if len(pages) == 1:
            lacing, body = bytes([len(_TAGS)]), _TAGS
        page = bytearray(head + bytes([len(lacing)]) + lacing + body)
        page[22:26] = struct.pack("<I", ogg_crc(page))
        pages.append(bytes(page))
        offset = start + sum(data[offset + 27 : start])
    return b"".join(pages)


def encode_opus(samples: np.ndarray, kbit_per_s: float) -> bytes:
    """Encode 16-bit samples at 16 kHz as Ogg Opus.

    Parameters
    ----------
    samples
        int16, shape ``(samples,)``.
    kbit_per_s
        Target of the variable bit rate.

    Returns
    -------
    bytes
        A file that decodes to exactly ``len(samples)`` samples.
    """
    # libsndfile maps its compression level 0 ... 1 to 256 ... 6 kbit/s.
    level = 1 - (kbit_per_s - 6) / 250
    buffer = io.BytesIO()
    sf.write(buffer, samples, SAMPLE_RATE, format="OGG", subtype="OPUS", compression_level=level)
    data = normalise_ogg(buffer.getvalue(), serial=1)
    decoded = sf.info(io.BytesIO(data)).frames
    if decoded != len(samples):
        raise ValueError(f"Opus gave {decoded} samples for {len(samples)}.")
    return data


def write_zip(path: Path, entries: dict[str, bytes]) -> None:
    """Write entries in sorted order, stored, with a fixed date and fixed permissions.

    Opus cannot be squeezed further, and stored bytes do not depend on the version of zlib.
    """
    with (
        files.whole(path) as unfinished,
        zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive,
    ):
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
            info.create_system = 3  # Unix, whatever this runs on
            info.external_attr = 0o100644 << 16
            archive.writestr(info, entries[name])
