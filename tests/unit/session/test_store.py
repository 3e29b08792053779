"""What is accepted is on the disk, whole, with everything that led to it."""

from __future__ import annotations

import math
import sqlite3
import sys
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samtta_app.core.masks import full, trimmed
from samtta_app.core.replies import Controlled, TwinReport
from samtta_app.core.types import Box, Click, Mask, Window
from samtta_app.errors import ProjectError, StoreError
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import HEIGHT, NAN, WHOLE, WIDTH, accepted, folder_of, record, report
from tests.unit.values import disc


def same(a: Mask, b: Mask) -> bool:
    return bool((full(a, HEIGHT, WIDTH) == full(b, HEIGHT, WIDTH)).all())


def values(record: object) -> list[object]:
    """A record's fields, comparable although nan differs from itself."""
    return ["nan" if isinstance(v, float) and math.isnan(v) else v for v in astuple(record)]  # type: ignore[call-overload]


def test_a_new_project_lies_in_a_hidden_folder_beside_the_images(folder: Path) -> None:
    with Store.open(folder) as store:
        assert store.home == folder / ".samtta"
        assert not store.read_only
        assert store.notice == ""
    assert (folder / ".samtta" / "project.db").is_file()


def test_a_project_may_lie_elsewhere_and_finds_its_images_again(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "projects" / "cells"
    with Store.open(folder, elsewhere) as store:
        store.accept(accepted(), WIDTH, HEIGHT)
    with Store.open(elsewhere) as store:
        assert store.folder == folder
        assert len(store.annotations()) == 1
    assert not (folder / ".samtta").exists()


def test_the_hidden_folder_itself_can_be_opened(folder: Path) -> None:
    Store.open(folder).close()
    with Store.open(folder / ".samtta") as store:
        assert (store.folder, store.home) == (folder, folder / ".samtta")


def test_an_accept_comes_back_with_mask_label_and_history(folder: Path) -> None:
    ring = disc(60, 50, 30, HEIGHT, WIDTH).bits & ~np.pad(disc(60, 50, 10, HEIGHT, WIDTH).bits, 20)
    history = (
        record(None, 0.6),
        replace(record(Click(61.5, 49.25, False), 0.8, 2.5), latency=NAN, predicted_iou=NAN, uncertainty=NAN),
        record(iou=NAN),
        record(),
    )
    given_in = accepted(mask=trimmed(ring, 30, 20), box=Box(1.0, 2.5, 3.0, 4.0), history=history, weights_version=3)
    with Store.open(folder) as store:
        saved = store.accept(given_in, WIDTH, HEIGHT)
    with Store.open(folder) as store:
        (found,) = store.annotations("a.png")
    assert saved.id == found.id == 1
    assert same(found.mask, given_in.mask)
    assert [values(r) for r in found.history] == [values(r) for r in history]
    assert (found.box, found.window, found.class_id, found.weights_version) == (given_in.box, WHOLE, 1, 3)
    assert (found.predicted_iou, found.uncertainty, found.seconds) == (0.9, 0.1, 1.5)
    assert found.created == saved.created != ""
    assert found.clicks == tuple(r.click for r in history if r.click)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_mask_comes_back_bit_by_bit(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    height, width = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20))
    bits = rng.random((height, width)) < data.draw(st.floats(0.05, 1.0))
    mask = trimmed(bits, data.draw(st.integers(0, 50)), data.draw(st.integers(0, 50)))
    with Store.open(folder_of(tmp_path_factory.mktemp("any"))) as store:
        store.accept(accepted(mask=mask), WIDTH, HEIGHT)
        (found,) = store.annotations()
    assert same(found.mask, mask)


def test_a_mask_is_read_at_the_cost_of_its_own_size_not_of_the_image(folder: Path) -> None:
    with Store.open(folder) as store:
        store.accept(accepted(mask=Mask(50_000, 40_000, np.ones((3, 3), np.bool_))), 60_000, 60_000)
        (found,) = store.annotations()
    assert (found.mask.x, found.mask.y, found.mask.bits.shape) == (50_000, 40_000, (3, 3))


def test_objects_come_in_the_order_of_their_accept(store: Store) -> None:
    for name in ("b.png", "a.png", "b.png"):
        store.accept(accepted(name), WIDTH, HEIGHT)
    assert [a.id for a in store.annotations("b.png")] == [1, 3]
    assert [a.id for a in store.annotations()] == [1, 2, 3]
    assert [a.id for a in store.newest(2)] == [2, 3]


def test_a_deleted_object_is_not_shown_but_can_come_back(store: Store) -> None:
    saved = store.accept(accepted(), WIDTH, HEIGHT)
    store.set_deleted(saved.id, True)
    assert store.annotations() == store.newest(5) == store.records() == ()
    assert store.images()[0].objects == 0
    store.set_deleted(saved.id, False)
    assert len(store.annotations("a.png")) == 1


def test_ids_are_never_given_twice(folder: Path) -> None:
    with Store.open(folder) as store:
        store.set_deleted(store.accept(accepted(), WIDTH, HEIGHT).id, True)
    with Store.open(folder) as store:
        assert store.accept(accepted(), WIDTH, HEIGHT).id == 2


def test_the_class_of_an_object_can_change(store: Store) -> None:
    added = store.add_class("leaf")
    saved = store.accept(accepted(), WIDTH, HEIGHT)
    store.set_class(saved.id, added.id)
    assert store.annotations()[0].class_id == added.id
    assert store.records()[0].class_name == "leaf"


def test_a_new_project_has_one_class(store: Store) -> None:
    assert [(c.id, c.name, c.colour) for c in store.classes()] == [(1, "object", 0)]


def test_classes_keep_their_order_and_get_colours_in_turn(store: Store) -> None:
    for k in range(9):
        store.add_class(f"class {k}")
    assert [c.colour for c in store.classes()] == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]


@pytest.mark.parametrize("name", ["", "   ", "object", " object "])
def test_a_class_name_must_be_new_and_not_empty(store: Store, name: str) -> None:
    with pytest.raises(StoreError, match="class"):
        store.add_class(name)
    assert len(store.classes()) == 1


def test_a_class_can_be_renamed_but_not_to_a_taken_name(store: Store) -> None:
    leaf = store.add_class("leaf")
    store.rename_class(leaf.id, " stem ")
    store.rename_class(leaf.id, "stem")
    with pytest.raises(StoreError, match="already"):
        store.rename_class(leaf.id, "object")
    assert [c.name for c in store.classes()] == ["object", "stem"]


def test_it_reopens_where_one_left_off(folder: Path) -> None:
    with Store.open(folder) as store:
        assert store.last_image() == ""
        store.image_opened("a.png", WIDTH, HEIGHT)
        store.image_opened("b.png", WIDTH, HEIGHT)
    with Store.open(folder) as store:
        assert store.last_image() == "b.png"


def test_objects_of_an_image_that_was_removed_are_kept_and_it_is_shown_as_unreadable(folder: Path) -> None:
    with Store.open(folder) as store:
        store.accept(accepted("b.png"), WIDTH, HEIGHT)
    (folder / "b.png").unlink()
    (folder / "c.png").unlink()
    with Store.open(folder) as store:
        entries = store.images()
        assert [(e.name, e.status, e.objects) for e in entries] == [("a.png", "todo", 0), ("b.png", "unreadable", 1)]
        assert "no longer" in entries[1].text
        assert len(store.annotations("b.png")) == 1


def test_a_project_whose_images_are_all_gone_can_still_be_exported(folder: Path) -> None:
    with Store.open(folder) as store:
        store.accept(accepted(), WIDTH, HEIGHT)
    for path in folder.glob("*.png"):
        path.unlink()
    with Store.open(folder) as store:
        assert len(store.project().annotations) == 1


def test_the_project_holds_sizes_classes_and_objects(store: Store) -> None:
    store.image_opened("b.png", 10, 20)  # the file has another size by now
    store.accept(accepted("a.png"), WIDTH, HEIGHT)
    project = store.project()
    sizes = {i.name: (i.width, i.height) for i in project.images}
    assert (sizes["a.png"], sizes["b.png"]) == ((WIDTH, HEIGHT), (WIDTH, HEIGHT))
    assert [(c.id, c.name) for c in project.classes] == [(1, "object")]
    assert [a.id for a in project.of_image("a.png")] == [1]
    assert project.of_image("b.png") == ()


# --- learning ---------------------------------------------------------------------------------------------------------


def test_every_report_comes_back_without_its_weights(folder: Path) -> None:
    with Store.open(folder) as store:
        saved = store.accept(accepted(), WIDTH, HEIGHT)
        store.log_adaptation(report(saved.id, 1))
        store.log_adaptation(report(saved.id, 1, kept=False))
    with Store.open(folder) as store:
        first, second = store.adaptations()
    assert values(first) == values(replace(report(saved.id, 1), weights=b""))
    assert (first.kept, second.kept) == (True, False)
    assert math.isnan(first.guard_frozen)


def test_the_published_weights_come_back(folder: Path) -> None:
    with Store.open(folder) as store:
        saved = store.accept(accepted(), WIDTH, HEIGHT)
        for version in (1, 2, 3):
            store.log_adaptation(report(saved.id, version))
        store.log_adaptation(report(saved.id, 3, kept=False))
    with Store.open(folder) as store:
        assert store.published() == store.newest_version() == 3
        assert store.weights(3) == (3, b"weights 3")


def test_a_new_project_has_no_weights(store: Store) -> None:
    assert (store.published(), store.newest_version(), store.weights(0)) == (0, 0, None)


def test_a_rollback_is_remembered(folder: Path) -> None:
    with Store.open(folder) as store:
        saved = store.accept(accepted(), WIDTH, HEIGHT)
        for version in (1, 2):
            store.log_adaptation(report(saved.id, version))
        store.log_control(Controlled(1, "rollback", 1, False))
    with Store.open(folder) as store:
        assert (store.published(), store.newest_version()) == (1, 2)
        assert store.weights(1) == (1, b"weights 1")


def test_a_damaged_weights_file_is_passed_over_for_the_next_older(folder: Path) -> None:
    with Store.open(folder) as store:
        saved = store.accept(accepted(), WIDTH, HEIGHT)
        for version in (1, 2, 3):
            store.log_adaptation(report(saved.id, version))
    weights = folder / ".samtta" / "weights"
    (weights / "v0003.safetensors").write_bytes(b"weights")
    (weights / "v0002.safetensors").unlink()
    with Store.open(folder) as store:
        assert store.weights(store.published()) == (1, b"weights 1")


def test_the_last_twenty_published_versions_are_kept_on_disk(folder: Path) -> None:
    with Store.open(folder) as store:
        saved = store.accept(accepted(), WIDTH, HEIGHT)
        for version in range(1, 24):
            store.log_adaptation(report(saved.id, version))
    names = sorted(path.name for path in (folder / ".samtta" / "weights").iterdir())
    assert names == [f"v{version:04d}.safetensors" for version in range(4, 24)]


def test_weights_that_cannot_be_written_are_reported_and_the_report_is_kept(folder: Path) -> None:
    store = Store.open(folder)
    (folder / ".samtta" / "weights").write_text("a file where the folder should be")
    saved = store.accept(accepted(), WIDTH, HEIGHT)
    store.log_adaptation(report(saved.id, 1))
    store.close()
    assert len(store.weights_failures()) == 1
    assert store.weights_failures() == []
    (folder / ".samtta" / "weights").unlink()
    with Store.open(folder) as store:
        assert len(store.adaptations()) == 1
        assert store.weights(1) is None


def test_trajectories_come_back_with_the_object_they_belong_to(folder: Path) -> None:
    with Store.open(folder) as store:
        for _ in range(2):
            store.accept(accepted(history=(record(iou=0.5), record(iou=1.0))), WIDTH, HEIGHT)
        store.log_twin(TwinReport(1, 2, 4, (0.5, 0.92), (0.95,), 0.3))
    with Store.open(folder) as store:
        first, second = store.records()
    assert (first.frozen, first.adapted) == (None, None)
    assert (second.frozen, second.adapted, second.replayed_version) == ((0.5, 0.92), (0.95,), 4)
    assert [step.iou for step in second.steps] == [0.5, 1.0]


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_folder_without_images_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(ProjectError, match="no images"):
        Store.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="nowhere"):
        Store.open(tmp_path / "nowhere")


def test_a_file_is_no_folder(folder: Path) -> None:
    with pytest.raises(ProjectError, match="cannot be read"):
        Store.open(folder / "a.png")


def test_an_accept_that_is_refused_half_way_leaves_nothing(store: Store) -> None:
    broken = accepted(history=(record(), replace(record(), window=Window(0, 0, 1, 1), weights_version=None)))  # type: ignore[arg-type]
    with pytest.raises(StoreError, match=r"project\.db"):
        store.accept(broken, WIDTH, HEIGHT)
    assert store.annotations() == ()
    assert store.project().annotated == store.project().annotations == ()
    assert store.accept(accepted(), WIDTH, HEIGHT).id == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_full_disk_refuses_the_accept_and_takes_it_once_there_is_room(folder: Path) -> None:
    import resource

    noise = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.5
    large = accepted(mask=trimmed(noise))
    with Store.open(folder) as store:
        store.accept(accepted(), WIDTH, HEIGHT)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = (folder / ".samtta" / "project.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            with pytest.raises(StoreError, match="could not be written") as caught:
                store.accept(large, WIDTH, HEIGHT)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "try again" in str(caught.value)
        assert len(store.annotations()) == 1
        store.accept(large, WIDTH, HEIGHT)
    with Store.open(folder) as store:
        assert len(store.annotations()) == 2


def test_the_file_says_wal_and_full(folder: Path) -> None:
    with Store.open(folder) as store:
        db = store._db
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    with sqlite3.connect(folder / ".samtta" / "project.db") as db:
        assert db.execute("PRAGMA quick_check").fetchone()[0] == "ok"
    db.close()
