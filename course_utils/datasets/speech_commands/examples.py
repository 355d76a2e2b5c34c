"""One part of a selection, decoded and ready to be drawn from."""

from dataclasses import dataclass, replace

import numpy as np

from course_utils.datasets.speech_commands.clips import Clips, read_backgrounds, read_clips
from course_utils.datasets.speech_commands.layout import PARTS, SpeechCommands
from course_utils.datasets.speech_commands.selection import Selection


@dataclass(frozen=True)
class ExampleSet:
    """Clips with labels, and the noise that may be mixed into them.

    Attributes
    ----------
    labels : tuple of str
    clips : Clips
    classes : np.ndarray of int32, shape (clips,)
        Place of each clip's label in ``labels``; 0 is silence.
    speakers : tuple of str
        Who speaks; empty for silence.
    noise : tuple of np.ndarray of int16
        Recordings of background noise.
    """

    labels: tuple[str, ...]
    clips: Clips
    classes: np.ndarray
    speakers: tuple[str, ...]
    noise: tuple[np.ndarray, ...]

    @property
    def n(self) -> int:
        """How many clips there are."""
        return len(self.classes)

    def take(self, rows: np.ndarray) -> "ExampleSet":
        """Some of the clips, in the order of ``rows`` (places, or one boolean for each clip).

        Labels, noise and the counts of padded and cut clips stay those of the whole set.
        """
        places = np.arange(self.n)[rows]
        return replace(
            self,
            clips=replace(self.clips, steps=self.clips.steps[places]),
            classes=self.classes[places],
            speakers=tuple(self.speakers[place] for place in places),
        )


def prepare(
    data: SpeechCommands,
    selection: Selection,
    part: str,
    *,
    sample_rate: int | None = None,
    clip_duration_ms: float = 1000,
    progress: bool = True,
) -> ExampleSet:
    """Decode one part of a selection.

    Parameters
    ----------
    data : SpeechCommands
        The set that the selection was made from.
    selection : Selection
    part : {"training", "validation", "testing"}
    sample_rate : int, optional
        Rate that all files must have, in Hz; by default the one that most of them have.
    clip_duration_ms : float
        Length of a clip, in milliseconds.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    ExampleSet

    Raises
    ------
    audio.AudioError, ValueError
        As :func:`read_clips` and :func:`read_backgrounds`, and if there is no such part.
    """
    if part not in selection.paths:
        raise ValueError(
            f"There is no part {part!r} in a selection; choose one of {', '.join(PARTS)}."
        )
    paths = selection.paths[part]
    clips = read_clips(paths, sample_rate, clip_duration_ms, progress)
    noise = read_backgrounds(data.backgrounds(), clips.sample_rate, clip_duration_ms)
    speakers = tuple("" if path is None else data.speaker(path) for path in paths)
    return ExampleSet(selection.labels, clips, selection.classes[part], speakers, tuple(noise))
