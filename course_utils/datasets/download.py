"""The door that data sets come in by: download, verify, unpack.

``fetch(card)`` is the one way in. A shipped set is unpacked from its archive into
``places.cache()``; a real one is used where it lies below ``places.data_root()``, and downloaded
only when it is not there.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests

from course_utils import places, progress
from course_utils.datasets.archives import checksum_of, kind_of, unpack
from course_utils.datasets.cards import Card
from course_utils.datasets.staging import DownloadError, check_space, staged

__all__ = ["DownloadError", "download", "fetch"]


def fetch(card: Card, root: Path | None = None, *, base_url: str | None = None) -> Path:
    """Make sure that a data set is there, and say where.

    Parameters
    ----------
    card : Card
        From ``cards.load(name)``.
    root : Path, optional
        Folder that holds the set's folder; by default ``places.cache()`` for a shipped set and
        ``places.data_root()`` for a real one.
    base_url : str, optional
        Another server to download from; the archive's file name is added to it.

    Returns
    -------
    Path
        The set's folder. A real set that is already there is used as it is, whole or partial,
        and nothing is written. After a download the archive stays beside the folder; it may be
        deleted by hand.

    Raises
    ------
    DownloadError
        If the set is not there and cannot be brought in.
    ValueError
        If ``COURSE_DATA_ROOT`` is wrong.
    """
    if card.url is None:
        folder = Path(root or places.cache()) / card.folder
        return _unpacked(card, places.shipped() / card.archive, folder)
    root = Path(root or places.data_root())
    folder = root / card.folder
    if _has_content(folder):
        return folder
    url = f"{base_url.rstrip('/')}/{card.archive}" if base_url else card.url
    archive = download(url, root / card.archive, card.checksum, size=card.bytes)
    return _unpacked(card, archive, folder)


def download(
    url: str,
    path: Path,
    checksum: str,
    *,
    size: int | None = None,
    timeout: float = 30,
) -> Path:
    """Download one file, whole or not at all.

    Parameters
    ----------
    url : str
        Where from.
    path : Path
        Where to. A file that is there and has the right checksum is kept and nothing is
        downloaded; one with a wrong checksum is removed first.
    checksum : str
        Expected SHA-256 (64 hexadecimal digits) or SHA-1 (40).
    size : int, optional
        Expected size in bytes, for the progress bar and to see early that the disk is too small.
    timeout : float
        Longest silence of the server in seconds; a slow download that goes on is not cut.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    DownloadError
        If there is no connection, the server has no such file, the download is cut off, the
        checksum is wrong or the disk is full. No part of the file is left behind.
    """
    path = Path(path)
    if path.is_file() and checksum_of(path, checksum) == checksum:
        return path
    with staged(path) as temporary:
        path.unlink(missing_ok=True)
        check_space(path, size or 0)
        partial = temporary / path.name
        with _explained(url, path, partial, timeout):
            _stream(url, partial, size, timeout)
        found = checksum_of(partial, checksum)
        if found != checksum:
            raise DownloadError(
                f"{url} sent {os.path.getsize(partial):,} bytes with the {kind_of(checksum)}"
                f" {found[:16]}…, where {checksum[:16]}… was expected, so nothing was kept: run"
                f" this again, or put the right file by hand at {places.shown(path)}."
            )
        os.replace(partial, path)
    return path


def _stream(url: str, partial: Path, size: int | None, timeout: float) -> None:
    """Copy what a server sends into a file."""
    # pooch asks for the bar's truth value, which tqdm has only for a total above zero; the right
    # total comes with the server's answer.
    with progress.bar(size or 1, f"downloading {partial.name}", "B") as bar:
        fetcher = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=1 << 16,
            timeout=timeout,
            # The checksum is that of the archive itself, not of a transport encoding of it.
            headers={"Accept-Encoding": "identity"},
        )
        fetcher(url, str(partial), None)


@contextmanager
def _explained(url: str, path: Path, partial: Path, timeout: float) -> Iterator[None]:
    """Turn what can go wrong on the way into one sentence."""
    host = urlsplit(url).netloc
    advice = f"or put the file by hand at {places.shown(path)}."
    try:
        yield
    except requests.HTTPError as error:
        raise DownloadError(
            f"{host} answered {_status(error)} for {url}, where the file {path.name} was expected:"
            f" look up its new address in the set's card, {advice}"
        ) from error
    except requests.RequestException as error:
        received = partial.stat().st_size if partial.exists() else 0
        if isinstance(error, requests.Timeout) or "timed out" in str(error):
            what = f"{host} sent nothing for {timeout:g} s while {url} was being downloaded"
        elif received or isinstance(error, requests.exceptions.ChunkedEncodingError):
            what = f"The download of {url} was cut off after {received:,} bytes"
        else:
            what = f"There is no connection to {host} to download {url}"
        raise DownloadError(
            f"{what} ({type(error).__name__}), so nothing was kept: check the network and run this"
            f" again, {advice}"
        ) from error


def _status(error: requests.HTTPError) -> str:
    """An HTTP status in digits and words."""
    number = error.response.status_code
    try:
        return f"{number} ({HTTPStatus(number).phrase})"
    except ValueError:
        return str(number)


def _unpacked(card: Card, archive: Path, folder: Path) -> Path:
    """Unpack a card's archive the way the card says."""
    return unpack(
        archive,
        folder,
        checksum=card.checksum,
        sound=card.sound,
        sample_rate=card.sample_rate if card.sound else None,
        inside=card.more.get("inside", ""),
        # Shipped sets are small, and a bar would only flicker in the stored notebooks.
        show_progress=card.url is not None,
    )


def _has_content(folder: Path) -> bool:
    """Whether a folder holds anything but hidden files, such as a file manager's own."""
    return folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir())
