"""Objects with several outlines: drawn by people, at several levels, and simulated; and files that do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from samtta_app.core.masks import full, trimmed
from samtta_app.core.metrics import iou
from samtta_app.datasets.ambiguity import (
    KINDS,
    NEIGHBOUR_GAP,
    OUTLINE_SHIFT,
    ambiguous_objects,
    shifted_outline,
    simulated_outlines,
)
from samtta_app.errors import DatasetError


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(values).save(path)


def disc(x: float, y: float, radius: float, size: int = 96) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


@pytest.fixture
def drawn_twice(tmp_path: Path) -> Path:
    """A set of one image whose object two people drew; a third one drew nothing."""
    folder = tmp_path / "people"
    save(folder / "images" / "a.png", np.full((96, 96), 90, np.uint8))
    save(folder / "masks" / "a.png", disc(40, 40, 14).astype(np.uint8))
    for k, radius in enumerate((12.0, 16.0, 0.0), start=1):
        save(folder / "annotators" / f"a_{k}.png", disc(40, 40, radius) & (radius > 0))
    who = {str(k): {"who": f"Person{k}"} for k in (1, 2, 3)}
    (folder / "annotators.json").write_text(json.dumps({"a": who}))
    (folder / "split.json").write_text(json.dumps({"train": [], "test": ["a"]}))
    return folder


def two_cells() -> np.ndarray:
    """Two discs that nearly touch, ids 1 and 2, and one far from both."""
    labels = np.zeros((96, 96), np.uint16)
    labels[disc(30, 30, 12)], labels[disc(56, 30, 12)], labels[disc(75, 80, 8)] = 1, 2, 3
    return labels


def test_each_person_s_outline_is_read_and_empty_ones_are_left_out(drawn_twice: Path) -> None:
    (found,) = ambiguous_objects(drawn_twice, "test", simulate=False)
    assert found.who == ("Person1", "Person2")
    assert found.kind == "annotators"
    assert [mask.area for mask in found.outlines] == [disc(40, 40, r).sum() for r in (12, 16)]


def test_outlines_that_do_not_fit_are_named(drawn_twice: Path) -> None:
    save(drawn_twice / "annotators" / "a_2.png", disc(40, 40, 16, 64))
    with pytest.raises(DatasetError, match=r"64 x 64, its image 96 x 96.*a_2\.png"):
        ambiguous_objects(drawn_twice, "test", simulate=False)
    (drawn_twice / "annotators" / "a_2.png").unlink()
    with pytest.raises(DatasetError, match=r"cannot be read.*a_2\.png"):
        ambiguous_objects(drawn_twice, "test", simulate=False)
    (drawn_twice / "annotators.json").write_text('{"a": [1]}')
    with pytest.raises(DatasetError, match="list of annotators"):
        ambiguous_objects(drawn_twice, "test", simulate=False)


def test_a_set_with_one_outline_says_so_and_is_simulated_if_asked(drawn_twice: Path) -> None:
    plain = drawn_twice.parent / "plain"
    save(plain / "images" / "a.png", np.full((96, 96), 90, np.uint8))
    save(plain / "masks" / "a.png", two_cells())
    with pytest.raises(DatasetError, match=r"one outline for each object only.*--simulate"):
        ambiguous_objects(plain, None, simulate=False)
    found = ambiguous_objects(plain, None, simulate=True)
    assert sorted(each.instance for each in found) == [1, 2, 3]
    assert all(each.kind in KINDS for each in found)
    again = ambiguous_objects(plain, None, simulate=True)
    assert [each.kind for each in found] == [each.kind for each in again]
    assert len(ambiguous_objects(plain, None, simulate=True, most=2)) == 2


def test_sets_over_the_same_images_are_levels_of_the_same_objects(tmp_path: Path) -> None:
    labels = two_cells()
    for level, factor in (("cell", 0.0), ("nucleus", -4.0)):
        save(tmp_path / level / "images" / "a.png", np.full((96, 96), 90, np.uint8))
        values = np.zeros_like(labels)
        for k in (1, 2):
            mask = trimmed(labels == k)
            values[full(shifted_outline(mask, factor, labels.shape), 96, 96)] = k
        save(tmp_path / level / "masks" / "a.png", values)
    found = ambiguous_objects(tmp_path, None, simulate=False)
    assert {each.instance for each in found} == {1, 2}
    assert all(each.who == ("cell", "nucleus") for each in found)
    assert all(each.outlines[0].area > each.outlines[1].area for each in found)


def test_levels_that_share_no_image_are_refused(tmp_path: Path) -> None:
    for level, name in (("cell", "a"), ("nucleus", "b")):
        save(tmp_path / level / "images" / f"{name}.png", np.zeros((96, 96), np.uint8))
        save(tmp_path / level / "masks" / f"{name}.png", two_cells())
    with pytest.raises(DatasetError, match="do not share an image"):
        ambiguous_objects(tmp_path, None, simulate=False)


def test_every_kind_of_simulated_ambiguity_holds_the_true_outline_and_goes_from_small_to_large() -> None:
    labels = two_cells()
    true = trimmed(labels == 1)
    seen = {}
    for seed in range(60):
        kind, outlines = simulated_outlines(labels, 1, np.random.default_rng(seed))
        seen.setdefault(kind, []).append(outlines)
        areas = [mask.area for mask in outlines]
        assert areas == sorted(areas)
        assert any(iou(mask, true) == 1 for mask in outlines)
    assert set(seen) == set(KINDS)
    assert all(len(outlines) == 1 for outlines in seen["certain"])
    assert all(iou(large, trimmed((labels == 1) | (labels == 2))) == 1 for _, large in seen["neighbours"])
    assert all(0.3 <= part.area / whole.area <= 0.7 for part, whole in seen["part"])
    reach = true.area**0.5
    for tight, _, loose in seen["outline"]:
        assert tight.area < true.area < loose.area
        grown = (loose.area / np.pi) ** 0.5 - 12
        assert OUTLINE_SHIFT[0] * reach - 1 <= grown <= OUTLINE_SHIFT[1] * reach + 1


def test_an_object_without_a_near_neighbour_has_no_open_neighbours() -> None:
    labels = two_cells()
    assert NEIGHBOUR_GAP * (labels == 3).sum() ** 0.5 < 10, "the third disc is farther than that from the others"
    kinds = {simulated_outlines(labels, 3, np.random.default_rng(seed))[0] for seed in range(60)}
    assert kinds == set(KINDS) - {"neighbours"}


@pytest.mark.parametrize("by", [-30.0, -2.0, 3.0, 30.0])
def test_a_moved_outline_stays_in_the_image_and_follows_the_distance(by: float) -> None:
    mask = trimmed(disc(10, 40, 14))
    moved = shifted_outline(mask, by, (96, 96))
    expected = disc(10, 40, 14 + by) if 14 + by > 0 else np.zeros((96, 96), np.bool_)
    assert iou(moved, trimmed(expected)) > 0.93
    assert full(moved, 96, 96).sum() == moved.area
