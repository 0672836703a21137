"""A Kaggle on 127.0.0.1: it answers the official client, keeps the traffic, and fails on demand."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

Body = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """How one call goes wrong.

    kind: "status", "html" (200 and a page), "refuse" (the connection is closed unanswered), "reset",
    "silence", or "truncate" (half of the body, then the connection ends)
    recorded: the call takes effect all the same; only its answer is lost
    reason: of the error's details, as Google's services give one
    """

    kind: str
    status: int = 500
    message: str = "Internal error"
    headers: dict[str, str] = field(default_factory=dict)
    recorded: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Call:
    """One request as it came in."""

    verb: str
    path: str
    body: Body | bytes
    authorization: str
    content_range: str = ""

    @property
    def method(self) -> str:
        """The last part of the path: the service's method, or a file's name."""
        return self.path.split("?")[0].rsplit("/", 1)[-1]


@dataclass
class Reply:
    """What a method answers: JSON, or bytes of a stored file, or the way to another address."""

    body: Body | bytes = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """A call answered by an error of Kaggle's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


Method = Callable[["Kaggle", Body], "Body | Reply"]
Place = Callable[["Kaggle", Call], Reply]


class Kaggle:
    """The state behind the server.  ``methods`` grows where tests for other services register theirs."""

    methods: ClassVar[dict[str, Method]] = {}
    places: ClassVar[dict[str, Place]] = {}
    """Beginning of an address path → what answers GETs and PUTs there."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.faults: dict[str, list[Fault]] = {}
        self.stored: dict[str, bytes] = {}
        """Address path → bytes that a GET there gives, or that a PUT brought."""
        self.people = {"Basic cGVyc29uOnNlY3JldA==": "person", "Bearer good-token": "person"}  # person:secret
        self.state: dict[str, Any] = {}
        """What the methods of one service keep, by their own names."""
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.endpoint = ""

    @classmethod
    def answers(cls, name: str) -> Callable[[Method], Method]:
        """Register the function that answers the method *name*, such as "ListSubmissions"."""

        def register(method: Method) -> Method:
            assert name not in cls.methods, name
            cls.methods[name] = method
            return method

        return register

    @classmethod
    def serves(cls, beginning: str) -> Callable[[Place], Place]:
        """Register the function that answers GETs and PUTs of paths with this *beginning*."""

        def register(place: Place) -> Place:
            assert beginning not in cls.places, beginning
            cls.places[beginning] = place
            return place

        return register

    def fail(self, method: str, *faults: Fault) -> None:
        """The next calls of *method* (or GETs and PUTs of a file so named) go wrong, one fault a call."""
        self.faults.setdefault(method, []).extend(faults)

    def count(self, method: str) -> int:
        """How often *method* was called."""
        return sum(call.method == method for call in self.calls)

    def signed_by(self, authorization: str) -> str | None:
        """Whose call it is."""
        return self.people.get(authorization)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kaggle: Kaggle

    def log_message(self, format: str, *words: object) -> None:
        pass

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = json.loads(content or b"{}")
        except ValueError:
            body = content
        self._answer(Call("POST", self.path, body, self.headers.get("Authorization", "")))

    def do_GET(self) -> None:
        self._answer(Call("GET", self.path, b"", self.headers.get("Authorization", "")))

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = self.headers
        self._answer(
            Call(
                "PUT",
                self.path,
                content,
                headers.get("Authorization", ""),
                headers.get("Content-Range", ""),
            )
        )

    def _answer(self, call: Call) -> None:
        kaggle = self.kaggle
        with kaggle.lock:
            kaggle.calls.append(call)
            waiting = kaggle.faults.get(call.method, [])
            fault = waiting.pop(0) if waiting else None
            if fault is None or fault.recorded or fault.kind == "truncate":
                reply = self._reply(call)
        if fault is None:
            self._send(reply)
        elif fault.kind == "status":
            self._send(_error(fault.status, fault.message, fault.headers, fault.reason))
        elif fault.kind == "html":
            page = b"<html><body>Please sign in</body></html>"
            self._send(
                Reply(page, fault.status if fault.status != 500 else 200, {"Content-Type": "text/html"})
            )
        elif fault.kind == "reset":
            # Lingering for no time makes closing send a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._hang_up()
        elif fault.kind == "refuse":
            self._hang_up()
        elif fault.kind == "silence":
            kaggle.closing.wait()
            self._hang_up()
        elif fault.kind == "truncate":
            self._send(reply, half=True)
        else:
            raise AssertionError(fault.kind)

    def _reply(self, call: Call) -> Reply:
        kaggle = self.kaggle
        path = call.path.split("?")[0]
        if call.verb != "POST":
            for beginning, place in kaggle.places.items():
                if path.startswith(beginning):
                    return place(kaggle, call)
        if call.verb == "PUT":
            assert isinstance(call.body, bytes)
            kaggle.stored[path] = call.body
            return Reply({})
        if call.verb == "GET":
            return self._stored(path)
        if not path.startswith("/v1/") or call.method not in kaggle.methods:
            return _error(404, f"no such method: {path}")
        if call.method != "IntrospectToken" and kaggle.signed_by(call.authorization) is None:
            return _error(401, "Unauthenticated")
        assert isinstance(call.body, dict)
        try:
            found = kaggle.methods[call.method](kaggle, call.body)
        except Refusal as refusal:
            return _error(refusal.status, refusal.message)
        return found if isinstance(found, Reply) else Reply(found)

    def _stored(self, path: str) -> Reply:
        content = self.kaggle.stored.get(path)
        if content is None:
            return _error(404, "no such file")
        headers = {
            "Content-Type": "application/octet-stream",
            "Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT",
            "ETag": f'"{hashlib.md5(content).hexdigest()}"',
            "Accept-Ranges": "bytes",
        }
        asked = self.headers.get("Range")
        if asked:
            first = int(asked.removeprefix("bytes=").split("-")[0])
            if first >= len(content):
                return Reply(b"", 416, headers)
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
            return Reply(content[first:], 206, headers)
        return Reply(content, 200, headers)

    def _send(self, reply: Reply, *, half: bool = False) -> None:
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = {"Content-Type": "application/json", **reply.headers}
        with contextlib.suppress(ConnectionError):
            self.send_response(reply.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if half else content)
        if half:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
        with contextlib.suppress(OSError):
            self.connection.close()


def _error(status: int, message: str, headers: dict[str, str] | None = None, reason: str = "") -> Reply:
    details = {"details": [{"reason": reason}]} if reason else {}
    return Reply({"error": {"code": status, "message": message, **details}}, status, dict(headers or {}))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news here."""


@contextlib.contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[Kaggle]:
    """A server on a free port of 127.0.0.1, with *tls* an encrypted one, until the block ends."""
    kaggle = Kaggle()
    handler = type("Handler", (_Handler,), {"kaggle": kaggle})
    server = _Server(("127.0.0.1", 0), handler)
    if tls is not None:
        # Hands are shaken with the first byte, in the thread of the connection.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    kaggle.endpoint = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield kaggle
    finally:
        kaggle.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


@Kaggle.answers("IntrospectToken")
def _introspect(kaggle: Kaggle, body: Body) -> Body:
    name = kaggle.people.get(f"Bearer {body['token']}")
    return {"active": name is not None, "username": name or ""}
