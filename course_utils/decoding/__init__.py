"""From the output of a CTC network to text.

:func:`greedy` writes what the best path says, :func:`prefix_beam_search` the best text, helped by
a language model such as :class:`NGram`. The alphabet is that of :mod:`course_utils.features.text`.
None of this loads a deep-learning framework; torch tensors are welcome.
"""

from course_utils.decoding.ngram import NGram
from course_utils.decoding.paths import collapse, greedy, text_probabilities
from course_utils.decoding.prefix_beam import Hypothesis, n_best, prefix_beam_search

__all__ = [
    "Hypothesis", "NGram", "collapse", "greedy", "n_best", "prefix_beam_search",
    "text_probabilities",
]  # fmt: skip
