"""JupyterLab as a learner gets it, and a real browser in front of it.

A test writes a notebook into `lab.folder`, opens it with `open_notebook` and looks. Both the server
and the browser start once for all tests of this folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

TOKEN = "browser-tests"
START_S = 90
CELLS_S = 90
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# No news and no list of extensions from outside; every cell is in the page, seen or not.
SETTINGS = {
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/extensionmanager-extension:plugin": {"enabled": False},
}


HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test of this folder a second try, which the summary tells.

    A browser, a server and a kernel keep time with each other here, and share two cores with
    whatever else is tested.
    """
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))


@dataclass
class Lab:
    """A running server: its address, and the folder that it shows."""

    url: str
    folder: Path

    def address(self, path: str) -> str:
        """Of one of its pages, for a browser that has not been there before."""
        return f"{self.url}/{path}?token={TOKEN}"

    def ask(self, path: str, method: str = "GET") -> object:
        """Ask the server's REST interface; return what its JSON says."""
        request = urllib.request.Request(self.address(f"api/{path}"), method=method)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells; return its name."""
        made = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            },
        )
        nbformat.write(made, self.folder / name)
        return name


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab of the environment that runs the tests."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    home, folder = tmp_path_factory.mktemp("jupyter"), tmp_path_factory.mktemp("lab")
    (home / "overrides").mkdir()
    (home / "overrides" / "overrides.json").write_text(json.dumps(SETTINGS))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
        "--ServerApp.ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0",
        f"--ServerApp.token={TOKEN}", f"--ServerApp.root_dir={folder}",
        f"--LabApp.app_settings_dir={home / 'overrides'}", "--expose-app-in-browser",
    ]  # fmt: skip
    # Whoever runs the tests keeps their own settings, workspaces, history and trusted notebooks.
    own = {
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
        "COURSE_RUNS_ROOT": home / "runs",
        "COURSE_SCALE": "mini",
    }
    log = home / "lab.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **{name: str(value) for name, value in own.items()}},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        started = Lab(f"http://127.0.0.1:{port}", folder)
        _wait_for(started, server, log)
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def _wait_for(lab: Lab, server: subprocess.Popen, log: Path) -> None:
    ends = time.monotonic() + START_S
    while True:
        try:
            lab.ask("status")
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > ends:
                pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.3)


@pytest.fixture(autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test changes in JupyterLab, theme or side bar say, is not there for the next one."""
    yield
    for kept in ("settings", "workspaces"):
        for folder in tmp_path_factory.getbasetemp().glob(f"jupyter*/{kept}"):
            shutil.rmtree(folder)


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., object]]:
    """A function that starts Chromium of the system, without a window; it takes more options."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    with api.sync_playwright() as playwright:
        yield lambda *options: playwright.chromium.launch(
            executable_path=program, headless=True, args=[*CHROMIUM, *options], timeout=60_000
        )


@pytest.fixture(scope="session")
def browser(launch: Callable[..., object]) -> Iterator[object]:
    """Chromium of the system, without a window."""
    running = launch()
    yield running
    running.close()


@pytest.fixture
def page(browser: object) -> Iterator[object]:
    """An empty page; whatever fails in its scripts fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    errors = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors, errors


@pytest.fixture
def open_notebook(page: object, lab: Lab) -> Iterator[Callable[..., object]]:
    """A function that opens a notebook of `lab.folder`, runs all its cells and gives the page.

    It takes the seconds that the cells may need. The notebook's kernel ends with the test.
    """

    def opener(name: str, cells_s: float = CELLS_S) -> object:
        page.goto(lab.address(f"doc/tree/{name}"), timeout=START_S * 1000)
        # The status bar says Idle once the page and the kernel have spoken to each other; cells
        # that are run before that are lost.
        page.get_by_text("| Idle").wait_for(timeout=START_S * 1000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        cells = page.locator(".jp-Notebook .jp-CodeCell")
        # A fresh kernel counts from one, so the last cell's number is how many there are.
        last = page.locator(".jp-InputPrompt", has_text=f"[{cells.count()}]:")
        last.first.wait_for(timeout=cells_s * 1000)
        return page

    yield opener
    for session in lab.ask("sessions"):
        lab.ask(f"sessions/{session['id']}", method="DELETE")
