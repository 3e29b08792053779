"""An export lists every image of the folder and every annotated one; an image's id is its own for the project's life."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from samtta_app.errors import ImageError
from samtta_app.images.read import image_size, read_image
from samtta_app.session.project import schema
from samtta_app.session.project.catalogue import NO_FILE, UNREADABLE_NOTE
from samtta_app.session.project.location import OpenedDatabase
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of


def ids(store: Store) -> dict[str, int]:
    return {image.name: image.id for image in store.project().images}


def listed(store: Store) -> list[tuple[str, str, int, int, str]]:
    return [(i.name, i.status, i.width, i.height, i.problem) for i in store.project().images]


def test_every_image_is_listed_with_its_size_opened_or_not(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "a.png", "b.png", "c10.png", "c2.png")
    (folder / "broken.png").write_bytes(b"no image")
    with Store.open(folder) as store:
        store.image_opened("b.png", WIDTH, HEIGHT)
        store.accept(accepted("c2.png"), WIDTH, HEIGHT)
        assert listed(store) == [
            ("a.png", "listed", WIDTH, HEIGHT, ""),
            ("b.png", "listed", WIDTH, HEIGHT, ""),
            ("broken.png", "listed", 0, 0, UNREADABLE_NOTE),
            ("c2.png", "annotated", WIDTH, HEIGHT, ""),
            ("c10.png", "listed", WIDTH, HEIGHT, ""),
        ]
        assert store.project().words.startswith("5 images: 1 annotated, 4 only listed (broken.png: its file cannot")


def test_an_image_that_is_gone_is_exported_with_its_objects_and_said_and_an_empty_one_is_not(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "a.png", "b.png", "c.png")
    with Store.open(folder) as store:
        store.accept(accepted("a.png"), WIDTH, HEIGHT)
        withdrawn = store.accept(accepted("b.png"), WIDTH, HEIGHT)
        store.set_deleted(withdrawn.id, True)
        for name in ("a.png", "b.png"):
            (folder / name).unlink()
        assert listed(store) == [("a.png", "annotated", WIDTH, HEIGHT, NO_FILE), ("c.png", "listed", WIDTH, HEIGHT, "")]
        assert "1 annotated, 1 only listed (a.png: its file is no longer in the folder)" in store.project().words
        store.set_deleted(withdrawn.id, False)
        assert [name for name, *_ in listed(store)] == ["a.png", "b.png", "c.png"]


ACTS = st.lists(st.sampled_from(["open", "accept", "delete", "file", "gone", "back", "reopen", "vacuum"]), max_size=12)


@settings(max_examples=25, deadline=None)
@given(acts=ACTS, draw=st.randoms(use_true_random=False))
def test_whatever_happens_an_image_keeps_its_id(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str], draw: object
) -> None:
    folder = folder_of(tmp_path_factory.mktemp("ids"), "b.png", "d.png", "m.png")
    data, choose = (folder / "b.png").read_bytes(), draw.choice  # type: ignore[attr-defined]
    known: dict[str, int] = {}
    store = Store.open(folder)
    try:
        for number, act in enumerate(acts):
            name = choose(["b.png", "d.png", "m.png"])
            if act == "open":
                store.image_opened(name, WIDTH, HEIGHT)
            elif act == "accept":
                store.accept(accepted(name), WIDTH, HEIGHT)
            elif act == "delete":
                for annotation in store.annotations(name):
                    store.set_deleted(annotation.id, True)
            elif act == "file":
                (folder / f"{choose('acz')}{number}.png").write_bytes(data)
            elif act == "gone":
                (folder / name).unlink(missing_ok=True)
            elif act == "back":
                (folder / name).write_bytes(data)
            else:
                store.close()
                if act == "vacuum":
                    with closing(sqlite3.connect(folder / ".samtta" / "project.db")) as db:
                        db.execute("VACUUM")
                (folder / "m.png").write_bytes(data)
                store = Store.open(folder)
            now = ids(store)
            assert all(known.get(image, key) == key for image, key in now.items())
            known |= now
            assert len(set(known.values())) == len(known)
    finally:
        store.close()


def older(folder: Path) -> Path:
    """A project as it was before there were ids: two of three images opened, in another order than their names'."""
    with Store.open(folder_of(folder, "a.png", "b.png", "c.png")) as store:
        store.image_opened("c.png", WIDTH, HEIGHT)
        store.accept(accepted("b.png"), WIDTH, HEIGHT)
    with closing(sqlite3.connect(folder / ".samtta" / "project.db")) as db:
        db.execute("DROP TABLE image_ids")
        db.execute("DELETE FROM migrations WHERE name = 'image_ids'")
        db.commit()
    return folder


def test_a_project_from_before_keeps_the_ids_of_its_earlier_exports(tmp_path: Path) -> None:
    with Store.open(older(tmp_path / "x")) as store:  # it numbered the opened images in the order of their names
        assert ids(store) == {"b.png": 1, "c.png": 2, "a.png": 3}
        store.image_opened("a.png", WIDTH, HEIGHT)
        assert ids(store) == {"b.png": 1, "c.png": 2, "a.png": 3}


def test_a_read_only_copy_of_such_a_project_is_exported_alike(tmp_path: Path) -> None:
    database = older(tmp_path / "x") / ".samtta" / "project.db"
    with closing(schema.connect_copy(database, database)) as db:
        db.row_factory = sqlite3.Row
        store = Store(tmp_path / "x", tmp_path / "x" / ".samtta", OpenedDatabase(db, read_only=True))
        assert ids(store).keys() == {"a.png", "b.png", "c.png"}
        assert len(set(ids(store).values())) == 3
        assert len(store.project().annotations) == 1


def test_names_of_a_damaged_or_planted_database_lie_in_the_images_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in" / "images", "a.png")
    (tmp_path / "secret.png").write_bytes((folder / "a.png").read_bytes())
    hostile = ["../../secret.png", str(tmp_path / "secret.png"), "..", "x" * 5000, "1" * 5000]
    with Store.open(folder) as store:
        for name in hostile:
            store.accept(accepted(name), WIDTH, HEIGHT)
        entries = {entry.name: entry.path for entry in store.images()}
        assert set(hostile) < set(entries)
        assert {path.parent for path in entries.values()} == {folder}
        assert {i.name for i in store.project().images if i.problem == NO_FILE} == set(hostile)


# --- sizes from headers -----------------------------------------------------------------------------------------------

TALL = np.arange(30 * 20 * 3, dtype=np.uint8).reshape(30, 20, 3)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp", "tif"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_size_is_that_of_the_image_as_it_is_shown(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"a.{suffix}"
    exif = PIL.Image.Exif()
    exif[274] = orientation
    if suffix == "tif":
        tifffile.imwrite(path, TALL, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    else:
        PIL.Image.fromarray(TALL).save(path, **({} if suffix == "bmp" else {"exif": exif}))
    image = read_image(path)
    assert image_size(path) == (image.width, image.height)


def test_deep_and_many_paged_files_have_a_size_too(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "deep.png"), np.zeros((9, 7, 3), np.uint16))
    tifffile.imwrite(tmp_path / "pages.tif", np.zeros((4, 30, 20), np.uint16), photometric="minisblack")
    assert image_size(tmp_path / "deep.png") == (7, 9)
    assert image_size(tmp_path / "pages.tif") == (20, 30)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"II*\0",
        b"\x89PNG\r\n\x1a\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"GIF89a\xff\xff\xff\xff\0\0\0",
    ],
)
def test_what_is_no_image_of_ours_has_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "b.png").write_bytes(data)
    for name in ("b.png", "absent.png"):
        with pytest.raises(ImageError):
            image_size(tmp_path / name)


@pytest.mark.skipif(sys.platform == "win32", reason="no such file system")
def test_no_pixel_is_decoded_to_learn_a_size(tmp_path: Path) -> None:
    """A PNG that is cut off within its pixels has a size all the same: they were not read."""
    PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 200), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:2000])
    assert image_size(tmp_path / "a.png") == (200, 300)
