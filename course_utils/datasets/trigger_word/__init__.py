"""Scenes for a trigger-word detector: sounds, their places, their labels."""

from course_utils.datasets.trigger_word.placement import can_dead_end, place
from course_utils.datasets.trigger_word.scenes import Mix, Scene, Scenes, Word, label_steps
from course_utils.datasets.trigger_word.sounds import (
    FOLDERS,
    Clip,
    Sounds,
    from_folder,
    from_speech_commands,
)

__all__ = [
    "FOLDERS", "Clip", "Mix", "Scene", "Scenes", "Sounds", "Word", "can_dead_end", "from_folder",
    "from_speech_commands", "label_steps", "place",
]  # fmt: skip
