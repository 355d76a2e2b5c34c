"""What a sound file's header promises, checked before libsndfile believes it.

libsndfile reads a WAV, Vorbis or MP3 file that lost its end without a word. The checks here are
those that need only a few bytes of the file.
"""

import io
import os
import re
import struct
from typing import BinaryIO

from course_utils.audio.errors import COMPLETE, Name, wrong

_FORMATS = "WAV, FLAC, OGG or MP3"
_UNKNOWN_SIZE = 0x7FFFF000  # programs that pipe WAV write this size, or a larger one, or zero


def checked_source(
    path: str, name: Name, formats: str = _FORMATS
) -> tuple[str | bytes | BinaryIO, int | None]:
    """Look at a file before libsndfile does: what to open, and what `_mp3_samples` says.

    `formats` is what the message about a file that is no sound asks for.
    """
    if not os.path.isfile(path):  # opening a pipe would wait for ever
        found = "is a folder or a device" if os.path.exists(path) else "does not exist"
        raise wrong(name, found, "a sound file: check name and folder")
    # Windows takes names as text; elsewhere they are bytes, which need not be UTF-8.
    source, counted = path if os.name == "nt" else os.fsencode(path), None
    with open(path, "rb") as file:
        head, size = file.read(12), os.path.getsize(path)
        if not head:
            raise wrong(name, "is empty (0 bytes)", COMPLETE)
        if head[:4] == b"RIFF" and head[8:] == b"WAVE":
            source = _piped_wav(file, size, name) or source
        elif head[:4] == b"OggS":
            _check_ogg_end(file, size, name)
        elif head[:3] == b"ID3" or (head[0] == 0xFF and head[1:2] >= b"\xe0"):
            counted = _mp3_samples(file, size, name)
        elif head[:4] != b"fLaC":
            found = f"is not audio (it begins with {head[:4]!r})"
            raise wrong(name, found, f"{formats}: convert it")
    return source, counted


def _piped_wav(file: BinaryIO, size: int, name: Name) -> BinaryIO | None:
    """Check that the data chunk is whole; the file, mended, if a pipe left its size at zero."""
    position, chunk, length = 12, b"", 0
    for _ in range(1000):  # a real file has a handful of chunks, a damaged one could have millions
        file.seek(position)
        if chunk == b"data" or len(header := file.read(8)) < 8:
            break
        chunk, length = struct.unpack("<4sI", header)
        position += 8 + (0 if chunk == b"data" else length + length % 2)
    there = size - position
    if chunk != b"data" or there < length < _UNKNOWN_SIZE:
        found = f"has {there} of {length} bytes" if chunk == b"data" else "has no data chunk"
        raise wrong(name, f"is truncated ({found})", COMPLETE)
    file.seek(0)
    content = bytearray(file.read(position))
    riff_end = 8 + struct.unpack_from("<I", content, 4)[0]
    if length or not there or position < riff_end < _UNKNOWN_SIZE:
        return None  # with a size, with nothing, or with other chunks behind an empty one
    struct.pack_into("<I", content, position - 4, min(there, _UNKNOWN_SIZE))
    return io.BytesIO(content + file.read())


def _check_ogg_end(file: BinaryIO, size: int, name: Name) -> None:
    """Hold the last page to be whole and to carry the end-of-stream flag (RFC 3533)."""
    file.seek(max(0, size - 65_307))  # the longest page
    tail = file.read()
    page = tail[tail.rfind(b"OggS") :]  # one byte if there is none
    whole = len(page) > 27 and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
    if not whole or not page[5] & 4:
        raise wrong(name, "is truncated (its end-of-stream page is missing)", COMPLETE)


def _mp3_samples(file: BinaryIO, size: int, name: Name) -> int | None:
    """None if a Xing header states the length, else the samples in frames like the first one."""
    file.seek(0)
    tag, start = file.read(10), 0
    if tag[:3] == b"ID3" and len(tag) == 10:  # its length: four bytes of seven bits
        a, b, c, d = (byte & 127 for byte in tag[6:])
        start = 10 + (a << 21 | b << 14 | c << 7 | d)
    file.seek(start)
    first = file.read(64)
    at = max(first.find(b"Xing"), first.find(b"Info"))
    flags, _, promised = struct.unpack(">III", first[at + 4 : at + 16].ljust(12, b"\0"))
    if at >= 0 and flags & 3 == 3 and promised > size - start:
        found = f"is truncated (has {size - start} of {promised} bytes)"
        raise wrong(name, found, COMPLETE)
    if at >= 0 and flags & 1:
        return None
    file.seek(start)
    content = file.read()
    # All but the padding bit of a header is the same in every frame of one bit rate.
    thirds = (bytes([first[2] & ~2]), bytes([first[2] | 2])) if len(first) > 2 else (b"",)
    alike = re.escape(first[:2]) + b"(?:" + b"|".join(map(re.escape, thirds)) + b")"
    return len(re.findall(alike, content)) * (1152 if first[1:2] > b"\xf7" else 576)
