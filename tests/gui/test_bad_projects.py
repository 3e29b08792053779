"""A full disk, a folder that cannot be written, a project that is open, newer or damaged: said in the window, nothing lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from samtta_app.core.types import Box, Click
from samtta_app.errors import ProjectError, UserError
from samtta_app.gui.panels.adaptation import AdaptationPanel
from samtta_app.model.model_registry import toy_model
from samtta_app.model.weights import to_bytes
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from tests.gui.sessions import Key, Sitting, exported
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, report
from tests.unit.values import picture

ROOT = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="limits and owners of POSIX")
PLACES = ((60.0, 50.0), (30.0, 30.0), (90.0, 70.0), (20.0, 80.0), (100.0, 20.0), (5.0, 5.0), (64.0, 90.0))


def images(folder: Path, number: int = 2) -> Path:
    folder.mkdir(parents=True)
    for k in range(number):
        cv2.imwrite(str(folder / f"{k}.png"), picture(k, discs=((60, 50, 18),)).pixels)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return images(tmp_path / "cells")


@pytest.fixture
def person(qapp: object, qtbot: QtBot) -> Iterator[Sitting]:
    made = Sitting(qtbot)
    qtbot.addWidget(made.window)
    yield made
    made.leaves()


@pytest.fixture
def at_work(person: Sitting, folder: Path) -> Sitting:
    """A person with an image open."""
    person.opens(folder)
    return person


def database(folder: Path) -> Path:
    return folder / ".samtta" / "project.db"


def files(home: Path) -> dict[str, bytes]:
    """Every file below a folder, with its content."""
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def finished_project(folder: Path, qtbot: QtBot, objects: int = 1) -> None:
    """Accept something in a folder, and close it."""
    worker = Sitting(qtbot)
    qtbot.addWidget(worker.window)
    worker.opens(folder)
    for _ in range(objects):
        worker.accepts(*PLACES)
    worker.wait(lambda: len(worker.state.adaptation.reports) == objects)
    worker.leaves()


# --- prompts beside the image ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier])
@pytest.mark.parametrize(("x", "y"), [(-3, 50), (60, -3), (131, 50), (60, 99), (-2, -2)])
def test_a_click_beside_the_image_is_said_and_asks_nothing(
    at_work: Sitting, x: int, y: int, keys: Qt.KeyboardModifier
) -> None:
    at_work.window.canvas.zoom_out()
    at_work.window.canvas.zoom_out()
    at_work.clicks(x, y, keys)
    assert "outside the image" in at_work.said
    assert at_work.state.preview is None
    assert not at_work.state.can_undo


def test_a_click_beside_the_image_leaves_the_preview_and_its_clicks(at_work: Sitting) -> None:
    at_work.window.canvas.zoom_out()
    at_work.previews(*PLACES)
    before = at_work.state.preview
    at_work.clicks(-4, 50)
    assert at_work.state.preview is before
    at_work.presses(Key.Key_Return)
    (kept,) = at_work.state.annotations
    assert all(0 <= click.x < 128 and 0 <= click.y < 96 for click in kept.clicks)


def test_a_box_beside_the_image_is_said_and_asks_nothing(at_work: Sitting) -> None:
    at_work.window.canvas.zoom_out()
    at_work.window.canvas.zoom_out()
    corner = at_work.place(0, 0)
    at_work.drags(corner - QPoint(60, 60), corner - QPoint(20, 20))
    assert at_work.state.preview is None
    assert "outside the image" in at_work.said


def test_a_box_that_begins_beside_the_image_is_cut_to_it_and_answered(at_work: Sitting) -> None:
    at_work.window.canvas.zoom_out()
    at_work.window.canvas.zoom_out()
    at_work.drags(at_work.place(0, 0) - QPoint(40, 40), at_work.place(64, 48))
    at_work.wait(lambda: at_work.answered)
    assert at_work.state.preview is not None
    box = at_work.state.preview.box
    assert isinstance(box, Box)
    assert (box.x0, box.y0) == (0, 0)
    assert box.x1 == pytest.approx(64, abs=1)


def test_a_click_that_is_no_number_is_refused_like_one_outside(at_work: Sitting) -> None:
    at_work.controller.do(acts.PlaceClick(Click(float("nan"), 10.0, True)))
    at_work.controller.do(acts.PlaceClick(Click(float("inf"), 10.0, True)))
    assert at_work.state.preview is None
    at_work.accepts(*PLACES)


# --- a full disk ----------------------------------------------------------------------------------------------------------


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """No file of this process grows beyond what the project's journal has now."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    journal = database(folder).with_name("project.db-wal")
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # an import now would leave half a file
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        sys.dont_write_bytecode = kept


@POSIX
def test_on_a_full_disk_enter_keeps_the_preview_and_works_once_there_is_room(at_work: Sitting, folder: Path) -> None:
    mask = at_work.previews(*PLACES)
    before = at_work.state
    with full_disk(folder):
        for _ in range(2):
            at_work.presses(Key.Key_Return)
            assert at_work.state.preview is before.preview
            assert at_work.state.annotations == ()
            assert [entry.objects for entry in at_work.state.images] == [0, 0]
            assert at_work.severities == ["error"]
            assert "try again" in at_work.said
            assert str(database(folder)) in at_work.said
    at_work.presses(Key.Key_Return)
    (kept,) = at_work.state.annotations
    assert np.array_equal(kept.mask.bits, mask.bits)
    assert at_work.state.preview is None
    at_work.wait(lambda: len(at_work.state.adaptation.reports) == 1)
    at_work.leaves()
    with Store.open(folder) as store:
        assert [a.id for a in store.annotations()] == [kept.id]
        assert len(store.records()) == 1


@POSIX
def test_on_a_full_disk_the_preview_can_still_be_mended_and_cancelled(at_work: Sitting, folder: Path) -> None:
    at_work.previews(*PLACES)
    with full_disk(folder):
        at_work.presses(Key.Key_Return)
        number = len(at_work.state.preview.clicks)  # type: ignore[union-attr]
        at_work.clicks(20, 20, Qt.KeyboardModifier.ShiftModifier)
        at_work.wait(lambda: at_work.answered)
        assert len(at_work.state.preview.clicks) == number + 1  # type: ignore[union-attr]
        at_work.presses(Key.Key_Escape)
        assert at_work.state.preview is None
    at_work.accepts(*PLACES)


@POSIX
def test_enter_and_next_on_a_full_disk_stays_on_the_image(at_work: Sitting, folder: Path) -> None:
    at_work.previews(*PLACES)
    with full_disk(folder):
        at_work.controller.do(acts.Accept(then_next=True))
        assert at_work.state.index == 0
        assert at_work.state.preview is not None
    at_work.controller.do(acts.Accept(then_next=True))
    at_work.wait(lambda: at_work.state.index == 1 and at_work.state.image is not None)


@POSIX
def test_on_a_full_disk_a_deletion_and_a_class_are_refused_and_nothing_has_moved(
    at_work: Sitting, folder: Path
) -> None:
    at_work.accepts(*PLACES)
    at_work.wait(lambda: len(at_work.state.adaptation.reports) == 1)
    before = at_work.state
    with full_disk(folder):
        at_work.controller.do(acts.AddClass("leaf"))
        assert at_work.state.classes == before.classes
        at_work.controller.do(acts.RenameClass(1, "leaf"))
        assert at_work.state.classes == before.classes
        at_work.controller.do(acts.SelectNext())
        at_work.presses(Key.Key_Delete)
        assert at_work.state.annotations == before.annotations
        at_work.controller.do(acts.Undo())
        assert at_work.state.annotations == before.annotations
        assert "error" in at_work.severities
    at_work.presses(Key.Key_Delete)
    assert at_work.state.annotations == ()


@POSIX
def test_what_is_learned_while_the_disk_is_full_is_shown_with_a_warning_and_work_goes_on(
    at_work: Sitting, folder: Path
) -> None:
    at_work.accepts(*PLACES)
    with full_disk(folder):
        at_work.wait(lambda: len(at_work.state.adaptation.reports) == 1)
        at_work.wait(lambda: "warning" in at_work.severities)
    assert "could not be written" in at_work.said
    at_work.accepts(*PLACES)
    at_work.wait(lambda: len(at_work.state.adaptation.reports) == 2)
    at_work.leaves()
    with Store.open(folder) as store:
        assert len(store.annotations()) == 2


@POSIX
def test_on_a_full_disk_another_image_can_still_be_looked_at(at_work: Sitting, folder: Path) -> None:
    with full_disk(folder):
        at_work.presses(Key.Key_D)
        at_work.wait(lambda: at_work.state.index == 1 and at_work.state.image is not None)
        assert at_work.severities == ["warning"]
        at_work.previews(*PLACES)
    at_work.presses(Key.Key_Return)
    assert len(at_work.state.annotations) == 1


@POSIX
def test_an_export_to_a_full_disk_is_refused_whole_and_works_once_there_is_room(
    at_work: Sitting, folder: Path, tmp_path: Path
) -> None:
    import resource

    at_work.accepts(*PLACES)
    at_work.wait(lambda: at_work.state.adaptation.activity == "idle")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for kind in ("coco", "png"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
        try:
            with pytest.raises(UserError):
                exported(at_work.controller, kind, tmp_path / kind)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not (tmp_path / kind).exists()
        assert all(file.stat().st_size for file in exported(at_work.controller, kind, tmp_path / kind))


# --- a folder that cannot be written --------------------------------------------------------------------------------------


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place that every user of the machine can reach, with the person's own folder in it."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        home = Path(place, "home")
        home.mkdir()
        home.chmod(0o777)
        monkeypatch.setenv("SAMTTA_HOME", str(home))
        yield Path(place)


@contextmanager
def nobody(folder: Path) -> Iterator[None]:
    """Be someone who may read a folder but not write to it."""
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)


@POSIX
def test_a_project_that_cannot_be_written_is_shown_and_every_write_says_why(
    person: Sitting, qtbot: QtBot, public: Path
) -> None:
    folder = images(public / "cells")
    finished_project(folder, qtbot)
    before = files(folder)
    with nobody(folder):
        person.opens(folder)
        assert person.state.read_only
        assert "cannot be stored" in person.said
        assert len(person.state.annotations) == 1
        person.previews(*PLACES)
        for key in (Key.Key_Return, Key.Key_Space):
            person.presses(key)
            assert person.state.preview is not None
            assert len(person.state.annotations) == 1
        assert "read-only" in person.said
        person.presses(Key.Key_Escape)
        person.presses(Key.Key_D)
        person.wait(lambda: person.state.index == 1 and person.state.image is not None)
        person.controller.do(acts.AddClass("leaf"))
        assert [c.name for c in person.state.classes] == ["object"]
        person.leaves()
    assert files(folder) == before


@POSIX
def test_a_project_that_cannot_be_written_can_still_be_exported_to_another_place(
    person: Sitting, qtbot: QtBot, public: Path
) -> None:
    folder = images(public / "cells")
    finished_project(folder, qtbot)
    with nobody(folder):
        person.opens(folder)
        made = exported(person.controller, "coco", public / "home" / "out")
        assert all(file.stat().st_size for file in made)
        person.leaves()


@POSIX
def test_a_folder_that_cannot_be_written_is_refused_with_a_way_out_that_works(person: Sitting, public: Path) -> None:
    folder = images(public / "cells")
    with nobody(folder):
        with pytest.raises(ProjectError, match="--project"):
            person.application.open(folder)
        assert person.application.controller is None
        person.opens(folder, public / "home" / "project")
        assert not person.state.read_only
        person.accepts(*PLACES)
        person.leaves()
    assert not (folder / ".samtta").exists()
    with Store.open(folder, public / "home" / "project") as store:
        assert len(store.annotations()) == 1


# --- projects that are not to be opened -----------------------------------------------------------------------------------


def refused(person: Sitting, folder: Path, words: str) -> None:
    """The open window says why a folder is not opened, keeps its own project, and the file stays byte by byte."""
    before, controller = files(folder), person.application.controller
    person.window.folder_chosen.emit(folder)
    assert words in person.said
    assert str(folder) in person.said
    assert "error" in person.severities
    assert person.application.controller is controller
    assert files(folder) == before
    person.accepts(*PLACES)


@pytest.fixture
def other(tmp_path: Path, qtbot: QtBot, at_work: Sitting) -> Path:
    """A second folder with a project, while the first is open."""
    made = images(tmp_path / "other")
    finished_project(made, qtbot)
    return made


def test_a_project_of_a_newer_program_is_refused_and_the_open_one_goes_on(at_work: Sitting, other: Path) -> None:
    with closing(sqlite3.connect(database(other))) as db, db:
        db.execute("INSERT INTO migrations VALUES ('tracks', '2031-01-01')")
    refused(at_work, other, "newer samtta (tracks)")


def test_a_database_that_was_cut_off_is_refused_and_the_open_one_goes_on(at_work: Sitting, other: Path) -> None:
    content = database(other).read_bytes()
    database(other).write_bytes(content[: len(content) // 2])
    refused(at_work, other, "damaged")


def test_a_database_that_is_none_is_refused_and_the_open_one_goes_on(at_work: Sitting, other: Path) -> None:
    database(other).write_bytes(b"this was a project once" * 400)
    refused(at_work, other, "no database")


def test_a_database_with_scrambled_pages_is_refused_and_the_open_one_goes_on(at_work: Sitting, other: Path) -> None:
    content = bytearray(database(other).read_bytes())
    content[4096:] = np.random.default_rng(1).bytes(len(content) - 4096)
    database(other).write_bytes(content)
    refused(at_work, other, "damaged")


def test_another_programs_database_is_refused_and_the_open_one_goes_on(at_work: Sitting, tmp_path: Path) -> None:
    folder = images(tmp_path / "foreign")
    database(folder).parent.mkdir()
    with closing(sqlite3.connect(database(folder))) as db, db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    refused(at_work, folder, "not a samtta project")


def test_a_folder_in_the_place_of_the_database_is_refused_and_the_open_one_goes_on(
    at_work: Sitting, tmp_path: Path
) -> None:
    folder = images(tmp_path / "strange")
    database(folder).mkdir(parents=True)
    refused(at_work, folder, "no ordinary file")
    assert database(folder).is_dir()


def test_a_file_in_the_place_of_the_project_folder_is_refused_and_kept(at_work: Sitting, tmp_path: Path) -> None:
    folder = images(tmp_path / "strange")
    (folder / ".samtta").write_text("mine")
    refused(at_work, folder, "no ordinary folder")
    assert (folder / ".samtta").read_text() == "mine"


def test_a_folder_without_images_or_that_is_gone_is_refused_and_makes_nothing(at_work: Sitting, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("no images here")
    refused(at_work, empty, "no images")
    assert [path.name for path in empty.iterdir()] == ["notes.txt"]
    refused(at_work, tmp_path / "gone", "cannot be read")
    assert not (tmp_path / "gone").exists()


HOLDS = """
import sys
from pathlib import Path
from samtta_app.session.project.store import Store
with Store.open(Path(sys.argv[1])):
    print("open", flush=True)
    sys.stdin.readline()
"""


def test_a_project_that_another_program_has_open_is_refused_until_it_is_closed_there(
    at_work: Sitting, other: Path
) -> None:
    holder = [sys.executable, "-c", HOLDS, str(other)]
    with subprocess.Popen(holder, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        at_work.window.folder_chosen.emit(other)
        assert "open in another samtta" in at_work.said
        at_work.accepts(*PLACES)
        process.communicate("\n", timeout=60)
    at_work.window.folder_chosen.emit(other)
    at_work.wait(lambda: at_work.state.folder == other and at_work.state.image is not None)
    assert len(at_work.state.annotations) == 1


@pytest.mark.parametrize("command", ["stats", "export"])
def test_while_the_window_has_a_project_the_command_line_reads_it_and_changes_nothing(
    at_work: Sitting, folder: Path, tmp_path: Path, command: str
) -> None:
    at_work.accepts(*PLACES)
    options = ["--format", "coco"] if command == "export" else []
    words = [sys.executable, "-m", "samtta_app", command, str(folder), *options, "--out", str(tmp_path / "out")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert any((tmp_path / "out").iterdir())
    at_work.accepts(*PLACES)


def test_two_windows_cannot_have_the_same_project(at_work: Sitting, folder: Path, qtbot: QtBot) -> None:
    second = Sitting(qtbot)
    qtbot.addWidget(second.window)
    try:
        second.window.folder_chosen.emit(folder)
        assert "open in another samtta" in second.said
        assert second.application.controller is None
        at_work.accepts(*PLACES)
        at_work.leaves()
        second.window.folder_chosen.emit(folder)
        second.wait(lambda: second.application.controller is not None and second.state.image is not None)
        assert len(second.state.annotations) == 1
    finally:
        second.leaves()


# --- weights that were damaged --------------------------------------------------------------------------------------------


@pytest.fixture
def learned(folder: Path, qtbot: QtBot) -> Path:
    """A project that says its first version is published; returns that version's file."""
    finished_project(folder, qtbot)
    with Store.open(folder) as store:
        (kept,) = store.annotations()
        store.log_adaptation(report(kept.id, 1))
    (file,) = (folder / ".samtta" / "weights").glob("v0001.*")
    return file


def test_weights_of_another_model_are_refused_with_both_names_and_work_goes_on_with_the_original(
    folder: Path, qtbot: QtBot
) -> None:
    with Store.open(folder) as store:
        saved = store.accept(accepted("0.png"), WIDTH, HEIGHT)
        stored = to_bytes(toy_model().frozen.tensors, "leaves")
        store.log_adaptation(replace(report(saved.id, 1), weights=stored))
    person = Sitting(qtbot, model="wounds")
    qtbot.addWidget(person.window)
    person.opens(folder)
    person.wait(lambda: "warning" in person.severities)
    assert "'leaves'" in person.said
    assert "'wounds'" in person.said
    assert person.state.adaptation.version == 0
    person.accepts(*PLACES)
    assert person.state.annotations[-1].weights_version == 0
    person.leaves()


def test_frozen_says_that_what_was_learned_stays_and_the_panel_waits_for_nothing(folder: Path, qtbot: QtBot) -> None:
    with Store.open(folder) as store:
        saved = store.accept(accepted("0.png"), WIDTH, HEIGHT)
        store.log_adaptation(report(saved.id, 1))
    person = Sitting(qtbot, strategy="frozen")
    qtbot.addWidget(person.window)
    person.opens(folder)
    assert "version 1 stays in the project" in person.said
    panel = person.window.docks["adaptation"].widget()
    assert isinstance(panel, AdaptationPanel)
    assert panel.sentence.text() == "Off: the original model answers"
    person.accepts(*PLACES)
    assert panel.facts["activity"].text() == "Off: the original model answers"
    assert person.state.annotations[-1].weights_version == 0
    person.leaves()
    with Store.open(folder) as store:
        assert store.published() == 1


@pytest.mark.parametrize("damage", ["cut off", "scrambled", "gone", "whole but no weights"])
def test_damaged_weights_are_said_and_the_original_answers(
    person: Sitting, folder: Path, learned: Path, damage: str
) -> None:
    if damage == "cut off":
        learned.write_bytes(learned.read_bytes()[:4])
    elif damage == "scrambled":
        learned.write_bytes(bytes(reversed(learned.read_bytes())))
    elif damage == "gone":
        learned.unlink()
    person.opens(folder)
    person.wait(lambda: "warning" in person.severities)
    assert person.state.adaptation.version == 0
    assert len(person.state.annotations) == 1
    person.previews(*PLACES)
    preview = person.state.preview
    assert preview is not None
    assert preview.weights_version == 0
    person.presses(Key.Key_Return)
    assert len(person.state.annotations) == 2
    if damage == "whole but no weights":
        assert "damaged (version 1). The original is used" in person.said
    else:
        assert "weights of version 1 are damaged or gone; going on with the original model" in person.said


# --- damaged entries ------------------------------------------------------------------------------------------------------


def test_a_damaged_entry_is_named_when_the_project_is_opened_and_when_it_is_exported(
    at_work: Sitting, tmp_path: Path, qtbot: QtBot
) -> None:
    made = images(tmp_path / "other")
    finished_project(made, qtbot, objects=2)
    with closing(sqlite3.connect(database(made))) as db, db:
        db.execute("UPDATE annotations SET window = '[0, 0, 512' WHERE id = 1")
    at_work.window.folder_chosen.emit(made)
    at_work.wait(lambda: at_work.state.folder == made and at_work.state.image is not None)
    at_work.wait(lambda: "object 1: window" in at_work.said)  # records are read in steps
    assert [a.id for a in at_work.state.annotations] == [2]
    exported(at_work.controller, "coco", tmp_path / "out")
    assert at_work.state.message is not None
    assert at_work.state.message.severity == "warning"
    assert "object 1: window" in at_work.state.message.text
    at_work.accepts(*PLACES)
