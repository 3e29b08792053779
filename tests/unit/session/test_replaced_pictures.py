"""A picture that was replaced under its objects: said, marked, and nothing is exported that does not fit it unnamed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from samtta_app.core.messages import AdaptRequest
from samtta_app.core.project import ProjectImage, fits
from samtta_app.core.replies import Failure
from samtta_app.core.types import Mask
from samtta_app.formats import FORMATS
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from tests.unit.session.real import Real, pictures_in
from tests.unit.session.scripted import HEIGHT, WIDTH, Person, accepted
from tests.unit.values import disc, picture

ROOT = Path(__file__).parents[3]
LEFT, RIGHT = disc(20, 20, 8, HEIGHT, WIDTH), disc(100, 70, 15, HEIGHT, WIDTH)


class Reader(Real):
    """The real engine; a person accepts what a test gives, so that no model matters."""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two images with an object at the left and one at the right of each, as a person of today accepted them."""
    folder = pictures_in(tmp_path / "pictures", "a.png", "b.png")
    with Store.open(folder) as store:
        person = looks(store)
        for name in ("a.png", "b.png"):
            seen = person.state.image if name == "a.png" else None
            if seen is None:
                person.do(acts.OpenImage(1))
            known = f"{WIDTH}x{HEIGHT}:{person.state.image.key}"
            for mask in (LEFT, RIGHT):
                store.accept(accepted(name, mask, picture=known), WIDTH, HEIGHT, teaches=True)
        person.do(acts.OpenImage(0))
    return folder


def looks(store: Store) -> Person:
    return Person(store, Reader(), twin=False).starts()  # type: ignore[arg-type]


def replace_by(path: Path, height: int, width: int, seed: int = 7) -> None:
    cv2.imwrite(str(path), picture(seed, height, width).pixels)


def exported(store: Store, out: Path) -> tuple[dict[int, int], dict[str, int], tuple[str, ...]]:
    """COCO's areas by object, the PNG's object pixels by image, and the remarks."""
    project = store.project()
    for kind, form in FORMATS.items():
        form.write(project, out / kind)
    coco = json.loads((out / "coco" / "annotations/instances_default.json").read_text())
    pngs = {p.stem: np.count_nonzero(cv2.imread(str(p), -1)) for p in (out / "png" / "instances").iterdir()}
    return {a["id"]: a["area"] for a in coco["annotations"]}, pngs, project.remarks


def test_a_picture_that_stayed_says_nothing(pictures: Path, tmp_path: Path) -> None:
    with Store.open(pictures) as store:
        person = looks(store)
        assert person.state.message is None
        assert [entry.changed for entry in person.state.images] == ["", ""]
        areas, pngs, remarks = exported(store, tmp_path / "out")
        assert (sorted(areas), remarks) == ([1, 2, 3, 4], ())
        assert pngs["a"] == LEFT.area + RIGHT.area


def test_another_packing_of_the_same_pixels_is_the_same_picture(pictures: Path) -> None:
    pixels = cv2.imread(str(pictures / "a.png"))
    before = (pictures / "a.png").read_bytes()
    cv2.imwrite(str(pictures / "a.png"), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 0])
    assert (pictures / "a.png").read_bytes() != before
    with Store.open(pictures) as store:
        assert store.project().remarks == ()
        assert looks(store).state.message is None


def test_another_content_of_the_same_size_is_said_marked_and_named_on_export(pictures: Path, tmp_path: Path) -> None:
    replace_by(pictures / "a.png", HEIGHT, WIDTH)
    with Store.open(pictures) as store:
        person = looks(store)
        message = person.state.message
        assert message.severity == "warning"
        assert "a.png is no longer the picture that objects 1, 2 were accepted on" in message.text
        assert "pixels" not in message.text
        assert ["Replaced" in entry.changed for entry in person.state.images] == [True, False]
        areas, _, remarks = exported(store, tmp_path / "out")
        assert sorted(areas) == [1, 2, 3, 4]
        assert any("a.png" in line for line in remarks)
    with Store.open(pictures) as store:
        assert ["Replaced" in entry.changed for entry in store.images()] == [True, False]


@pytest.mark.parametrize("opened", [True, False])
def test_a_smaller_picture_keeps_what_fits_and_names_what_does_not(
    pictures: Path, tmp_path: Path, opened: bool
) -> None:
    replace_by(pictures / "a.png", 60, 80)
    with Store.open(pictures) as store:
        if opened:
            message = looks(store).state.message
            assert "128 x 96 pixels, now 80 x 60" in message.text
            assert "object 2 does not fit it, and will not be exported" in message.text
        areas, pngs, remarks = exported(store, tmp_path / "out")
        assert areas == {1: LEFT.area, 3: LEFT.area, 4: RIGHT.area}
        assert (pngs["a"], pngs["b"]) == (LEFT.area, LEFT.area + RIGHT.area)
        assert any("object 2 does not fit" in line for line in remarks)
        assert len(store.annotations("a.png")) == 2  # nothing is deleted


def test_the_picture_put_back_is_as_if_nothing_had_been(pictures: Path) -> None:
    before = (pictures / "a.png").read_bytes()
    replace_by(pictures / "a.png", 60, 80)
    with Store.open(pictures) as store:
        looks(store)
    (pictures / "a.png").write_bytes(before)
    with Store.open(pictures) as store:
        person = looks(store)
        assert person.state.message is None
        assert [entry.changed for entry in person.state.images] == ["", ""]
        assert store.project().remarks == ()


def test_nothing_is_learned_from_a_picture_that_is_not_the_one_of_the_object(pictures: Path) -> None:
    replace_by(pictures / "b.png", HEIGHT, WIDTH)
    with Store.open(pictures) as store:
        real = Reader()
        replies = []
        answer = real.answer
        real.answer = lambda request: replies.append((request, answer(request))) or replies[-1][1]  # type: ignore[assignment, func-returns-value]
        Person(store, real, twin=False).starts()  # type: ignore[arg-type]
        learned = {r.example.object_id: reply for r, reply in replies if isinstance(r, AdaptRequest)}
        assert not isinstance(learned[1], Failure)
        assert isinstance(learned[3], Failure)
        assert "replaced" in learned[3].text
        assert all(isinstance(learned[number], Failure) for number in learned if number > 2)


def test_an_object_made_on_the_new_picture_fits_it(pictures: Path, tmp_path: Path) -> None:
    replace_by(pictures / "a.png", 60, 80)
    with Store.open(pictures) as store:
        person = looks(store)
        known = f"80x60:{person.state.image.key}"
        store.accept(accepted("a.png", disc(70, 50, 5, 60, 80), picture=known), 80, 60)
        areas, _, remarks = exported(store, tmp_path / "out")
        assert sorted(areas) == [1, 3, 4, 5]
        assert not any("objects 1, 2, 5" in line for line in remarks)


def test_objects_of_a_version_that_kept_no_content_take_that_of_the_first_look(pictures: Path) -> None:
    with Store.open(pictures) as store:
        store._db.execute("UPDATE annotations SET picture = NULL")
        store._db.execute("UPDATE images SET picture = NULL, bytes = NULL")
    with Store.open(pictures) as store:
        assert looks(store).state.message is None
    replace_by(pictures / "a.png", HEIGHT, WIDTH)
    with Store.open(pictures) as store:
        assert "no longer the picture" in looks(store).state.message.text


def test_objects_of_such_a_version_under_a_picture_of_another_size_are_named(pictures: Path) -> None:
    with Store.open(pictures) as store:
        store._db.execute("UPDATE annotations SET picture = NULL")
        store._db.execute("UPDATE images SET picture = NULL, bytes = NULL")
    replace_by(pictures / "a.png", 200, 300)
    with Store.open(pictures) as store:
        looks(store)
        assert ["Replaced" in entry.changed for entry in store.images()] == [True, False]
        assert any("128 x 96 pixels, now 300 x 200" in line for line in store.project().remarks)


@pytest.mark.parametrize(
    ("x", "y", "inside"), [(0, 0, True), (7, 5, True), (8, 5, False), (7, 6, False), (-1, 0, False), (0, -1, False)]
)
def test_a_mask_fits_an_image_that_holds_all_of_its_rectangle(x: int, y: int, inside: bool) -> None:
    mask = Mask(x, y, np.ones((5, 3), np.bool_))
    assert fits(accepted(mask=mask), ProjectImage("a.png", 10, 10)) is inside


def test_the_command_line_names_what_does_not_fit(pictures: Path, tmp_path: Path) -> None:
    replace_by(pictures / "b.png", 60, 80)
    words = [
        sys.executable,
        "-m",
        "samtta_app",
        "export",
        str(pictures),
        "--format",
        "png",
        "--out",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "object 4 does not fit" in done.stderr
