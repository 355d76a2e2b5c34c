"""How a notebook begins and what it leaves behind: the set-up cell and ``results.json``."""

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from course_utils import colab, files, machine, places, plots
from course_utils import scale as scales

_RESULTS = "results.json"


class Lesson:
    """One run of one notebook.

    Attributes
    ----------
    name : str
        The notebook's file name without its ending.
    settings : types.SimpleNamespace
        This lesson's column of :data:`course_utils.scale.TABLE`.
    runs : pathlib.Path
        Folder of this lesson's work, ``runs/<name>``; it exists.
    """

    def __init__(self, name: str, settings: SimpleNamespace) -> None:
        self.name = name
        self.settings = settings
        self.runs = places.runs(name)
        self.runs.mkdir(parents=True, exist_ok=True)
        self._begun = time.monotonic()

    def save_results(
        self,
        metric: str,
        value: float,
        n: int,
        interval: tuple[float, float],
        data: str,
        baseline: float | None = None,
        **more: object,
    ) -> Path:
        """Write ``runs/<lesson>/results.json``, whole or not at all.

        Parameters
        ----------
        metric : str
            What ``value`` is, in words.
        value : float
            The measured figure.
        n : int
            How many clips, words or events it was measured on.
        interval : (float, float)
            95 % confidence interval of ``value``.
        data : str
            Name of the data set.
        baseline : float, optional
            What the same figure would be without learning anything.
        **more
            Anything else worth keeping, as long as JSON can hold it.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ValueError
            If a number is NaN or infinite, or ``more`` names one of the fields above.
        """
        record = {
            "lesson": self.name,
            "scale": scales.current(),
            "data": data,
            "n": int(n),
            "metric": metric,
            "value": float(value),
            "interval_95": [float(edge) for edge in interval],
            "seconds": round(time.monotonic() - self._begun, 1),
            "settings": vars(self.settings),
            "hardware": machine.hardware(),
            "versions": machine.versions(),
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        if baseline is not None:
            record["baseline"] = float(baseline)
        taken = sorted(record.keys() & more.keys())
        if taken:
            raise ValueError(
                f"save_results writes {', '.join(taken)} itself; expected another name for what "
                "you want to keep; rename it."
            )
        record |= more
        text = json.dumps(record, indent=2, allow_nan=False) + "\n"
        target = self.runs / _RESULTS
        with files.whole(target) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
        return target


def begin(name: str, *, scale: str = "", drive: bool = False, **overrides: object) -> Lesson:
    """Set up a notebook: style of figures, quiet libraries, settings, folder for its work.

    Parameters
    ----------
    name : str
        The notebook's file name without its ending.
    scale : str
        ``"mini"``, ``"laptop"`` or ``"full"``, from now on in this kernel; ``"fitting"`` for the
        largest that this machine can be expected to finish. By default ``COURSE_SCALE`` says it.
    drive : bool
        On Colab, whether to keep data sets and work on Drive.
    **overrides
        Settings to change for this run, see :func:`course_utils.scale.settings`.

    Returns
    -------
    Lesson

    Raises
    ------
    ValueError
        If the lesson, the scale or a setting is unknown.
    """
    # TensorFlow reads this once, when it is first imported. Level 2 would still report a missing
    # GPU as an error on every machine without one.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    plots.use_style()
    told = colab.begin(drive)
    try:
        places.data_root()
    except ValueError as wrong:  # said, not refused: only real data sets need the folder
        told.append(str(wrong))
    if scale == "fitting":
        scale, reason = machine.fitting_scale(machine.hardware())
        told.append(reason)
    if scale:
        os.environ["COURSE_SCALE"] = scale
    lesson = Lesson(name, scales.settings(name, **overrides))
    current = scales.current()
    print(*told, f"Lesson {name}, scale {current}: {scales.SCALES[current]}.", sep="\n")
    return lesson


quietly = machine.quietly


def _run_of(name: str) -> Path | None:
    """What another lesson left behind, if it was finished at the scale in force.

    Parameters
    ----------
    name : str
        The other notebook's file name without its ending.

    Returns
    -------
    pathlib.Path or None
        Its folder ``runs/<name>``; None if it was not finished, or at another scale.

    Raises
    ------
    ValueError
        If its ``results.json`` is damaged.
    """
    file = places.runs(name) / _RESULTS
    if not file.is_file():
        return None
    try:
        finished = json.loads(file.read_text(encoding="utf-8"))["scale"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{places.shown(file)} is damaged ({error!r}); expected what lesson {name} writes at "
            "its end; run that lesson again, or delete the file."
        ) from error
    return file.parent if finished == scales.current() else None


_COMMANDS_LESSON = "02_speech_commands_cnn"
_SHIPPED_DATA = "speech_commands_mini"


def command_recogniser() -> Path:
    """Where the recogniser of lesson 02 is, at the scale in force.

    From the learner's own run of that lesson; else, where the data set is the shipped one, the
    recogniser that ships as well; else it is trained now, as in lesson 02, and kept for next time.

    Returns
    -------
    pathlib.Path
        A folder for ``models.speech_commands.load``.

    Raises
    ------
    ValueError
        If that lesson's ``results.json`` is damaged.
    """
    settings = scales.defaults(_COMMANDS_LESSON)
    folder = _run_of(_COMMANDS_LESSON)
    if folder is None and settings.data_set == _SHIPPED_DATA:
        folder = places.shipped() / "results" / "speech_commands"
    if folder is not None:
        print("recogniser:", places.shown(folder))
        return folder
    return _train_recogniser(settings)


def _train_recogniser(settings: SimpleNamespace) -> Path:
    """Train the recogniser of lesson 02, or go on with it; its folder."""
    with quietly():
        from course_utils.datasets import speech_commands
        from course_utils.datasets.speech_commands import examples
        from course_utils.training import speech_commands as training
    folder = places.runs(_COMMANDS_LESSON) / "for_later_lessons"
    print(f"recogniser: none of this scale yet, it is trained now, in {places.shown(folder)}")
    data = speech_commands.open(settings.data_set)
    chosen = speech_commands.select(data, unknown_percentage=settings.unknown_percentage)
    recipe = replace(
        training.RECIPES["res_cnn"],
        steps=tuple(settings.steps),
        augmentation=training.AUGMENTATIONS[settings.augmentation],
        evaluate_every=settings.evaluate_every,
        seed=1,
    )
    clips = [examples.prepare(data, chosen, part) for part in ("training", "validation")]
    training.train(folder, recipe, *clips)
    return folder
