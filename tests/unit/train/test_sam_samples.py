"""What a decoder is fine-tuned on: which objects count, how they lie on the grid, one encoding an image, held-out figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from samtta_app.core.clicks import next_click
from samtta_app.core.masks import full, trimmed
from samtta_app.core.metrics import iou
from samtta_app.core.types import Click, Prompt, Window
from samtta_app.errors import DatasetError
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.model.predictor import chosen, decode_prompt, upscaled
from samtta_app.train.data.labelled_images import LabelledImage, with_boxes
from samtta_app.train.decoder.decoder_samples import (
    HELD_OUT_IMAGES,
    NEAR_SHARE,
    FeatureStore,
    bits_on_grid,
    clicked_through,
    encode_window,
    held_out,
    read_samples,
    sample_held_out_ious,
    samples_digest,
    samples_of,
    targets_of,
)
from tests.unit.train.discs import discs, write_discs, write_split
from tests.unit.values import disc, picture


@pytest.fixture(scope="module")
def model() -> SamModel:
    return toy_model()


@pytest.fixture(scope="module")
def shipped() -> SamModel:
    """The shipped model, asked at 128 pixels: it knows a disc when it sees one."""
    return load_model(device="cpu", input_size=128)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_discs(tmp_path / "discs", 4, 2)


def rewrite(folder: Path, labels: np.ndarray) -> None:
    """Give every image of a set these labels."""
    for file in (folder / "masks").iterdir():
        Image.fromarray(labels.astype(np.uint8)).save(file)


# --- reading --------------------------------------------------------------------------------------------------------


def test_samples_come_with_their_images_and_every_disc(folder: Path, model: SamModel) -> None:
    samples = read_samples(folder, "train", model)
    assert [str(sample.image.path) for sample in samples] == ["d0", "d1", "d2", "d3"]
    assert [len(sample.objects) for sample in samples] == [1, 2, 1, 2]
    x, y, radius = discs(1)[0]
    assert iou(samples[1].mask(samples[1].objects[0]), disc(x, y, radius, 64, 64)) == 1
    assert all(sample.window == sample.image.whole for sample in samples)


def test_masks_over_nine_tenths_of_the_image_and_mere_specks_are_left_out(folder: Path, model: SamModel) -> None:
    labels = np.ones((64, 64))
    labels[:5, :6] = 2  # thirty pixels: nearly two cells
    labels[40:45, 40:44] = 3  # twenty pixels, no side below the least: too few cells
    rewrite(folder, labels)
    assert [box.value for box in read_samples(folder, "train", model)[0].objects] == [2]


@pytest.mark.parametrize(("rows", "kept"), [(57, True), (58, False)])
def test_ninety_percent_is_where_a_mask_is_too_large(folder: Path, model: SamModel, rows: int, kept: bool) -> None:
    labels = np.zeros((64, 64))
    labels[:rows], labels[59:, :20] = 1, 2
    rewrite(folder, labels)
    values = [box.value for box in read_samples(folder, "train", model)[0].objects]
    assert values == ([1, 2] if kept else [2])


def test_what_is_no_data_set_is_named_with_what_it_needs(tmp_path: Path, model: SamModel) -> None:
    with pytest.raises(DatasetError, match=r"nothing.*split\.json") as caught:
        read_samples(tmp_path / "nothing", "train", model)
    assert "masks/" in caught.value.do


def test_a_set_without_masks_is_refused(folder: Path, model: SamModel) -> None:
    (folder / "masks").rename(folder / "elsewhere")
    with pytest.raises(DatasetError, match="no masks") as caught:
        read_samples(folder, "train", model)
    assert caught.value.where == str(folder)


def test_masks_that_are_all_empty_are_refused_with_the_split(folder: Path, model: SamModel) -> None:
    rewrite(folder, np.zeros((64, 64)))
    with pytest.raises(DatasetError, match="No image of its split 'train'"):
        read_samples(folder, "train", model)


def test_a_test_split_of_nothing_is_refused(folder: Path, model: SamModel) -> None:
    write_split(folder, ["d0"], [])
    with pytest.raises(DatasetError, match="No image of its split 'test'"):
        read_samples(folder, "test", model)


def test_a_damaged_image_is_named_and_the_others_are_read(
    folder: Path, model: SamModel, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "images" / "d1.png").write_bytes(b"no image")
    assert len(read_samples(folder, "train", model)) == 3
    assert "d1.png" in caplog.text


def test_the_digest_knows_pixels_and_masks(folder: Path, model: SamModel) -> None:
    first = samples_digest({"a": read_samples(folder, "train", model)})
    assert samples_digest({"moved": read_samples(folder, "train", model)}) == first
    assert samples_digest({"a": read_samples(folder, "test", model)}) != first
    labels = np.array(Image.open(folder / "masks" / "d2.png"))
    labels[0, 0] = 1
    Image.fromarray(labels).save(folder / "masks" / "d2.png")
    assert samples_digest({"a": read_samples(folder, "train", model)}) != first


# --- from near ------------------------------------------------------------------------------------------------------


def crowd(seed: int, small: int) -> LabelledImage:
    """A large disc and some small ones (of side 17) in an image of 256 x 256."""
    places = [(60, 60, 40), *((140 + 30 * i, 200, 8) for i in range(small))]
    labels = np.zeros((256, 256), np.uint16)
    for value, (x, y, radius) in enumerate(places, start=1):
        labels[full(disc(x, y, radius, 256, 256), 256, 256)] = value
    return with_boxes(f"crowd{seed}", picture(seed, 256, 256, tuple(places)).pixels, labels[None])


def test_small_objects_are_also_seen_from_near_and_large_ones_are_not() -> None:
    whole, near = samples_of(crowd(0, 1), 1024)
    assert [box.value for box in whole.objects] == [1, 2]
    assert [box.value for box in near.objects] == [2]
    assert whole.window == whole.image.whole
    assert near.window == Window(98, 158, 85, 85)  # five times its side around its middle
    assert len(samples_of(crowd(0, 0), 1024)) == 1


@pytest.mark.parametrize("small", [2, 3, 4])
def test_an_image_has_at_most_two_near_windows_which_hold_all_that_lies_in_them(small: int) -> None:
    _, *near = samples_of(crowd(0, small), 1024)
    assert len(near) == NEAR_SHARE
    for sample in near:
        x0, x1 = sample.window.x, sample.window.x + sample.window.width
        inside = [i for i in range(small) if x0 <= 140 + 30 * i - 8 and 140 + 30 * i + 8 < x1]
        assert [box.value for box in sample.objects] == [i + 2 for i in inside]


def test_an_object_too_small_for_the_whole_image_is_learnt_from_near() -> None:
    labels = np.zeros((1, 1024, 1024), np.uint16)
    labels[0, 500:505, 500:505], labels[0, 100:400, 100:400] = 1, 2
    whole, near = samples_of(with_boxes("a", np.zeros((1024, 1024), np.uint8), labels), 512)
    assert [box.value for box in whole.objects] == [2]
    assert [box.value for box in near.objects] == [1]


def test_targets_and_boxes_of_a_near_window_are_its_own(shipped: SamModel) -> None:
    _, near = samples_of(crowd(0, 1), shipped.size)
    features = encode_window(shipped, near.image, near.window)
    got = targets_of(shipped, near, features, near.objects)
    scale = 128 / 85
    corners = [(value + 0.5) * scale - 0.5 for value in (140 - 8 - 98, 200 - 8 - 158, 140 + 8 - 98, 200 + 8 - 158)]
    assert got.boxes[0].tolist() == pytest.approx(corners)
    assert got.masks.shape == (1, 32, 32)
    assert got.masks.sum().item() * 16 / scale**2 == pytest.approx(disc(140, 200, 8, 256, 256).area, rel=0.01)


def test_an_object_is_asked_for_in_its_near_window(shipped: SamModel) -> None:
    whole, near = samples_of(crowd(0, 1), shipped.size)
    target, store = near.mask(near.objects[0]), FeatureStore(shipped)
    figures = []
    with torch.no_grad():
        for window in (whole.window, near.window):
            features = store.features(near.image, window)
            figures.append(clicked_through(shipped, shipped.frozen.tensors, features, near.image, target))
    assert figures[1][0] > figures[0][0]
    assert figures[1][0] > 0.8


# --- the grid -------------------------------------------------------------------------------------------------------


def test_the_grid_holds_shares_of_its_cells() -> None:
    bits = np.zeros((8, 16), dtype=bool)
    bits[0:4, 0:4], bits[4, 4:8], bits[7, 15] = True, True, True
    got = bits_on_grid(bits, (8, 16))
    assert got.tolist() == [[1, 0, 0, 0], [0, 0.25, 0, 1 / 16]]


def test_a_larger_image_is_averaged_and_a_smaller_one_repeated() -> None:
    bits = np.zeros((16, 16), dtype=bool)
    bits[:8, :4] = True
    assert bits_on_grid(bits, (8, 8)).tolist() == [[0.5, 0], [0, 0]]
    assert bits_on_grid(bits[::4, ::4], (8, 8)).tolist() == [[0.5, 0], [0, 0]]


def test_an_image_that_ends_within_a_cell_fills_its_last_cells_in_part() -> None:
    got = bits_on_grid(np.ones((6, 9), dtype=bool), (6, 9))
    assert got.tolist() == [[1, 1, 0.25], [0.5, 0.5, 0.125]]


def test_boxes_are_in_input_pixels_with_corners_included(folder: Path, model: SamModel, shipped: SamModel) -> None:
    sample = read_samples(folder, "train", model)[0]
    x, y, radius = discs(0)[0]
    for asked, shift in ((replace(model, size=128), 0.0), (shipped, 0.5)):  # the compact model keeps centres centres
        features = replace(encode_window(model, sample.image, sample.window), valid=(128, 128))
        got = targets_of(asked, sample, features, sample.objects)
        corners = [x - radius, y - radius, x + radius, y + radius]
        assert got.boxes[0].tolist() == [2 * value + shift for value in corners]
        assert got.masks.shape == (1, 32, 32)
        assert got.masks.sum().item() * 16 / 4 == pytest.approx(disc(x, y, radius, 64, 64).area)


# --- encoded once -----------------------------------------------------------------------------------------------------


def counted(model: SamModel) -> list[int]:
    """A list that grows by one for each image that is encoded from now on."""
    calls: list[int] = []
    model.net.image_encoder.patch_embed.register_forward_hook(lambda *_: calls.append(1))
    return calls


def test_an_image_is_encoded_once_and_kept_in_half_precision() -> None:
    model = toy_model()
    store, calls, image = FeatureStore(model), counted(model), picture(0, 64, 64)
    first, again = store.features(image, image.whole), store.features(image, image.whole)
    assert len(calls) == 1
    assert first.embedding.dtype == torch.float32
    assert torch.equal(first.embedding, again.embedding)
    exact = encode_window(model, image, image.whole).embedding
    assert torch.equal(first.embedding, exact.half().float())
    assert not torch.equal(first.embedding, exact)


def test_the_oldest_features_go_when_memory_is_short_and_come_back_the_same() -> None:
    model = toy_model()
    images = [picture(seed, 64, 64) for seed in range(3)]
    one = encode_window(model, images[0], images[0].whole).nbytes // 2
    store, calls = FeatureStore(model, budget=2 * one), counted(model)
    first = store.features(images[0], images[0].whole)
    store.features(images[1], images[1].whole)
    store.features(images[0], images[0].whole)
    assert len(calls) == 2
    store.features(images[2], images[2].whole)
    store.features(images[2], images[2].whole)
    assert len(calls) == 3
    assert torch.equal(store.features(images[0], images[0].whole).embedding, first.embedding)
    assert len(calls) == 4


# --- held out -------------------------------------------------------------------------------------------------------


def test_held_out_are_one_object_of_each_image_and_one_from_near_the_same_each_time(model: SamModel) -> None:
    samples = [s for seed in range(HELD_OUT_IMAGES + 2) for s in samples_of(crowd(seed, 3), 1024)]
    asked = held_out(samples)
    assert len(asked) == 2 * HELD_OUT_IMAGES
    assert all(window == image.whole for image, window, _ in asked[::2])
    assert all(window.side < image.whole.side for image, window, _ in asked[1::2])
    assert len({image.key for image, _, _ in asked}) == HELD_OUT_IMAGES
    again = held_out(samples)
    assert [(mask.x, mask.y) for _, _, mask in again] == [(mask.x, mask.y) for _, _, mask in asked]
    assert len(held_out(samples_of(crowd(0, 0), model.size))) == 1


def test_a_model_that_knows_discs_finds_them_and_a_decoder_of_zeros_finds_nothing(
    folder: Path, shipped: SamModel
) -> None:
    store = FeatureStore(shipped)
    sets = {"discs": held_out(read_samples(folder, "test", shipped))}
    figures = sample_held_out_ious(shipped, shipped.frozen.tensors, store, sets)
    assert min(figures) > 0.75
    zeros = {name: torch.zeros_like(tensor) for name, tensor in shipped.frozen.tensors.items()}
    assert sample_held_out_ious(shipped, zeros, store, sets) == (0, 0, 0)


def test_figures_are_means_over_objects_and_then_over_sets(folder: Path, shipped: SamModel) -> None:
    pairs = held_out(read_samples(folder, "train", shipped))
    store, tensors = FeatureStore(shipped), shipped.frozen.tensors
    with torch.no_grad():
        curves = [
            clicked_through(shipped, tensors, store.features(image, image.whole), image, mask)
            for image, _, mask in pairs
        ]
    assert [len(curve) for curve in curves] == [5] * 4
    got = sample_held_out_ious(shipped, tensors, store, {"one": pairs[:1], "two": pairs[1:]})
    wanted = [np.mean([curves[0][k], np.mean([curve[k] for curve in curves[1:]])]) for k in (0, 2, 4)]
    assert got == pytest.approx(wanted)


def test_the_first_figure_is_that_of_the_candidate_the_product_shows_and_a_solved_object_keeps_its_own(
    shipped: SamModel,
) -> None:
    image, target = picture(0, 64, 64, ((30, 30, 12),)), disc(30, 30, 12, 64, 64)
    features, tensors = FeatureStore(shipped).features(image, image.whole), shipped.frozen.tensors
    prompt = Prompt((Click(30, 30, True),))
    with torch.no_grad():
        decoded = decode_prompt(shipped, tensors, features, prompt)
        shown = trimmed((upscaled(shipped, decoded.logits, features)[chosen(decoded, prompt)] > 0).numpy())
        assert clicked_through(shipped, tensors, features, image, target)[0] == iou(shown, target) < 1
        assert next_click(shown, None, (), image.whole) == prompt.clicks[0]
        assert clicked_through(shipped, tensors, features, image, shown) == [1.0] * 5
