"""Remake data/results: what takes longer to train than a lesson may take.

For the Speech Commands lessons it trains every architecture on the shipped recordings and writes

- data/results/speech_commands.json: what each one reached, with everything needed to judge it,
- data/results/speech_commands/: the best recogniser, which lesson 03 reads.

Run it by `make results`; about half an hour on two cores. A row that was finished is not trained
again until its folder under runs/results is deleted.
"""

import argparse
import hashlib
import json
import os
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from course_utils import files, lesson, machine, metrics, places

with lesson.quietly():
    from course_utils.datasets import speech_commands
    from course_utils.datasets.speech_commands import batches, examples
    from course_utils.models import speech_commands as models
    from course_utils.models.speech_commands import export
    from course_utils.models.speech_commands.recogniser import MODEL_FILE
    from course_utils.training import speech_commands as training

BEST = "res_cnn"
STEPS = (700, 150)
# Networks without batch normalisation do not bear the rate of the others.
CAREFUL = (0.001, 0.0001)


def recipes() -> dict[str, training.Recipe]:
    """The recipe of every row, by its title."""
    best = replace(training.RECIPES[BEST], steps=STEPS, seed=1)
    rows = {}
    # The best first, because lesson 03 waits for it.
    for name, own in reversed(training.RECIPES.items()):
        ours = own.optimizer == best.optimizer
        rates = best.learning_rates if ours else CAREFUL
        rows[name] = replace(best, architecture=name, learning_rates=rates)
    # The tutorial's own recipe, as far as it gets in as many steps.
    rows["conv, the tutorial's recipe"] = replace(
        training.RECIPES["conv"], steps=(sum(STEPS),), learning_rates=(0.001,), seed=1
    )
    return rows


def load_parts() -> dict[str, examples.ExampleSet]:
    """The three parts of the shipped recordings."""
    words = speech_commands.open("speech_commands_mini")
    selection = speech_commands.select(words)
    return {part: examples.prepare(words, selection, part) for part in speech_commands.PARTS}


def measured(title: str, recipe: training.Recipe, parts: dict, folder: Path) -> dict:
    """Train one row, or take it from its folder, and measure it on the test clips."""
    print(f"== {title}", flush=True)
    run = training.train(folder, recipe, parts["training"], parts["validation"])
    testing, network = parts["testing"], run.recogniser.network
    right = run.recogniser.scores(testing).argmax(axis=1) == testing.classes
    return {
        "title": title,
        "recipe": asdict(recipe),
        "parameters": network.count_params(),
        "multiply_adds": models.multiply_adds(network),
        "accuracy": float(right.mean()),
        "n": int(right.size),
        "interval_95": list(metrics.wilson(int(right.sum()), right.size)),
        "right": "".join("1" if each else "0" for each in right),
        "validation_accuracy": run.history[-1]["validation_accuracy"],
        "training_seconds": round(run.history[-1]["seconds"]),
        "file_kilobytes": exported_sizes(run.recogniser, parts["training"], folder),
        "history": run.history,
    }


def exported_sizes(recogniser, clips: examples.ExampleSet, folder: Path) -> dict[str, float]:
    """Size of the exported files in kB, float and int8."""
    heard = batches.heard(clips.take(slice(200)))
    sizes = {}
    for kind, calibration in (("float", None), ("int8", heard)):
        file = folder / f"{kind}.tflite"
        export.tflite(recogniser, file, calibration=calibration)
        sizes[kind] = round(file.stat().st_size / 1000, 1)
    return sizes


def write(rows: list[dict], target: Path) -> None:
    """Write the file, and beside it the best recogniser."""
    best = places.runs("results") / BEST
    if (best / MODEL_FILE).exists():
        models.load(best).save(target.with_suffix(""))
    archive = places.shipped() / "speech_commands_mini.zip"
    record = {
        "made_by": "make results",
        "data": "speech_commands_mini",
        "archive_sha256": sha256(archive),
        "best": BEST,
        "best_sha256": {file.name: sha256(file) for file in target.with_suffix("").glob("*")},
        "rows": rows,
        "hardware": machine.hardware(),
        "versions": machine.versions(),
        "written": datetime.now(UTC).date().isoformat(),
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with files.whole(target) as unfinished:
        unfinished.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def sha256(file: Path) -> str:
    """Checksum of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main() -> None:
    """Train what is missing; write the file after each row, so that nothing is lost."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    options.add_argument("--only", nargs="+", help="titles of rows; the others stay as they are")
    only = options.parse_args().only
    target = places.project_root() / "data" / "results" / "speech_commands.json"
    known = json.loads(target.read_text("utf-8"))["rows"] if target.exists() else []
    rows = {row["title"]: row for row in known}
    parts = load_parts()
    for title, recipe in recipes().items():
        if only is None or title in only:
            folder = places.runs("results") / title.replace(" ", "_").replace("'", "")
            rows[title] = measured(title, recipe, parts, folder)
            write([rows[each] for each in recipes() if each in rows], target)


if __name__ == "__main__":
    main()
