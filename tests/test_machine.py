"""What a machine is said to have, which scale fits it, and how native noise is kept out."""

import os
import platform
import subprocess
import sys

import pytest

from course_utils import machine, scale


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """A function that puts a shell script in the place of the NVIDIA driver's tool."""
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("PATH", str(tmp_path))

    def install(script: str) -> None:
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)

    return install


def test_hardware_is_what_the_system_reports(nvidia_smi):
    found = machine.hardware()
    assert set(found) == {"system", "cores", "memory_gib", "free_disk_gib", "gpu"}
    assert found["system"] == "Linux x86_64"
    assert 1 <= found["cores"] <= os.cpu_count()
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert found["memory_gib"] == pytest.approx(pages / 2**30, rel=0.02, abs=0.06)
    disk = os.statvfs(".")
    assert found["free_disk_gib"] == pytest.approx(disk.f_bavail * disk.f_frsize / 2**30, abs=2)
    assert found["gpu"] == "none"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are bound on Linux only")
def test_only_cores_that_may_be_used_are_counted():
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert machine.hardware()["cores"] == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_versions_are_named_without_loading_a_framework():
    script = (
        "import sys; from course_utils import machine; found = machine.versions();"
        "heavy = {'tensorflow', 'keras', 'torch', 'torchaudio', 'librosa'} & set(sys.modules);"
        "assert not heavy, heavy; print(found['python'], found['numpy'])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    numpy = sys.modules["numpy"].__version__
    assert answer.stdout.split() == [platform.python_version(), numpy]


def test_a_library_that_is_missing_is_listed_as_such(monkeypatch):
    monkeypatch.setattr(machine, "LIBRARIES", ("numpy", "no-such-library-here"))
    found = machine.versions()
    assert list(found) == ["python", "numpy", "no-such-library-here"]
    assert found["no-such-library-here"] == "not installed"


def test_gpus_are_named_with_their_memory(nvidia_smi):
    nvidia_smi(
        '[ "$1" = --query-gpu=name,memory.total ] && [ "$2" = --format=csv,noheader ] || exit 2\n'
        'echo "Tesla T4, 15360 MiB"; echo "Tesla V100, 16160 MiB"'
    )
    assert machine._gpu() == "Tesla T4, 15360 MiB; Tesla V100, 16160 MiB"
    assert machine.hardware()["gpu"] == machine._gpu()


@pytest.mark.parametrize(
    "script",
    [
        "echo 'NVIDIA-SMI has failed because it cannot reach the driver'; exit 9",
        "echo 'No devices were found'; exit 6",
        "exit 0",
    ],
    ids=["driver fails", "no device", "says nothing"],
)
def test_a_tool_without_a_gpu_means_none(nvidia_smi, script):
    nvidia_smi(script)
    assert machine._gpu() == "none"


def test_a_tool_that_cannot_be_started_means_none(nvidia_smi, tmp_path):
    nvidia_smi("")
    (tmp_path / "nvidia-smi").write_bytes(b"\x7fELF, for another processor")
    assert machine._gpu() == "none"


def test_a_tool_that_hangs_means_none(nvidia_smi, monkeypatch):
    asked, real = [], subprocess.run

    def impatient(command, **options):
        asked.append(options["timeout"])
        return real(command, **options | {"timeout": 0.2})

    monkeypatch.setattr(subprocess, "run", impatient)
    nvidia_smi("exec /bin/sleep 60")
    assert machine._gpu() == "none"
    assert 0 < asked[0] <= 60


def test_a_mac_with_its_own_processor_has_its_own_gpu(nvidia_smi, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert machine._gpu() == "none", "an Intel Mac"
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert "Apple" in machine._gpu()


COLAB, NONE = "Tesla T4, 15360 MiB", "none"


@pytest.mark.parametrize(
    ("gpu", "cores", "memory", "disk", "expected"),
    [
        (COLAB, 2, 12.7, 70, "full"),
        (COLAB, 2, 12.7, 12, "laptop"),
        (COLAB, 1, 2, 5, "mini"),
        (NONE, 8, 16, 500, "laptop"),
        (NONE, 2, 7.6, 11, "laptop"),
        (NONE, 1, 16, 500, "mini"),
        (NONE, 8, 3.8, 500, "mini"),
        (NONE, 8, 16, 4, "mini"),
    ],
)
def test_the_scale_fits_the_machine(gpu, cores, memory, disk, expected):
    found = {"gpu": gpu, "cores": cores, "memory_gib": memory, "free_disk_gib": disk}
    name, reason = machine.fitting_scale(found)
    assert name == expected and name in scale.SCALES
    assert reason[0].isupper() and reason.endswith(".")


def test_this_machine_fits_some_scale():
    assert machine.fitting_scale(machine.hardware())[0] in scale.SCALES


def test_quietly_hides_what_native_code_writes_and_nothing_else(capfd):
    os.write(2, b"before ")
    with machine.quietly():
        os.write(2, b"To enable the following instructions: AVX2\n")
        os.write(1, b"printed")
    os.write(2, b"after")
    assert capfd.readouterr() == ("printed", "before after")


def test_quietly_hides_a_child_process_too(capfd):
    with machine.quietly():
        os.system(f"{sys.executable} -c \"import sys; sys.stderr.write('noise')\"")
    assert capfd.readouterr().err == ""


def test_stderr_comes_back_when_the_body_raises(capfd):
    handles = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    with pytest.raises(ImportError, match="no such library"), machine.quietly():
        os.write(2, b"hidden")
        raise ImportError("no such library")
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"
    if handles is not None:
        assert len(os.listdir("/proc/self/fd")) == handles, "file descriptors leak"
