"""A thousand damaged sound files: each is loaded or refused, and none hangs or kills the process.

The files are loaded in a child process, because a fault in a decoder would take pytest along. The
child names every file before it opens it, so that the parent knows which one to blame, and how to
make it again. More files: ``PYTHONPATH=. python tests/test_audio_fuzz.py 20000``.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile

from course_utils import audio

N_FILES = 1000
BATCH = 250
SECONDS_PER_FILE = 10
MAX_MEGABYTES = 1500
RATE = 16000
CHILD_ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(audio.__file__).parents[1])}
SEEDS = {
    "pcm8.wav": ("WAV", "PCM_U8", 1),
    "pcm16.wav": ("WAV", "PCM_16", 1),
    "pcm24.wav": ("WAVEX", "PCM_24", 2),
    "float.wav": ("WAV", "FLOAT", 1),
    "mono.flac": ("FLAC", "PCM_16", 1),
    "stereo.flac": ("FLAC", "PCM_24", 2),
    "vorbis.ogg": ("OGG", "VORBIS", 1),
    "stereo.ogg": ("OGG", "VORBIS", 2),
    "opus.ogg": ("OGG", "OPUS", 1),
    "mono.mp3": ("MP3", "MPEG_LAYER_III", 1),
    "stereo.mp3": ("MP3", "MPEG_LAYER_III", 2),
}
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)


def make_seeds(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for name, (container, encoding, channels) in SEEDS.items():
        sound = rng.uniform(-0.3, 0.3, (RATE // 2, channels))
        sound += 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE // 2) / RATE)[:, None]
        soundfile.write(folder / name, sound, RATE, format=container, subtype=encoding)


# ---------------------------------------------------------------- six ways to damage a file


def truncate(data: bytearray, rng: random.Random, _) -> bytearray:
    return data[: rng.randrange(len(data))]


def flip_bits(data: bytearray, rng: random.Random, _) -> bytearray:
    for _ in range(rng.choice((1, 2, 5, 20, 100))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def flip_header(data: bytearray, rng: random.Random, _) -> bytearray:
    for _ in range(rng.choice((1, 2, 5, 20))):
        data[rng.randrange(4, min(len(data), 160))] = rng.randrange(256)
    return data


def extreme_number(data: bytearray, rng: random.Random, _) -> bytearray:
    at, width = rng.randrange(4, 120), rng.choice((1, 2, 4))
    number = rng.choice(EXTREMES) & (256**width - 1)
    data[at : at + width] = number.to_bytes(width, rng.choice(("little", "big")))
    return data


def cut_and_paste(data: bytearray, rng: random.Random, other: bytes) -> bytearray:
    at, length = rng.randrange(len(data)), rng.randrange(2000)
    start = rng.randrange(len(other))
    piece = other[start : start + rng.randrange(2000)]
    return data[:at] + piece + data[at + rng.choice((0, length)) :]


def noise_behind_the_name(data: bytearray, rng: random.Random, _) -> bytearray:
    return data[: rng.choice((4, 12, 16, 40))] + rng.randbytes(rng.randrange(3000))


DAMAGES = (
    truncate,
    flip_bits,
    flip_header,
    extreme_number,
    cut_and_paste,
    noise_behind_the_name,
)


def ogg_crc(page: bytes) -> int:
    crc = 0
    for byte in page:
        crc = (crc << 8) & 0xFFFFFFFF ^ CRC_TABLE[crc >> 24 ^ byte]
    return crc


def crc_entry(value: int) -> int:
    value <<= 24
    for _ in range(8):
        value = (value << 1) ^ (0x104C11DB7 if value & 0x80000000 else 0)
    return value


CRC_TABLE = [crc_entry(value) for value in range(256)]


def mend_checksums(data: bytearray) -> bytearray:
    """Renew the checksums of Ogg pages, so that the damage reaches the decoder behind them."""
    at = data.find(b"OggS")
    while at >= 0 and len(data) > at + 27:
        end = at + 27 + data[at + 26] + sum(data[at + 27 : at + 27 + data[at + 26]])
        data[at + 22 : at + 26] = bytes(4)
        data[at + 22 : at + 26] = ogg_crc(data[at:end]).to_bytes(4, "little")
        at = data.find(b"OggS", at + 4)
    return data


def damaged(index: int, folder: Path) -> tuple[str, bytes]:
    """The recipe and the content of the file with this number: the same in every run."""
    rng = random.Random(index)
    seed, other = rng.choice(list(SEEDS)), rng.choice(list(SEEDS))
    damage = rng.choice(DAMAGES)
    data = damage(bytearray((folder / seed).read_bytes()), rng, (folder / other).read_bytes())
    mended = seed.endswith(".ogg") and rng.random() < 0.7
    recipe = f"damaged({index}): {seed}, {damage.__name__}{', checksums mended' * mended}"
    return recipe, bytes(mend_checksums(data) if mended else data)


# ---------------------------------------------------------------- child and parent


def verdict(path: Path, index: int) -> str:
    """'loaded', 'refused', or what is wrong with the answer."""
    try:
        samples, rate = audio.load(path, RATE if index % 3 == 0 else None)
    except audio.AudioError as error:
        good = path.name in str(error) and "\n" not in str(error) and "; expected" in str(error)
        return "refused" if good else f"bad message: {error}"
    except BaseException as error:
        return f"leaked {error!r}"
    good = samples.dtype == np.float32 and samples.ndim == 1 and len(samples) > 0
    good = good and np.isfinite(samples).all() and np.abs(samples).max() <= 1
    return "loaded" if good and audio.MIN_RATE <= rate <= audio.MAX_RATE else "bad sound"


def child(folder: Path, start: int, stop: int) -> None:
    for index in range(start, stop):
        recipe, content = damaged(index, folder)
        path = folder / f"damaged_{index}{recipe[recipe.index('.') :].split(',')[0]}"
        path.write_bytes(content)
        print(json.dumps([index, recipe]), flush=True)
        begin = time.perf_counter()
        answer = verdict(path, index)
        if time.perf_counter() - begin > SECONDS_PER_FILE:
            answer = "slow"
        print(json.dumps([index, answer]), flush=True)
        path.unlink()
    print(json.dumps(["megabytes", peak_megabytes()]), flush=True)


def peak_megabytes() -> float:
    """Peak memory of this process; 0 where the system does not say.

    Not getrusage: on Linux a child begins with the peak of the process that started it.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def run_batch(folder: Path, start: int, stop: int) -> tuple[list[str], int, float]:
    """Load files in one child: answers, the first index not tried, the child's memory."""
    command = [sys.executable, __file__, "child", str(folder), str(start), str(stop)]
    limit = 60 + SECONDS_PER_FILE * 2 + (stop - start) / 10
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=limit, check=False, env=CHILD_ENVIRONMENT
        )
        output, end = done.stdout, f"ended with {done.returncode}: {done.stderr.decode()[-300:]!r}"
    except subprocess.TimeoutExpired as error:
        output, end = error.stdout or b"", f"hung for {limit:.0f} s"
    lines = [json.loads(line) for line in output.decode().splitlines()]
    recipes, answers, megabytes, opened = {}, [], 0.0, start
    for key, value in lines:
        if key == "megabytes":
            megabytes = value
        elif key in recipes:
            ok = value in ("loaded", "refused")
            answers.append(value if ok else f"{recipes[key]}: {value}")
        else:
            recipes[key], opened = value, key
    assert recipes, f"the child did not start: it {end}"
    if len(answers) < stop - start:
        answers.append(f"{recipes.get(opened, 'before the first file')}: {end}")
    return answers, start + len(answers), megabytes


def fuzz(n_files: int, folder: Path) -> tuple[Counter, list[str], float]:
    make_seeds(folder)
    counts, faults, memory, index = Counter(), [], 0.0, 0
    while index < n_files:
        answers, index, megabytes = run_batch(folder, index, min(index + BATCH, n_files))
        memory = max(memory, megabytes)
        wrong = [answer for answer in answers if answer not in ("loaded", "refused")]
        faults += wrong
        counts.update(loaded=answers.count("loaded"), refused=answers.count("refused"))
        counts.update(crashed=len(wrong))
    return counts, faults, memory


def summary(counts: Counter) -> str:
    return ", ".join(f"{counts[key]} {key}" for key in ("loaded", "refused", "crashed"))


def test_damaged_files(tmp_path, capsys):
    counts, faults, memory = fuzz(N_FILES, tmp_path)
    with capsys.disabled():
        print(f"\n{N_FILES} damaged files: {summary(counts)}")
    assert not faults, "\n".join(faults)
    assert counts.total() == N_FILES
    assert counts["loaded"] > N_FILES / 20 and counts["refused"] > N_FILES / 20
    assert memory < MAX_MEGABYTES


def test_recipes_repeat(tmp_path):
    make_seeds(tmp_path)
    assert [damaged(i, tmp_path) for i in range(20)] == [damaged(i, tmp_path) for i in range(20)]


def test_checksums_are_those_of_ogg(tmp_path):
    make_seeds(tmp_path)
    content = (tmp_path / "vorbis.ogg").read_bytes()
    assert bytes(mend_checksums(bytearray(content))) == content


if __name__ == "__main__":
    if sys.argv[1] == "child":
        child(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            total, found, memory_used = fuzz(int(sys.argv[1]), Path(temporary))
        print(summary(total), f"{memory_used:.0f} MB", *found, sep="\n")
