"""Google Speech Commands: one-second recordings of single words, and everything in its layout.

:func:`open` brings a set in and gives a :class:`SpeechCommands`; :func:`select` says which clips
carry which label; :func:`read_clips` decodes them. None of this needs a deep-learning framework;
:mod:`course_utils.datasets.speech_commands.batches` turns a selection into TensorFlow batches.
"""

from course_utils.datasets.speech_commands.clips import Clips, read_backgrounds, read_clips
from course_utils.datasets.speech_commands.layout import (
    BACKGROUND,
    PARTS,
    SpeechCommands,
    Summary,
    open,
    partition,
)
from course_utils.datasets.speech_commands.selection import (
    COMMANDS,
    SILENCE,
    UNKNOWN,
    Selection,
    select,
)

__all__ = [
    "BACKGROUND", "COMMANDS", "PARTS", "SILENCE", "UNKNOWN", "Clips", "Selection",
    "SpeechCommands", "Summary", "open", "partition", "read_backgrounds", "read_clips", "select",
]  # fmt: skip
