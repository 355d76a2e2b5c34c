"""Archives made in memory, for the tests of the door."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path


def tar_bytes(files: dict[str, bytes], *links: tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    """A tar archive; ``links`` are members without content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for link in links:
            archive.addfile(link)
    return buffer.getvalue()


def zip_bytes(files: dict[str, bytes], *links: zipfile.ZipInfo) -> bytes:
    """A zip archive; ``links`` have their target as content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for link in links:
            archive.writestr(link, "../../outside")
    return buffer.getvalue()


def sha256(content: bytes) -> str:
    """Checksum of bytes, as a card has it."""
    return hashlib.sha256(content).hexdigest()


def sha1(content: bytes) -> str:
    """The weaker checksum, for a card whose publisher gives nothing else."""
    return hashlib.sha1(content).hexdigest()


def everything_in(folder: Path) -> set[str]:
    """Relative paths of all files and folders below a folder, hidden ones too."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
