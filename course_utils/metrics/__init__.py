"""How good a recogniser is, where it errs, and how sure one may be of either.

`Predictions` holds what a recogniser said about clips whose truth is known; everything else is a
function of it, or of the confusion matrix that it gives. What listens for events in long sounds is
judged by `match_events`, `EventCounts` and `det_curve`, what writes texts by `word_errors`.
"""

from course_utils.metrics.calibration import (
    Reliability,
    expected_calibration_error,
    fit_temperature,
    log_loss,
    reliability,
    soften,
)
from course_utils.metrics.classification import (
    ClassScores,
    Confusion,
    Predictions,
    macro_f1,
    majority_baseline,
    most_confused,
    normalise,
    per_class,
)
from course_utils.metrics.det import DetCurve, OperatingPoint, ScoredStream, det_curve
from course_utils.metrics.error_rates import (
    ErrorCounts,
    character_error_rate,
    character_errors,
    word_error_rate,
    word_errors,
)
from course_utils.metrics.event_counts import EventCounts, Latency
from course_utils.metrics.events import EventMatch, frame_accuracy, match_events
from course_utils.metrics.intervals import McNemar, bootstrap, mcnemar, wilson

__all__ = [
    "ClassScores", "Confusion", "DetCurve", "ErrorCounts", "EventCounts", "EventMatch", "Latency",
    "McNemar", "OperatingPoint", "Predictions", "Reliability", "ScoredStream", "bootstrap",
    "character_error_rate", "character_errors", "det_curve", "expected_calibration_error",
    "fit_temperature", "frame_accuracy", "log_loss", "macro_f1", "majority_baseline",
    "match_events", "mcnemar", "most_confused", "normalise", "per_class", "reliability", "soften",
    "wilson", "word_error_rate", "word_errors",
]  # fmt: skip
