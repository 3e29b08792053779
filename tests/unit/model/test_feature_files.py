"""What was encoded in an earlier run is not encoded again, and the folder does not grow without limit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from samtta_app.core.types import Window
from samtta_app.model import cache as caches
from samtta_app.model.cache import FeatureCache
from samtta_app.model.feature_files import SUFFIX, FeatureFiles
from samtta_app.model.model_registry import toy_model
from samtta_app.model.predictor import ImageFeatures
from tests.unit.model.test_cache import finish
from tests.unit.values import picture

PLENTY = 10**9


def encoded(folder: Path, seed: int = 1, window: Window | None = None, budget: int = PLENTY) -> ImageFeatures:
    model, image = toy_model(), picture(seed)
    files = FeatureFiles(folder, model, budget)
    made = finish(FeatureCache(model, files=files).features(image, window or image.whole))
    files.settle()
    return made


def refuse(*given: object) -> None:
    raise AssertionError("this was encoded before")


def test_a_later_run_reads_the_same_values_and_encodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = Window(3, 2, 40, 30)
    before = encoded(tmp_path), encoded(tmp_path, window=part)
    monkeypatch.setattr(caches, "encode", refuse)
    for old, new in zip(before, (encoded(tmp_path), encoded(tmp_path, window=part)), strict=True):
        assert torch.equal(old.embedding, new.embedding)
        assert all(torch.equal(a, b) for a, b in zip(old.skips, new.skips, strict=True))
        assert (old.image_key, old.window, old.valid, old.nbytes) == (new.image_key, new.window, new.valid, new.nbytes)
    with pytest.raises(AssertionError, match="encoded before"):
        encoded(tmp_path, seed=2)


def test_a_damaged_file_is_dropped_and_the_window_is_encoded_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = encoded(tmp_path)
    (file,) = tmp_path.iterdir()
    for damage in (b"", file.read_bytes()[:-9], file.read_bytes().replace(b'\\"valid\\"', b'\\"walid\\"')):
        file.write_bytes(damage)
        assert torch.equal(encoded(tmp_path).embedding, made.embedding)
        assert file.stat().st_size > 100
    assert caplog.text.count("were dropped") == 3


def test_what_was_used_longest_ago_goes_first_and_nothing_of_others_goes(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    encoded(tmp_path)
    (first,) = tmp_path.glob(f"*{SUFFIX}")
    size = first.stat().st_size
    encoded(tmp_path, seed=2)
    (second,) = set(tmp_path.glob(f"*{SUFFIX}")) - {first}
    os.utime(first, ns=(1, 1))
    os.utime(second, ns=(2, 2))
    encoded(tmp_path)  # used again
    encoded(tmp_path, seed=3, budget=2 * size + 100)
    assert first.exists()
    assert not second.exists()
    assert (tmp_path / "notes.txt").exists()


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    assert encoded(tmp_path / "file").nbytes > 0
    assert "were not kept" in caplog.text
