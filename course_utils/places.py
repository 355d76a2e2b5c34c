"""Where things lie: shipped archives, unpacked sets, real recordings, what a lesson leaves behind.

Every path of the course comes from here, so that a notebook started in ``notebooks/``, a test
started at the top and a package installed from a wheel agree on it. Two environment variables
move things: ``COURSE_DATA_ROOT`` (where real data sets are kept) and ``COURSE_RUNS_ROOT`` (where
lessons leave their work). No function here creates a folder.
"""

import contextlib
import os
from pathlib import Path

DATA_ROOT = "COURSE_DATA_ROOT"
RUNS_ROOT = "COURSE_RUNS_ROOT"


def _package() -> Path:
    """The folder of the installed package."""
    return Path(__file__).resolve().parent


def _repository() -> Path | None:
    """The checkout that the package is used from, or None when it came as a wheel."""
    above = _package().parent
    # A wheel's parent is site-packages, which has neither.
    if (above / "pyproject.toml").is_file() and (above / "data").is_dir():
        return above
    return None


def project_root() -> Path:
    """The folder that relative paths of the course start from.

    Returns
    -------
    Path
        The checkout when the package is used from one, otherwise the current folder.
    """
    return _repository() or Path.cwd()


def shipped() -> Path:
    """The folder with the shipped archives and the cards of all data sets.

    Returns
    -------
    Path
        ``data`` in a checkout, ``course_utils/_data`` in a wheel.
    """
    repository = _repository()
    return repository / "data" if repository else _package() / "_data"


def cache() -> Path:
    """Where shipped archives are unpacked, and real sets too unless ``COURSE_DATA_ROOT`` is set.

    Returns
    -------
    Path
        ``data_cache`` in the project root. Git ignores it and it may be deleted at any time.
    """
    return project_root() / "data_cache"


def data_root() -> Path:
    """Where real data sets are kept.

    Returns
    -------
    Path
        ``COURSE_DATA_ROOT`` when it is set, otherwise ``cache()``. A leading ``~`` is the home
        folder; a relative path is looked for from the current folder, then from the project root.

    Raises
    ------
    ValueError
        If ``COURSE_DATA_ROOT`` names something that is not a folder.
    """
    named = os.environ.get(DATA_ROOT, "")
    if not named:
        return cache()
    place = _named(named)
    if not place.is_dir():
        raise ValueError(
            f"{DATA_ROOT} is {named!r}, which is {'not a folder' if place.exists() else 'missing'}:"
            " it was expected to be the folder that holds the real data sets; create it, correct"
            " the variable, or unset it to use data_cache."
        )
    return place


def runs(lesson: str) -> Path:
    """The folder where a lesson leaves its work.

    Parameters
    ----------
    lesson : str
        The notebook's file name without its ending, for example ``02_speech_commands_cnn``.

    Returns
    -------
    Path
        ``runs/<lesson>`` in the project root, or ``<COURSE_RUNS_ROOT>/<lesson>``.

    Raises
    ------
    ValueError
        If ``lesson`` is not a plain name.
    """
    if not lesson or lesson in {".", ".."} or any(mark in lesson for mark in "/\\:\0"):
        raise ValueError(
            f"The lesson {lesson!r} is not a plain name: the notebook's file name without folder"
            " and ending was expected, for example '02_speech_commands_cnn'."
        )
    named = os.environ.get(RUNS_ROOT, "")
    return (_named(named) if named else project_root() / "runs") / lesson


def shown(path: str | os.PathLike[str]) -> str:
    """A path as people see it: short, and the same on every machine wherever that is possible.

    Parameters
    ----------
    path : path-like
        Any path; it need not exist.

    Returns
    -------
    str
        Relative to the project root; else behind ``$COURSE_DATA_ROOT`` or ``~``; else the last
        two parts behind ``…``. Never absolute, because it ends up in stored notebook outputs.
    """
    place = Path(os.path.abspath(os.path.expanduser(path)))
    for root, sign in _landmarks():
        if place.is_relative_to(root):
            rest = place.relative_to(root).as_posix()
            return (f"{sign}/{rest}" if sign else rest) if rest != "." else sign or "."
    return "/".join(("…", *place.parts[1:][-2:]))


def _landmarks() -> list[tuple[Path, str]]:
    """Folders that a shown path may start from, each with the sign that stands for it."""
    roots = [(project_root(), "")]
    if os.environ.get(DATA_ROOT):
        roots.append((_named(os.environ[DATA_ROOT]), f"${DATA_ROOT}"))
    with contextlib.suppress(RuntimeError):  # raised when this user has no home folder
        roots.append((Path.home(), "~"))
    # A landmark at the very top would turn every path into an absolute one.
    return [(root, sign) for root, sign in roots if root != Path(root.anchor)]


def _named(value: str) -> Path:
    """The place that an environment variable names (see ``data_root`` for the rule)."""
    place = Path(value).expanduser()
    if not place.is_absolute() and not (Path.cwd() / place).exists():
        place = project_root() / place
    return Path(os.path.abspath(place))
