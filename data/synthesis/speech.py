"""A speaker of the table says a text: the one place that knows which engine takes which numbers."""

from __future__ import annotations

import numpy as np

from synthesis import voices
from synthesis.speakers import Speaker


def speak(
    speaker: Speaker, text: str, *, tempo: float, lift: float, spread: float
) -> tuple[np.ndarray, int]:
    """Let a speaker's engine say a text.

    Parameters
    ----------
    speaker
        Who says it.
    text
        Words; SSML too where the engine is espeak-ng.
    tempo
        Relative to the engine's own; above 1 is faster.
    lift
        How much higher than usual; 0 is usual, 1 a little more.
    spread
        Liveliness of the melody relative to the speaker's usual one.

    Returns
    -------
    samples, sample_rate
        As :func:`voices.espeak`.
    """
    if speaker.engine == "espeak-ng":
        return voices.espeak(
            text,
            f"{speaker.accent}+{speaker.voice}",
            rate=np.clip(165 * tempo, 90, 330),
            pitch=np.clip(speaker.pitch + 9 * lift, 5, 95),
            pitch_range=np.clip(speaker.pitch_range * spread, 5, 99),
        )
    engine = voices.flite if speaker.engine == "flite" else voices.festival
    return engine(
        text,
        speaker.voice,
        stretch=np.clip(1.05 / tempo, 0.6, 1.5),
        pitch=speaker.pitch * 2 ** (0.15 * lift),
        pitch_range=speaker.pitch_range * spread,
    )
