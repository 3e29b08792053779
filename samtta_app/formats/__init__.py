"""Export formats: name -> function that writes a project into a folder and returns the files it made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from samtta_app.core.project import Project
from samtta_app.formats import coco, png

EXPORTERS: dict[str, Callable[[Project, Path], list[Path]]] = {"coco": coco.write_coco, "png": png.write_png}
