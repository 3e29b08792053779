"""Hatch's build hook: writes the commit of the checkout into wheel and sdist, where `samtta --version` reads it."""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACES = {"wheel": "samtta_app/resources/commit.txt", "sdist": "resources/commit.txt"}
"""Where the commit stands in each kind of package; a wheel of an sdist takes the file over with the other resources."""


class CommitHook(BuildHookInterface):
    """Adds the file with the commit; a package of a folder without one is built without it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the file beside the build and name its place; an editable install asks git instead."""
        commit_of = runpy.run_path(str(Path(self.root, "samtta_app", "commit.py")))["commit_of"]
        commit = commit_of(Path(self.root))
        if commit and version != "editable":
            self._folder = tempfile.TemporaryDirectory(prefix="samtta-commit-")
            file = Path(self._folder.name, "commit.txt")
            file.write_text(commit + "\n", encoding="utf-8")
            build_data["force_include"][str(file)] = PLACES[self.target_name]

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the file."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()
