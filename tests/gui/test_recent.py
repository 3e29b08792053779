"""What the window remembers never stops its start, however damaged the file is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QByteArray
from pytestqt.qtbot import QtBot

from samtta_app.gui import recent
from samtta_app.gui.main_window import MainWindow
from samtta_app.settings import Settings
from tests.gui.scenes import WORDS, Recorder, scene
from tests.unit.no_files import NO_FILES, file_state, put_what_is_no_file

DAMAGED = (
    b"\x00\x01\x02" * 100,
    b"[General\nrecent=",
    b"[General]\nrecent=@Variant(\\0\\0\\0\\x7f\\0\\0\\0\\x1fQWidget\\0)\ngeometry=@ByteArray(\\xff\\xff)\n",
    b"[General]\nrecent=@Invalid()\ngeometry=7\ndocks=@ByteArray()\n",
    b"[General]\nrecent=" + b"x" * 5000 + b", a\\x0" + b"b, /\ngeometry=@Rect(1 2 3 4)\n",
    b"[General]\nrecent=@Variant(\\0\\0\\0\\b\\0\\0\\0\\x1)\ndocks=@Variant(\\0\\0\\0\\x50)\n",
    "[General]\ngeometry=@ByteArray(\x01Ù\xd0\xcb)\n".encode("latin-1"),
)


@pytest.mark.qt_log_ignore(
    "QVariant::load: unknown user type", "an invalid type", extend=True
)  # Qt says so, and goes on
@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_memory_opens_the_window_all_the_same(qtbot: QtBot, samtta_home: Path, content: bytes):
    (samtta_home / "window.ini").write_bytes(content)
    window = MainWindow(Recorder(scene()), settings=Settings(theme="light"), strategies=WORDS)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.show()
    assert all(isinstance(folder, Path) for folder in recent.folders())
    window.close()


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_in_its_place_is_left_alone_and_waits_for_nobody(samtta_home: Path, kind: str):
    path = samtta_home / "window.ini"
    put_what_is_no_file(path, kind)
    before = file_state(path)
    assert recent.folders() == []
    assert recent.stored_layout("geometry") is None
    recent.store_layout("geometry", QByteArray(b"x"))
    recent.remember_folder(samtta_home)
    assert file_state(path) == before


@given(content=st.binary(max_size=300))
def test_no_content_raises(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    home = tmp_path_factory.mktemp("home")
    (home / "window.ini").write_bytes(b"[General]\nrecent=" + content)
    patch = pytest.MonkeyPatch()
    with patch.context() as at:
        at.setenv("SAMTTA_HOME", str(home))
        assert isinstance(recent.folders(), list)
        recent.stored_layout("recent")


def test_two_names_of_one_folder_are_one(tmp_path: Path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    recent.remember_folder(real)
    recent.remember_folder(link)
    assert recent.folders() == [link]
    assert recent.same_folder(real, link)
    assert not recent.same_folder(real, tmp_path)
    assert not recent.same_folder(real, tmp_path / "gone")


def test_folders_that_may_not_be_looked_at_are_passed_over(tmp_path: Path):
    recent.store_layout("recent", [str(tmp_path / ("x" * 5000)), "a\0b", str(tmp_path)])
    assert recent.folders() == [tmp_path]
