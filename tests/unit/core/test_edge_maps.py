"""Edges lie on the outer border of masks, are one pixel thin, and are as strong as the mask is sure."""

from __future__ import annotations

import cv2
import numpy as np

from samtta_app.core.edge_maps import EdgeMap, label_borders


def square(strength: float = 1.0) -> np.ndarray:
    probability = np.full((40, 50), 0.5 - strength / 2, np.float32)
    probability[10:30, 15:35] = 0.5 + strength / 2
    return probability


def test_the_outline_of_a_mask_lies_just_outside_it() -> None:
    found = EdgeMap.empty(40, 50)
    found.add(square())
    edges = found.thinned()
    ring = np.zeros((40, 50), bool)
    ring[9:31, 14:36] = True
    ring[10:30, 15:35] = False
    assert not edges[~ring].any()
    assert edges[9, 16:34].all()
    assert edges.max() == 1


def test_a_surer_mask_has_a_stronger_edge_and_the_strongest_counts() -> None:
    found = EdgeMap.empty(40, 50)
    found.add(square(0.4))
    weak = found.strength.max()
    found.add(square(0.8))
    found.add(square(0.2))
    assert np.isclose(found.strength.max(), 2 * weak)


def test_a_part_of_an_image_is_added_where_it_lies() -> None:
    whole, part = EdgeMap.empty(40, 50), EdgeMap.empty(40, 50)
    whole.add(square())
    part.add(np.ascontiguousarray(square()[5:35, 10:40]), 10, 5)
    assert np.array_equal(whole.strength, part.strength)


def test_a_thick_edge_becomes_a_thin_one() -> None:
    found = EdgeMap.empty(30, 30)
    ramp = cv2.GaussianBlur(np.eye(30, dtype=np.float32) * 10, (0, 0), 2.0)
    down, across = np.gradient(cv2.GaussianBlur(ramp, (0, 0), 1.0))
    found.strength, found.across, found.down = ramp, across.astype(np.float32), down.astype(np.float32)
    thin = found.thinned()
    assert (ramp > 0.1).sum() > 6 * 30
    assert 15 < (thin[3:-3, 3:-3] > 0.1).sum() <= 40


def test_an_image_without_masks_has_no_edge() -> None:
    assert not EdgeMap.empty(5, 7).thinned().any()


def test_borders_of_labels_lie_between_them() -> None:
    labels = np.zeros((6, 6), int)
    labels[2:4, 2:4] = 3
    found = label_borders(labels)
    assert found[1, 1:4].all()
    assert found[1:4, 1].all()
    assert found.sum() == 8
    assert not label_borders(np.ones((4, 4), int)).any()
