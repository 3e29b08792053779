"""The guide in its window: pages, links, words that are looked for, and both themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from samtta_app.gui.dialogs import help_window
from samtta_app.gui.dialogs.help_window import HelpWindow, help_pages, page_title
from samtta_app.gui.widgets import theme

PAGES = help_pages()


@pytest.fixture
def parent(qapp, qtbot) -> QWidget:
    theme.choose(qapp, "light")
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def guide(parent: QWidget) -> HelpWindow:
    made = HelpWindow(parent)
    made.show()
    return made


def shown(guide: HelpWindow) -> Path:
    return Path(guide.page.source().toLocalFile())


def row_of(name: str) -> int:
    return [page.stem for page in PAGES].index(name)


def test_every_page_is_in_the_list_by_its_title(guide: HelpWindow):
    assert [guide.list.item(row).text() for row in range(guide.list.count())] == [page_title(page) for page in PAGES]


def test_the_text_of_a_licence_keeps_its_lines_and_a_click_on_the_list_leads_back(guide: HelpWindow, tmp_path: Path):
    text = tmp_path / "lgpl.txt"
    text.write_text("A LICENCE\n  Version 3\n<b>&</b>", encoding="utf-8")
    guide.page.setSource(QUrl.fromLocalFile(str(text)))
    assert guide.page.toPlainText() == "A LICENCE\n  Version 3\n<b>&</b>"
    first = guide.list.visualItemRect(guide.list.item(0)).center()
    QTest.mouseClick(guide.list.viewport(), Qt.MouseButton.LeftButton, pos=first)
    assert shown(guide) == PAGES[0]


def test_it_opens_on_the_first_page_ready_to_be_read(guide: HelpWindow):
    assert shown(guide) == PAGES[0]
    assert "click an object" in guide.page.toPlainText()
    assert not guide.page.toPlainText().startswith("#"), "Markdown is shown, not its source"


@pytest.mark.parametrize("row", range(len(PAGES)), ids=[page.stem for page in PAGES])
def test_a_chosen_page_is_shown_from_its_top(guide: HelpWindow, row: int):
    guide.list.setCurrentRow(row)
    assert shown(guide) == PAGES[row]
    assert guide.page.toPlainText().startswith(page_title(PAGES[row]))
    assert guide.page.verticalScrollBar().value() == 0


def test_a_link_leads_to_its_page_and_the_list_follows(guide: HelpWindow):
    guide.page.setSource(guide.page.source().resolved(QUrl("04-learning.md")))
    assert guide.list.currentRow() == row_of("04-learning")
    assert guide.page.toPlainText().startswith("Learning")


def test_going_back_leads_to_the_page_before(guide: HelpWindow):
    guide.list.setCurrentRow(row_of("09-models"))
    guide.page.backward()
    assert guide.list.currentRow() == 0
    assert shown(guide) == PAGES[0]


def test_a_word_is_found_on_whichever_page_it_stands(guide: HelpWindow):
    guide.field.setText("apostrophe")
    assert shown(guide).stem == "07-exports"
    assert guide.page.textCursor().selectedText().casefold() == "apostrophe"
    assert guide.answer.text() == f"On 1 of {len(PAGES)} pages"


def test_pages_without_the_word_are_grey(guide: HelpWindow):
    guide.field.setText("apostrophe")
    enabled = [bool(guide.list.item(row).flags() & Qt.ItemFlag.ItemIsEnabled) for row in range(len(PAGES))]
    assert enabled == [page.stem == "07-exports" for page in PAGES]
    guide.field.clear()
    assert all(guide.list.item(row).flags() & Qt.ItemFlag.ItemIsEnabled for row in range(len(PAGES)))


def test_enter_goes_through_all_places_and_comes_round(guide: HelpWindow):
    guide.field.setText("decoder")
    first = shown(guide), guide.page.textCursor().position()
    pages = {first[0]}
    for _ in range(200):
        QTest.keyClick(guide.field, Qt.Key.Key_Return)
        pages.add(shown(guide))
        if (shown(guide), guide.page.textCursor().position()) == first:
            break
    else:
        raise AssertionError("the search did not come round")
    assert len(pages) > 2


def test_enter_in_the_field_does_not_close_the_window(guide: HelpWindow):
    guide.field.setFocus()
    QTest.keyClick(guide.field, Qt.Key.Key_Return)
    assert guide.isVisible()


def test_what_stands_nowhere_is_said(guide: HelpWindow):
    guide.field.setText("xylophone")
    assert guide.answer.text() == f"On 0 of {len(PAGES)} pages"
    assert not guide.find_next()


def test_nothing_is_looked_for_without_a_word(guide: HelpWindow):
    guide.field.setText("  ")
    assert guide.answer.text() == ""
    assert not guide.find_next()


def test_escape_closes_the_guide(guide: HelpWindow):
    QTest.keyClick(guide, Qt.Key.Key_Escape)
    assert not guide.isVisible()


@pytest.mark.parametrize("name", ["light", "dark"])
def test_text_and_links_can_be_read_in_both_themes(qapp, guide: HelpWindow, name: str):
    palette = theme.choose(qapp, name)
    assert guide.page.palette().color(QPalette.ColorRole.Text).name() == palette.text
    assert link_colour(guide) == palette.accent


def test_a_page_keeps_its_links_readable_when_the_theme_changes(qapp, guide: HelpWindow):
    for name in ("dark", "light", "dark"):
        palette = theme.choose(qapp, name)
        assert link_colour(guide) == palette.accent
        assert shown(guide) == PAGES[0]


def link_colour(guide: HelpWindow) -> str:
    """The colour of the page's first link."""
    block = guide.page.document().begin()
    while block.isValid():
        pieces = block.begin()
        while not pieces.atEnd():
            form = pieces.fragment().charFormat()
            if form.isAnchor():
                return form.foreground().color().name()
            pieces += 1
        block = block.next()
    raise AssertionError("the page has no link")


def test_a_page_without_a_heading_goes_by_its_name(tmp_path: Path):
    page = tmp_path / "11-notes.md"
    page.write_text("nothing but words\n", encoding="utf-8")
    assert page_title(page) == "11-notes"


def test_pages_are_found_where_the_package_has_its_resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(help_window, "resource", lambda name: tmp_path / name)
    (tmp_path / "help").mkdir()
    for name in ("02-b.md", "01-a.md", "notes.txt"):
        (tmp_path / "help" / name).touch()
    assert [page.name for page in help_pages()] == ["01-a.md", "02-b.md"]
