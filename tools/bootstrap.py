"""Build `.venv` for this course, or repair it; when it is up to date, do nothing.

    python tools/bootstrap.py            (make runs this before everything else)

Every failure is one sentence; what pip and uv said is in `bootstrap.log`. Standard library only,
and every line parses on Python 2.7, because an old Python has to get its sentence too.

Environment: PYTHON names the Python to build with; COURSE_SKIP_SPACE_CHECK=1 skips the disk check.
"""

from __future__ import print_function

import errno
import hashlib
import io
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
LOCK = os.path.join(ROOT, "requirements.lock")
LOG = os.path.join(ROOT, "bootstrap.log")
STAMP = os.path.join(VENV, ".course-ready")  # there: built from the files that it fingerprints
MARKER = os.path.join(VENV, ".course-building")  # there: a build was interrupted half-way
INPUTS = (LOCK, os.path.join(ROOT, "pyproject.toml"), os.path.abspath(__file__))

OLDEST, NEWEST = (3, 11), (3, 13)
NAMES = ("python3.11", "python3.12", "python3.13", "python3", "python")
GB = 1024.0**3
NEEDED = 8 * GB if sys.platform.startswith("linux") else 3 * GB  # Linux: PyTorch brings CUDA
HEARTBEAT_SECONDS = 15

# What pip and uv say -> what happened and what to do. The first that matches wins.
CAUSES = (
    (
        r"DO NOT MATCH THE HASHES|hash mismatch",
        "a downloaded package does not have the checksum that requirements.lock records, so nothing"
        " of it was installed: run make again, and if it stays, the package index or mirror in use"
        " serves altered files",
    ),
    (
        r"No space left on device|os error 28\b|Errno 28\b|quota exceeded|os error 122\b",
        "the disk is full: the environment needs about {gb:.0f} GB, free some space and run make"
        " again",
    ),
    (
        r"ensurepip is not available|No module named '?(venv|ensurepip)",
        "this Python cannot make virtual environments: install its venv module (Debian and Ubuntu:"
        " `apt install python3-venv`) and run make again",
    ),
    (
        r"UnknownIssuer|CERTIFICATE_VERIFY_FAILED|invalid peer certificate",
        "the package index's certificate is not trusted here: name your network's certificate file"
        " in SSL_CERT_FILE and PIP_CERT, or ask who runs the network",
    ),
    (
        r"matching platform tag|matching Python ABI|wheel for the current platform"
        r"|not a supported wheel|compatible with the current platform",
        "a package has no build for this machine ({machine}): the course runs on 64-bit Linux"
        " (glibc 2.28 or newer) and on macOS with Apple silicon",
    ),
    (
        r"dns error|failed to lookup|name resolution|service not known|nodename nor servname"
        r"|Connection refused|connect error|Connection reset|timed? ?out|unreachable"
        r"|error sending request|request failed|failed to fetch|NewConnectionError|ProxyError"
        r"|NameResolutionError|server error|HTTP error 5"
        r"|from versions: none|No matching distribution found",
        "the package index could not be reached: check the network, the proxy (HTTPS_PROXY) or the"
        " mirror (PIP_INDEX_URL, UV_DEFAULT_INDEX) and run make again, finished downloads are kept",
    ),
    (
        r"Permission denied|os error 13\b|Errno 13\b|Read-only file system",
        "a folder is not writable: see the log, mend its permissions and run make again",
    ),
)


class Stop(Exception):
    """One sentence for the person at the keyboard."""


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if not is_ready():
            build()
    except Stop as stop:
        return say("Not built: {}.".format(stop))
    except KeyboardInterrupt:
        say("Interrupted: the next make starts .venv again and keeps finished downloads.")
        return 130
    except EnvironmentError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return say("Not built: {}.".format(CAUSES[1][1].format(gb=NEEDED / GB)))
        return say("Not built: {}: {}.".format(error.filename or ROOT, error.strerror or error))
    return 0


def say(sentence):
    print(sentence, file=sys.stderr)
    return 1


def is_ready():
    """Whether `.venv` was built from these very files, here, with a Python that is still there."""
    if not os.path.exists(VENV_PYTHON) or os.path.exists(MARKER) or not os.path.exists(STAMP):
        return False
    with io.open(STAMP, encoding="utf-8") as file:
        found = file.read().split()
    if found[:1] != [fingerprint()]:
        return False
    if not os.environ.get("PYTHON"):
        return True
    asked = probe(os.environ["PYTHON"])
    return asked is not None and found[1] == "{}.{}".format(*asked[0])


def fingerprint():
    digest = hashlib.sha256(ROOT.encode("utf-8") if sys.version_info[0] > 2 else ROOT)
    for path in INPUTS:
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def probe(name):
    """Return ((major, minor), full version, path), of the base for a virtual one; None: no run."""
    code = (
        "import sys; print('%d.%d.%d' % sys.version_info[:3]);"
        "print(getattr(sys, '_base_executable', None) or sys.executable)"
    )
    try:
        child = subprocess.Popen(
            [name, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        )
    except EnvironmentError:
        return None
    lines = child.communicate()[0].decode("utf-8", "replace").splitlines()
    if child.returncode != 0 or len(lines) != 2:
        return None
    return tuple(int(part) for part in lines[0].split(".")[:2]), lines[0], lines[1]


def choose_python():
    """Return (full version, path) of $PYTHON, else of the first name in range."""
    asked = os.environ.get("PYTHON")
    seen = []
    for name in [asked] if asked else NAMES:
        found = probe(name)
        if found and OLDEST <= found[0] <= NEWEST:
            return found[1:]
        if found:
            seen.append("{} is {}".format(name, found[1]))
        elif asked:
            seen.append("{} does not run".format(name))
    raise Stop(
        "the course needs Python 3.11, 3.12 or 3.13 ({}): install one of them, or name one with"
        " `PYTHON=/path/to/python3.11 make lab`".format(", ".join(seen) or "no Python was found")
    )


def build():
    check_platform()
    keep = can_continue()
    full_version, python = probe(VENV_PYTHON)[1:] if keep else choose_python()
    if not OLDEST <= sys.version_info[:2] <= NEWEST:  # from here on a Python in range
        os.environ["PYTHON"] = python
        sys.stdout.flush()
        os.execv(python, [python, os.path.abspath(__file__)])
    open(LOG, "w").close()
    check_space()
    note = "minutes the first time; log: bootstrap.log"
    print("Building .venv with Python {} ({})".format(full_version, note))
    if not keep:
        run("an empty environment", [python, "-m", "venv", "--clear", VENV])
    open(MARKER, "w").close()
    install()
    with io.open(STAMP, "w", encoding="utf-8") as file:
        built = probe(VENV_PYTHON)[0]
        file.write("{} {}.{}\n".format(fingerprint(), *built))
    os.remove(MARKER)
    print("Ready.")


def check_platform():
    machine = platform.machine().lower()
    fits = (sys.platform.startswith("linux") and machine in ("x86_64", "amd64", "aarch64")) or (
        sys.platform == "darwin" and machine == "arm64"
    )
    if not fits:
        raise Stop(
            "TensorFlow and PyTorch have no builds for this machine ({} {}): the course runs on"
            " 64-bit Linux, on macOS with Apple silicon, and on Windows inside WSL".format(
                sys.platform, machine
            )
        )


def check_space():
    """Raise Stop where the environment, or the downloads that uv keeps, would not fit."""
    if os.environ.get("COURSE_SKIP_SPACE_CHECK"):
        return
    import shutil  # disk_usage: not on Python 2

    cache = uv_cache()
    there = next(path for path in ancestors(cache) if os.path.exists(path))
    kept = size_of(cache)  # uv links .venv to it, so on one disk the files count once
    needs = {os.stat(there).st_dev: (there, NEEDED - kept)}
    device = os.stat(ROOT).st_dev
    needs[device] = (ROOT, NEEDED - (kept if device in needs else size_of(VENV)))
    for folder, needed in needs.values():
        needed = max(needed, GB / 2)
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise Stop(
                "the environment needs about {:.1f} GB more on the disk that holds {}, which has"
                " {:.1f} GB free: free some space, or set COURSE_SKIP_SPACE_CHECK=1 to try"
                " anyway".format(needed / GB, folder, free / GB)
            )


def uv_cache():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.abspath(os.environ.get("UV_CACHE_DIR") or os.path.join(home, "uv"))


def ancestors(path):
    while True:
        yield path
        if path == os.path.dirname(path):
            return
        path = os.path.dirname(path)


def size_of(folder):
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(here, name)).st_size
            except OSError:  # went away meanwhile
                continue
    return total


def can_continue():
    """Whether `.venv` is whole enough to update: right Python, pip, no interrupted build."""
    found = None if os.path.exists(MARKER) else probe(VENV_PYTHON)
    if not found or not OLDEST <= found[0] <= NEWEST:
        return False
    if os.environ.get("PYTHON") and probe(choose_python()[1])[0] != found[0]:
        return False
    pip = [VENV_PYTHON, "-m", "pip", "--version"]
    with open(os.devnull, "w") as nowhere:
        return subprocess.call(pip, stdout=nowhere, stderr=nowhere) == 0


def install():
    """Put uv, the locked packages and the course's own package into `.venv`."""
    with io.open(LOCK, encoding="utf-8") as file:
        lock = file.read()
    pin = re.search(r"^uv==(\S+).*\n(?:    --hash=.*\n?)+", lock, re.MULTILINE)
    uv = os.path.join(VENV, "bin", "uv")
    if uv_version(uv) != pin.group(1):
        folder = tempfile.mkdtemp(dir=VENV)
        block = os.path.join(folder, "uv.txt")
        with io.open(block, "w", encoding="utf-8") as file:
            file.write(pin.group(0))
        pip = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps"]
        run("the installer (uv)", pip + ["--require-hashes", "-r", block])
        os.remove(block)
        os.rmdir(folder)
    into = ["--python", VENV_PYTHON]
    count = len(re.findall(r"^\S+==", lock, re.MULTILINE))
    name = "up to {} locked packages".format(count)
    run(name, [uv, "pip", "sync"] + into + ["--require-hashes", LOCK])
    package = ["--no-deps", "--no-build-isolation", "--editable", ROOT]
    run("the course's own package", [uv, "pip", "install"] + into + package)


def uv_version(uv):
    try:
        child = subprocess.Popen([uv, "--version"], stdout=subprocess.PIPE)
    except EnvironmentError:
        return None
    return (child.communicate()[0].decode("utf-8", "replace").split() + ["", ""])[1]


def tool_environment():
    """The user's own environment, with pip's index handed on to uv, which reads no pip settings."""
    env = dict(os.environ)
    for name in ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__"):
        env.pop(name, None)
    env["PIP_USER"] = "0"  # a --user default fails inside a virtual environment
    if env.get("PIP_INDEX_URL") and not any(
        env.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX")
    ):
        env["UV_DEFAULT_INDEX"] = env["PIP_INDEX_URL"]
    return env


def run(name, command):
    """Run one step with its output in the log; Stop with the cause if it fails."""
    print("  installing {} ...".format(name))
    sys.stdout.flush()
    lines = ["$ {}\n".format(" ".join(command))]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=tool_environment(), cwd=ROOT
    )
    reader = threading.Thread(target=collect, args=(child.stdout, lines))
    reader.daemon = True
    reader.start()
    started = time.time()
    try:
        while reader.is_alive():
            reader.join(HEARTBEAT_SECONDS)
            if reader.is_alive():
                latest = lines[-1].strip()[:70] if len(lines) > 1 else "waiting"
                print("    {:.0f} s, {}".format(time.time() - started, latest))
                sys.stdout.flush()
        code = child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
        with io.open(LOG, "a", encoding="utf-8") as log:
            log.write("".join(lines) + "\n")
    if code:
        raise Stop(explain(name, "".join(lines)))


def collect(stream, lines):
    for line in iter(stream.readline, b""):
        lines.append(line.decode("utf-8", "replace"))


def explain(name, output):
    import shutil

    # `python -m venv` hides what its helper said, so that a full disk has to be looked for.
    if shutil.disk_usage(ROOT).free < GB / 256:
        output += "No space left on device"
    for pattern, cause in CAUSES:
        if re.search(pattern, output, re.IGNORECASE):
            cause = cause.format(gb=NEEDED / GB, machine=platform.platform())
            break
    else:
        said = [line.strip() for line in output.strip().splitlines()]
        # Behind its error, uv may say how to get help.
        wrong = [line for line in said if line.lower().startswith("error")]
        cause = 'the last thing said was "{}"'.format((wrong or said)[-1])
    return "while installing {}, {} (full log: {})".format(name, cause, LOG)


if __name__ == "__main__":
    sys.exit(main())
