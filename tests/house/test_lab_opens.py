"""`make lab` opens JupyterLab on the first notebook."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

SECONDS = 120


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


@pytest.mark.slow
def test_make_lab_serves_the_first_notebook(root, tmp_path):
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
    try:
        page = f"http://127.0.0.1:{port}/lab/tree/notebooks/00_start_here.ipynb?token=house"
        status, text = fetch(page, server)
        assert status == 200 and "JupyterLab" in text, log.read_text()
        notebook = f"http://127.0.0.1:{port}/api/contents/notebooks/00_start_here.ipynb?token=house"
        assert fetch(notebook, server)[0] == 200
        assert fetch(notebook.replace("=house", "=wrong"), server)[0] == 403
        assert "/lab/tree/notebooks/00_start_here.ipynb?token=" in log.read_text()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
