"""A server on this machine that misbehaves on demand."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.files``; the first part of the path says how."""

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        manner, name = self.path.strip("/").split("/", 1)
        content = self.server.files.get(name)
        if content is None or manner == "missing":
            self.send_error(404)
            return
        if manner == "wrong":
            middle = len(content) // 2
            content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        self.send_response(200)
        if manner != "short":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self._send(manner, content)

    def _send(self, manner: str, content: bytes) -> None:
        half = len(content) // 2
        if manner in {"cut", "short"}:
            self.wfile.write(content[:half])
        elif manner == "slow":
            for start in range(0, len(content), -(-len(content) // 8)):
                self.wfile.write(content[start : start + -(-len(content) // 8)])
                time.sleep(0.1)
        elif manner == "stalled":
            self.wfile.write(content[:half])
            self.wfile.flush()
            self.server.released.wait(10)
        else:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def server(monkeypatch):
    """A running server with ``files``, ``requests`` and ``url``."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    running.files, running.requests, running.released = {}, [], threading.Event()
    running.url = f"http://127.0.0.1:{running.server_port}"
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.released.set()
    running.shutdown()
    running.server_close()
    thread.join()
