"""Images without masks: what is read, what is proposed in them and how far it is believed, and what cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from samtta_app.core.metrics import iou
from samtta_app.core.types import Image, Mask
from samtta_app.errors import DatasetError, TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.backbones.compact import COMPACT_POLICY
from samtta_app.model.backbones.sam import SAM_POLICY
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.model.proposals import grid_of_clicks, guesses
from samtta_app.model.refiner import Refiner, of_tensors, untrained
from samtta_app.train.decoder.decoder_samples import FeatureStore
from samtta_app.train.decoder.unlabelled import (
    MAX_PROPOSALS,
    NO_UNLABELLED,
    PseudoSample,
    UnlabelledSet,
    believing,
    propose,
    read_unlabelled,
    told_apart,
)
from tests.unit.train.discs import write_discs, write_split
from tests.unit.train.photos import write_photos
from tests.unit.uncertainty.refining import moved, put
from tests.unit.values import disc, picture


@pytest.fixture(scope="module")
def model() -> SamModel:
    """The shipped model, asked at 128 pixels: it finds bright discs."""
    return load_model(device="cpu", input_size=128)


@pytest.fixture(autouse=True)
def fewer_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty-six clicks in a window are enough for a disc or two, and quicker."""
    monkeypatch.setattr("samtta_app.model.proposals.PLACES", 6)


def one_disc(seed: int = 0) -> Image:
    """A disc of radius 10 at (20, 30) in an image of 64 x 64."""
    return picture(seed, 64, 64, ((20, 30, 10),))


def made(model: SamModel, refiner: Refiner | None, **sets: list[Image]) -> UnlabelledSet:
    return propose(model, refiner, FeatureStore(model), sets)


def on_image(sample: PseudoSample, number: int, model: SamModel) -> Mask:
    """A proposal in a square image, cell by cell."""
    step = sample.image.height / model.grid
    cells = (np.arange(sample.image.height) / step).astype(int)
    return Mask(0, 0, sample.masks[number].numpy()[cells][:, cells])


# --- which sets -----------------------------------------------------------------------------------------------------


def test_sets_with_masks_and_sets_of_images_are_told_apart(tmp_path: Path) -> None:
    one, two, photos = write_discs(tmp_path / "a", 1, 1), write_discs(tmp_path / "b", 1, 1), tmp_path / "photos"
    write_photos(photos, 2)
    assert told_apart([one, photos, two]) == ([one, two], [photos])
    assert told_apart([one]) == ([one], [])


def test_images_alone_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no masks") as caught:
        told_apart([write_photos(tmp_path / "a", 1), write_photos(tmp_path / "b", 1)])
    assert caught.value.where == f"{tmp_path / 'a'}, {tmp_path / 'b'}"
    assert "with masks" in caught.value.do


def test_nothing_and_what_is_no_data_set_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="No data set"):
        told_apart([])
    with pytest.raises(DatasetError, match=r"split\.json"):
        told_apart([tmp_path / "nothing"])


# --- reading --------------------------------------------------------------------------------------------------------


def test_images_of_the_train_split_are_read_as_they_are(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "photos", 3)
    write_split(folder, ["p0", "p2"], ["p1"])
    (images,) = read_unlabelled([folder], 100).values()
    assert [image.path.name for image in images] == ["p0.png", "p2.png"]
    assert np.array_equal(images[1].pixels, np.asarray(Pillow.open(folder / "images" / "p2.png")))


def test_of_many_images_some_are_taken_evenly(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "photos", 7)
    (images,) = read_unlabelled([folder], 3).values()
    assert [image.path.stem for image in images] == ["p0", "p3", "p6"]


def test_an_unreadable_image_is_named_and_the_others_are_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_photos(tmp_path / "photos", 3)
    (folder / "images" / "p1.png").write_bytes(b"no image")
    (images,) = read_unlabelled([folder], 100).values()
    assert len(images) == 2
    assert "p1.png" in caplog.text


# --- what is proposed -----------------------------------------------------------------------------------------------


def test_discs_are_proposed_once_each_in_the_surest_order(model: SamModel) -> None:
    image = picture(2, 128, 128, ((30, 30, 12), (90, 90, 20)))
    found = made(model, None, photos=[image])
    whole = found.samples[0]
    assert whole.window == image.whole
    assert len(whole.masks) == 2
    discs = [disc(30, 30, 12, 128, 128), disc(90, 90, 20, 128, 128)]
    features = FeatureStore(model).features(image, image.whole)
    asked = guesses(model, model.frozen.tensors, features, grid_of_clicks(image.whole), model.policy.limits)
    sure = [max(guess.iou for guess in asked if iou(guess.mask, one) > 0.75) for one in discs]
    for number, which in enumerate(np.argsort(sure)[::-1]):
        assert iou(on_image(whole, number, model), discs[which]) > 0.75  # cells of 4 pixels
    assert whole.masks.dtype == torch.bool
    assert whole.certainty is None


def test_boxes_are_around_the_masks_in_input_pixels(model: SamModel) -> None:
    (sample,) = made(model, None, photos=[one_disc()]).samples
    rows, columns = np.nonzero(sample.masks[0].numpy())
    around = [4 * columns.min(), 4 * rows.min(), 4 * columns.max() + 3, 4 * rows.max() + 3]
    assert sample.boxes[0].tolist() == pytest.approx(around, abs=4)  # a cell is four input pixels


def test_a_small_object_is_also_proposed_from_near(model: SamModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samtta_app.model.proposals.PLACES", 8)
    image = picture(2, 200, 200, ((40, 40, 9), (140, 130, 30)))
    found = made(model, None, photos=[image])
    near = [sample for sample in found.samples if sample.window.side < 200]
    assert {sample.window.side for sample in near} == {120}
    small = [s for s in near if (s.window.x, s.window.y) == (0, 0)]
    assert len(small) == 1
    middle = small[0].boxes[:, :2].add(small[0].boxes[:, 2:]).div(2)
    assert (middle - torch.tensor([40.0, 40]) * 128 / 120).abs().max() < 4


def test_certainty_is_the_refiners_in_256_steps(model: SamModel) -> None:
    sure, unsure = (made(model, refiner, photos=[one_disc()]) for refiner in (untrained(model), moved(model)))
    plain = made(model, None, photos=[one_disc()])
    for found in (sure, unsure):
        (sample,) = found.samples
        assert sample.certainty is not None
        assert sample.certainty.dtype == torch.uint8
        assert sample.certainty.shape == sample.masks.shape
        assert torch.equal(sample.masks, plain.samples[0].masks)
    means = [float(found.samples[0].certainty.float().mean()) for found in (sure, unsure)]
    assert means[0] > means[1]


def test_what_the_refiner_cannot_judge_is_left_out(model: SamModel) -> None:
    broken = of_tensors({name: t * float("nan") for name, t in untrained(model).tensors.items()}, {})
    with pytest.raises(DatasetError, match="any of the 1 images"):
        made(model, broken, photos=[one_disc()])


def test_padding_is_left_out(model: SamModel) -> None:
    (sample,) = made(model, moved(model), photos=[picture(1, 64, 96, ((20, 30, 10), (70, 30, 12)))]).samples
    assert sample.masks.shape == sample.certainty.shape == (2, 22, 32)  # 64 of 96 rows: 85.3 of 128, 21.3 cells


def test_the_same_images_give_the_same_proposals(model: SamModel) -> None:
    one, again = (made(model, moved(model), photos=[one_disc(), one_disc(1)]) for _ in range(2))
    assert len(one.samples) == len(again.samples) == 2
    assert one.digest == again.digest
    for a, b in zip(one.samples, again.samples, strict=True):
        assert torch.equal(a.masks, b.masks)
        assert torch.equal(a.certainty, b.certainty)
        assert torch.equal(a.boxes, b.boxes)


def test_the_digest_knows_images_and_refiner(model: SamModel) -> None:
    given = {
        "one": made(model, None, photos=[one_disc()]),
        "moved": made(model, None, elsewhere=[one_disc()]),
        "other": made(model, None, photos=[one_disc(1)]),
        "more": made(model, None, photos=[one_disc(), one_disc(1)]),
        "weighed": made(model, moved(model), photos=[one_disc()]),
        "otherwise": made(model, moved(model, 1), photos=[one_disc()]),
    }
    assert given["one"].digest == given["moved"].digest
    assert len({found.digest for found in given.values()}) == 5


def test_no_set_gives_nothing(model: SamModel) -> None:
    assert made(model, None) is NO_UNLABELLED
    assert NO_UNLABELLED.samples == ()


def test_a_set_in_which_nothing_is_found_is_named_and_the_others_teach(
    model: SamModel, caplog: pytest.LogCaptureFixture
) -> None:
    found = made(model, None, noise=[picture(3, 64, 64)], discs=[one_disc()])
    assert len(found.samples) == 1
    assert "noise teaches nothing" in caplog.text
    assert "discs teaches" not in caplog.text


def test_nothing_found_anywhere_is_said_with_the_sets_and_what_to_do(model: SamModel) -> None:
    with pytest.raises(DatasetError, match="any of the 2 images") as caught:
        made(model, None, one=[picture(3, 64, 64)], two=[picture(4, 64, 64)])
    assert caught.value.where == "one, two"
    assert "masks first" in caught.value.do


def test_progress_names_every_image(model: SamModel) -> None:
    told: list[str] = []
    propose(model, None, FeatureStore(model), {"a": [one_disc()], "b": [one_disc(1), one_disc(2)]}, told.append)
    assert [words.rpartition(": ")[2] for words in told] == ["1 of 3", "2 of 3", "3 of 3"]


def test_an_official_model_has_sums_own_limits() -> None:
    limits = SAM_POLICY.limits
    assert (limits.sure, limits.stable, limits.largest) == (0.88, 0.95, 0.95)
    assert COMPACT_POLICY.limits.sure < limits.sure
    assert MAX_PROPOSALS == 30
    with pytest.raises(DatasetError, match="any of the 1 images"):  # random weights are sure of nothing
        made(toy_model(), None, photos=[one_disc()])


# --- as targets -----------------------------------------------------------------------------------------------------


def sample(certainty: bool) -> PseudoSample:
    """Three masks of one cell each on a grid of 2 x 2."""
    masks = torch.zeros(3, 2, 2, dtype=torch.bool)
    masks[0, 0, 0] = masks[1, 0, 1] = masks[2, 1, 1] = True
    steps = torch.tensor([0, 51, 255], dtype=torch.uint8)[:, None, None].expand(3, 2, 2)
    image = picture(0, 8, 8)
    return PseudoSample(image, image.whole, masks, torch.arange(12.0).reshape(3, 4), steps if certainty else None)


def test_picked_proposals_become_targets_with_their_certainty() -> None:
    got = sample(True).targets(np.array([2, 1]), torch.device("cpu"))
    assert got.masks.tolist() == [[[0, 0], [0, 1]], [[0, 1], [0, 0]]]
    assert got.boxes.tolist() == [[8, 9, 10, 11], [4, 5, 6, 7]]
    assert got.certainty is not None
    assert got.certainty[:, 0, 0].tolist() == pytest.approx([1.0, 0.2])
    assert got.masks.dtype == got.certainty.dtype == torch.float32


def test_believed_in_every_pixel_they_are_as_if_made_by_hand() -> None:
    assert sample(False).targets(np.array([0]), torch.device("cpu")).certainty is None


# --- the refiner ----------------------------------------------------------------------------------------------------


def test_a_model_without_a_refiner_is_told_why_and_what_to_do(
    model: SamModel, samtta_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samtta_app.model.refiner.resource", lambda name: samtta_home / "none")
    with pytest.raises(TrainingError, match="has no refiner") as caught:
        believing(model)
    assert "samtta train refiner" in caught.value.do
    assert "--believe-all" in caught.value.do


def test_the_refiner_in_the_model_folder_is_found_and_a_damaged_one_is_named(
    model: SamModel, samtta_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samtta_app.model.refiner.resource", lambda name: samtta_home / "none")
    kept, path = moved(model), put(model, moved(model))
    found = believing(model)
    assert all(torch.equal(tensor, kept.tensors[name]) for name, tensor in found.tensors.items())
    path.write_bytes(json.dumps({"no": "refiner"}).encode())
    with pytest.raises(TrainingError, match="cannot be read"):
        believing(model)
