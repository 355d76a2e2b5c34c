"""data/results/librispeech: the recogniser that ships, its card, and the tool that makes both."""

import importlib.util
import json
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from course_utils import metrics
from course_utils.datasets import cards, librispeech
from course_utils.datasets.archives import sha256_of

pytest.importorskip("torch")

import torch

from course_utils.models import deepspeech as models

ROOT = Path(__file__).resolve().parents[2]
CARD = ROOT / "data/results/librispeech.json"
FILE = CARD.with_suffix("") / "recogniser.pt"
MOST = {"wer": 0.15, "cer": 0.04}
"""What the lesson promises of voices and sentences that were never heard."""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """So little work is done fastest by one thread, above all on a machine that is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def script():
    path = ROOT / "tools/make_librispeech_results.py"
    spec = importlib.util.spec_from_file_location("_make_librispeech_results", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclass looks for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def card() -> dict:
    return json.loads(CARD.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shipped():
    return models.load(CARD.with_suffix(""))


@pytest.fixture(scope="module")
def parts() -> dict[str, librispeech.Part]:
    return {name: librispeech.open(name) for name in librispeech.MINI}


def as_json(value):
    return json.loads(json.dumps(value))


def test_the_card_fits_the_file(card, shipped):
    found = {"name": FILE.name, "bytes": FILE.stat().st_size, "sha256": sha256_of(FILE)}
    assert card["file"] == found and found["bytes"] < 10_000_000
    assert [path.name for path in FILE.parent.iterdir()] == [FILE.name]
    assert card["parameters"] == models.parameters(shipped.network)


def test_it_was_made_by_the_recipe_and_from_the_recordings_of_today(card, script, parts, shipped):
    assert card["recipe"] == as_json(asdict(script.RECIPE))
    assert shipped.network.size == models.new(script.RECIPE.network).network.size
    data = cards.load(card["data"])
    assert card["archive_sha256"] == data.sha256
    per_pass = -(-data.counts[card["trained_on"]] // script.RECIPE.batch_size)
    assert card["steps"] == script.RECIPE.passes * per_pass == card["history"][-1]["step"]
    assert card["seconds"] == pytest.approx(card["history"][-1]["seconds"], abs=0.05)


@pytest.mark.parametrize("name", librispeech.MINI[1:])
def test_the_card_agrees_with_itself_and_with_the_part(card, parts, name):
    found, part = card["measured"][name], parts[name]
    assert (found["utterances"], found["speakers"]) == (len(part), len(part.speakers))
    texts = [each.text for each in part]
    assert found["wer"]["words"] == len(" ".join(texts).split())
    assert found["cer"]["characters"] == len("".join(texts))
    for measure, unit in (("wer", "words"), ("cer", "characters")):
        low, high = found[measure]["interval_95"]
        assert found[measure]["rate"] == found[measure]["errors"] / found[measure][unit]
        assert 0 <= low <= found[measure]["rate"] <= high < 1


@pytest.fixture(scope="module")
def counted(parts, shipped) -> dict[str, metrics.ErrorCounts]:
    """Errors on the test part, one utterance after the other."""
    part = parts["test-clean-mini"]
    said, written = [each.text for each in part], [shipped.predict(*each.load()) for each in part]
    return {
        "wer": metrics.word_errors(said, written),
        "cer": metrics.character_errors(said, written),
    }


@pytest.mark.parametrize("measure", MOST)
def test_it_keeps_the_promise_on_the_test_part(counted, measure):
    assert 0 < counted[measure].rate <= MOST[measure]


@pytest.mark.parametrize("measure", MOST)
def test_the_card_says_what_is_measured_today(card, parts, counted, measure):
    stored = card["measured"]["test-clean-mini"][measure]
    assert counted[measure].rate == pytest.approx(stored["rate"], abs=1e-6)
    speakers = [each.speaker for each in parts["test-clean-mini"]]
    rng = np.random.default_rng(card["recipe"]["seed"])
    interval = counted[measure].interval(rng, groups=speakers)
    assert interval == pytest.approx(stored["interval_95"], abs=1e-6)


def test_a_card_names_no_place_of_the_machine_it_was_made_on():
    assert not re.search(r'"[^"]*(/root|/home|/tmp|/Users|[A-Z]:\\\\)', CARD.read_text("utf-8"))
    assert str(ROOT) not in CARD.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def few(parts):
    """Eight utterances to learn from, and those of two voices to measure on."""
    training, *others = parts.values()
    two = [part.of_speakers(part.speakers[:2]) for part in others]
    return dict(zip(parts, [training.first(8), *two], strict=True))


@pytest.fixture(scope="module")
def quick(script):
    """Two passes of two steps."""
    return replace(script.RECIPE, passes=2, batch_size=4, evaluate_every=1)


@pytest.fixture(scope="module")
def made(script, few, quick, tmp_path_factory):
    """What the tool leaves, in a folder that is thrown away."""
    root = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(script, "RECIPE", quick)
        patched.setattr(script.librispeech, "open", few.__getitem__)
        patched.setattr(script.places, "project_root", lambda: root)
        patched.setenv("COURSE_RUNS_ROOT", str(root / "runs"))
        patched.setattr(sys, "argv", ["make_librispeech_results.py", "--threads=1"])
        script.main()
    return root


def test_the_tool_writes_a_recogniser_and_its_card(script, few, quick, made):
    folder = made / "data/results"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {"librispeech.json", "librispeech/recogniser.pt"}
    card = json.loads((folder / "librispeech.json").read_text(encoding="utf-8"))
    assert (card["steps"], [entry["step"] for entry in card["history"]]) == (4, [2, 4])
    assert card["recipe"] == as_json(asdict(quick))
    assert card["file"]["sha256"] == sha256_of(folder / "librispeech/recogniser.pt")
    recogniser = models.load(folder / "librispeech")
    assert [*card["measured"]] == [*librispeech.MINI[1:]]
    for name, stored in card["measured"].items():
        written = [recogniser.predict(*each.load()) for each in few[name]]
        wer = metrics.word_error_rate([each.text for each in few[name]], written)
        assert stored["wer"]["rate"] == pytest.approx(wer) and stored["speakers"] == 2
    assert card["history"][-1]["wer"] == card["measured"]["dev-clean-mini"]["wer"]["rate"]
    assert card["history"][0]["loss"] > card["history"][1]["loss"]


def weights(folder: Path) -> dict:
    return models.load(folder).network.state_dict()


def test_a_finished_training_is_not_done_again(script, few, quick, made, monkeypatch):
    folder = made / "runs/results/librispeech"
    before = weights(folder)
    monkeypatch.setattr(script.training, "ctc", None)
    history = script.trained(quick, *[*few.values()][:2], folder)
    assert history == json.loads((made / "data/results/librispeech.json").read_text())["history"]
    torch.testing.assert_close(weights(folder), before, rtol=0, atol=0)


def test_an_interrupted_training_goes_on_to_the_same_end(script, few, quick, made, tmp_path):
    class Killed(Exception):
        pass

    calls, kept = [], script.heard

    def killed_at_the_second(*given):
        calls.append(given)
        if len(calls) == 2:
            raise Killed
        return kept(*given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(script, "heard", killed_at_the_second)
        with pytest.raises(Killed):
            script.trained(quick, *[*few.values()][:2], tmp_path)
    assert not (tmp_path / "recogniser.pt").exists()
    script.trained(quick, *[*few.values()][:2], tmp_path)
    expected = weights(made / "runs/results/librispeech")
    torch.testing.assert_close(weights(tmp_path), expected, rtol=0, atol=0)


def test_a_folder_of_another_recipe_is_refused(script, few, quick, made):
    folder = made / "runs/results/librispeech"
    with pytest.raises(ValueError, match="learning_rate"):
        script.trained(replace(quick, learning_rate=1e-3), *[*few.values()][:2], folder)


def test_what_cannot_be_written_leaves_what_was_there(script, made, tmp_path):
    folder, target = tmp_path / "new", made / "data/results/librispeech.json"
    before = target.read_bytes(), sha256_of(target.with_suffix("") / "recogniser.pt")
    for card, error in (({"loss": float("nan")}, ValueError), ({}, FileNotFoundError)):
        with pytest.raises(error):
            script.write(target, folder, card)
    assert (target.read_bytes(), sha256_of(target.with_suffix("") / "recogniser.pt")) == before
    assert {path.name for path in target.parent.rglob("*")} == {
        "librispeech.json", "librispeech", "recogniser.pt",
    }  # fmt: skip
