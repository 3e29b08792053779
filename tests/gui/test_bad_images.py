"""A folder full of bad and odd files: each is shown or marked with its reason, and the session goes on."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
import tifffile
from numpy.typing import NDArray
from pycocotools.coco import COCO
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from samtta_app.core.masks import crop
from samtta_app.core.types import Mask, Window
from samtta_app.images.read import read_ids
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from tests.gui.sessions import Key, Sitting, exported
from tests.unit.core.crafted import GIF, POSTSCRIPT, claiming_png, claiming_tiff, many_scans

HEIGHT, WIDTH = 96, 128
DISC = (90, 30)
PLACES = (DISC, (30.0, 70.0), (60.0, 50.0), (10.0, 10.0), (100.0, 80.0))
"""Where is clicked until the toy model finds something; DISC is the bright spot."""

Pixels = NDArray[np.uint8]


def spot() -> NDArray[np.bool_]:
    """A disc at the upper right, which tells every turn of the picture from every other."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return (columns - DISC[0]) ** 2 + (rows - DISC[1]) ** 2 <= 18**2


def plain() -> Pixels:
    """The picture as everybody should see it: white on black."""
    return np.repeat(np.where(spot(), 255, 0).astype(np.uint8)[..., None], 3, axis=2)


# --- files that say the same in other ways --------------------------------------------------------------------------------

TURN = PIL.Image.Transpose
STORED = {
    2: TURN.FLIP_LEFT_RIGHT,
    3: TURN.ROTATE_180,
    4: TURN.FLIP_TOP_BOTTOM,
    5: TURN.TRANSPOSE,
    6: TURN.ROTATE_90,
    7: TURN.TRANSVERSE,
    8: TURN.ROTATE_270,
}
"""How a camera that was held that way stores an upright picture."""


def turned(path: Path, orientation: int) -> None:
    exif = PIL.Image.Exif()
    exif[274] = orientation
    PIL.Image.fromarray(plain()).transpose(STORED[orientation]).save(path, exif=exif)


def turned_tiff(path: Path) -> None:
    stored = np.asarray(PIL.Image.fromarray(plain()).transpose(STORED[6]))
    tifffile.imwrite(path, stored, photometric="rgb", extratags=[(274, "H", 1, 6, False)])


def deep() -> NDArray[np.uint16]:
    return np.where(spot(), 51_000, 900).astype(np.uint16)


def through(path: Path) -> None:
    """The disc is a hole in a black picture, seen before white."""
    alpha = np.where(spot(), 0, 255).astype(np.uint8)
    PIL.Image.fromarray(np.dstack([np.zeros((HEIGHT, WIDTH, 3), np.uint8), alpha])).save(path)


def grey_with_alpha(path: Path) -> None:
    alpha = np.where(spot(), 0, 255).astype(np.uint8)
    PIL.Image.fromarray(np.dstack([np.zeros_like(alpha), alpha])).save(path)


ODD: dict[str, Callable[[Path], object]] = {
    "grey.png": lambda path: PIL.Image.fromarray(plain()[..., 0]).save(path),
    "grey.tif": lambda path: tifffile.imwrite(path, plain()[..., 0]),
    "onebit.png": lambda path: PIL.Image.fromarray(spot()).save(path),
    "palette.png": lambda path: PIL.Image.fromarray(plain()).quantize(4).save(path),
    "deep.png": lambda path: cv2.imwrite(str(path), deep()),
    "deep_colour.png": lambda path: cv2.imwrite(str(path), np.dstack([deep()] * 3)),
    "deep.tif": lambda path: tifffile.imwrite(path, deep()),
    "float.tif": lambda path: tifffile.imwrite(path, deep().astype(np.float32) / 7),
    "alpha.png": through,
    "grey_alpha.png": grey_with_alpha,
    "turned.tif": turned_tiff,
    **{f"turned_{k}.png": lambda path, k=k: turned(path, k) for k in STORED},
}
"""Files whose upright pixels are those of `plain`, bit by bit."""

UPRIGHT = "plain.png"

# --- files that cannot be shown -------------------------------------------------------------------------------------------


def encoded(suffix: str) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return bytes(cv2.imencode(suffix, noise)[1].tobytes())


BAD: dict[str, tuple[bytes, str]] = {
    "empty.png": (b"", "empty"),
    "empty.tif": (b"", "empty"),
    "text.jpg": (b"Dear colleague, the images are on the other disk.", "not an image"),
    "cut.png": (encoded(".png")[:2000], "damaged or cut off"),
    "cut.jpg": (encoded(".jpg")[:2000], "damaged or cut off"),
    "cut.bmp": (encoded(".bmp")[:2000], "damaged or cut off"),
    "cut.tif": (encoded(".tif")[:2000], "cut off"),
    "head_only.png": (encoded(".png")[:20], "damaged or cut off"),
    "program.png": (POSTSCRIPT, "a PostScript program"),
    "gif.png": (GIF, "cannot hold"),
    "bomb.png": (claiming_png(19_999, 19_999), "cannot hold"),
    "bomb.tif": (claiming_tiff(19_999, 19_999), "cannot hold"),
}
"""Content, and what the reason says."""


def write_bad(folder: Path) -> None:
    for name, (content, _) in BAD.items():
        (folder / name).write_bytes(content)


def write_extreme(folder: Path) -> None:
    PIL.Image.new("RGB", (1, 1), (200, 200, 200)).save(folder / "dot.png")
    stripes = np.zeros((6, 60_000, 3), np.uint8)
    stripes[:, 20_000:40_000] = 230
    cv2.imwrite(str(folder / "wide.png"), stripes)
    cv2.imwrite(str(folder / "tall.png"), stripes[:, ::4].transpose(1, 0, 2))


EXTREME = {"dot.png": (1, 1), "wide.png": (60_000, 6), "tall.png": (6, 15_000)}
"""Width and height."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mixed"
    made.mkdir()
    PIL.Image.fromarray(plain()).save(made / UPRIGHT)
    return made


@pytest.fixture
def person(qapp: object, qtbot: QtBot) -> Iterator[Sitting]:
    made = Sitting(qtbot)
    qtbot.addWidget(made.window)
    yield made
    made.leaves()


@pytest.fixture
def steady(qapp: object, qtbot: QtBot) -> Iterator[Sitting]:
    """A person who has learning switched off, so that equal clicks have equal answers."""
    made = Sitting(qtbot, learn=False)
    qtbot.addWidget(made.window)
    yield made
    made.leaves()


def drawn(mask: Mask, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.bool_]:
    return crop(mask, Window(0, 0, width, height))


# --- odd files are shown upright, answered and accepted -------------------------------------------------------------------


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_annotated_as_if_it_were_the_plain_upright_one(steady: Sitting, folder: Path, name: str) -> None:
    ODD[name](folder / name)
    steady.opens(folder)
    steady.shows(UPRIGHT)
    expected = steady.accepts(*PLACES)
    steady.shows(name)
    assert steady.state.image is not None
    assert np.array_equal(steady.state.image.pixels, plain())
    found = steady.accepts(*PLACES)
    assert np.array_equal(drawn(found), drawn(expected))
    assert steady.state.images[steady.state.index].status == "annotated"
    steady.leaves()
    with Store.open(folder) as store:
        (kept,) = store.annotations(name)
        assert np.array_equal(drawn(kept.mask), drawn(expected))


@pytest.mark.parametrize(
    "name", ["turned_5.png", "turned_6.png", "turned_8.png", "turned.tif", "deep.png", "alpha.png"]
)
def test_what_is_on_the_screen_at_an_image_point_is_the_upright_pixel(steady: Sitting, folder: Path, name: str) -> None:
    ODD[name](folder / name)
    steady.opens(folder)
    steady.shows(name)
    assert steady.brightness(*DISC) > 200
    for x, y in ((WIDTH - 1 - DISC[0], DISC[1]), (DISC[0], HEIGHT - 1 - DISC[1]), (DISC[1], DISC[0])):
        assert steady.brightness(x, y) < 60, (x, y)


def test_a_photo_of_a_turned_camera_is_clicked_where_it_is_seen(steady: Sitting, folder: Path) -> None:
    turned(folder / "photo.jpg", 6)
    steady.opens(folder)
    steady.shows("photo.jpg")
    image = steady.state.image
    assert image is not None
    assert (image.width, image.height) == (WIDTH, HEIGHT)
    steady.clicks(*DISC)
    preview = steady.state.preview
    assert preview is not None
    (click,) = preview.clicks
    assert abs(click.x - DISC[0]) <= 1
    assert abs(click.y - DISC[1]) <= 1
    assert image.pixels[round(click.y), round(click.x)].min() > 200
    steady.wait(lambda: steady.answered)


def test_the_read_out_says_the_files_own_values_of_a_deep_turned_file(steady: Sitting, folder: Path) -> None:
    stored = np.rot90(deep())
    tifffile.imwrite(folder / "deep_turned.tif", stored, extratags=[(274, "H", 1, 6, False)])
    steady.opens(folder)
    steady.shows("deep_turned.tif")
    image = steady.state.image
    assert image is not None
    assert np.array_equal(image.raw, deep())
    assert np.array_equal(image.pixels, plain())


# --- extreme sizes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXTREME)
def test_an_image_of_an_extreme_size_is_shown_answered_accepted_and_learned_from(
    person: Sitting, folder: Path, name: str
) -> None:
    write_extreme(folder)
    width, height = EXTREME[name]
    person.opens(folder)
    person.shows(name)
    image = person.state.image
    assert image is not None
    assert (image.width, image.height) == (width, height)
    shares = (0.5, 0.25, 0.75, 0.1, 0.9)
    mask = person.accepts(*(((width - 1) * share, (height - 1) * share) for share in shares))
    assert drawn(mask, width, height).sum() == mask.area
    person.wait(lambda: len(person.state.adaptation.reports) == 1)
    person.shows(UPRIGHT)
    person.accepts(*PLACES)
    person.wait(lambda: len(person.state.adaptation.reports) == 2)
    assert "error" not in person.severities, person.said


def test_a_click_far_to_the_right_of_a_very_wide_image_is_answered_there(person: Sitting, folder: Path) -> None:
    write_extreme(folder)
    person.opens(folder)
    person.shows("wide.png")
    person.window.canvas.zoom_at(QPointF(person.place(59_900, 3)), 1 / person.window.canvas.zoom)
    person.clicks(59_900, 3)
    person.wait(lambda: person.answered)
    preview = person.state.preview
    assert preview is not None
    assert preview.window is not None
    assert preview.window.contains(59_900, 3)
    assert preview.window.width < 60_000
    assert preview.clicks[0].x == pytest.approx(59_900, abs=1)


def test_the_corners_of_a_single_pixel_belong_to_it_and_what_is_beside_it_does_not(
    person: Sitting, folder: Path
) -> None:
    write_extreme(folder)
    person.opens(folder)
    person.shows("dot.png")
    person.clicks(0.4, 0.4)
    person.wait(lambda: person.answered)
    person.presses(Key.Key_Escape)
    person.clicks(0.9, 0)
    assert person.state.preview is None
    assert "outside the image" in person.said


# --- bad files are marked and passed ---------------------------------------------------------------------------------------


def test_every_file_of_a_mixed_folder_is_shown_or_marked_with_its_reason(person: Sitting, folder: Path) -> None:
    write_bad(folder)
    write_extreme(folder)
    for name in ("grey.png", "deep.tif", "alpha.png", "turned_6.png"):
        ODD[name](folder / name)
    person.opens(folder)
    names = [entry.name for entry in person.state.images]
    assert set(names) == {path.name for path in folder.iterdir() if path.is_file()}
    for row, name in enumerate(names):
        if row:
            person.presses(Key.Key_D)
            person.wait(lambda row=row: person.state.index == row and person.settled)
        entry = person.state.images[row]
        assert (entry.status == "unreadable") == (name in BAD), (name, entry)
        assert (person.state.image is None) == (name in BAD), name
        if name in BAD:
            assert BAD[name][1] in entry.text
            assert str(folder / name) in entry.text
            assert entry.text in person.tip(row)
            assert entry.text in person.said
    assert "Traceback" not in person.said


@pytest.mark.parametrize("name", BAD)
def test_a_reason_says_what_the_file_is_and_what_to_do(person: Sitting, folder: Path, name: str) -> None:
    write_bad(folder)
    person.opens(folder)
    person.shows(name)
    text = person.state.images[person.state.index].text
    before, _, advice = text.partition(f"({folder / name}).")
    assert before.strip()
    assert advice.strip().endswith(".")
    for inner in ("Error", "Exception", "0x", "None"):
        assert inner not in text


@pytest.mark.skipif(sys.platform == "win32", reason="the program that leaves the mark is a shell script")
def test_no_program_is_started_by_a_file_that_is_one(
    person: Sitting, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, program = tmp_path / "gs was started", tmp_path / "programs" / "gs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch '{mark}'\nsleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    for name in ("q.png", "r.jpg", "s.tif"):
        (folder / name).write_bytes(POSTSCRIPT)
    person.opens(folder)
    person.wait(lambda: sum(entry.status == "unreadable" for entry in person.state.images) >= 2)  # read ahead
    person.shows("s.tif")
    assert "PostScript" in person.said
    person.leaves()
    assert not mark.exists()


def test_a_file_of_several_pages_says_which_is_shown(person: Sitting, folder: Path) -> None:
    tifffile.imwrite(folder / "a.tif", np.stack([plain()[..., 0]] * 10), photometric="minisblack")
    person.opens(folder)
    assert person.state.image is not None
    assert "a.tif: This is page 1 of 10." in person.said
    assert "info" in person.severities


def test_a_slow_image_can_be_left_for_another_and_the_window_closed_over_it(person: Sitting, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(many_scans(2_000, 650))
    person.application.open(folder, None)
    person.wait(lambda: any(thread.name == "samtta-reader" for thread in threading.enumerate()))
    person.shows(UPRIGHT)
    assert person.state.image is not None
    person.controller.do(acts.OpenImage(0))
    person.wait(lambda: any(thread.name == "samtta-reader" for thread in threading.enumerate()))
    person.leaves()
    assert person.application.controller is None or person.state.image is None
    for thread in threading.enumerate():
        if thread.name == "samtta-reader":
            thread.join()


def test_a_session_that_begins_with_a_bad_file_goes_on_with_the_next(person: Sitting, folder: Path) -> None:
    (folder / "a.png").write_bytes(b"")
    person.opens(folder)
    assert person.state.index == 0
    assert person.state.image is None
    assert "empty" in person.said
    person.presses(Key.Key_D)
    person.wait(lambda: person.state.image is not None)
    person.accepts(*PLACES)
    assert person.state.images[1].status == "annotated"


def test_a_folder_of_bad_files_only_opens_and_can_be_left(person: Sitting, tmp_path: Path) -> None:
    write_bad(tmp_path)
    person.opens(tmp_path)
    for row in range(len(BAD)):
        person.controller.do(acts.OpenImage(row))
        person.wait(lambda: person.settled)
    assert {entry.status for entry in person.state.images} == {"unreadable"}
    person.presses(Key.Key_Return)
    assert person.state.annotations == ()
    person.leaves()
    with Store.open(tmp_path) as store:
        assert store.annotations() == ()
        assert len(store.images()) == len(BAD)


def test_a_click_box_and_enter_on_an_image_that_is_not_there_do_nothing(person: Sitting, folder: Path) -> None:
    write_bad(folder)
    person.opens(folder)
    person.shows("cut.png")
    viewport = person.window.canvas.viewport()
    middle = viewport.rect().center()
    person.clicks(20, 20)
    person.drags(middle / 2, middle)
    for key in (Key.Key_Return, Key.Key_Tab, Key.Key_Backspace, Key.Key_Delete, Key.Key_Escape):
        person.presses(key)
    assert person.state.preview is None
    assert person.state.annotations == ()
    person.shows(UPRIGHT)
    person.accepts(*PLACES)


def test_a_preview_that_was_left_for_a_bad_file_comes_back(person: Sitting, folder: Path) -> None:
    (folder / "zz.png").write_bytes(b"")
    person.opens(folder)
    mask = person.previews(*PLACES)
    person.shows("zz.png")
    assert person.state.preview is None
    person.controller.do(acts.Undo())
    person.wait(lambda: person.answered)
    back = person.state.preview
    assert back is not None
    assert back.candidate is not None
    assert np.array_equal(drawn(back.candidate.mask), drawn(mask))
    person.presses(Key.Key_Return)
    assert len(person.state.annotations) == 1


def test_next_without_objects_passes_over_the_bad_files(person: Sitting, folder: Path) -> None:
    (folder / "a.png").write_bytes(b"")
    PIL.Image.fromarray(plain()).save(folder / "zz.png")
    person.opens(folder)
    person.shows(UPRIGHT)
    person.controller.do(acts.NextUnreviewed())
    person.wait(lambda: person.settled)
    assert person.state.images[person.state.index].name == "zz.png"
    person.controller.do(acts.NextUnreviewed())
    person.wait(lambda: person.settled)
    assert person.state.images[person.state.index].name == UPRIGHT


def test_a_file_that_was_copied_anew_is_shown_when_it_is_opened_again(person: Sitting, folder: Path) -> None:
    (folder / "late.png").write_bytes(encoded(".png")[:2000])
    person.opens(folder)
    person.shows("late.png")
    assert person.state.image is None
    PIL.Image.fromarray(plain()).save(folder / "late.png")
    person.shows(UPRIGHT)
    person.shows("late.png")
    assert person.state.image is not None
    entry = person.state.images[person.state.index]
    assert entry.status != "unreadable"
    assert entry.text == ""
    person.accepts(*PLACES)


# --- files that change or go while the project lives -----------------------------------------------------------------------


def test_objects_of_a_file_that_became_unreadable_are_kept_and_exported(
    person: Sitting, folder: Path, tmp_path: Path
) -> None:
    PIL.Image.fromarray(plain()).save(folder / "b.png")
    person.opens(folder)
    person.shows("b.png")
    mask = person.accepts(*PLACES)
    (folder / "b.png").write_bytes(encoded(".png")[:2000])
    person.shows(UPRIGHT)
    person.shows("b.png")
    entry = person.state.images[person.state.index]
    assert (entry.status, entry.objects) == ("unreadable", 1)
    assert len(person.state.annotations) == 1
    exported(person.controller, "coco", tmp_path / "out")
    coco = COCO(tmp_path / "out" / "annotations/instances_default.json")
    (found,) = coco.anns.values()
    assert np.array_equal(coco.annToMask(found).astype(bool), drawn(mask))


def test_objects_of_a_file_that_is_gone_are_in_the_list_with_the_reason_when_one_comes_back(
    person: Sitting, qtbot: QtBot, folder: Path
) -> None:
    PIL.Image.fromarray(plain()).save(folder / "b.png")
    person.opens(folder)
    person.shows("b.png")
    mask = person.accepts(*PLACES)
    person.leaves()
    (folder / "b.png").unlink()
    again = Sitting(qtbot)
    qtbot.addWidget(again.window)
    try:
        again.opens(folder)
        again.shows("b.png")
        entry = again.state.images[again.state.index]
        assert (entry.status, entry.objects) == ("unreadable", 1)
        assert again.tip(again.state.index).splitlines()[1:]
        assert np.array_equal(drawn(again.state.annotations[0].mask), drawn(mask))
        again.shows(UPRIGHT)
        again.accepts(*PLACES)
    finally:
        again.leaves()


def test_a_file_replaced_by_a_smaller_picture_keeps_its_objects_and_the_session_goes_on(
    person: Sitting, folder: Path, tmp_path: Path
) -> None:
    PIL.Image.fromarray(plain()).save(folder / "b.png")
    person.opens(folder)
    person.shows("b.png")
    person.accepts(*PLACES)
    PIL.Image.fromarray(plain()[:40, :50]).save(folder / "b.png")
    person.shows(UPRIGHT)
    person.shows("b.png")
    assert person.state.image is not None
    assert person.state.image.width == 50
    assert len(person.state.annotations) == 1
    person.accepts((25, 20), (10, 10), (40, 30), (5, 35))
    exported(person.controller, "png", tmp_path / "out")
    instances = read_ids(tmp_path / "out" / "instances" / "b.png")
    assert instances.shape == (40, 50)


def test_exports_of_odd_files_have_their_upright_sizes(person: Sitting, folder: Path, tmp_path: Path) -> None:
    write_extreme(folder)
    ODD["turned_6.png"](folder / "turned_6.png")
    ODD["deep.tif"](folder / "deep.tif")
    person.opens(folder)
    masks: dict[str, Mask] = {}
    for name in ("deep.tif", "turned_6.png", "tall.png"):
        person.shows(name)
        image = person.state.image
        assert image is not None
        shares = (0.5, 0.25, 0.75, 0.1, 0.9)
        masks[name] = person.accepts(*(((image.width - 1) * s, (image.height - 1) * s) for s in shares))
    exported(person.controller, "png", tmp_path / "out")
    exported(person.controller, "coco", tmp_path / "out")
    described = json.loads((tmp_path / "out" / "annotations/instances_default.json").read_text())
    sizes = {image["file_name"]: (image["width"], image["height"]) for image in described["images"]}
    assert sizes["turned_6.png"] == sizes["deep.tif"] == (WIDTH, HEIGHT)
    assert sizes["tall.png"] == EXTREME["tall.png"]
    for name, mask in masks.items():
        index = read_ids(tmp_path / "out" / "instances" / f"{Path(name).stem}.png")
        assert np.array_equal(index > 0, drawn(mask, *sizes[name])), name
