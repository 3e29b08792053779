"""What a worker makes of one shard: masks, features, an export; and what of it cannot be made."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import PIL.Image
import pytest

from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.types import Box
from samtta_app.errors import ExportError, UserError
from samtta_app.formats import FORMATS
from samtta_app.formats.detections import DetectedBox
from samtta_app.formats.export_choice import EVERYTHING, ExportChoice
from samtta_app.formats.found_masks import found_of_text
from samtta_app.parallel.export_shards import export_shard, images_of_project
from samtta_app.parallel.feature_shards import FeatureShard
from samtta_app.parallel.image_places import ImagePlace, ResultPlace, found_images
from samtta_app.parallel.mask_shards import MaskShard, ShardedMasks, lines_name
from samtta_app.parallel.model_on_worker import ModelOnWorker
from samtta_app.parallel.shard_manifest import ShardEntry, Standing, file_facts, shard_key
from samtta_app.parallel.shard_run import ShardResult, done_shard
from samtta_app.session.project.store import Store
from samtta_app.settings import resource
from tests.unit.session.scripted import accepted
from tests.unit.values import disc, picture

MODEL = ModelOnWorker(str(resource("models/samtta-small.safetensors")), 128, "cpu")
SETTINGS = AutomaticSettings(points_per_side=4, pred_iou=0.3, stability=0.3)
MASKS = MaskShard(MODEL, SETTINGS, "small", "quick")


def nothing(share: float, words: str) -> None:
    """Told to none."""


def made(work: MaskShard | FeatureShard, images: Sequence[ImagePlace]) -> ShardResult:
    """What a worker makes, as it reaches one: through pickle."""
    sent = pickle.loads(pickle.dumps(work))
    result: ShardResult = sent(images, shard_key(images), nothing)
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures with bright discs."""
    home = tmp_path / "images"
    home.mkdir()
    for k in range(2):
        PIL.Image.fromarray(picture(k, discs=((40, 48, 20), (96, 40, 16))).pixels).save(home / f"im{k}.png")
    return home


# --- masks ------------------------------------------------------------------------------------------------------------


def test_a_line_for_each_image_is_the_same_each_time(folder: Path) -> None:
    images = found_images(str(folder))
    result = made(MASKS, images)
    ((name, data),) = result.files.items()
    assert name == lines_name(shard_key(images))
    found = [found_of_text(line) for line in data.splitlines()]
    assert [each.image for each in found] == ["im0.png", "im1.png"]
    assert all(each.masks and each.seconds == 0.0 for each in found)
    assert (found[0].width, found[0].height, found[0].model, found[0].settings) == (128, 96, "small", "quick")
    assert made(MASKS, images) == result


def test_images_that_cannot_be_read_are_errors_and_the_others_have_lines(folder: Path) -> None:
    (folder / "torn.png").write_bytes((folder / "im0.png").read_bytes()[:200])
    (folder / "none.png").write_bytes(b"")
    gone = ImagePlace("gone.png", str(folder / "gone.png"))
    result = made(MASKS, [*found_images(str(folder)), gone])
    assert set(result.errors) == {"torn.png", "none.png", "gone.png"}
    assert "empty" in result.errors["none.png"]
    assert "no such image on the machine" in result.errors["gone.png"]
    (data,) = result.files.values()
    assert len(data.splitlines()) == 2


def test_boxes_become_masks_and_an_image_without_any_has_none(folder: Path) -> None:
    boxes = (DetectedBox(Box(19, 27, 62, 70), 0.9, 7), DetectedBox(Box(500, 500, 509, 509), 0.8, 7))
    result = made(replace(MASKS, boxes={"im0.png": boxes}), found_images(str(folder)))
    (data,) = result.files.values()
    first, second = (found_of_text(line) for line in data.splitlines())
    assert [(mask.category, mask.score) for mask in first.masks] == [(7, 0.9)]
    assert second.masks == ()


def standing_of(images: Sequence[ImagePlace], result: ShardResult) -> Standing:
    key = shard_key(images)
    facts = {name: file_facts(data) for name, data in result.files.items()}
    entry = ShardEntry({image.name: image.version for image in images}, facts)
    return Standing({key: entry}, dict.fromkeys((image.name for image in images), key), ())


def test_the_lines_of_all_shards_become_one_coco_file(folder: Path, tmp_path: Path) -> None:
    images, out = found_images(str(folder)), ResultPlace(str(tmp_path / "out"))
    result = made(MASKS, images)
    for name, data in result.files.items():
        out.put(name, data)
    masks = ShardedMasks(out, [*images, ImagePlace("later.png", "later.png")], standing_of(images, result))
    assert masks.names == ["im0.png", "im1.png"]
    names = masks.write(FORMATS["coco"], folder, {})
    assert names == ["annotations/instances_default.json", "results.json"]
    written = json.loads((tmp_path / "out" / names[0]).read_text())
    assert len(written["annotations"]) == sum(len(masks.of_image(name).masks) for name in masks.names)
    assert [each["id"] for each in written["annotations"]] == list(range(1, len(written["annotations"]) + 1))


def test_lines_that_changed_since_are_not_used(folder: Path, tmp_path: Path) -> None:
    images, out = found_images(str(folder)), ResultPlace(str(tmp_path / "out"))
    result = made(MASKS, images)
    ((name, data),) = result.files.items()
    out.put(name, data.replace(b"im0", b"im9"))
    masks = ShardedMasks(out, images, standing_of(images, result))
    with pytest.raises(ExportError, match="has changed since it was written"):
        masks.write(FORMATS["coco"], folder, {})


# --- features ---------------------------------------------------------------------------------------------------------


def test_features_are_named_by_content_so_that_a_copy_needs_none(folder: Path) -> None:
    images = found_images(str(folder))
    first = made(FeatureShard(MODEL), images)
    assert len(first.files) == 2
    assert all(name.endswith(".features.safetensors") for name in first.files)
    (folder / "copy.png").write_bytes((folder / "im0.png").read_bytes())
    assert made(FeatureShard(MODEL), found_images(str(folder))).files == first.files
    other = made(FeatureShard(replace(MODEL, input_size=192)), images[:1])
    assert not set(other.files) & set(first.files)


def test_an_image_that_is_never_seen_whole_has_no_features_and_no_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samtta_app.engine.encoding.SEEN_WHOLE", 64)
    assert made(FeatureShard(MODEL), found_images(str(folder))) == ShardResult({}, {})


def test_features_of_what_cannot_be_read_are_an_error(folder: Path) -> None:
    (folder / "torn.png").write_text("no picture")
    result = made(FeatureShard(MODEL), found_images(str(folder)))
    assert len(result.files) == 2
    assert list(result.errors) == ["torn.png"]
    assert str(folder / "torn.png") in result.errors["torn.png"]


# --- exports ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def store(folder: Path) -> Store:
    """A project with an object on each of two images."""
    opened = Store.open(folder)
    for k in range(2):
        opened.accept(accepted(f"im{k}.png", disc(40 + k, 48, 18)), 128, 96)
    return opened


def test_the_version_of_an_image_changes_with_its_objects_alone(store: Store) -> None:
    with store:
        before = images_of_project(store.project())
        assert images_of_project(store.project()) == before
        assert [image.name for image in before] == ["im0.png", "im1.png"]
        store.accept(accepted("im1.png", disc(90, 40, 12)), 128, 96)
        after = images_of_project(store.project())
    assert after[0] == before[0]
    assert after[1].version != before[1].version


@pytest.mark.parametrize("format_", ["coco", "png", "labelme", "dataset"])
def test_a_shard_is_an_export_of_its_images(format_: str, store: Store, tmp_path: Path) -> None:
    with store:
        project = store.project()
        images = images_of_project(project)[1:]
        work = pickle.loads(pickle.dumps(export_shard(project, format_, EVERYTHING, images)))
    result = work(images, "KEY", nothing)
    assert result.errors == {}
    for name, data in result.files.items():
        assert name.startswith("shards/KEY/")
        path = tmp_path / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (found,) = FORMATS[format_].read(tmp_path / "out" / "shards" / "KEY")
    assert found.image_name == "im1.png"
    assert found.mask.area == disc(41, 48, 18).area


def test_what_cannot_be_exported_is_an_error_of_each_image(store: Store, folder: Path) -> None:
    with store:
        images = images_of_project(store.project())
        (folder / "im0.png").unlink()
        (folder / "im1.png").unlink()
        work = export_shard(store.project(), "dataset", EVERYTHING, images)
    result = work(images, "KEY", nothing)
    assert result.files == {}
    assert set(result.errors) == {"im0.png", "im1.png"}
    assert "None of the 2 annotated images can be copied" in result.errors["im0.png"]


def test_a_choice_holds_in_each_shard(store: Store) -> None:
    with store:
        images = images_of_project(store.project())
        choice = ExportChoice(least_area=100_000)
        work = export_shard(store.project(), "coco", choice, images)
    ((_, data),) = work(images, "KEY", nothing).files.items()
    assert json.loads(data)["annotations"] == []


# --- any shard --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "said"),
    [(28, "No space left on device"), (122, "Disk quota exceeded"), (30, "Read-only file system")],
)
def test_a_worker_whose_disk_cannot_be_written_says_which(number: int, said: str, tmp_path: Path) -> None:
    def full(images: Sequence[ImagePlace], key: str, told: object) -> ShardResult:
        raise OSError(number, said)

    with pytest.raises(UserError, match=f"The disk of the machine .* cannot be written: {said}"):
        done_shard(full, ResultPlace(str(tmp_path)), [], "KEY", nothing)


def test_any_other_fault_of_a_worker_is_not_hidden(tmp_path: Path) -> None:
    def odd(images: Sequence[ImagePlace], key: str, told: object) -> ShardResult:
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        done_shard(odd, ResultPlace(str(tmp_path)), [], "KEY", nothing)


def test_files_for_a_folder_come_back_and_those_for_a_url_are_written_by_the_worker(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    images = [ImagePlace("a.png", "a.png", "1")]

    def work(images: Sequence[ImagePlace], key: str, told: object) -> ShardResult:
        return ShardResult({f"shards/{key}.txt": b"found"}, {"b.png": "torn"})

    entry, files = done_shard(work, ResultPlace(str(tmp_path)), images, "KEY", nothing)
    assert files == {"shards/KEY.txt": b"found"}
    assert list(tmp_path.iterdir()) == []
    url = ResultPlace(f"memory://{tmp_path.name}")
    same, none = done_shard(work, url, images, "KEY", nothing)
    assert none == {}
    assert url.get("shards/KEY.txt") == b"found"
    for each in (entry, same):
        assert each.images == {"a.png": "1"}
        assert each.files == {"shards/KEY.txt": file_facts(b"found")}
        assert each.errors == {"b.png": "torn"}
        assert each.machine


def test_a_shard_is_named_by_its_images_and_their_versions() -> None:
    one, other = ImagePlace("a", "x", "1"), ImagePlace("a", "y", "1")
    assert shard_key([one]) == shard_key([other]), "where an image lies does not name its results"
    assert shard_key([one]) != shard_key([replace(one, version="2")])
    assert shard_key([one, other]) != shard_key([one])
    assert shard_key([ImagePlace("\udcff", "x")]), "a name that is not UTF-8"
