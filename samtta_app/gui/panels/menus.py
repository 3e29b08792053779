"""The menus and fields of one project that keys open, by their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from samtta_app.core.names import displayable
from samtta_app.errors import UserError
from samtta_app.formats.ontology import NamedClass, Ontology, read_ontology, write_ontology
from samtta_app.gui.controller import Controller
from samtta_app.gui.panels.class_menu import ClassMenu
from samtta_app.gui.panels.image_menu import ImageMenu
from samtta_app.gui.panels.object_menu import ObjectMenu
from samtta_app.gui.panels.objects import ObjectsPanel
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session.class_acts import OntologyClass, TakeClasses

READ_TITLE, WRITE_TITLE = "Classes from a file", "Classes into a file"
FILES = "Classes (*.json *.txt);;All files (*)"
TWICE = "These classes stand there more than once, and the first of each counts: {names}"
WRITTEN = "{number} classes written to {path}"


class ProjectMenus:
    """What keys open beside what it is about.

    Args:
        controller: of the project.
        classes: the menu of a class.
        objects: the menu of an object.
        images: the menu of an image.
        panel: the list of objects, with the lines of the note.
    """

    def __init__(
        self, controller: Controller, classes: ClassMenu, objects: ObjectMenu, images: ImageMenu, panel: ObjectsPanel
    ) -> None:
        self._controller, self._panel = controller, panel
        self._openers: dict[str, tuple[str, Callable[[], None]]] = {
            "class": ("classes", classes.open),
            "object": ("objects", objects.open),
            "note": ("objects", self._type_note),
            "image": ("images", images.open),
            "find_image": ("images", images.find),
            "read_classes": ("classes", self._read_classes),
            "write_classes": ("classes", self._write_classes),
        }

    def dock_of(self, name: str) -> str:
        """The dock that must be seen for it."""
        return self._openers[name][0]

    def open(self, name: str) -> None:
        """Open it."""
        self._openers[name][1]()

    def _type_note(self) -> None:
        self._panel.note.attributes.setFocus()
        self._panel.note.attributes.selectAll()

    def _read_classes(self) -> None:
        window = self._panel.window()
        start = str(self._controller.state.folder)
        chosen = QFileDialog.getOpenFileName(window, translated(READ_TITLE), start, translated(FILES))[0]
        if chosen:
            take_ontology(self._controller, Path(chosen))

    def _write_classes(self) -> None:
        window, state = self._panel.window(), self._controller.state
        start = str(state.folder / "classes.json")
        chosen = QFileDialog.getSaveFileName(window, translated(WRITE_TITLE), start, translated(FILES))[0]
        if not chosen:
            return
        named = tuple(NamedClass(c.name, theme.class_colour(c.colour).name(), c.tidy) for c in state.classes)
        try:
            write_ontology(named, Path(chosen))
        except UserError as error:
            self._controller.say("error", str(error))
        else:
            self._controller.say("good", Phrase(WRITTEN, number=len(named), path=displayable(chosen)))


def take_ontology(controller: Controller, path: Path) -> None:
    """Take the classes of a file into the project; what is wrong with the file is said."""
    try:
        found: Ontology = read_ontology(path)
    except UserError as error:
        controller.say("error", str(error))
        return
    given = (OntologyClass(c.name, theme.colour_index(c.colour) if c.colour else None, c.tidy) for c in found.classes)
    controller.do(TakeClasses(tuple(given)))
    if found.twice:
        controller.say("warning", Phrase(TWICE, names=displayable(", ".join(found.twice))))
