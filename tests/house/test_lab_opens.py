"""`make lab` opens JupyterLab on the first notebook, with the settings of the course."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

SECONDS = 120
NOTIFICATIONS = "@jupyterlab/apputils-extension:notification"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(url: str, server: subprocess.Popen) -> tuple[int, str]:
    """Return (status, text), waiting for the server to come up."""
    ends = time.monotonic() + SECONDS
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with direct.open(url, timeout=10) as answer:
                return answer.status, answer.read().decode("utf-8")
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            if server.poll() is not None or time.monotonic() > ends:
                raise
            time.sleep(0.5)


def defaults(settings: dict) -> dict:
    """Return what JupyterLab takes for settings that the learner did not make."""
    return {name: said["default"] for name, said in settings["schema"]["properties"].items()}


@pytest.fixture
def own_settings(tmp_path):
    """A learner who wants to be told of updates, and made no other setting."""
    folder = tmp_path / "config/lab/user-settings/@jupyterlab/apputils-extension"
    folder.mkdir(parents=True)
    own = {"checkForUpdates": True}
    (folder / "notification.jupyterlab-settings").write_text(json.dumps(own))
    return own


@pytest.fixture
def lab(root, tmp_path, own_settings):
    """A running `make lab`: its process, its address, and the file that it logs to."""
    if not (root / ".venv" / "bin" / "python").exists():
        pytest.skip("no .venv here (a conda environment?): make lab would build one")
    port, log = free_port(), tmp_path / "lab.log"
    options = f"--no-browser --port={port} --ServerApp.port_retries=0 --allow-root"
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    env |= {"JUPYTER_TOKEN": "house", "LAB_OPTIONS": options}
    env |= {"JUPYTER_CONFIG_DIR": str(tmp_path / "config")}
    with log.open("w") as output:
        server = subprocess.Popen(
            ["make", "lab"], cwd=root, env=env, stdout=output, stderr=output, start_new_session=True
        )
    yield server, f"http://127.0.0.1:{port}", log
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(30)


@pytest.mark.slow
def test_make_lab_serves_the_first_notebook_with_settings_of_the_course(lab, own_settings):
    server, url, log = lab
    page = f"{url}/lab/tree/notebooks/00_start_here.ipynb?token=house"
    status, text = fetch(page, server)
    assert status == 200 and "JupyterLab" in text, log.read_text()
    notebook = f"{url}/api/contents/notebooks/00_start_here.ipynb?token=house"
    assert fetch(notebook, server)[0] == 200
    assert fetch(notebook.replace("=house", "=wrong"), server)[0] == 403
    assert "/lab/tree/notebooks/00_start_here.ipynb?token=" in log.read_text()

    settings = json.loads(fetch(f"{url}/lab/api/settings/{NOTIFICATIONS}?token=house", server)[1])
    assert defaults(settings)["fetchNews"] == "false", "JupyterLab asks nothing over the lesson"
    assert defaults(settings)["checkForUpdates"] is False
    assert settings["settings"] == own_settings, "the learner's own settings stay theirs"
