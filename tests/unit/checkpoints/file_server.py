"""A real HTTP server on this machine that serves one file, and behaves as badly as it is told to."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from samtta_app.checkpoints.model_catalogue import KnownModel

CONTENT = np.random.default_rng(7).bytes(1_500_000)
"""What stands for a weights file: several chunks, and no two alike."""

OTHER = np.random.default_rng(8).bytes(1_500_000)
"""Another file of the same length."""


@dataclass
class Served:
    """What the server does.

    Args:
        content: the file.
        tag: its ETag, "" for none.
        ranges: whether it can send a part of the file.
        breaks: bytes after which each answer in turn breaks off; None sends all. The last holds for later answers.
        says: the length that it announces; None is the true one, and -1 announces none.
        status: its status in place of 200 and 206.
        gate: is waited for after the first bytes of an answer.
        headers: more headers, which take the place of others.
        asked: path and Range of every request, in order.
    """

    content: bytes = CONTENT
    tag: str = '"one"'
    ranges: bool = True
    breaks: list[int | None] = field(default_factory=lambda: [None])
    says: int | None = None
    status: int = 0
    gate: threading.Event | None = None
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)

    def next_break(self) -> int | None:
        return self.breaks.pop(0) if len(self.breaks) > 1 else self.breaks[0]


class _Handler(BaseHTTPRequestHandler):
    served: Served
    protocol_version = "HTTP/1.0"  # a connection ends with its answer

    def do_GET(self) -> None:
        served, wish = self.served, self.headers.get("Range", "")
        served.asked.append((self.path, wish))
        found = re.fullmatch(r"bytes=(\d+)-", wish)
        same = self.headers.get("If-Range", served.tag) == served.tag
        start = int(found[1]) if found and served.ranges and same else 0
        whole = len(served.content)
        if start >= whole:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{whole}")
            self.end_headers()
            return
        self.send_response(served.status or (206 if start else 200))
        body = served.content[start:]
        said = {"ETag": served.tag, "Content-Length": str(len(body) if served.says is None else served.says)}
        if start:
            said["Content-Range"] = f"bytes {start}-{whole - 1}/{whole}"
        for name, value in (said | served.headers).items():
            if value not in ("", "-1"):
                self.send_header(name, value)
        self.end_headers()
        self._send(body[: served.next_break()])

    def _send(self, body: bytes) -> None:
        try:
            self.wfile.write(body[:600_000])
            self.wfile.flush()
            self.served.begun.set()
            if self.served.gate is not None:
                assert self.served.gate.wait(30)
            self.wfile.write(body[600_000:])
        except OSError:  # whoever asked has gone
            pass

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serving(served: Served) -> Iterator[str]:
    """The address of a folder that holds the file under every name."""
    handler = type("Handler", (_Handler,), {"served": served})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            if served.gate is not None:
                served.gate.set()
            server.shutdown()
            thread.join()


def known(*addresses: str, **changes: object) -> KnownModel:
    """A model of the catalogue whose file these addresses serve."""
    made = KnownModel(
        "tiny",
        "Tiny",
        "SAM",
        "tiny.pth",
        len(CONTENT),
        hashlib.sha256(CONTENT).hexdigest(),
        ("one", "other"),
        tuple(f"{address}/tiny.pth" for address in addresses),
    )
    return replace(made, **changes)  # type: ignore[arg-type]
