"""How hard is `fma_mini`? Classical models on artists never heard, on heard ones, and cheap cues.

Run from the repository's root::

    python data/measure_genre_difficulty.py            # prints
    python data/measure_genre_difficulty.py --write    # and writes it into the card

The best classical model is meant to be right for 60 to 80 % of the tracks of artists that it never
heard, and for at least 10 points more where artists leak. No cheap cue, such as loudness, may tell
genres apart.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import zipfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import soundfile as sf
from scipy.stats import binomtest
from sklearn.base import ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

CARD = Path(__file__).parent / "fma_mini.json"
RATE = 22050
MODELS: dict[str, ClassifierMixin] = {
    "logistic regression": make_pipeline(
        StandardScaler(), LogisticRegression(C=0.03, max_iter=3000)
    ),
    "support vector machine": make_pipeline(StandardScaler(), SVC(C=5)),
    "k nearest neighbours": make_pipeline(StandardScaler(), KNeighborsClassifier(5)),
    "random forest": RandomForestClassifier(400, random_state=0),
}
CUES = (
    "loudness", "peak", "crest factor", "spectral tilt", "centroid", "sample rate", "bit rate",
    "channels", "seconds", "bytes",
)  # fmt: skip
REPEATS = 20  # random splits


@dataclass(frozen=True)
class Tracks:
    """All tracks of the archive: features, cheap cues, and what the table says."""

    features: np.ndarray
    cues: np.ndarray
    genres: np.ndarray
    artists: np.ndarray
    parts: np.ndarray


def summary(rows: np.ndarray) -> np.ndarray:
    """Mean and deviation over time of each row."""
    return np.concatenate([rows.mean(axis=1), rows.std(axis=1)])


def described(samples: np.ndarray) -> np.ndarray:
    """Describe a sound by librosa's features: means and deviations, and the tempo."""
    power = np.abs(librosa.stft(samples, n_fft=2048, hop_length=512)) ** 2
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=RATE, n_mels=128))
    mfcc = librosa.feature.mfcc(S=mel, n_mfcc=20)
    onset = librosa.onset.onset_strength(S=mel, sr=RATE)
    rows = [
        mfcc,
        librosa.feature.delta(mfcc),
        librosa.feature.chroma_stft(S=power, sr=RATE, tuning=0.0),
        librosa.feature.spectral_contrast(S=np.sqrt(power), sr=RATE),
        librosa.feature.spectral_centroid(S=np.sqrt(power), sr=RATE),
        librosa.feature.spectral_rolloff(S=np.sqrt(power), sr=RATE),
        librosa.feature.spectral_flatness(S=power),
        librosa.feature.zero_crossing_rate(samples),
        onset[None],
    ]
    tempo = librosa.feature.tempo(onset_envelope=onset, sr=RATE)
    return np.concatenate([*(summary(row) for row in rows), tempo])


def cheap(samples: np.ndarray, rate: int, channels: int, bit_rate: int, size: int) -> list[float]:
    """Measure what should say nothing about the genre, in the order of `CUES`."""
    level = np.sqrt(np.mean(samples**2)) + 1e-9
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE)
    bands = [power[(frequency >= f) & (frequency < 2 * f)].mean() for f in (125, 4000)]
    peak = np.abs(samples).max() + 1e-9
    tilt, centroid = np.log(bands[1] / bands[0]), (frequency * power).sum() / power.sum()
    seconds = len(samples) / RATE
    return [np.log(level), peak, peak / level, tilt, np.log(centroid), rate, bit_rate, channels,
            seconds, size]  # fmt: skip


def measured(data: bytes, bit_rate: int) -> tuple[np.ndarray, list[float]]:
    """Features and cheap cues of one MP3 file."""
    samples, rate = sf.read(io.BytesIO(data), dtype="float32", always_2d=True)
    mono = librosa.resample(samples.mean(axis=1), orig_sr=rate, target_sr=RATE)
    return described(mono), cheap(mono, rate, samples.shape[1], bit_rate, len(data))


def load(archive: Path, processes: int) -> Tracks:
    """Measure all tracks of an archive."""
    with zipfile.ZipFile(archive) as opened:
        table = list(csv.reader(io.StringIO(opened.read("fma_metadata/tracks.csv").decode())))
        column = {names: k for k, names in enumerate(zip(*table[:2], strict=True))}
        rows = table[3:]
        numbers = [int(row[0]) for row in rows]
        sounds = [opened.read(f"fma_small/{n // 1000:03d}/{n:06d}.mp3") for n in numbers]
    rates = [int(row[column["track", "bit_rate"]]) for row in rows]
    with ProcessPoolExecutor(processes) as pool:
        found = list(pool.map(measured, sounds, rates, chunksize=8))
    genres, artists, parts = (
        np.array([row[column[name]] for row in rows])
        for name in (("track", "genre_top"), ("artist", "id"), ("set", "split"))
    )
    features, cues = (np.array([each[k] for each in found]) for k in range(2))
    return Tracks(features, cues, genres, artists, parts)


def interval(share: float, n: int) -> list[float]:
    """95 % interval (Wilson) of a share of n."""
    found = binomtest(round(share * n), n).proportion_ci(method="wilson")
    return [round(float(edge), 3) for edge in found]


def unheard(tracks: Tracks) -> dict[str, dict[str, object]]:
    """Accuracy of each model on the official split, with each genre's own."""
    test = tracks.parts == "test"
    results = {}
    for name, model in MODELS.items():
        fitted = clone(model).fit(tracks.features[~test], tracks.genres[~test])
        right = fitted.predict(tracks.features[test]) == tracks.genres[test]
        results[name] = {
            "accuracy": round(float(right.mean()), 3),
            "n": int(test.sum()),
            "interval_95": interval(right.mean(), test.sum()),
            "per_genre": {
                str(g): round(float(right[tracks.genres[test] == g].mean()), 2)
                for g in np.unique(tracks.genres)
            },
        }
    return results


def repeated(tracks: Tracks, model: ClassifierMixin, x: np.ndarray, leak: bool) -> np.ndarray:
    """Accuracies of a model of `x` over random splits with the sizes of the official one.

    With `leak`, tracks are drawn; without, whole artists.
    """
    shares = []
    owners = np.arange(len(tracks.genres)).astype(str) if leak else tracks.artists
    items, first = np.unique(owners, return_index=True)
    size = float((tracks.parts == "test").mean())
    splits = StratifiedShuffleSplit(REPEATS, test_size=size, random_state=0)
    for _, chosen in splits.split(items, tracks.genres[first]):
        test = np.isin(owners, items[chosen])
        fitted = clone(model).fit(x[~test], tracks.genres[~test])
        shares.append(fitted.score(x[test], tracks.genres[test]))
    return np.array(shares)


def cue_accuracies(tracks: Tracks) -> dict[str, float]:
    """Mean accuracy of nearest neighbours on each cheap cue alone, artists never heard."""
    model = make_pipeline(StandardScaler(), KNeighborsClassifier(15))
    return {
        cue: round(float(repeated(tracks, model, column[:, None], leak=False).mean()), 3)
        for cue, column in zip(CUES, tracks.cues.T, strict=True)
    }


def measure(tracks: Tracks) -> dict[str, object]:
    """Everything that goes into the card."""
    models = unheard(tracks)
    leaks = {}
    for name, model in MODELS.items():
        shares = {
            of: repeated(tracks, model, tracks.features, of == "tracks")
            for of in ("tracks", "artists")
        }
        leaks[name] = {
            f"over {of}": {"mean": round(float(s.mean()), 3), "deviation": round(float(s.std()), 3)}
            for of, s in shares.items()
        }
    return {
        "made_by": f"data/{Path(__file__).name}",
        "artists_never_heard": models,
        "best": max(models, key=lambda name: models[name]["accuracy"]),
        "random_splits": {"repeats": REPEATS, **leaks},
        "cheap_cues": cue_accuracies(tracks),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--archive", type=Path, default=CARD.with_suffix(".zip"))
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write the result into the card")
    args = parser.parse_args()
    found = measure(load(args.archive, args.processes))
    print(json.dumps(found, indent=1))
    if args.write:
        path = args.archive.with_suffix(".json")
        card = json.loads(path.read_text(encoding="utf-8")) | {"difficulty": found}
        path.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
