"""Where clips go in a scene: directly into the free time, so that it always ends.

Source: ``insert_audio_clip`` of the deeplearning.ai assignment "Trigger Word Detection" draws a
place for one clip after another, again and again until it is free. Where the earlier clips happen
to leave no gap that is long enough, it draws for ever. Here all clips are placed at once. Lesson:
05.
"""

import math
from collections.abc import Sequence
from numbers import Integral

import numpy as np


def place(
    durations_ms: Sequence[float], total_ms: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Places for clips, none of which overlaps another; all such placements are equally likely.

    Parameters
    ----------
    durations_ms : sequence of float
        Length of each clip in milliseconds, above zero.
    total_ms : float
        Length of the scene in milliseconds.
    rng : np.random.Generator

    Returns
    -------
    list of (start_ms, end_ms)
        For each clip, in the order given; an end is its start and its clip's length. Starts are
        whole milliseconds, unless only fractions of one are free: then the clips lie one after the
        other. Two clips touch only where there is no free time to keep them apart.

    Raises
    ------
    ValueError
        If a length is no number above zero, or the clips do not fit.
    """
    durations = [_number(each) for each in durations_ms]
    total = _number(total_ms)
    _check(durations, total)
    if not durations:
        return []
    # The order in time is drawn, and how the free time is shared out: what lies before each clip.
    order = rng.permutation(len(durations))
    blocks = np.array([math.ceil(durations[clip]) for clip in order])
    free = math.floor(total) - int(blocks.sum())
    if free < 0:  # only fractions of a millisecond are missing for whole ones
        starts = np.concatenate([[0.0], np.cumsum([durations[clip] for clip in order])[:-1]])
    else:
        # What lies before each clip never falls. Without repetition it rises: no two clips touch.
        rise = np.arange(len(blocks)) if free + 1 < len(blocks) else 0
        before = np.sort(rng.choice(free + 1 + np.max(rise), len(blocks), replace=False)) - rise
        starts = before + np.cumsum(blocks) - blocks
    placed = dict(zip(order.tolist(), starts.tolist(), strict=True))
    return [(placed[clip], placed[clip] + length) for clip, length in enumerate(durations)]


def can_dead_end(length_ms: float, used_ms: float, clips: int, total_ms: float) -> bool:
    """Whether drawing a free place for one more clip can go on for ever.

    It can if the clip is longer than the average gap that so many clips, which use so much time,
    leave: then they may lie so that every gap is too short. It cannot otherwise, because the
    longest gap is never shorter than the average one.
    """
    return length_ms > (total_ms - used_ms) / (clips + 1)


def _number(value: float) -> float:
    """An int stays one, so that whole milliseconds come back as such."""
    return int(value) if isinstance(value, Integral) else float(value)


def _check(durations: list[float], total: float) -> None:
    """Refuse what cannot be placed."""
    for name, value in [("total_ms", total), *((f"clip {i}", d) for i, d in enumerate(durations))]:
        # Written so that a NaN, for which every comparison is false, is refused as well.
        if not 0 < value < math.inf:
            raise ValueError(
                f"The length of {name} is {value} ms; expected a number above zero; leave the clip"
                " out, or give its length in milliseconds."
            )
    free = total
    for number, length in enumerate(durations):
        if length > free + 1e-9 * total:  # lengths in milliseconds may be rounded
            raise ValueError(
                f"Clip {number} of {len(durations)} lasts {length:g} ms and does not fit: of the"
                f" {total:g} ms of the scene {free:g} ms are left; expected clips of"
                f" {total:g} ms in all at most, and these take {sum(durations):g} ms; give fewer"
                " or shorter clips, or a longer scene."
            )
        free -= length
