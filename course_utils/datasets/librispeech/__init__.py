"""LibriSpeech: sentences read aloud, their texts, and every folder in the same layout.

:func:`open` brings a part in, shipped or official, and gives a :class:`Part` of
:class:`Utterance`; :func:`open_folder` takes a learner's own folder; :func:`shared` tells whether
two parts are apart. PyTorch is loaded when a part is opened, because torchaudio reads its
transcripts, and not before.
"""

from course_utils.datasets.librispeech.layout import MINI, open, open_folder, written_sentences
from course_utils.datasets.librispeech.parts import (
    OFFICIAL,
    SAMPLE_RATE,
    Part,
    Shared,
    Summary,
    Utterance,
    shared,
)

__all__ = [
    "MINI", "OFFICIAL", "SAMPLE_RATE", "Part", "Shared", "Summary", "Utterance", "open",
    "open_folder", "shared", "written_sentences",
]  # fmt: skip
