"""An image that is read by tile, in the real window: clicks, strokes, Enter, undo and exports as on any other image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from pycocotools import mask as coco_mask
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from samtta_app.core.masks import full, holds
from samtta_app.core.windows import LARGEST, SEEN_WHOLE
from samtta_app.images import tiff_tiles
from samtta_app.regular_files import read_json
from tests.gui.sessions import Key, Qt, Sitting, exported

TILE = 1024
WIDTH, HEIGHT = 9 * TILE, TILE
PLACES = tuple((column * TILE + TILE / 2, TILE / 2) for column in (6, 7, 3, 1))
"""Middles of discs."""


@pytest.fixture
def sitting(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sitting]:
    """A wide TIFF is open, wider than what is answered as a whole; the limit of bytes would take seconds to reach."""
    monkeypatch.setattr(tiff_tiles, "WHOLE_SHARE", 0.0)
    tile = np.random.default_rng(0).integers(40, 90, (TILE, TILE), dtype=np.uint8)
    cv2.circle(tile, (TILE // 2, TILE // 2), 200, 220, -1)
    (tmp_path / "images").mkdir()
    tiles = (tile for _ in range(WIDTH * HEIGHT // TILE**2))
    tifffile.imwrite(tmp_path / "images" / "slide.tif", tiles, shape=(HEIGHT, WIDTH), dtype=np.uint8, tile=(TILE, TILE))
    made = Sitting(qtbot)
    made.opens(tmp_path / "images")
    yield made
    made.leaves()


def test_a_large_image_is_annotated_by_clicks_and_strokes_and_exported(sitting: Sitting, tmp_path: Path) -> None:
    image = sitting.state.image
    assert image is not None
    assert image.tiles is not None
    assert image.whole.side > SEEN_WHOLE
    first = sitting.accepts(*PLACES)
    (accepted,) = sitting.state.annotations
    assert accepted.window.side <= LARGEST

    sitting.window.canvas.actual_size()
    sitting.wait(lambda: True)
    shown = sitting.window.canvas.viewport().rect().center()
    x, y = sitting.window.canvas.mapToScene(shown).x(), sitting.window.canvas.mapToScene(shown).y()
    sitting.presses(Key.Key_B)
    sitting.drags(shown - QPoint(60, 0), shown + QPoint(60, 0))
    preview = sitting.state.preview
    assert preview is not None
    assert preview.candidate is not None
    assert holds(preview.candidate.mask, x, y)
    sitting.presses(Key.Key_Return)
    assert len(sitting.state.annotations) == 2
    sitting.presses(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(sitting.state.annotations) == 1
    sitting.presses(Key.Key_Return)

    written = {path.name: path for path in exported(sitting.controller, "coco", tmp_path / "out")}
    found = read_json(next(path for name, path in written.items() if name.endswith(".json")))
    sizes = [(entry["width"], entry["height"]) for entry in found["images"]]
    assert sizes == [(WIDTH, HEIGHT)]
    masks = [coco_mask.decode(entry["segmentation"]).astype(bool) for entry in found["annotations"]]
    assert [int(mask.sum()) for mask in masks] == [a.mask.area for a in sitting.state.annotations]
    assert np.array_equal(masks[0], full(first, HEIGHT, WIDTH))
