"""Small pictures of image files: made by the engine, and where there is no model."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from samtta_app.core.messages import ThumbnailRequest
from samtta_app.engine.dispatch import HANDLERS, run
from samtta_app.gui.idle_controller import IdleController


@pytest.mark.parametrize(
    ("height", "width", "shape"), [(30, 90, (10, 30, 3)), (90, 30, (30, 10, 3)), (5, 8, (5, 8, 3))]
)
def test_a_small_picture_keeps_the_proportions(height: int, width: int, shape: tuple[int, ...], tmp_path: Path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((height, width, 3), 200, np.uint8))
    made = run(IdleController("no model"), ThumbnailRequest(-1, tmp_path / "a.png", 30))  # type: ignore[arg-type]
    assert made.pixels.shape == shape
    assert int(made.pixels.min()) == 200


def test_a_bad_file_has_none_and_the_engine_makes_them_too(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"no image")
    made = run(IdleController("no model"), ThumbnailRequest(-1, tmp_path / "a.png", 30))  # type: ignore[arg-type]
    assert made.pixels is None
    assert ThumbnailRequest in HANDLERS
