"""Unpacking, whole or not at all, and nothing outside its folder.

An archive is read from beginning to end before a byte is written: a member that would land
outside the folder stops the unpacking. Links of any kind are refused, because a link makes it
undecidable from names alone where a later member lands, and no data set of this course has any.
"""

import hashlib
import json
import lzma
import os
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from gzip import BadGzipFile
from pathlib import Path, PurePosixPath
from stat import S_ISLNK
from typing import IO

from course_utils import places, progress
from course_utils.datasets.recode import write_sound
from course_utils.datasets.staging import DownloadError, check_space, replace_folder, staged

_STAMP = ".unpacked.json"  # says in an unpacked folder which archive it came from

_SOUND = {".opus", ".ogg", ".flac"}
# Opus at 16 kbit/s stands for 256 kbit/s of 16-bit samples; FLAC halves speech at best to a third.
_GROWTH = {".opus": 16, ".ogg": 16, ".flac": 4}
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,  # a zip compression that this Python does not know
)
_BLOCK = 4096  # what a small file really takes on most disks


@dataclass(frozen=True)
class _Origin:
    """What decides the content of an unpacked folder."""

    sha256: str
    sound: str | None
    sample_rate: int | None
    inside: str


@dataclass(frozen=True)
class _Member:
    """One file of an archive: where it goes, its size in bytes, how to read it."""

    path: PurePosixPath
    size: int
    open: Callable[[], IO[bytes]]


def unpack(
    archive: Path,
    folder: Path,
    *,
    checksum: str | None = None,
    sound: str | None = None,
    sample_rate: int | None = None,
    inside: str = "",
    show_progress: bool = False,
) -> Path:
    """Unpack an archive into a folder of its own.

    Parameters
    ----------
    archive : Path
        A ``.zip`` file or a ``.tar``, compressed or not.
    folder : Path
        Becomes the unpacked archive in one step at the end. If this archive was unpacked here
        before in the same way, nothing is done; if another one was, it is replaced.
    checksum : str, optional
        Expected SHA-256 (64 hexadecimal digits) or SHA-1 (40).
    sound : {"wav", "flac"}, optional
        Write the archive's ``.opus``, ``.ogg`` and ``.flac`` members as 16-bit files with this
        ending. None writes every member as it is.
    sample_rate : int, optional
        Rate of the written sound in Hz; None keeps each file's own.
    inside : str
        Folder in the archive that becomes ``folder``; members elsewhere are left out, and the
        stamp says how many. Empty: all of the archive.
    show_progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Path
        ``folder``. It also holds a small stamp file, ``.unpacked.json``.

    Raises
    ------
    DownloadError
        If the archive is missing, damaged, not the expected one or unsafe, if the disk is full,
        or if ``folder`` holds something that was not unpacked from an archive.
    """
    archive, folder = Path(archive), Path(folder)
    if checksum and _is_from(folder, _Origin(checksum, sound, sample_rate, inside)):
        return folder
    origin = _Origin(_verified(archive, checksum), sound, sample_rate, inside)
    if _is_from(folder, origin):
        return folder
    _refuse_strangers(folder)
    with staged(folder) as temporary, _members(archive) as found:
        members = _placed(found, archive, origin)
        check_space(folder, sum(_footprint(member, sound) for member in members))
        made = temporary / "made"
        with progress.bar(len(members), "unpacking", " files", show_progress) as bar:
            for member in members:
                _write(member, made, origin, archive)
                bar.update(1)
        left_out = len(found) - len(members)
        notes = {"archive": archive.name, "files": len(members), "left_out": left_out}
        (made / _STAMP).write_text(json.dumps({**notes, **asdict(origin)}, indent=1) + "\n")
        replace_folder(made, folder, lambda place: _is_from(place, origin))
    return folder


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    return checksum_of(path, "")


def checksum_of(path: Path, like: str) -> str:
    """Checksum of a file, of the same kind as another one: see ``kind_of``."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, kind_of(like)).hexdigest()


def kind_of(checksum: str) -> str:
    """``"sha1"`` for a checksum of 40 hexadecimal digits, else ``"sha256"``."""
    return "sha1" if len(checksum) == 40 else "sha256"


def _verified(archive: Path, expected: str | None) -> str:
    """The SHA-256 of an archive, after comparing it with the expected checksum."""
    if not archive.is_file():
        raise DownloadError(
            f"The archive {places.shown(archive)} is missing: put it there, or restore it from"
            " the course."
        )
    found = checksum_of(archive, expected or "")
    if expected and found != expected:
        raise DownloadError(
            f"The archive {places.shown(archive)} has the {kind_of(expected)} {found[:16]}…, but"
            f" its card expects {expected[:16]}…: it is damaged or was changed; restore it, or"
            " make its card anew."
        )
    # The stamp of an unpacked folder has one kind, whatever the card has.
    return sha256_of(archive) if expected and kind_of(expected) == "sha1" else found


def _is_from(folder: Path, origin: _Origin) -> bool:
    """Whether a folder was unpacked from just this archive in just this way."""
    try:
        stamp = json.loads((folder / _STAMP).read_text())
    except (OSError, ValueError):
        return False
    return isinstance(stamp, dict) and asdict(origin).items() <= stamp.items()


def _refuse_strangers(folder: Path) -> None:
    """Stop before replacing something that is not ours to delete."""
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_dir() and ((folder / _STAMP).exists() or not any(folder.iterdir())):
        return
    raise DownloadError(
        f"{places.shown(folder)} is in the way: it was not unpacked by the course, so it is not"
        " replaced; move it elsewhere and run this again."
    )


@contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    """All files of an archive, each with a safe relative path."""
    try:
        if archive.suffix.lower() == ".zip":
            with zipfile.ZipFile(archive) as opened:
                yield list(_zip_members(opened, archive))
        else:
            with tarfile.open(archive) as opened:
                yield list(_tar_members(opened, archive))
    except _DAMAGED as error:
        raise DownloadError(
            f"The archive {places.shown(archive)} cannot be read ({error}): an intact .zip or .tar"
            " file was expected; delete it and run this again."
        ) from error


def _zip_members(opened: zipfile.ZipFile, archive: Path) -> Iterator[_Member]:
    for info in opened.infolist():
        kind = "a link" if S_ISLNK(info.external_attr >> 16) else ""
        path = _safe(info.filename, kind, archive)
        if not info.is_dir():
            yield _Member(path, info.file_size, lambda info=info: opened.open(info))


def _tar_members(opened: tarfile.TarFile, archive: Path) -> Iterator[_Member]:
    for info in opened:
        kind = "" if info.isfile() or info.isdir() else "a device"
        if info.issym() or info.islnk():
            kind = f"a link to {info.linkname!r}"
        path = _safe(info.name, kind, archive)
        if not info.isdir():
            yield _Member(path, info.size, lambda info=info: opened.extractfile(info))
    # tarfile stops before the compression's own checksum, which stands at the very end.
    while opened.fileobj.read(1 << 20):
        pass


def _safe(name: str, kind: str, archive: Path) -> PurePosixPath:
    """A member's path below the folder, or an error if it could land anywhere else."""
    # A backslash separates folders on Windows, so it has to count as a separator everywhere.
    path = PurePosixPath(name.replace("\\", "/"))
    trouble = kind
    if path.is_absolute() or re.match(r"[A-Za-z]:", name):
        trouble = "an absolute path"
    elif ".." in path.parts:
        trouble = "a path that climbs out of its folder"
    elif "\0" in name:
        trouble = "a name with a zero byte"
    if trouble:
        raise DownloadError(
            f"The archive {places.shown(archive)} holds {name!r}, which is {trouble}: plain files"
            " below one folder were expected, so nothing was unpacked; get the archive from its"
            " official source."
        )
    return path


def _placed(found: list[_Member], archive: Path, origin: _Origin) -> list[_Member]:
    """The members below ``inside``, their paths made relative to it."""
    top = PurePosixPath(origin.inside)
    members = [
        _Member(member.path.relative_to(top), member.size, member.open)
        for member in found
        if member.path.is_relative_to(top)
    ]
    if not members:
        raise DownloadError(
            f"The archive {places.shown(archive)} has no files in {origin.inside or 'it'!r}:"
            " it is not the expected archive; get it from its official source."
        )
    targets = [_target(member.path, origin.sound) for member in members]
    if len(set(targets)) < len(targets):
        twice = sorted({str(path) for path in targets if targets.count(path) > 1})
        raise DownloadError(
            f"The archive {places.shown(archive)} would write {twice[0]!r} twice"
            f" ({len(twice)} such files): one member per file was expected; make it anew."
        )
    return members


def _target(path: PurePosixPath, sound: str | None) -> PurePosixPath:
    """Where a member is written, relative to the folder."""
    return path.with_suffix(f".{sound}") if sound and path.suffix.lower() in _SOUND else path


def _footprint(member: _Member, sound: str | None) -> int:
    """Bytes that a member will take on the disk, estimated for sound that is decoded."""
    grows = _GROWTH.get(member.path.suffix.lower(), 1) if sound == "wav" else 1
    return -(-member.size * grows // _BLOCK) * _BLOCK


def _write(member: _Member, folder: Path, origin: _Origin, archive: Path) -> None:
    """Write one member."""
    target = folder / _target(member.path, origin.sound)
    target.parent.mkdir(parents=True, exist_ok=True)
    with member.open() as source:
        if target.suffix != member.path.suffix:
            write_sound(source, target, origin.sample_rate, archive)
            return
        with open(target, "xb") as written:
            shutil.copyfileobj(source, written, 1 << 20)
    if os.path.getsize(target) != member.size:
        raise EOFError(f"{member.path} is cut off")
