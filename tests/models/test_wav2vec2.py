"""The pre-trained recogniser, with a small one in the place of the real one's weights."""

import math
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import requests
import torch
import torchaudio
from small_deepspeech import noise, one_thread  # noqa: F401
from torchaudio.pipelines import Wav2Vec2ASRBundle

from course_utils import audio, decoding
from course_utils.datasets.staging import DownloadError
from course_utils.models import wav2vec2

NAME = "WAV2VEC2_ASR_BASE_960H"
REAL = getattr(torchaudio.pipelines, NAME)
TINY = {
    "extractor_mode": "group_norm", "extractor_conv_layer_config": [(8, 10, 5), (8, 3, 2)],
    "extractor_conv_bias": False, "encoder_embed_dim": 16, "encoder_projection_dropout": 0.1,
    "encoder_pos_conv_kernel": 8, "encoder_pos_conv_groups": 4, "encoder_num_layers": 1,
    "encoder_num_heads": 2, "encoder_attention_dropout": 0.1, "encoder_ff_interm_features": 32,
    "encoder_ff_interm_dropout": 0.1, "encoder_dropout": 0.1, "encoder_layer_norm_first": False,
    "encoder_layer_drop": 0.1,
}  # fmt: skip
SOUND = noise(8000)


def reference() -> torch.nn.Module:
    """The small network, with the 29 classes that are used."""
    torch.manual_seed(0)
    made = torchaudio.models.wav2vec2_model(**TINY, aux_num_out=29)
    for values in made.parameters():
        values.data += 0.2 * torch.randn_like(values)
    return made.eval()


@pytest.fixture
def weights(monkeypatch, tmp_path) -> bytes:
    """Weights of a small network as torchaudio keeps them; nothing is in its cache yet."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    content = reference().state_dict()
    for name in ("aux.weight", "aux.bias"):  # the published ones have three classes too many
        unused = torch.full_like(content[name][:3], math.nan)
        content[name] = torch.cat([content[name][:1], unused, content[name][1:]])
    path = tmp_path / "served" / "tiny.pth"
    path.parent.mkdir()
    torch.save(content, path)
    bundle = Wav2Vec2ASRBundle("tiny.pth", TINY | {"aux_num_out": 29}, 16_000, False, "Wav2Vec2",
                               _labels=REAL._labels)  # fmt: skip
    monkeypatch.setattr(torchaudio.pipelines, NAME, bundle)
    written = path.read_bytes()
    known = wav2vec2._Weights("tiny.pth", len(written), sha256(written).hexdigest())
    monkeypatch.setitem(wav2vec2._WEIGHTS, NAME, known)
    return written


def cached(tmp_path) -> Path:
    folder = tmp_path / "home" / "hub" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "tiny.pth"


@pytest.fixture
def transcriber(weights, tmp_path) -> wav2vec2.Transcriber:
    cached(tmp_path).write_bytes(weights)
    return wav2vec2.load()


# ---------------------------------------------------------------- what it says


def test_log_probs_are_those_of_the_network(transcriber):
    with torch.no_grad():
        expected = reference()(torch.tensor(SOUND)[None])[0][0].log_softmax(1)
    found = transcriber.log_probs(SOUND, 16_000)
    assert found.shape == (transcriber.steps_in(8000), 29) and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(found, transcriber.log_probs(SOUND, 16_000))  # no dropout
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, atol=1e-5)


def test_classes_and_text(transcriber, monkeypatch):
    assert transcriber.labels[:3] == ("-", "|", "E") and len(transcriber.labels) == 29
    assert transcriber.alphabet.blank == 0 and transcriber.alphabet.symbols[:3] == ("", " ", "e")
    assert set(transcriber.alphabet.characters) == set("' abcdefghijklmnopqrstuvwxyz")
    path = [transcriber.labels.index(c) for c in "--HH-EE-L-LLO||-IT''-S-S--"]
    monkeypatch.setattr(transcriber, "log_probs", lambda *_: np.log(np.eye(29)[path] + 1e-9))
    assert transcriber.predict(SOUND, 16_000) == "hello it'ss"


def test_prediction_is_greedy_decoding(transcriber):
    log_probs = transcriber.log_probs(SOUND, 16_000)
    text = decoding.greedy(log_probs[None], [len(log_probs)], transcriber.alphabet)[0]
    assert transcriber.predict(SOUND, 16_000) == text != ""


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_another_rate_is_resampled(transcriber, rate):
    sound = noise(rate) * np.float32(0.5)
    again = audio.resample(sound, rate, 16_000)
    found = transcriber.log_probs(sound, rate)
    np.testing.assert_array_equal(found, transcriber.log_probs(again, 16_000))


@pytest.mark.parametrize("samples", [1, 9, 19, 20, 29, 30, 500, 501])
def test_steps_for_every_length(transcriber, samples):
    """Ten samples every five, then three of these every two: 20 samples, and 10 more for each."""
    steps = max(0, (samples - 20) // 10 + 1)
    assert transcriber.steps_in(samples) == steps
    assert transcriber.log_probs(noise(samples), 16_000).shape == (steps, 29)
    if not steps:
        assert transcriber.predict(noise(samples), 16_000) == ""


def test_the_real_one_without_its_weights():
    """Its layers: a step every 20 ms, the first one after 25 ms."""
    config = [(4, kernel, stride) for _, kernel, stride in REAL._params[CONVOLUTIONS]]
    network = torchaudio.models.wav2vec2_model(**TINY | {CONVOLUTIONS: config, "aux_num_out": 29})
    found = wav2vec2.Transcriber(network, REAL.get_labels(), REAL.sample_rate)
    assert found.seconds_per_step == pytest.approx(0.02) and found.sample_rate == 16_000
    assert [found.steps_in(n) for n in (399, 400, 719, 720, 16_000)] == [0, 1, 1, 2, 49]
    for samples in (399, 400, 16_000):
        assert len(found.log_probs(noise(samples), 16_000)) == found.steps_in(samples)


CONVOLUTIONS = "extractor_conv_layer_config"


@pytest.mark.parametrize(
    "samples, words",
    [
        (np.zeros((100, 2), np.float32), "average channels"),
        (np.full(900, math.nan, np.float32), "holds NaN or infinity"),
        (np.zeros(0, np.float32), "holds no samples"),
    ],
)
def test_unfit_sounds(transcriber, samples, words):
    for method in (transcriber.log_probs, transcriber.predict):
        with pytest.raises(audio.AudioError, match=words):
            method(samples, 16_000)
        with pytest.raises(audio.AudioError, match=r"has a rate of 0 Hz; expected"):
            method(SOUND, 0)


# ---------------------------------------------------------------- where its weights come from


def test_the_address_is_the_one_of_torchaudio(monkeypatch):
    """And with it the file's name in the cache, so that nobody downloads it twice."""
    asked = []

    def stop(url, **_):
        asked.append(url)
        raise InterruptedError

    monkeypatch.setattr(torchaudio.pipelines._wav2vec2.utils, "load_state_dict_from_url", stop)
    for name, known in wav2vec2._WEIGHTS.items():
        with pytest.raises(InterruptedError):
            getattr(torchaudio.pipelines, name).get_model()
        assert asked.pop() == f"{wav2vec2._ADDRESS}/{known.name}"


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def server(weights, tmp_path, monkeypatch):
    """PyTorch's server, on this machine."""
    serve = partial(Handler, directory=str(tmp_path / "served"))
    running = ThreadingHTTPServer(("127.0.0.1", 0), serve)
    thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(wav2vec2, "_ADDRESS", f"http://127.0.0.1:{running.server_port}")
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def offline(*_, **__):
    raise requests.ConnectionError("Name or service not known")


def test_weights_are_downloaded_once(server, weights, tmp_path, monkeypatch, capfd):
    found = wav2vec2.load().predict(SOUND, 16_000)
    assert cached(tmp_path).read_bytes() == weights
    assert [path.name for path in cached(tmp_path).parent.iterdir()] == ["tiny.pth"]
    monkeypatch.setattr(requests, "get", offline)
    assert wav2vec2.load().predict(SOUND, 16_000) == found != ""
    assert capfd.readouterr() == ("", "")  # no terminal: no progress bar, and no path


def test_half_a_file_is_downloaded_again(server, weights, tmp_path):
    """Such as PyTorch's own downloader leaves where a server closes the connection early."""
    cached(tmp_path).write_bytes(weights[: len(weights) // 2])
    wav2vec2.load()
    assert cached(tmp_path).read_bytes() == weights


@pytest.mark.parametrize("there", [0, 1000])
def test_half_a_file_is_never_kept(server, weights, tmp_path, there):
    (tmp_path / "served" / "tiny.pth").write_bytes(weights[:1000])
    if there:
        cached(tmp_path).write_bytes(weights[:there])
    with pytest.raises(DownloadError, match=r"did not come: .* sent 1,000 bytes with the sha256"):
        wav2vec2.load()
    assert list(cached(tmp_path).parent.iterdir()) == []


def test_offline(tmp_path, monkeypatch):
    """What was tried, how much it is, what to do."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(requests, "get", offline)
    with pytest.raises(DownloadError) as caught:
        wav2vec2.load()
    text = str(caught.value)
    assert text.startswith("wav2vec 2.0 needs its weights once, 378 MB, and they did not come: ")
    assert f"{wav2vec2._ADDRESS}/wav2vec2_fairseq_base_ls960_asr_ls960.pth" in text
    assert "There is no connection to download.pytorch.org" in text
    assert ": check the network and run this again, or put the file by hand at " in text
    assert text.endswith("/wav2vec2_fairseq_base_ls960_asr_ls960.pth.")
    assert "\n" not in text and ". " not in text.replace("2.0 ", "") and str(tmp_path) not in text
    assert list(cached(tmp_path).parent.iterdir()) == []


def test_an_unknown_bundle():
    for name in ("WAV2VEC2_BASE", "nothing"):
        sentence = rf"^There is no recogniser '{name}' whose weights can be checked; choose one of"
        with pytest.raises(ValueError, match=sentence + rf" {NAME}\.$"):
            wav2vec2.load(name)
