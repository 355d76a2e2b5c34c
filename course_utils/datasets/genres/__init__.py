"""Music by genre: the Free Music Archive's data set, and a folder per genre.

:func:`open` brings a set in, shipped or real, and gives :class:`Tracks` of :class:`Track`;
:func:`open_fma` reads the archive's tables wherever they lie; :func:`open_folder` takes a learner's
own music; :func:`readable` decodes everything once and says what fails. pandas is imported when
the archive's tables are read, and not before.
"""

from course_utils.datasets.genres.fma import NO_AUDIO, open, open_fma, top_genres
from course_utils.datasets.genres.folder import open_folder
from course_utils.datasets.genres.reading import readable
from course_utils.datasets.genres.tracks import GENRES, PARTS, Summary, Track, Tracks

__all__ = [
    "GENRES", "NO_AUDIO", "PARTS", "Summary", "Track", "Tracks",
    "open", "open_fma", "open_folder", "readable", "top_genres",
]  # fmt: skip
