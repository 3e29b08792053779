"""One loaded program that forks for each call, so that code that is killed again and again need not be loaded each time."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

LOADED = """
import importlib, json, os, sys, traceback

def live(code):
    try:
        exec(code, {"__name__": "__main__"})
    except SystemExit as end:
        if not isinstance(end.code, str):
            return end.code or 0
        sys.stderr.write(end.code)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

for name in sys.argv[1:]:
    importlib.import_module(name)
for line in sys.stdin:
    code, *sys.argv[1:] = json.loads(line)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        code = live(code)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as said:
        words = said.read()
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), words]), flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """How a fork ended: its exit code, or minus the signal that killed it, and all that it said."""

    code: int
    said: str


class Forks:
    """A program with modules loaded, whose forks run code."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, code: str, *arguments: object) -> Ended:
        """Run `code` with these arguments (`sys.argv[1:]`) in a fork, to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([textwrap.dedent(code), *map(str, arguments)]) + "\n")
        self._process.stdin.flush()
        return Ended(*json.loads(self._process.stdout.readline()))


@contextmanager
def forks(*modules: str) -> Iterator[Forks]:
    """Load the modules into a program of its own, which ends with the context."""
    command = [sys.executable, "-c", LOADED, *modules]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Forks(process)
