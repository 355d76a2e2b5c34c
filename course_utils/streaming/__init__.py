"""Decisions over time: from the scores of a stream to words, each told once.

:class:`RecognizeCommands` decides, :func:`streaming_accuracy` judges, :mod:`recordings` makes long
sounds to judge on, and :class:`Scores` tries many settings on one of them. None of this needs a
deep-learning framework; :mod:`course_utils.streaming.scoring` runs a recogniser over a sound, with
TensorFlow.
"""

from course_utils.streaming.accuracy import (
    CORRECT,
    FALSE_POSITIVE,
    MATCHINGS,
    WRONG,
    StreamingAccuracy,
    streaming_accuracy,
)
from course_utils.streaming.decisions import (
    PUBLISHED,
    Detection,
    RecognizeCommands,
    Result,
    Settings,
)
from course_utils.streaming.ground_truth import (
    labels_beside,
    read_ground_truth,
    write_ground_truth,
)
from course_utils.streaming.recordings import Recording
from course_utils.streaming.scores import Scores

__all__ = [
    "CORRECT", "FALSE_POSITIVE", "MATCHINGS", "PUBLISHED", "WRONG", "Detection",
    "RecognizeCommands", "Recording", "Result", "Scores", "Settings", "StreamingAccuracy",
    "labels_beside", "read_ground_truth", "streaming_accuracy", "write_ground_truth",
]  # fmt: skip
