"""The reference front end beside librosa on one-second clips: `make benchmark`.

Both compute the same thing: 40 coefficients from 40 mel bands, 30 ms windows, a frame every 10 ms.
"""

import numpy as np
import pytest

from course_utils import features

RATE = 16000
CLIP = np.random.default_rng(0).uniform(-0.5, 0.5, RATE).astype(np.float32)


@pytest.mark.benchmark(group="mfcc of one second")
def test_course_utils(benchmark):
    assert benchmark(features.mfcc, CLIP, RATE).shape == (98, 40)


@pytest.mark.benchmark(group="mfcc of one second")
def test_librosa(benchmark):
    librosa = pytest.importorskip("librosa")
    found = benchmark(
        librosa.feature.mfcc,
        y=CLIP,
        sr=RATE,
        n_fft=512,
        win_length=480,
        hop_length=160,
        n_mels=40,
        n_mfcc=40,
        fmax=4000,
        center=False,
    )
    assert found.shape[0] == 40
