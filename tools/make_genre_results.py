"""Remake data/results/genres.json: transfer learning against training from scratch, seed by seed.

For lesson 07 it trains MobileNetV2 on pictures of the shipped music in three ways, with several
seeds each, and writes what the test tracks' artists, who were never heard, gave.

Run it by `make results`. Trainings that were finished are not repeated until their folders under
runs/results/genres are deleted.
"""

import json
import os
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from course_utils import files, lesson, machine, metrics, places, scale
from course_utils.datasets import cards, genres
from course_utils.datasets.archives import sha256_of
from course_utils.datasets.genres import windows
from course_utils.features import music

with lesson.quietly():
    from course_utils.models import genres as models
    from course_utils.training import genres as training

DATA = "fma_mini"
SEEDS = (0, 1, 2, 3, 4)
WAYS = ("from scratch", "frozen", "fine-tuned", "from scratch, patient", "fine-tuned, patient")
# More epochs than a lesson has time for, on pictures that are varied: what a network needs that
# begins anew. Fine-tuning gets the same care.
PATIENT = training.Recipe(
    epochs=40,
    learning_rate=2e-3,
    label_smoothing=0.1,
    weight_decay=1e-3,
    augmentation=training.Augmentation(time_share=0.15, band_share=0.1),
)
PATIENT_TUNING = replace(PATIENT, epochs=20, learning_rate=3e-4)
GAINS = {"frozen": WAYS[0], "fine-tuned": WAYS[0], "fine-tuned, patient": WAYS[3]}


def network(way: str, seed: int, settings: object) -> object:
    """A network as lesson 07 makes it, with the first weights of a seed."""
    weights = None if way.startswith("from scratch") else models.mini_weights()
    shape = {"image": settings.image, "alpha": settings.alpha, "weights": weights}
    return training.build(lambda: models.mobilenet(len(genres.GENRES), **shape), seed)


def trained(
    parts: dict,
    seed: int,
    settings: object,
    folder: Path,
    patient: training.Recipe = PATIENT,
    patient_tuning: training.Recipe = PATIENT_TUNING,
) -> dict[str, np.ndarray]:
    """Correct (1) or wrong (0) for every test track, by the way of training."""
    recipes = [
        training.Recipe(epochs=epochs, learning_rate=rate)
        for epochs, rate in zip(settings.epochs, settings.learning_rates, strict=True)
    ]
    recipes = [replace(each, seed=seed) for each in (*recipes, patient, patient_tuning)]
    correct, frozen = {}, None
    for way, recipe in zip(WAYS, recipes, strict=True):
        model = network(way, seed, settings)
        if way.startswith("fine-tuned"):
            model.set_weights(frozen.get_weights())
            models.unfreeze(model, settings.upper_layers)
        data = [
            training.batches(parts[part].x, parts[part].classes, recipe.batch_size,
                             shuffle_seed=seed if part == "training" else None)
            for part in ("training", "validation")
        ]  # fmt: skip
        place = folder / f"{way.replace(',', '').replace(' ', '_')}_{seed}"
        training.fit(place, model, *data, recipe, classes=parts["training"].classes)
        recogniser = models.Recogniser(front_end(settings), model, genres.GENRES)
        scores = training.votes(recogniser.scores(parts["testing"].x), parts["testing"].tracks)
        correct[way] = (scores.argmax(axis=1) == parts["testing"].track_classes).astype(int)
        print(f"== seed {seed}, {way}: {correct[way].mean():.1%}", flush=True)
        frozen = model if way == "frozen" else frozen
    return correct


def front_end(settings: object) -> music.MelImages:
    """The pictures of lesson 07."""
    return music.MelImages(size=settings.image, windows=settings.windows)


def gain_interval(gain: np.ndarray, artists: tuple[str, ...]) -> list[float]:
    """95 % interval of a mean gain in points, by bootstrap over artists; gain (tracks,)."""
    return list(metrics.bootstrap(100 * gain, np.random.default_rng(0), groups=artists))


def main() -> None:
    """Train what is missing; measure; write."""
    settings = scale.settings("07_genre_transfer_learning")
    tracks = genres.open(DATA)
    parts = {part: windows.prepare(tracks.part(part), front_end(settings)) for part in genres.PARTS}
    folder = places.runs("results") / "genres"
    found = [trained(parts, seed, settings, folder) for seed in SEEDS]
    tables = {way: np.array([each[way] for each in found]) for way in WAYS}
    artists = parts["testing"].artists
    record = {
        "made_by": "make results",
        "what": "MobileNetV2 on mel pictures of music; share of the test tracks that is correct, of"
        " artists never heard, for each seed; gains on training from scratch in points, with 95 %"
        " intervals by bootstrap over the artists of the mean over the seeds.",
        "data": DATA,
        "archive_sha256": cards.load(DATA).sha256,
        "weights_sha256": sha256_of(models.mini_weights()),
        "settings": vars(settings),
        "seeds": list(SEEDS),
        "n": len(artists),
        "artists": len(set(artists)),
        "rows": [
            {"way": way, "accuracy": table.mean(axis=1).tolist(),
             "correct": ["".join(map(str, row)) for row in table]}
            for way, table in tables.items()
        ],
        "patient": [asdict(PATIENT), asdict(PATIENT_TUNING)],
        "gains": {
            way: {"on": other, "interval_95": gain_interval(
                (tables[way] - tables[other]).mean(axis=0), artists)}
            for way, other in GAINS.items()
        },
        "hardware": machine.hardware(),
        "versions": machine.versions(),
        "written": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip
    target = places.project_root() / "data" / "results" / "genres.json"
    with files.whole(target) as unfinished:
        unfinished.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
