"""The real-time loop: any source of sound, a detector, and what it tells, in time or not at all.

A source gives chunks, :meth:`Loop.put` copies them into an inbox, and every turn hears all that
waits. :func:`listen` drives a loop from a sound in memory, a file or the system's microphone; a
microphone in a browser calls ``put`` itself. None of this needs a deep-learning framework.
"""

from course_utils.live.chimes import chime
from course_utils.live.inbox import Counts
from course_utils.live.loop import Loop
from course_utils.live.microphone import Microphone, MicrophoneError
from course_utils.live.sources import ArraySource, FileSource, listen
from course_utils.live.turns import Heard, Stream, Turn

__all__ = [
    "ArraySource", "Counts", "FileSource", "Heard", "Loop", "Microphone", "MicrophoneError",
    "Stream", "Turn", "chime", "listen",
]  # fmt: skip
