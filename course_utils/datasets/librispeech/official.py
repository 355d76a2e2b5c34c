"""LibriSpeech through torchaudio: its downloader, and its reading of the transcripts.

Both have edges that are rounded off here. The downloader unpacks straight into place, takes any
folder that is there for a whole one, any archive for an intact one, and waits for ever for a server
that went silent. The reader knows the official names only, lists hidden files, and gives up on a
chapter at a line without text.
"""

import os
import shutil
import socket
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from torchaudio.datasets import LIBRISPEECH
from torchaudio.datasets import librispeech as source

from course_utils import places
from course_utils.datasets.archives import sha256_of
from course_utils.datasets.staging import DownloadError, check_space, replace_folder, staged

_FOLDER = "LibriSpeech"
_TIMEOUT_S = 30
# Archives, and nearly what they hold: FLAC does not become smaller.
_MEGABYTES = {
    "dev-clean": 338,
    "dev-other": 314,
    "test-clean": 347,
    "test-other": 329,
    "train-clean-100": 6_390,
    "train-clean-360": 23_050,
    "train-other-500": 30_600,
}


class Reader(LIBRISPEECH):
    """torchaudio's data set for any folder in the layout.

    Parameters
    ----------
    folder : Path
        Absolute path of the part.
    names : sequence of str
        Its recordings, ``speaker-chapter-number``.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        # What torchaudio's own constructor sets, after it refused a name it does not know.
        self._archive, self._path, self._url = str(folder.parent), str(folder), folder.name
        self._walker = self.names = list(names)

    def transcript(self, number: int, written: str | None) -> str | None:
        """What torchaudio reads for a recording, or ``written`` where it cannot be relied on.

        Parameters
        ----------
        number : int
            Place of the recording in ``names``.
        written : str or None
            What stands in the chapter's file; None if there is no such line.
        """
        # torchaudio reads in the system's encoding, which is not everywhere that of the file.
        if written is not None and written.isascii():
            with suppress(ValueError, FileNotFoundError):
                return self.get_metadata(number)[2]
        return written


def fetch(part: str, root: Path) -> Path:
    """Download an official part with torchaudio and put it in its place, whole or not at all.

    Parameters
    ----------
    part : str
        For example ``dev-clean``.
    root : Path
        Becomes the folder that holds ``LibriSpeech/<part>``. An archive ``<part>.tar.gz`` that was
        put there by hand is used instead of a download.

    Returns
    -------
    Path
        ``root/LibriSpeech/<part>``.

    Raises
    ------
    DownloadError
        If there is no connection, the server has no such file or goes silent, the checksum is
        wrong, or the disk is full or cannot be written. Nothing is left behind then.
    """
    by_hand = root / f"{part}.tar.gz"
    url = next(url for url in source._CHECKSUMS if url.endswith(f"/{by_hand.name}"))
    with staged(root / _FOLDER) as temporary:
        copies = 1 if by_hand.is_file() else 2  # the archive, and what comes out of it
        check_space(root / _FOLDER, copies * _MEGABYTES[part] * 1_000_000)
        if by_hand.is_file():
            _lend(by_hand, temporary / by_hand.name, source._CHECKSUMS[url])
        with _explained(url, by_hand), _patience():
            LIBRISPEECH(temporary, url=part, folder_in_archive=_FOLDER, download=True)
        made, target = temporary / _FOLDER, root / _FOLDER
        if not any(made.glob(f"{part}/*")):
            raise DownloadError(
                f"The archive from {url} has no files in {_FOLDER}/{part}: LibriSpeech was expected"
                f" there; put the right archive by hand at {places.shown(by_hand)}."
            )
        target.mkdir(exist_ok=True)
        for path in made.iterdir():  # licence, readers, chapters: the same in every archive
            if path.is_file():
                os.replace(path, target / path.name)
        replace_folder(made / part, target / part, lambda place: any(place.glob("[!.]*")))
    return target / part


def _lend(archive: Path, copy: Path, sha256: str) -> None:
    """Put an archive where torchaudio finds it, once it is known to be the right one."""
    found = sha256_of(archive)
    if found != sha256:
        raise DownloadError(
            f"The archive {places.shown(archive)} has the sha256 {found[:16]}…, where"
            f" {sha256[:16]}… was expected: it is damaged or incomplete; delete it and run this"
            " again to download it, or put the right one there."
        )
    try:
        os.link(archive, copy)
    except OSError:  # not on every file system, and then it takes room
        check_space(archive, archive.stat().st_size)
        shutil.copyfile(archive, copy)


@contextmanager
def _patience() -> Iterator[None]:
    """Give up on a server that stays silent; torchaudio has no setting for it."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextmanager
def _explained(url: str, by_hand: Path) -> Iterator[None]:
    """Turn what torchaudio, urllib and tarfile raise into one sentence."""
    host = urlsplit(url).netloc
    try:
        yield
        return
    except HTTPError as error:
        error.close()  # it is the server's answer, too, and holds the connection
        cause, what = error, f"{host} answered {error.code} ({error.reason}) for {url}"
    except (URLError, ConnectionError, HTTPException, TimeoutError) as error:
        cause = error
        if isinstance(getattr(error, "reason", error), TimeoutError):
            what = f"{host} sent nothing for {_TIMEOUT_S:g} s while {url} was being downloaded"
        elif isinstance(error, URLError):
            what = f"There is no connection to {host} to download {url} ({error.reason})"
        else:
            what = f"The download of {url} was cut off ({type(error).__name__})"
    except RuntimeError as error:
        if "hash" not in str(error):
            raise
        cause, what = error, f"What came from {url} has not the sha256 that torchaudio expects"
    except (tarfile.TarError, EOFError, zlib.error) as error:
        cause, what = error, f"The archive from {url} cannot be unpacked ({error})"
    raise DownloadError(
        f"{what}, so nothing was kept: check the network and run this again, or put the file by"
        f" hand at {places.shown(by_hand)}."
    ) from cause
