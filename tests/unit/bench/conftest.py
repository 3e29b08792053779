from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from samtta_app.adapt.registry import strategy
from samtta_app.engine.dispatch import Engine
from samtta_app.model.model_registry import toy_model
from samtta_app.simulation.engines import Engines


@pytest.fixture(scope="session")
def toy() -> Engine:
    return Engine(replace(toy_model(), tidy=False))  # as an official SAM in a bench


@pytest.fixture(scope="session")
def engines(toy: Engine) -> Engines:
    """Engines on the toy model by strategy; they share encoded images."""
    return lambda name: toy.fresh(0, strategy(name))


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A data set of one's own."""
    return squares(tmp_path / "squares")


@pytest.fixture(scope="session")
def shared_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set that no test changes."""
    return squares(tmp_path_factory.mktemp("shared") / "squares")


def squares(folder: Path) -> Path:
    """Three small images with three bright squares each, all in the split "test" but the last."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for k in range(3):
        labels = np.zeros((64, 80), np.uint8)
        for number, (x, y) in enumerate([(6, 6), (30, 20 + 3 * k), (56, 40)], start=1):
            labels[y : y + 14, x : x + 14] = number
        pixels = np.where(labels > 0, 210, 50).astype(np.uint8)
        PIL.Image.fromarray(pixels).save(folder / "images" / f"im{k}.png")
        PIL.Image.fromarray(labels).save(folder / "masks" / f"im{k}.png")
    (folder / "split.json").write_text(json.dumps({"train": ["im2"], "test": ["im0", "im1"]}))
    (folder / "classes.json").write_text(
        json.dumps({f"im{k}": {"1": "nut", "2": "bolt", "3": "nut"} for k in range(3)})
    )
    return folder
