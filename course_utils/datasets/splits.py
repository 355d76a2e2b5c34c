"""Training, validation, testing: who decides which clip is for what.

Either the two lists that come with a set, or a hash of the speaker's name that needs no list.

Source: ``which_set`` in TensorFlow's ``speech_commands`` example, and Pete Warden, *Speech
Commands: A Dataset for Limited-Vocabulary Speech Recognition*, 2018, arXiv:1804.03209, section 7.
"""

import hashlib
import os
import re
from pathlib import Path

from course_utils import places

PARTS = ("training", "validation", "testing")
_LISTS = {"validation": "validation_list.txt", "testing": "testing_list.txt"}

# The official code takes the hash modulo one more than this, the most clips that a word may have.
_MOST_CLIPS = 2**27 - 1


def partition(
    file_name: str | os.PathLike[str],
    validation_percentage: float = 10,
    testing_percentage: float = 10,
) -> str:
    """Which part a clip belongs to, by the official hash of its speaker's name.

    All clips of a speaker land in the same part, and adding clips to a set moves none.

    Parameters
    ----------
    file_name : path-like
        A clip; folders are ignored, and so is everything from ``_nohash_`` on. Without
        ``_nohash_`` the whole name counts, its ending included.
    validation_percentage, testing_percentage : float
        Approximate share of the two parts in percent.

    Returns
    -------
    str
        ``"training"``, ``"validation"`` or ``"testing"``.

    Raises
    ------
    ValueError
        If a percentage is negative or the two leave nothing for training.

    Notes
    -----
    Same results as ``which_set`` in TensorFlow's ``speech_commands`` example.
    """
    _check_percentages(validation_percentage, testing_percentage)
    speaker = re.sub(r"_nohash_.*$", "", os.path.basename(os.fspath(file_name)))
    digest = hashlib.sha1(speaker.encode("utf-8", "surrogateescape")).hexdigest()
    percentage = (int(digest, 16) % (_MOST_CLIPS + 1)) * (100.0 / _MOST_CLIPS)
    if percentage < validation_percentage:
        return "validation"
    if percentage < validation_percentage + testing_percentage:
        return "testing"
    return "training"


def _check_percentages(validation: float, testing: float) -> None:
    """Refuse shares that make no split."""
    # Written so that a NaN, for which every comparison is false, is refused as well.
    if not (validation >= 0 and testing >= 0 and validation + testing < 100):
        raise ValueError(
            f"A split with validation_percentage={validation} and testing_percentage={testing} is"
            " impossible: both must be 0 or more and their sum below 100, so that something is"
            " left for training; lower them."
        )


def read_lists(root: Path) -> dict[str, str] | None:
    """Read a set's own validation and testing lists.

    Parameters
    ----------
    root : Path
        Folder of the set.

    Returns
    -------
    dict or None
        The part of every listed clip, by ``word/file``; None when there are no lists.

    Raises
    ------
    ValueError
        If one list is missing, or a clip is in both.
    """
    there = {part: (root / name).is_file() for part, name in _LISTS.items()}
    if not any(there.values()):
        return None
    if not all(there.values()):
        found, missing = sorted(_LISTS, key=lambda part: not there[part])
        raise ValueError(
            f"{places.shown(root)} has {_LISTS[found]} but no {_LISTS[missing]}: the two belong"
            " together; put the missing list there, or remove the other one to split by the hash."
        )
    listed: dict[str, str] = {}
    for part, name in _LISTS.items():
        for line in (root / name).read_text(encoding="utf-8").splitlines():
            clip = line.strip().replace("\\", "/").removeprefix("./")
            if clip and listed.setdefault(clip, part) != part:
                raise ValueError(
                    f"{clip!r} is in both lists of {places.shown(root)}: a clip is for validation"
                    " or for testing, never for both; remove it from one of them."
                )
    return listed
