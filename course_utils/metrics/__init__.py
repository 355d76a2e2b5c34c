"""How good a recogniser is, where it errs, and how sure one may be of either.

`Predictions` holds what a recogniser said about clips whose truth is known; everything else is a
function of it, or of the confusion matrix that it gives.
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
from course_utils.metrics.intervals import McNemar, bootstrap, mcnemar, wilson

__all__ = [
    "ClassScores", "Confusion", "McNemar", "Predictions", "Reliability",
    "bootstrap", "expected_calibration_error", "fit_temperature", "log_loss", "macro_f1",
    "majority_baseline", "mcnemar", "most_confused", "normalise", "per_class", "reliability",
    "soften", "wilson",
]  # fmt: skip
