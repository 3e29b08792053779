"""Every text that a user sees goes through the translation, and the German catalogue knows it."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import get_args
from xml.etree import ElementTree

import numpy as np
import pyqtgraph as pg
import PySide6
import pytest
from PIL import Image
from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    Qt,
    QTranslator,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListWidget,
    QMenu,
    QPlainTextEdit,
    QSpinBox,
    QTabBar,
    QTextBrowser,
    QWidget,
)

import samtta_app
from samtta_app import errors
from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.checkpoints.model_files import model_rows, size_words
from samtta_app.core.planes import AXIS_TITLES, ReadingChoice
from samtta_app.core.replies import TwinReport
from samtta_app.errors import ImageError, SettingsError
from samtta_app.formats import FORMATS
from samtta_app.formats.importers import IMPORTERS
from samtta_app.gui.actions.action_table import ACTION_TABLE, GESTURES
from samtta_app.gui.canvas.captions import comparison_words, words_without_image
from samtta_app.gui.dialogs.agreement_dialog import AGREEMENT_HEADS, AgreementDialog
from samtta_app.gui.dialogs.crash_report import SAVED, CrashReport
from samtta_app.gui.dialogs.help_window import HelpWindow
from samtta_app.gui.dialogs.settings_dialog import SettingsDialog
from samtta_app.gui.exporting import figures_task
from samtta_app.gui.main_window import MainWindow
from samtta_app.gui.panels.colour_bar import MAP_WORDS, ColourBar
from samtta_app.gui.panels.review_panel import DEED_WORDS, REASON_WORDS, ReviewPanel
from samtta_app.gui.panels.status import TOOL_HINTS, hint
from samtta_app.gui.widgets.translation import install_translators, translated
from samtta_app.phrases import Phrase
from samtta_app.session import acts
from samtta_app.session.acts import ACT_NAMES
from samtta_app.session.project.store import Store
from samtta_app.session.review_list import ClassAgreement, ObjectAct, ReviewItem, ReviewList, ReviewReason
from samtta_app.session.state import Display, Overlay, Rating
from samtta_app.session.statistics.statistics_page import SIDE_HEADS
from samtta_app.session.workflow.judging import SOURCE_WORDS
from samtta_app.settings import Settings, StrategyName, resource, setting_fields, valid_keys
from tests.gui.scenes import WORDS, Recorder, annotation, disc, no_objects, picture, preview, scene
from tests.gui.test_reachable import DIALOGS
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted

PACKAGE = Path(samtta_app.__file__).parent
SOURCE = resource("translations/samtta_de.ts")
PLACE = re.compile(r"\{[^{}]*\}")
FILE = re.compile(r"\.png$|\.png\n|/|\[\*\]|\.safetensors$")
MODEL_TITLES = {part for row in model_rows() for part in (row.title, row.licence, size_words(row.size))}
ENGLISH = ("cli", "bench", "train", "simulation", "datasets", "parallel")
"""Rooms whose texts stay English: they speak on the command line."""

ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.UserError)}
MARKED = re.compile(r"⟦[^⟦⟧]*⟧")


class Marker(QTranslator):
    """Translates every text into itself between brackets, and remembers which were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str:
        if context == "samtta":
            self.asked.add(source)
        return f"⟦{source}⟧"


@pytest.fixture
def marker(qapp) -> Iterator[Marker]:
    made = Marker()
    QCoreApplication.installTranslator(made)
    yield made
    QCoreApplication.removeTranslator(made)


def model_texts(model: QAbstractItemModel | None) -> Iterator[str]:
    roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
    if model is None:
        return
    for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())):
        for role in roles:
            yield model.headerData(column, Qt.Orientation.Horizontal, role)
            for row in range(min(model.rowCount(QModelIndex()), 200)):
                yield model.index(row, column).data(role)


def menu_texts(menu: QMenu) -> Iterator[str]:
    for action in menu.actions():
        yield from (action.text(), action.toolTip(), action.iconText())
        if action.menu() is not None:
            yield from menu_texts(action.menu())


def own_texts(widget: QWidget) -> Iterator[str]:
    yield from (widget.windowTitle(), widget.toolTip(), widget.accessibleName(), widget.accessibleDescription())
    if isinstance(widget, (QLabel, QAbstractButton)):
        yield widget.text()
    if isinstance(widget, (QLineEdit, QPlainTextEdit)):
        yield widget.placeholderText()
    if isinstance(widget, QComboBox):
        yield from model_texts(widget.model())
    if isinstance(widget, (QSpinBox, QDoubleSpinBox)):
        yield from (widget.prefix(), widget.suffix())
    if isinstance(widget, QAbstractSpinBox):
        yield widget.specialValueText()
    if isinstance(widget, QTabBar):
        for tab in range(widget.count()):
            yield from (widget.tabText(tab), widget.tabToolTip(tab))
    if isinstance(widget, QAbstractItemView) and not isinstance(widget, QHeaderView):
        yield from model_texts(widget.model())
    if isinstance(widget, QMenu):
        yield widget.title()
        yield from menu_texts(widget)
    if isinstance(widget, pg.PlotWidget):
        yield from (widget.getAxis(side).labelText for side in ("left", "bottom"))


def of_help(widget: QWidget) -> bool:
    """Whether it lists the pages of help, which stay English."""
    return isinstance(widget, QListWidget) and isinstance(widget.window(), HelpWindow)


def visible_texts(root: QWidget) -> Iterator[tuple[str, str]]:
    """Every text of a window and what lies in it, with where it stands."""
    for widget in (root, *root.findChildren(QWidget)):
        if isinstance(widget.parentWidget(), QTextBrowser):
            continue
        for text in own_texts(widget):
            if text and not of_help(widget):
                yield text, f"{type(widget.parentWidget()).__name__} / {type(widget).__name__}"


def unmarked(text: str) -> str:
    """What of a text is no translated template."""
    while (less := MARKED.sub("", text)) != text:
        text = less
    return text


@pytest.fixture
def window(marker, qapp, qtbot, tmp_path: Path) -> MainWindow:
    controller = Recorder(scene(tmp_path, selected=1))
    controller.store = SimpleNamespace(folder=tmp_path, reading=ReadingChoice(), reader=lambda: no_objects)
    made = MainWindow(controller, settings=Settings(theme="light"), strategies=WORDS)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    return made


NAMES = {
    "samtta": "the program", "toy on cpu": "the model says it", "dishes": "a folder", "cell": "a class", "debris": "a class",
    "nucleus": "a class", "object": "a class", "project": "a folder", "auto": "a device", "px": "a unit",
    **dict.fromkeys(get_args(StrategyName), "a strategy"),
    "Segment Anything": "the model's name",
}  # fmt: skip
"""What is no text of the program, and why."""

OF_THE_SCENE = {
    "Kept: no worse on 6 objects", "Learning helps: 4.2 clicks per object over the last 20, 6.9 without it",
    "The file is truncated", *WORDS.values(),
}  # fmt: skip
"""Texts that the tests made up."""


def untranslated(root: QWidget) -> list[str]:
    """The texts of a window that are neither translated, nor a name, a file, a key or a number."""
    found = []
    for text, place in visible_texts(root):
        left = unmarked(str(text))
        parts = [left] if valid_keys(left) else [part.strip(" :.;,–()") for part in re.split(r"\n|  ", left)]
        if not all(
            part in NAMES or part in MODEL_TITLES or valid_keys(part) or FILE.search(part) or not worded(part)
            for part in parts
        ):
            found.append(f"{place}: {text!r}")
    return found


def test_everything_that_is_seen_is_translated(window: MainWindow, marker: Marker):
    assert untranslated(window) == []
    window.show_state(scene(preview=preview(picture(), [disc(60, 50, 18), disc(40, 40, 9)])))
    for dock in window.docks.values():
        dock.show()
        dock.raise_()
        QApplication.processEvents()
    assert untranslated(window) == []
    window.dialogs.show("crash", CrashReport(window, "Traceback", SAVED))
    found = {}
    for name in ("crash", *DIALOGS):
        if name != "crash":
            window.open_dialog(name)
        QApplication.processEvents()
        if lost := untranslated(window.dialogs[name]):
            found[name] = lost
    assert found == {}
    asked = {text for text in marker.asked if worded(text)} - OF_THE_SCENE - NAMES.keys() - MODEL_TITLES
    assert (
        sorted(text for text in asked if text not in german() and not MARKED.search(text) and not FILE.search(text))
        == []
    )


def test_the_start_page_is_translated(marker: Marker, qtbot):
    made = MainWindow(None, settings=Settings(theme="light"), strategies=WORDS)
    qtbot.addWidget(made)
    made.show()
    assert untranslated(made) == []


def shown_texts(marker: Marker, *texts: str) -> list[str]:
    """Templates that are not in the German catalogue, of finished texts as the window would say them."""
    for text in texts:
        assert unmarked(translated(text)).strip(" :.;,()0123456789%") in ("", *NAMES), text
    return sorted(text for text in marker.asked if worded(text) and text not in german())


def test_each_hint_of_the_status_bar_is_translated(marker: Marker, tmp_path: Path):
    image = picture()
    answered = preview(image, [disc(60, 50, 18), disc(40, 40, 9)])
    states = [
        None,
        scene(index=4),
        scene(image=None),
        scene(read_only=True),
        scene(selected=1),
        scene(selected=None),
        scene(preview=answered),
        scene(preview=preview(image, [disc(60, 50, 18)])),
        scene(preview=preview(image, [])),
        scene(preview=preview(image, [], waiting=True)),
        scene(preview=replace(answered, edits=1)),
        scene(rating=Rating(1, (2,), 3)),
        scene(selected=1, review=ReviewList((ReviewItem(scene().images[0].name, 1, "outline", 0.7, "cell"),), 1, 1, 0)),
        scene(
            selected=1,
            review=ReviewList((ReviewItem(scene().images[0].name, 1, "differs", 0.7, "cell"),), 1, 1, 0, "ben"),
        ),
        scene(waiting=(acts.Undo(), acts.Redo())),
        *(scene(display=Display(tool=tool)) for tool in TOOL_HINTS),
    ]
    assert shown_texts(marker, *(hint(state) for state in states)) == []


def test_what_a_key_of_the_settings_must_be_is_translated(marker: Marker):
    with pytest.raises(SettingsError) as refused:
        Settings(keys={"accept": "Retrun"})
    assert shown_texts(marker, str(refused.value)) == []


@pytest.mark.parametrize("kind", MAP_WORDS)
def test_each_map_has_its_key_translated(marker: Marker, qtbot, kind: str):
    image = picture()
    values = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    bar = ColourBar(Recorder(scene()))
    qtbot.addWidget(bar)
    for overlay in (Overlay(kind, image.whole, values), Overlay(kind, None, None, "The click lies outside the image")):
        bar._name(overlay)
        assert untranslated(bar) == []
    assert shown_texts(marker) == []


def test_the_words_on_the_canvas_are_translated(marker: Marker):
    image, compared = picture(), Display(compare=True)
    found = preview(image, [disc(60, 50, 18)])
    states = [
        scene(display=compared),
        scene(display=compared, preview=found),
        scene(display=compared, preview=replace(found, frozen=found.candidates[0])),
        scene(image=None, index=-1),
        scene(image=None, index=0),
        scene(image=None, index=4),
    ]
    said = {*(part for state in states for part in (*comparison_words(state), *words_without_image(state)) if part)}
    said = {part for part in said if part not in OF_THE_SCENE}
    assert len(said) >= 8
    for text in said:
        assert translated(text).startswith("⟦")
    assert sorted(text for text in marker.asked if worded(text) and text not in german()) == []


@pytest.mark.parametrize("other", ["", "ben"])
def test_the_queue_of_reviews_is_translated(marker: Marker, qtbot, other: str):
    agreement = (ClassAgreement("", 4, 0.845, 1, 2, 1), ClassAgreement("cell", 4, np.nan, 1, 0, 1)) if other else ()
    theirs = annotation(9, disc(30, 30, 12), picture()) if other else None
    items = tuple(
        ReviewItem("a.png", 1, reason, value, "cell", theirs, "nucleus")
        for reason, value in zip(get_args(ReviewReason), [0.5, np.nan] * 4, strict=True)
    )
    deeds = (ObjectAct("reviewed", "ben", "2026-11-28"), ObjectAct("note", "", "2026-11-28"))
    queue = ReviewList(items, 8, 9, 0, 1, other, agreement, deeds)
    panel = ReviewPanel(Recorder(scene()))
    qtbot.addWidget(panel)
    states = [scene(review=queue), scene(review=ReviewList(other=other)), scene(rating=Rating(1, (2,), 3))]
    for state in states:
        panel.show_state(state)
        assert [text for text in untranslated(panel) if "2026" not in unmarked(text)] == []
    dialog = AgreementDialog(panel, Recorder(states[0]))
    qtbot.addWidget(dialog)
    assert untranslated(dialog) == []
    assert shown_texts(marker) == []


def test_the_menus_of_classes_and_objects_are_translated(window: MainWindow, marker: Marker):
    openers = window._views.menus._openers
    classes, objects, images = (openers[name][1].__self__ for name in ("class", "object", "image"))
    made = [classes.menu_of(window._views.panels["classes"].model.index(0)), objects.menu(), images.menu_of(1)]
    for menu in made:
        lost = [
            text for text in menu_texts(menu) if worded(unmarked(text)) and unmarked(text).strip(" ()") not in NAMES
        ]
        assert [text for text in lost if not valid_keys(unmarked(text).strip(" ()"))] == []
        menu.deleteLater()


def test_every_name_of_an_act_and_of_a_way_to_learn_is_in_the_catalogue():
    texts = [*ACT_NAMES.values(), *STRATEGY_WORDS.values(), *SOURCE_WORDS.values(), *AXIS_TITLES.values()]
    texts += [text for row in ACTION_TABLE for text in (row.text, row.short, f"&{row.menu}") if text]
    texts += [text for gesture in GESTURES for text in gesture]
    texts += [text for row in FORMATS.values() for text in (row.title, *row.lost)]
    texts += [row.title for row in IMPORTERS.values()]
    texts += [*REASON_WORDS.values(), *DEED_WORDS.values(), *(text for head in AGREEMENT_HEADS for text in head)]
    texts += [entry.expected for entry in setting_fields() if not isinstance(entry.expected, Phrase)]
    known = german()
    assert sorted({text for text in texts if text not in known}) == []


def test_every_message_of_the_workflow_is_in_the_catalogue():
    """What `say` is given: a constant of its module, or a text as it stands."""
    known, lost = german(), []
    for path in sorted((PACKAGE / "session" / "workflow").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in ast.walk(tree):
            is_say = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "say"
            if is_say and len(call.args) > 1:
                said = call.args[1]
                assert not isinstance(said, ast.JoinedStr), f"{path.name}:{call.lineno}: glued"
                said = named.get(said.id, said) if isinstance(said, ast.Name) else said
                lost += [text for text in constants(said) if text not in known]
    assert lost == []


def test_no_error_is_glued():
    """The texts of errors are constants or phrases, for all that the window can show."""
    glued = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] in (*ENGLISH, "api.py"):
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ERRORS:
                texts = [*call.args[:1], *call.args[2:], *(word.value for word in call.keywords)]
                glued += [f"{path.name}:{call.lineno}" for text in texts if isinstance(text, ast.JoinedStr)]
    assert glued == []


def test_every_text_of_an_error_is_in_the_catalogue():
    known, lost = german(), set()
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] in (*ENGLISH, "api.py") or path.name == "desk_parts.py":
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ERRORS:
                texts = [*call.args[:1], *call.args[2:], *(word.value for word in call.keywords if word.arg == "do")]
                lost |= {text for each in texts for text in constants(each) if worded(text) and text not in known}
    assert sorted(lost) == []


@pytest.fixture
def in_german(qapp) -> Iterator[None]:
    owner = QObject()
    install_translators(owner, "de")
    yield
    for translator in owner.findChildren(QTranslator):
        QCoreApplication.removeTranslator(translator)


class PageTexts(HTMLParser):
    """The words of an HTML page, and the language that it names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.language = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.language = dict(attrs).get("lang") or self.language

    def handle_data(self, data: str) -> None:
        if self.lasttag != "style" and worded(data):
            self.texts.append(data)


def exported_page(folder: Path, out: Path) -> PageTexts:
    """The page of statistics, as the window's export writes it."""
    figures_task(lambda: Store.open(folder), out)(lambda share, words: None)
    return PageTexts((out / "statistics.html").read_text("utf-8"))


@pytest.fixture
def annotated(tmp_path: Path) -> Path:
    """A project of one object that was compared."""
    (tmp_path / "images").mkdir()
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "images" / "a.png")
    with Store.open(tmp_path / "images") as store:
        saved = store.accept(accepted(), WIDTH, HEIGHT)
        store.log_twin(TwinReport(0, saved.id, 1, (0.5, 0.95), (0.95,), 0.1))
    return tmp_path / "images"


def test_every_word_of_the_exported_page_of_statistics_is_translated(marker: Marker, annotated: Path):
    page = exported_page(annotated, annotated.parent / "out")
    assert page.language == "⟦en-GB⟧"
    assert [text for text in page.texts if worded(unmarked(text)) and text not in {*NAMES, *SIDE_HEADS, "images"}] == []
    assert len(page.texts) > 40
    assert sorted(text for text in marker.asked if worded(text) and text not in german()) == []


def test_the_page_of_statistics_takes_the_place_of_one_in_another_language(in_german: None, annotated: Path):
    out = annotated.parent / "out"
    out.mkdir()
    (out / "statistics.html").write_text("<html><head><title>samtta: statistics</title></head></html>", "utf-8")
    for _ in range(2):
        page = exported_page(annotated, out)
    assert page.language == "de-DE"
    assert {"samtta: Statistik", "Je Klasse", "ohne Lernen"} <= {*page.texts}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("There is nothing to undo", "Es gibt nichts zurückzunehmen"),
        (Phrase("{number} files", number=3), "3 Dateien"),
        (Phrase("1 file"), "1 Datei"),
        (
            Phrase("{done}: {number} in {folder}", done=Phrase("Exported"), number=Phrase("1 file"), folder="/out"),
            "Exportiert: 1 Datei in /out",
        ),
        (
            Phrase("Waiting for the mask, then: {acts}", acts=acts.in_words((acts.Undo(), acts.Redo()))),
            "Wartet auf die Maske, dann: zurücknehmen, wiederholen",
        ),
        (
            Phrase("{stage} {share:.0%}", stage=Phrase("encoding"), share=0.25),
            "Kodieren 25%",
        ),
        (
            str(ImageError("The image file is empty", "a.png", "Rename it")),
            "Die Bilddatei ist leer (a.png). Umbenennen.",
        ),
        (
            str(SettingsError(Phrase("The setting {name} is not valid", name="theme"), do="Correct it")),
            "Die Einstellung theme ist ungültig. Berichtigen.",
        ),
        (
            Phrase.joined("; ", ["alternative outlines", "attributes and comments"]),
            "alternative Umrisse; Attribute und Kommentare",
        ),
        ("cells {1}.png", "cells {1}.png"),
        ("no text of the program \udcff", "no text of the program \udcff"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_message_is_said_in_german_as_a_whole(in_german: None, text: str, said: str):
    assert translated(text) == said


def test_a_text_that_is_not_translated_is_found(marker: Marker, qtbot):
    label = QLabel("Nobody translated this")
    qtbot.addWidget(label)
    assert [line.partition(": ")[2] for line in untranslated(label)] == ["'Nobody translated this'"]


def german() -> dict[str, str]:
    """The German catalogue: template -> translation."""
    root = ElementTree.parse(SOURCE).getroot()
    return {m.findtext("source", ""): m.findtext("translation", "") for m in root.iter("message")}


def worded(text: str) -> bool:
    """Whether a template has words beside its values."""
    return re.search(r"[^\W\d_]{2,}", PLACE.sub("", text)) is not None


def templates() -> Iterator[str]:
    """The constant templates in the code, as far as the window shows them."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] in ENGLISH:
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
            if named in ("Phrase", "translated") and call.args:
                yield from constants(call.args[0])


def constants(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)


def test_the_german_catalogue_has_every_template():
    known = german()
    assert sorted({text for text in templates() if worded(text) and text not in known}) == []


def test_no_translation_is_empty_or_loses_a_value():
    for source, translation in german().items():
        assert translation.strip() or not source.strip(), source
        assert sorted(PLACE.findall(source)) == sorted(PLACE.findall(translation)), source
        assert source.endswith("…") == translation.endswith("…"), source


def test_qt_reads_what_was_made_of_the_source(tmp_path: Path):
    made = tmp_path / "made.qm"
    tool = next(Path(PySide6.__file__).parent.glob("lrelease*"))
    subprocess.run([tool, "-silent", SOURCE, "-qm", made], check=True, timeout=120)
    assert made.read_bytes() == SOURCE.with_suffix(".qm").read_bytes()


def test_the_window_speaks_german(qapp, qtbot):
    made = QObject()
    install_translators(made, "de")
    try:
        window = MainWindow(None, settings=Settings(theme="light"), strategies=WORDS)
        qtbot.addWidget(window)
        assert window.actions_made["open"].text() == "Ordner öffnen…"
        assert [action.text() for action in window.menuBar().actions()][:2] == ["&Datei", "&Bearbeiten"]
        error = SettingsError(Phrase("The setting {name} is not valid", name="theme"), do="Correct it")
        assert translated(str(error)) == "Die Einstellung theme ist ungültig. Berichtigen."
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        assert box.buttons()[0].text().replace("&", "") == "Abbrechen"
    finally:
        for translator in made.findChildren(QTranslator):
            QCoreApplication.removeTranslator(translator)


def test_english_needs_no_catalogue(qapp):
    made = QObject()
    install_translators(made, "en")
    assert translated("{done} of {number} annotated", done=1, number=2) == "1 of 2 annotated"
    for translator in made.findChildren(QTranslator):
        QCoreApplication.removeTranslator(translator)


def test_the_language_is_chosen_in_the_settings(qapp, qtbot):
    dialog = SettingsDialog(None, Settings(), WORDS)  # type: ignore[arg-type]
    qtbot.addWidget(dialog)
    field = dialog.fields["language"]
    assert isinstance(field, QComboBox)
    assert [field.itemText(k) for k in range(field.count())] == ["As the system", "English", "Deutsch"]
    with qtbot.waitSignal(dialog.chosen) as signal:
        field.setCurrentIndex(2)
    assert signal.args == [Settings(language="de")]


def test_another_language_takes_the_place_of_the_one_before(qapp):
    owner, texts, numbers = QObject(), [], set()
    for language in ("de", "en", "de", "de", "en"):
        install_translators(owner, language)
        texts.append(translated("Settings"))
        numbers.add(len(owner.findChildren(QTranslator)))
    assert texts == ["Einstellungen", "Settings", "Einstellungen", "Einstellungen", "Settings"]
    assert numbers == {2}
