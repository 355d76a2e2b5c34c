"""A trained recogniser that the tests of the models share."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest
from small_recognisers import trained

from course_utils.models.speech_commands.recogniser import Recogniser


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    """A trained recogniser that no test changes."""
    return trained("tc_resnet")


@pytest.fixture(scope="session")
def run_folder(recogniser, tmp_path_factory) -> Path:
    """The recogniser as a training run leaves it."""
    return recogniser.save(tmp_path_factory.mktemp("runs") / "beeps")
