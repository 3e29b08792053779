"""The export formats by name."""

from __future__ import annotations

from collections.abc import Mapping

from samtta_app.formats.base import Format
from samtta_app.formats.coco import COCO
from samtta_app.formats.dataset import DATASET
from samtta_app.formats.png import INDEX_PNG

FORMATS: Mapping[str, Format] = {each.name: each for each in (COCO, INDEX_PNG, DATASET)}
