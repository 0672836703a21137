"""A proxy on 127.0.0.1 that refuses whatever it is asked for, and keeps what that was."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Proxy:
    """Its address, and the verbs with which it was asked."""

    address: str
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def refusing(status: int) -> Iterator[Proxy]:
    """A proxy that answers every request, CONNECT too, with *status*."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *words: object) -> None:
            pass

        def _refuse(self) -> None:
            proxy.asked.append(self.command)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_error(status)

        do_CONNECT = do_POST = do_GET = do_PUT = _refuse  # noqa: N815 (as the server looks for them)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
