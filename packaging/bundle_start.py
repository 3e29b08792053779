"""The program inside a bundle: samtta, and Python's own words where samtta starts itself again."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from collections.abc import Sequence

SWITCHES = ("-I", "-S")
"""Switches of Python that a bundle follows by nature: it is always isolated, and has no site."""


def start(words: Sequence[str]) -> None:
    """Answer `-c CODE WORDS` and `-m MODULE WORDS` as Python does, and everything else as samtta does."""
    rest = list(words)
    while rest and rest[0] in SWITCHES:
        del rest[0]
    if rest[:1] == ["-c"] and len(rest) > 1:
        sys.argv[:] = ["-c", *rest[2:]]
        exec(compile(rest[1], "<words>", "exec"), {"__name__": "__main__"})
    elif rest[:1] == ["-m"] and len(rest) > 1:
        sys.argv[:] = rest[1:]
        runpy.run_module(rest[1], run_name="__main__", alter_sys=True)
    else:
        from samtta_app.cli.entry import main

        main(list(words))


def give_libraries_back(environment: os._Environ[str] | dict[str, str]) -> None:
    """Programs of the system that samtta opens find their own libraries, not the bundle's."""
    before = environment.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is not None:
        environment["LD_LIBRARY_PATH"] = before
    elif getattr(sys, "frozen", False):
        environment.pop("LD_LIBRARY_PATH", None)


if __name__ == "__main__":
    multiprocessing.freeze_support()
    give_libraries_back(os.environ)
    start(sys.argv[1:])
