"""Pictures for the projects of the format tests: a data set copies them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unit.formats.values import SIZE


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pictures that projects name: a and b, and those with a number."""
    folder = tmp_path_factory.mktemp("pictures") / "cells"
    folder.mkdir()
    for shade, name in enumerate(("a", "b", *map(str, range(1, 31)))):
        cv2.imwrite(str(folder / f"{name}.png"), np.full(SIZE, 90 + shade, np.uint8))
    return folder
