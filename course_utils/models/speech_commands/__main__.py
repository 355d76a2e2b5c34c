"""Label sound files from the command line.

Works like ``label_wav.py`` and ``label_wav_dir.py`` of TensorFlow's example, but an option that
does not exist is an error.
"""

import argparse
import os
import sys
from pathlib import Path

from course_utils import machine
from course_utils.models.speech_commands.labelling import (
    Labelled,
    Predictor,
    label_folder,
    label_wav,
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; gives the exit status."""
    options = _parser().parse_args(arguments)
    try:
        recogniser = _opened(options.model)
        if not options.sound.is_dir():
            _print(label_wav(recogniser, options.sound, options.count))
            return 0
        return _print_all(label_folder(recogniser, options.sound, options.count))
    except ValueError as error:  # every error that this package promises is one
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.models.speech_commands",
        description="The recogniser of spoken commands, from the command line.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="label")
    label = commands.add_parser(
        "label", help="print the best labels of sound files", allow_abbrev=False
    )
    label.add_argument(
        "model", type=Path, metavar="RUN_FOLDER",
        help="the folder of a training run, or an exported .tflite file",
    )  # fmt: skip
    label.add_argument(
        "sound", type=Path, metavar="FILE_OR_FOLDER",
        help="a sound file, or a folder of sound files, of at most one clip's length each",
    )  # fmt: skip
    label.add_argument(
        "--count", type=_at_least_one, default=3, metavar="N", help="labels for each file (3)"
    )
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)  # argparse turns the ValueError of a word into its own message
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few; expected at least 1")
    return number


def _opened(path: Path) -> Predictor:
    """A recogniser from either kind of place; TensorFlow is loaded for a run folder only."""
    if path.suffix == ".tflite":
        from course_utils.models.speech_commands.exported import ExportedRecogniser

        return ExportedRecogniser(path)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with machine.quietly():
        from course_utils.models.speech_commands.recogniser import load

        return load(path)


def _print_all(results: list[Labelled]) -> int:
    for result in results:
        print(result.path.name)
        if result.error:
            sys.stdout.flush()  # so that the sentence comes after the name in a terminal
            print(result.error, file=sys.stderr)
        _print(result.best)
    return 0 if any(result.best for result in results) else 1


def _print(best: list[tuple[str, float]]) -> None:
    for label, score in best:
        print(f"{label} (score = {score:.5f})")


if __name__ == "__main__":
    sys.exit(main())
