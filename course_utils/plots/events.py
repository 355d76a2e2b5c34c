"""A detector at work: its probability over time, what became of events, what a threshold costs.

The waveform or spectrogram of the same scene is drawn by :mod:`course_utils.plots.sound`; spans and
detections can be marked on these, too.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes

from course_utils.metrics import DetCurve, EventCounts, EventMatch, OperatingPoint
from course_utils.plots.base import COLOURS, LINE_STYLES, add, describe, listing, named
from course_utils.plots.streams import MISSED, OUTCOMES
from course_utils.streaming import CORRECT, FALSE_POSITIVE

_TRIGGER = {"facecolor": COLOURS[2], "hatch": "///", "label": "trigger word"}
_OTHER = {"facecolor": "#b0b0b0", "hatch": "...", "label": "other word"}
_NAMED = 12  # spans whose names have room above them
_OUTLINE = patheffects.withStroke(linewidth=2.5, foreground="white")  # readable on any picture
_HEIGHT = 1.35  # probabilities end at 1; above them is room for names and markers
_MARKERS = 1.1 / _HEIGHT  # of the axes' height


def probability_track(
    ax: Axes, times_s: np.ndarray, scores: np.ndarray, threshold: float, title: str = ""
) -> None:
    """Probability over time, and the threshold above which it counts.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    times_s : np.ndarray, shape (steps,)
        In seconds, rising.
    scores : np.ndarray, shape (steps,)
        Probabilities.
    threshold : float
    title : str

    Raises
    ------
    ValueError
        If there are no steps, or not one number from 0 to 1 for each time.
    """
    times_s, scores = np.asarray(times_s), np.asarray(scores)
    share = bool(len(scores)) and ((scores >= 0) & (scores <= 1)).all() and 0 <= threshold <= 1
    if times_s.shape != scores.shape or times_s.ndim != 1 or not share:
        raise ValueError(
            f"Found {times_s.shape} times, {scores.shape} scores and the threshold {threshold};"
            " expected a probability from 0 to 1 for each of some times, and a threshold from 0 to"
            " 1; give what the detector's push gives."
        )
    ax.plot(times_s, scores, color=COLOURS[0], linewidth=1.2)
    ax.axhline(
        threshold, color=COLOURS[1], linestyle="--", linewidth=1, label=f"threshold {threshold:.3g}"
    )
    ax.set(xlabel="time (s)", ylabel="probability", yticks=np.linspace(0, 1, 5))
    ax.set(xlim=times_s[[0, -1]], ylim=(0, _HEIGHT))
    ax.set_title(title)
    _legend(ax)
    edges = np.diff(np.concatenate([[False], scores > threshold, [False]]).astype(int))
    stretches = zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0) - 1, strict=True)
    listed = listing(f"from {times_s[a]:.2f} to {times_s[b]:.2f} s" for a, b in stretches)
    top = int(scores.argmax())
    describe(
        ax,
        f"Probability over time{named(title)}: {len(scores)} steps from {times_s[0]:.2f} to"
        f" {times_s[-1]:.2f} s, at most {scores[top]:.2f} at {times_s[top]:.2f} s. Above the"
        f" threshold {threshold:.3g}: {listed}.",
    )


def trigger_events(
    ax: Axes, spans: Sequence[tuple[float, float, str]], trigger: str | Collection[str]
) -> None:
    """Shade where words are: trigger words with stripes, other words with dots.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Of :func:`probability_track`, or of a picture of sound.
    spans : sequence of (start_s, end_s, name)
        In seconds. A dozen at most are labelled with their names.
    trigger : str or collection of str
        The name of the trigger word, or names of several.

    Raises
    ------
    ValueError
        If a span does not end after it starts.
    """
    triggers = {trigger} if isinstance(trigger, str) else set(trigger)
    for start, end, name in spans:
        # Written so that a NaN, for which every comparison is false, is refused as well.
        if not start < end < np.inf:
            raise ValueError(
                f"Found {name!r} from {start} to {end} s; expected an end after its start, in"
                " seconds; give (start, end, name)."
            )
    limits = ax.get_xlim()
    for kind, words in (
        (_TRIGGER, [span for span in spans if span[2] in triggers]),
        (_OTHER, [span for span in spans if span[2] not in triggers]),
    ):
        for number, (start, end, name) in enumerate(words):
            look = {**kind, "label": "_" * bool(number) + kind["label"]}  # one line in the legend
            ax.axvspan(start, end, alpha=0.35, edgecolor="black", linewidth=0.6, **look)
            if len(spans) <= _NAMED:
                place = {"transform": ax.get_xaxis_transform(), "clip_on": True}
                text = ax.text((start + end) / 2, 0.98, name, ha="center", va="top", **place)
                text.set(fontsize="small", path_effects=[_OUTLINE])
        listed = listing(f"{name} from {start:.2f} to {end:.2f} s" for start, end, name in words)
        add(ax, f"{kind['label'].capitalize()}s: {listed}.")
    ax.set_xlim(limits)
    _legend(ax)


def trigger_detections(
    ax: Axes, ends_s: Sequence[float], found_s: Sequence[float], match: EventMatch
) -> None:
    """Mark by shape and colour every hit, false alarm, and end of an event that was missed.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Of :func:`probability_track`, or of a picture of sound. What is at other times is left out.
    ends_s, found_s : sequence of float
        What was matched, in the same order.
    match : EventMatch

    Raises
    ------
    ValueError
        If the match is of another number of events or detections.
    """
    found = [getattr(each, "time_s", each) for each in found_s]
    if (len(ends_s), len(found)) != (match.events, len(match.partners)):
        raise ValueError(
            f"Found {len(ends_s)} events and {len(found)} detections, and a match of"
            f" {match.events} and {len(match.partners)}; expected the match of exactly these; give"
            " what match_events got."
        )
    pairs = list(zip(found, match.partners, strict=True))
    low, high = ax.get_xlim()
    for outcome, name, times in (
        (CORRECT, "hit", [time for time, event in pairs if event is not None]),
        (FALSE_POSITIVE, "false alarm", [time for time, event in pairs if event is None]),
        (MISSED, "missed", np.asarray(ends_s)[match.missed].tolist()),
    ):
        inside = [time for time in times if low <= time <= high]
        marker, colour, _ = OUTCOMES[outcome]
        look = {"marker": marker, "c": colour, "s": 60, "transform": ax.get_xaxis_transform()}
        heights = [_MARKERS] * len(inside)
        if inside:  # a black rim around a white one is seen on dark and on bright pictures
            ax.scatter(inside, heights, **look, edgecolors="white", linewidths=2.8, zorder=3)
            ax.scatter(
                inside, heights, **look, edgecolors="black", linewidths=1, zorder=3, label=name
            )
        add(ax, f"{name.capitalize()}: {listing(f'{time:.2f} s' for time in inside)}.")
    _legend(ax)


def det(
    ax: Axes, curves: Mapping[str, DetCurve], points: Iterable[OperatingPoint] = (), title: str = ""
) -> None:
    """Miss rate over false alarms per hour: what fewer of one cost in the other.

    Only points that no other one beats are drawn. Left of the first alarm in all the hours there is
    nothing but zero: that part of the axis is linear, the rest is logarithmic.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    curves : mapping of str to DetCurve
    points : iterable of OperatingPoint
        Marked, with their thresholds.
    title : str

    Raises
    ------
    ValueError
        If there is no curve, or more than can be told apart, or a point has no events or no hours.
    """
    if not 0 < len(curves) <= len(COLOURS):
        raise ValueError(
            f"Found {len(curves)} curves for one axes; expected 1 to {len(COLOURS)}, because more"
            " cannot be told apart; draw fewer, or use several axes."
        )
    described = []
    for (name, curve), colour, style in zip(curves.items(), COLOURS, LINE_STYLES, strict=False):
        described.append(_det_curve(ax, name, curve.useful(), colour, style))
    described += [_det_point(ax, *point) for point in points]
    _rates(ax, min(1 / curve.counts[0].hours for curve in curves.values()))
    top = max(ax.dataLim.y1, 1)  # percent
    ax.set(xlabel="false alarms per hour", ylabel="miss rate (%)", ylim=(-0.05 * top, 1.12 * top))
    ax.grid(color="lightgrey", linewidth=0.6)
    ax.set_title(title)
    _legend(ax)
    describe(
        ax, f"DET curve{named(title)}, misses over false alarms per hour. {' '.join(described)}"
    )


def _det_curve(ax: Axes, name: str, curve: DetCurve, colour: str, style: object) -> str:
    """Draw one curve; what it says in words."""
    rates, misses = curve.false_alarms_per_hour[::-1], 100 * curve.miss_rate[::-1]
    heard = f"{curve.counts[0].events} events, {curve.counts[0].hours:.3g} h"
    label = f"{name} ({heard})" if name else heard
    look = {"color": colour, "linestyle": style, "linewidth": 1.4, "marker": ".", "markersize": 5}
    ax.plot(rates, misses, drawstyle="steps-post", label=label, **look)
    return (
        f"{label}: {misses[0]:.1f} % missed at {rates[0]:.3g} per hour,"
        f" {misses[-1]:.1f} % at {rates[-1]:.3g}."
    )


def _det_point(ax: Axes, threshold: float, counts: EventCounts) -> str:
    """Mark one point; what it says in words."""
    if not counts.events or not counts.hours:
        raise ValueError(
            f"Found {counts.events} events in {counts.hours} hours at the threshold"
            f" {threshold:.3g}; expected some of both, to know both rates; add the counts"
            " of more recordings."
        )
    place = counts.false_alarms_per_hour, 100 * counts.miss_rate
    ax.plot(*place, "D", color="white", markeredgecolor="black", markersize=8, zorder=3)
    text = ax.annotate(f"threshold {threshold:.3g}", place, (9, 5), textcoords="offset points")
    text.set(fontsize="small", path_effects=[_OUTLINE])
    return f"Marked is the threshold {threshold:.3g}: {counts}."


def _rates(ax: Axes, least: float) -> None:
    """An axis of rates on which zero has a place, and ticks are plain numbers."""
    most = max(1.15 * ax.dataLim.x1, 2 * least)
    decades = np.log10(most / least)
    steps = range(1, 10) if decades < 1 else (1, 2, 5) if decades < 3 else (1,)
    powers = 10.0 ** np.arange(np.floor(np.log10(least)), np.log10(most) + 1)
    ticks = [
        step * power for power in powers for step in steps if 0.99 * least <= step * power <= most
    ]
    ax.set_xscale("symlog", linthresh=least, linscale=0.4)
    ax.set_xticks([0, *ticks], [f"{tick:g}" for tick in (0, *ticks)])
    ax.set_xticks([], minor=True)
    ax.set_xlim(-0.15 * least, most)


def _legend(ax: Axes) -> None:
    """All that has a name, above the axes at the right, where nothing is drawn."""
    _, names = ax.get_legend_handles_labels()
    ax.legend(
        loc="lower right", bbox_to_anchor=(1, 1), ncols=max(len(names), 1), frameon=False,
        fontsize="small", borderpad=0, columnspacing=1.2, handletextpad=0.4,
    )  # fmt: skip
