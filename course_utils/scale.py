"""The one table of settings: what every lesson does at mini, laptop and full scale.

A lesson reads its column with :func:`settings`. Nothing else in the course asks which scale it is.
"""

import json
import os
from types import SimpleNamespace

SCALES = {
    "mini": "shipped synthetic recordings, no network, two CPU cores",
    "laptop": "real recordings or a named part of them, CPU",
    "full": "the whole real data set and the published settings, a GPU",
}
"""The three scales, smallest first, and what each is for."""

TABLE: dict[str, dict[str, tuple]] = {
    # lesson
    #   setting                 mini                    laptop             full
    "00_start_here": {
        "data_set": ("speech_commands_mini", "speech_commands_mini", "speech_commands_mini"),
        "voice": ("5e361737", "5e361737", "5e361737"),
    },
    "01_spectrograms_and_mfccs": {
        "data_set": ("speech_commands_mini", "speech_commands", "speech_commands"),
        "happy_clip": ("2ad253a5_nohash_0.wav", "1fe4c891_nohash_1.wav", "1fe4c891_nohash_1.wav"),
        # Where its sounds are, in seconds.
        "happy_sounds": (
            [(0.38, 0.44, "h"), (0.44, 0.59, "a"), (0.59, 0.65, "p"), (0.65, 0.84, "y")],
            [(0.50, 0.56, "h"), (0.56, 0.66, "a"), (0.66, 0.74, "p"), (0.74, 0.90, "y")],
            [(0.50, 0.56, "h"), (0.56, 0.66, "a"), (0.66, 0.74, "p"), (0.74, 0.90, "y")],
        ),
        "riddle": (
            ["yes/2ad253a5_nohash_0.wav", "stop/4fb2f2d7_nohash_0.wav"],
            ["yes/022cd682_nohash_0.wav", "stop/1b4c9b89_nohash_0.wav"],
            ["yes/022cd682_nohash_0.wav", "stop/1b4c9b89_nohash_0.wav"],
        ),
        "parity_clips": (40, 60, 200),
    },
    "02_speech_commands_cnn": {
        "data_set": ("speech_commands_mini", "speech_commands", "speech_commands"),
        "unknown_percentage": (10.0, 100.0, 10.0),
        "conv_steps": (40, 700, 18000),
        # The two stages of the best network, and how often it reports.
        "steps": ([700, 150], [4000, 1000], [20000, 5000]),
        "augmentation": ("light", "strong", "strong"),
        "evaluate_every": (200, 500, 1000),
        "own_steps": (60, 200, 200),
        "floor": (0.88, 0.88, 0.9),
    },
    "03_confusion_matrices": {
        "data_set": ("speech_commands_mini", "speech_commands", "speech_commands"),
        "unknown_percentage": (10.0, 100.0, 10.0),
        "few_clips": (400, 400, 2000),
        "sweep_steps": ([250, 50], [400, 100], [1600, 400]),
        "more_unknown": (40.0, 100.0, 100.0),
        # Shares of unknown and silence in training, in percent of the wanted clips.
        "sweep": (
            [[10, 10], [0, 10], [10, 0], [10, 100]],
            [[10, 10], [0, 10], [10, 0], [10, 100]],
            [[10, 10], [0, 10], [10, 0], [10, 100]],
        ),
    },
    "04_streaming_smoothing": {
        "data_set": ("speech_commands_mini", "speech_commands", "speech_commands"),
        # Lengths of the recordings, and where in the first one a look pays.
        "practice_seconds": (600, 600, 600),
        "stretch_s": (50, 266, 266),
        "tuning_seconds": (1800, 1800, 3600),
        "test_seconds": (600, 600, 3600),
        # What the balanced setting has to reach, in percent of the words spoken.
        "least_matched": (85.0, 85.0, 85.0),
        "least_correct": (80.0, 80.0, 80.0),
        "most_false_positives": (3.0, 3.0, 3.0),
    },
    "05_trigger_word_gru": {
        "data_set": ("speech_commands_mini", "speech_commands", "speech_commands"),
        "word": ("happy", "yes", "marvin"),
        "own_word": ("wow", "stop", "sheila"),
        # "source" is the source's own size, at 44.1 kHz.
        "network": ("small", "small", "source"),
        # So many scenes are made once and kept; with 0 every batch is made anew.
        "stored_scenes": (1200, 4000, 0),
        "label_width": (8, 8, 50),
        "batch_size": (32, 32, 32),
        "learning_rate": (0.003, 0.003, 0.001),
        "steps": (300, 1500, 20000),
        "evaluate_every": (50, 150, 500),
        "own_steps": (150, 300, 1000),
        "seed": (0, 0, 0),
        "look_at": (24, 24, 24),
        "live_clip": (0, 0, 0),
        "tuning_scenes": (180, 180, 360),
        "test_scenes": (60, 60, 360),
        # What may go wrong in the test, and what the threshold is chosen for.
        "alarms_per_hour": (2.0, 6.0, 1.0),
        "most_missed": (0.1, 0.5, 0.2),
        "most_false_alarms": (1, 10, 6),
    },
    "06_end_to_end_ctc": {
        "train": ("train-clean-mini", "train-clean-an4", "train-clean-100"),
        # Where there is no such part, some voices of the training part are kept for it.
        "validation": ("dev-clean-mini", "", "dev-clean"),
        "test": ("test-clean-mini", "dev-clean-an4", "test-clean"),
        "commands": ("speech_commands_mini", "speech_commands", "speech_commands"),
        "network": ("mini", "small", "source"),
        "threads": (1, 2, 8),
        # SpecAugment: time masks, their width, frequency masks, their width; the last is published.
        "masks": ([2, 12, 2, 6], [2, 40, 2, 14], [1, 35, 1, 15]),
        "speeds": ([0.9, 1.0, 1.1], [0.85, 0.92, 1.0, 1.08, 1.15], [0.9, 1.0, 1.1]),
        "stored": (True, True, False),
        "batch_size": (8, 8, 20),
        "learning_rate": (0.004, 0.002, 0.0005),
        "weight_decay": (0.01, 0.05, 0.01),
        "overfit_steps": (100, 100, 100),
        "passes": (10, 40, 10),
        "look_every": (1, 5, 1),
        "look_at": (20, 20, 20),
        "align_at": (0, 0, 0),
        # A recogniser that ships, trained for longer.
        "go_on_with": ("librispeech", "", ""),
        "candidates": (
            ["the white sheep sat by the fire", "the white ship sat by the fire"],
            ["april thirtieth", "april thirteen"],
            ["he sat by the fire", "he sat buy the fire"],
        ),
        "pieces": (150, 100, 1000),
        "pretrained": (False, True, True),
        # What the lesson's own training has to reach on the test part.
        "most_cer": (0.12, 0.12, 0.3),
    },
    "07_genre_transfer_learning": {
        "data_set": ("fma_mini", "fma_small", "fma_small"),
        # So many of each genre; with 0 all that there are.
        "tracks_per_genre": (0, 150, 0),
        "riddle": ([30, 110, 190], [100, 500, 900], [800, 3000, 5000]),
        # Of each track, for the networks.
        "windows": (3, 3, 9),
        "raw_network": ("small", "small", "source"),
        "raw_epochs": (10, 10, 20),
        # MobileNetV2: rows and columns of a picture, width, and "" for weights that ship.
        "image": (96, 96, 224),
        "alpha": (0.35, 0.35, 1.0),
        "weights": ("", "imagenet", "imagenet"),
        "epochs": ([12, 10, 6], [12, 10, 6], [20, 10, 10]),
        "learning_rates": ([0.003, 0.01, 0.001], [0.003, 0.01, 0.001], [0.001, 0.003, 0.0001]),
        "upper_layers": (60, 60, 60),
        "splits": (20, 20, 20),
        # What the best model has to reach on the test tracks.
        "least_correct": (0.5, 0.3, 0.4),
    },
}
"""Every setting of every lesson, as (mini, laptop, full)."""


def current() -> str:
    """Name of the scale in force: ``COURSE_SCALE``, or ``"mini"`` when that is not set.

    Raises
    ------
    ValueError
        If ``COURSE_SCALE`` is not one of :data:`SCALES`.
    """
    name = os.environ.get("COURSE_SCALE") or "mini"
    if name not in SCALES:
        raise ValueError(
            f"COURSE_SCALE is {name!r}, but the scales are {', '.join(SCALES)}; set one of these "
            "or leave it out for mini."
        )
    return name


def defaults(lesson: str) -> SimpleNamespace:
    """Settings of one lesson at the scale in force, without anybody's overrides.

    Raises
    ------
    ValueError
        If the lesson or the scale is unknown.
    """
    if lesson not in TABLE:
        raise ValueError(f"No settings for lesson {lesson!r}; lessons are {', '.join(TABLE)}.")
    column = list(SCALES).index(current())
    return SimpleNamespace(**{name: row[column] for name, row in TABLE[lesson].items()})


def settings(lesson: str, **overrides: object) -> SimpleNamespace:
    """Settings of one lesson at the scale in force.

    Parameters
    ----------
    lesson : str
        The notebook's file name without its ending.
    **overrides
        Settings to change for this run. ``COURSE_SETTINGS``, a JSON object in the environment,
        does the same for a run without hands, and an override given here wins over it.

    Returns
    -------
    types.SimpleNamespace
        One attribute per setting.

    Raises
    ------
    ValueError
        If the lesson, the scale or a setting is unknown, or a value has the wrong type.
    """
    values = vars(defaults(lesson))
    for source, changes in (
        ("COURSE_SETTINGS", _from_environment()),
        ("the set-up cell", overrides),
    ):
        for name, value in changes.items():
            values[name] = _checked(name, value, values, f"{source} of lesson {lesson}")
    return SimpleNamespace(**values)


def _from_environment() -> dict:
    text = os.environ.get("COURSE_SETTINGS") or "{}"
    try:
        changes = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"COURSE_SETTINGS is not JSON ({error}); expected an object such as "
            '{"parity_clips": 20}.'
        ) from None
    if not isinstance(changes, dict):
        raise ValueError(
            f'COURSE_SETTINGS holds {text}; expected a JSON object such as {{"parity_clips": 20}}.'
        )
    return changes


def _checked(name: str, value: object, known: dict, source: str) -> object:
    if name not in known:
        raise ValueError(
            f"{source} names {name!r}, which is no setting; the settings are {', '.join(known)}."
        )
    expected = type(known[name])
    # JSON writes 1.0 as 1, so a whole number serves where a fraction is expected.
    if expected is float and type(value) is int:
        return float(value)
    if type(value) is not expected:
        raise ValueError(
            f"{source} sets {name} to {value!r}; expected a value of type {expected.__name__}, "
            f"such as {known[name]!r}."
        )
    return value
