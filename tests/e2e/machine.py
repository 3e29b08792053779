"""A small machine for packaging/start: a checkout, the few commands that it may call, and package indexes on this computer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = os.path.realpath(sys.executable)

TOOLS = ("cat", "cksum", "dirname", "env", "grep", "touch", "uname")
"""What packaging/start takes for granted, and `touch` for what stands in for other commands."""

# --- packages -------------------------------------------------------------------------------------------------------


def write_wheel(folder: Path, name: str, version: str, code: str = "", requires: tuple[str, ...] = ()) -> Path:
    """A wheel with one module."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{each},,\n" for each in [*files, f"{info}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for each, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(each, text)
    return path


@dataclass(frozen=True)
class Index:
    """A package index (PEP 503) on this computer: where it is, and the paths that it was asked for."""

    url: str
    asked: list[str]


@contextmanager
def serving(folder: Path) -> Iterator[Index]:
    """The wheels in `folder` as an index, as long as the context lasts."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            kind, _, name = self.path.strip("/").partition("/")
            wheels = [path for path in sorted(folder.glob("*.whl")) if path.name.split("-")[0] == name]
            if kind == "simple" and wheels:
                links = "".join(f'<a href="/files/{each.name.replace("+", "%2B")}">{each.name}</a>' for each in wheels)
                self._answer("text/html", f"<!DOCTYPE html><html><body>{links}</body></html>".encode())
            elif kind == "files":
                self._answer("application/octet-stream", (folder / name.replace("%2B", "+")).read_bytes())
            else:
                self.send_error(404)

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Index(f"http://127.0.0.1:{server.server_port}/simple", asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# --- the checkout ---------------------------------------------------------------------------------------------------

BACKEND = """
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name, info = "samtta-1.0-py3-none-any.whl", "samtta-1.0.dist-info"
    needs = "Requires-Dist: torch\\nRequires-Dist: torchvision\\nRequires-Dist: gauge\\n"
    extra = 'Provides-Extra: test\\nRequires-Dist: pytest; extra == "test"\\n'
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: samtta\\nVersion: 1.0\\n" + needs + extra)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", f"{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n")
    return name
"""

TABLES = {"needed": "gadget gadget-deb gadget-rpm", "screen": "xvfb-run xvfb-deb xvfb-rpm"}


def make_checkout(folder: Path, needed: str = TABLES["needed"], screen: str = TABLES["screen"]) -> Path:
    """A project with the real packaging/start, in which only what must be on the machine is named otherwise."""
    script = (ROOT / "packaging" / "start").read_text(encoding="utf-8")
    for name, row in (("needed", needed), ("screen", screen)):
        script, count = re.subn(rf"^{name}='[^']*'", f"{name}='\n    {row}'", script, flags=re.MULTILINE)
        assert count == 1
    parts = {
        "packaging/start": script,
        "packaging/check.py": "import sys; print('gate', *sys.argv[1:])",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": BACKEND,
        "samtta_app/__init__.py": "",
        "samtta_app/__main__.py": "import os, sys; print('window', *sys.argv[1:], os.environ.get('OMP_WAIT_POLICY'))",
    }
    for name, text in parts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


# --- the machine ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """How packaging/start ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything."""
        return self.out + self.err


class Machine:
    """A computer with few commands and one checkout; what is called with `command` writes its arguments to `calls`."""

    def __init__(self, folder: Path, checkout: Path) -> None:
        self.bin, self.checkout, self.calls = folder / "bin", checkout, folder / "calls"
        self.bin.mkdir()
        self.variables: dict[str, str] = {}
        for name in TOOLS:
            found = shutil.which(name)
            assert found, name
            (self.bin / name).symlink_to(found)
        self.command("id", "echo 0")
        self.command("python3", f'exec {PYTHON} "$@"')
        self.command("gadget", ":")

    def command(self, name: str, body: str, *, told: bool = False) -> None:
        """Put a command of this name on the machine; with `told`, its calls are written down."""
        line = f'echo "{name} $*" >>"{self.calls}"\n' if told else ""
        (self.bin / name).write_text(f"#!/bin/sh\n{line}{body}\n", encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def without(self, name: str) -> None:
        """Take a command away."""
        (self.bin / name).unlink()

    @property
    def called(self) -> list[str]:
        """The calls that were written down."""
        return self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []

    def start(self, *words: str, shell: str = "/bin/sh") -> Run:
        """Run packaging/start there."""
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("PIP_", "PYTHON"))}
        kept = {name: value for name, value in kept.items() if not name.upper().endswith("_PROXY")}
        variables = {**kept, "PATH": str(self.bin), "PIP_CONFIG_FILE": os.devnull, **self.variables}
        script = str(self.checkout / "packaging" / "start")
        done = subprocess.run(
            [*shell.split(), script, *words],
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def installed(self) -> dict[str, str]:
        """Name and version of what lies in the checkout's virtual environment."""
        found = self.checkout.glob(".venv/lib/python*/site-packages/*.dist-info")
        return dict(path.name.removesuffix(".dist-info").split("-", 1) for path in found)
