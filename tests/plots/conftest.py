"""Figures in the course's style, closed after each test."""

import matplotlib.pyplot as plt
import pytest

from course_utils import plots


@pytest.fixture(autouse=True)
def closed():
    """The course's style; nothing of one test's figures is left for the next."""
    with plt.rc_context():
        plots.use_style()
        yield
    plt.close("all")


@pytest.fixture
def ax():
    """Axes of the course's own figure."""
    return plots.figure()[1]
