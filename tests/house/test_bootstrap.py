"""What goes wrong while the environment is built is one sentence, and the next call repairs it."""

from __future__ import annotations

import ast
import collections
import errno
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

FILES = ("requirements.lock", "pyproject.toml", "tools/bootstrap.py")
OLD = ("python2.7", "python3.6", "python3.7", "python3.8", "python3.9", "python3.10")


@pytest.fixture
def course(root, tmp_path) -> Path:
    """A copy of what the bootstrap reads, without an environment."""
    return copied(root, tmp_path / "the course")


def copied(root: Path, to: Path) -> Path:
    for name in FILES:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, to / name)
    return to


@pytest.fixture
def bootstrap(course):
    """The copy's bootstrap as a module."""
    spec = importlib.util.spec_from_file_location("bootstrap", course / "tools" / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def ready(course, bootstrap):
    """The same after a build, as far as the bootstrap can see."""
    python = course / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    major, minor = sys.version_info[:2]
    Path(bootstrap.STAMP).write_text(f"{bootstrap.fingerprint()} {major}.{minor}\n")
    return bootstrap


def run(course: Path, python: str = sys.executable, **settings: str) -> tuple[int, str, str]:
    """Return (exit code, standard output, standard error), with no one's package settings."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("PIP_", "UV_", "PYTHON", "HTTP", "ALL_PROXY", "VIRTUAL"))
    }
    env |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "1"}
    env |= {"UV_NO_CONFIG": "1", "UV_CACHE_DIR": str(course / "cache"), "UV_HTTP_RETRIES": "0"}
    env |= {"PIP_INDEX_URL": "http://127.0.0.1:9/"}  # never a real download
    found = subprocess.run(
        [python, str(course / "tools" / "bootstrap.py")],
        env=env | settings,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    return found.returncode, found.stdout, found.stderr


def only_sentence(found: tuple[int, str, str]) -> str:
    """Return the one sentence of a failed run; everything else printed is a short step line."""
    code, out, err = found
    assert code == 1, err
    assert err.startswith("Not built: ") and err.count("\n") == 1 and err.endswith(".\n"), err
    assert len(err) < 600
    assert len(out.splitlines()) < 8 and "Traceback" not in out
    return err


def offline(folder: Path) -> dict[str, str]:
    """Return settings with an empty cache, for a build that is to get as far as the network."""
    return {
        "UV_CACHE_DIR": str(folder / "empty"),
        "COURSE_SKIP_SPACE_CHECK": "1",
    }


def old_pythons() -> list[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    names = [str(path / "bin" / "python") for path in sorted(pyenv.glob("*"))]
    names += [path for name in OLD if (path := shutil.which(name))]
    found = []
    for name in names:
        code = "import sys; sys.exit(not (2, 7) <= sys.version_info[:2] < (3, 11))"
        if Path(name).exists() and not subprocess.run([name, "-c", code], stderr=-3).returncode:
            found.append(name)
    return found


def test_wrong_python_is_a_sentence(course, tmp_path):
    fake = tmp_path / "python3.8"
    fake.write_text('#!/bin/sh\necho 3.8.18\necho "$0"\n')
    fake.chmod(0o755)
    said = only_sentence(run(course, PYTHON=str(fake)))
    assert "needs Python 3.11, 3.12 or 3.13" in said and "is 3.8.18" in said


def test_python_that_does_not_exist_is_a_sentence(course, tmp_path):
    assert "does not run" in only_sentence(run(course, PYTHON=str(tmp_path / "none")))


def test_no_python_is_a_sentence(course, tmp_path):
    assert "no Python was found" in only_sentence(run(course, PATH=str(tmp_path)))


def test_old_python_that_runs_the_bootstrap_gets_the_sentence(course, tmp_path):
    pythons = old_pythons()
    if not pythons:
        pytest.skip("no Python older than 3.11 on this machine")
    for python in pythons:
        said = only_sentence(run(course, python, PYTHON=python))
        assert "needs Python 3.11, 3.12 or 3.13" in said


def test_bootstrap_keeps_to_the_syntax_of_python_2(root):
    tree = ast.parse((root / "tools" / "bootstrap.py").read_text(encoding="ascii"))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.YieldFrom)
    nodes = list(ast.walk(tree))
    assert not [node for node in nodes if isinstance(node, newer)]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    assert not [f.name for f in functions if f.returns or f.args.kwonlyargs]
    assert not [f.name for f in functions if any(arg.annotation for arg in f.args.args)]


@pytest.mark.slow
def test_no_network_while_pip_installs_is_a_sentence(course, tmp_path):
    said = only_sentence(run(course, **offline(tmp_path)))
    assert "index could not be reached" in said and "bootstrap.log" in said
    assert "Connection refused" in (course / "bootstrap.log").read_text()


@pytest.mark.slow
def test_no_network_while_uv_installs_is_a_sentence(course, tmp_path):
    uv = Path(sys.prefix) / "bin" / "uv"
    if not uv.exists():
        pytest.skip("uv is not beside this Python")
    subprocess.run([sys.executable, "-m", "venv", course / ".venv"], check=True)
    shutil.copy(uv, course / ".venv" / "bin" / "uv")
    said = only_sentence(run(course, **offline(tmp_path)))
    assert "locked packages" in said and "index could not be reached" in said


@pytest.mark.slow
def test_altered_package_is_a_sentence(course, bootstrap, tmp_path):
    version = bootstrap.re.search(r"^uv==(\S+)", Path(bootstrap.LOCK).read_text(), 8).group(1)
    info = f"uv-{version}.dist-info"
    with zipfile.ZipFile(tmp_path / f"uv-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: uv\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    settings = offline(tmp_path) | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    assert "does not have the checksum" in only_sentence(run(course, **settings))
    assert not (course / ".venv" / "bin" / "uv").exists()


def test_little_disk_space_is_a_sentence(bootstrap, monkeypatch, capsys, tmp_path):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12, 300 * 2**20))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.delenv("COURSE_SKIP_SPACE_CHECK", raising=False)
    monkeypatch.delenv("PYTHON", raising=False)
    assert bootstrap.main() == 1
    said = capsys.readouterr().err
    assert "about 8.0 GB" in said or "about 3.0 GB" in said
    assert "0.3 GB free" in said and said.count("\n") == 1
    assert not os.path.exists(bootstrap.VENV)


@pytest.mark.parametrize("skip", ["", "1"])
def test_full_disk_is_a_sentence(root, tmp_path, skip):
    """On a real, tiny disk: found before the build, or (check switched off) in the middle."""
    small = tmp_path / "small"
    small.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(small)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mounting, stderr=-3).returncode:
        pytest.skip("a small disk can be mounted by root only")
    try:
        course = copied(root, small / "course")
        settings = offline(tmp_path) | {"COURSE_SKIP_SPACE_CHECK": skip}
        said = only_sentence(run(course, **settings))
        assert ("the disk is full" if skip else "GB more on the disk") in said
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_unsupported_machine_is_a_sentence(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "win32")
    assert bootstrap.main() == 1
    assert "inside WSL" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "Permission denied")],
)
def test_error_of_the_system_is_a_sentence(bootstrap, monkeypatch, capsys, number, sentence):
    def fail():
        raise OSError(number, os.strerror(number), bootstrap.LOG)

    monkeypatch.setattr(bootstrap, "is_ready", fail)
    assert bootstrap.main() == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        (
            "error: Failed to fetch: `http://x/`\n  Caused by: dns error: failed to lookup",
            "reached",
        ),
        ("  Caused by: operation timed out", "reached"),
        ("  Caused by: tcp connect error: Connection refused (os error 111)", "reached"),
        ("ERROR: No matching distribution found for uv==0.13.8", "reached"),
        ("error: Hash mismatch for `numpy==2.4.6`\nExpected:\n  sha256:0", "checksum"),
        (
            "error: failed to write\n  Caused by: No space left on device (os error 28)",
            "disk is full",
        ),
        ("ERROR: Could not install packages due to an OSError: [Errno 28]", "disk is full"),
        ("was not created successfully because ensurepip is not available.", "python3-venv"),
        ("/usr/bin/python3: No module named venv", "python3-venv"),
        ("hint: wheels for a different matching platform tag", "no build for this machine"),
        ("invalid peer certificate: UnknownIssuer", "not trusted"),
        ("Permission denied (os error 13)", "not writable"),
        ("something new", 'said was "something new"'),
        (
            "error: invalid value '' for '--no-cache'\n\nFor more information, try '--help'.",
            "said was \"error: invalid value '' for '--no-cache'\"",
        ),
        ("ERROR: the first\nError: the last\nno errors below", 'said was "Error: the last"'),
    ],
)
def test_causes(bootstrap, output, cause):
    assert cause in bootstrap.explain("x", output)


def test_nothing_is_done_twice(ready, monkeypatch, capsys):
    monkeypatch.delenv("PYTHON", raising=False)
    monkeypatch.setattr(ready, "build", lambda: pytest.fail("built again"))
    assert ready.main() == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("change", [*FILES, "marker", "no python", "other place"])
def test_environment_is_stale_after_a_change(ready, course, monkeypatch, change):
    monkeypatch.delenv("PYTHON", raising=False)
    assert ready.is_ready()
    if change == "marker":
        Path(ready.MARKER).touch()
    elif change == "no python":
        (course / ".venv" / "bin" / "python").unlink()
    elif change == "other place":
        monkeypatch.setattr(ready, "ROOT", "/elsewhere")
    else:
        with (course / change).open("a") as file:
            file.write("# changed\n")
    assert not ready.is_ready()


def test_another_python_by_name_makes_it_stale(ready, tmp_path, monkeypatch):
    fake = tmp_path / "python3.12"
    fake.write_text('#!/bin/sh\necho 3.99.0\necho "$0"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PYTHON", sys.executable)
    assert ready.is_ready()
    monkeypatch.setenv("PYTHON", str(fake))
    assert not ready.is_ready()


@pytest.mark.slow
def test_interrupted_build_starts_again(bootstrap, course, monkeypatch):
    monkeypatch.delenv("PYTHON", raising=False)
    subprocess.run([sys.executable, "-m", "venv", course / ".venv"], check=True)
    assert bootstrap.can_continue()
    Path(bootstrap.MARKER).touch()
    assert not bootstrap.can_continue()


def test_pips_index_is_handed_on_to_uv(bootstrap, monkeypatch):
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://mirror.invalid/")
    assert bootstrap.tool_environment()["UV_DEFAULT_INDEX"] == "http://mirror.invalid/"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://own.invalid/")
    assert bootstrap.tool_environment()["UV_DEFAULT_INDEX"] == "http://own.invalid/"
