"""Tracks of made-up genres: their features, and sounds that a genre can be heard in."""

import numpy as np

GENRES, ARTISTS, FEATURES = 4, 6, 12
LABELS = ("Electronic", "Folk", "Pop", "Rock")


def tracks(seed: int, per_artist: int = 4) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Features (rows, FEATURES), classes and artists; the genres are alike for every seed."""
    middles = np.random.default_rng(99).normal(0, 1.2, (GENRES, FEATURES))
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(GENRES), ARTISTS * per_artist)
    numbers = np.tile(np.repeat(np.arange(ARTISTS), per_artist), GENRES)
    styles = rng.normal(0, 0.5, (GENRES, ARTISTS, FEATURES))
    X = middles[classes] + styles[classes, numbers] + rng.normal(0, 1, (len(classes), FEATURES))
    artists = [f"{genre}.{number}" for genre, number in zip(classes, numbers, strict=True)]
    return X.astype(np.float32), classes, artists


def sound(genre: int, seconds: float = 4.0, sample_rate: int = 22050, seed: int = 0) -> np.ndarray:
    """A tone of the genre's pitch in noise, float32 (samples,)."""
    rng = np.random.default_rng([seed, genre])
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    tone = 0.2 * np.sin(2 * np.pi * 300 * 2**genre * rng.normal(1, 0.02) * time)
    return (tone + rng.normal(0, 0.01, len(time))).astype(np.float32)
