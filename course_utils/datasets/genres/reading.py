"""Which tracks can be decoded: everything is tried once, before a model meets it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from course_utils import audio, progress
from course_utils.audio.errors import name_of
from course_utils.datasets.genres.tracks import Track, Tracks


def readable(tracks: Tracks, least_seconds: float = 3.0, show_progress: bool = True) -> Tracks:
    """Decode every track, and leave out what fails.

    Parameters
    ----------
    tracks : Tracks
    least_seconds : float
        Shortest useful length; a window of the lesson has three seconds.
    show_progress : bool
        Whether to show a bar: the 8,000 clips of FMA's small subset take minutes.

    Returns
    -------
    Tracks
        Without the tracks that are corrupt, empty or too short; ``skipped`` names them and says
        why.

    Raises
    ------
    ValueError
        If none is left, or a part has lost the last track of a genre.
    """
    # libsndfile lets go of Python while it decodes.
    with (
        ThreadPoolExecutor(4) as pool,
        progress.bar(len(tracks), "decoding", " tracks", show_progress) as bar,
    ):
        reasons = {}
        faults = pool.map(lambda each: _fault(each, least_seconds), tracks)
        for each, reason in zip(tracks, faults, strict=True):
            bar.update(1)
            if reason:
                reasons[each.track_id] = reason
    kept = tuple(each for each in tracks if each.track_id not in reasons)
    if not kept:
        name, reason = next(iter(reasons.items()))
        raise ValueError(
            f"None of the {len(tracks):,} tracks of {tracks.name} can be used (the first, {name},"
            f" {reason}): music of at least {least_seconds:g} s that can be decoded was expected;"
            " bring the set in again."
        )
    skipped = {**tracks.skipped, **reasons}
    made = replace(tracks, tracks=kept, skipped=skipped, there=tracks.there - len(reasons))
    made.check_genres(sorted({each.part for each in tracks}))
    return made


def _fault(track: Track, least_seconds: float) -> str:
    """What is wrong with a track, without its name; nothing if it is fine."""
    try:
        samples, rate = track.load()
    except audio.AudioError as error:
        return str(error).removeprefix(f"{name_of(track.path)} ").partition("; expected")[0]
    seconds = len(samples) / rate
    return f"is too short ({seconds:.2f} s of {least_seconds:g} s)" * (seconds < least_seconds)
