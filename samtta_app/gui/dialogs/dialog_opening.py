"""How each dialog of the window is made, by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from PySide6.QtWidgets import QWidget

from samtta_app.errors import UserError
from samtta_app.gui.actions.action_set import ActionSet
from samtta_app.gui.controller import Controller
from samtta_app.gui.dialogs.agreement_dialog import AgreementDialog
from samtta_app.gui.dialogs.boxes_choosing import BoxesChooser
from samtta_app.gui.dialogs.dialogs import FIGURES, ExportDialog
from samtta_app.gui.dialogs.display_dialog import DisplayDialog
from samtta_app.gui.dialogs.help_window import HelpWindow, licence_page
from samtta_app.gui.dialogs.import_dialog import ImportDialog
from samtta_app.gui.dialogs.models_page import ModelsPage
from samtta_app.gui.dialogs.open_dialogs import OpenDialogs
from samtta_app.gui.dialogs.planes_dialog import PlanesDialog
from samtta_app.gui.dialogs.project_comparing import ProjectComparer
from samtta_app.gui.dialogs.reading_dialogs import AboutDialog, ShortcutsDialog
from samtta_app.gui.dialogs.settings_dialog import SettingsDialog
from samtta_app.gui.dialogs.statistics_dialog import StatisticsDialog
from samtta_app.gui.opening import ask_images
from samtta_app.settings import Settings, with_changes


class DialogHost(Protocol):
    """What dialogs need of the window."""

    settings: Settings
    dialogs: OpenDialogs
    models: ModelsPage
    actions_made: ActionSet
    strategies: Mapping[str, str]

    @property
    def controller(self) -> Controller:
        """The project's controller; RuntimeError where no project is open."""

    @property
    def model_words(self) -> str:
        """Which model runs on which device, "" where no project is open."""

    def use(self, settings: Settings) -> None:
        """Take other settings and save the changes."""

    def report(self, error: UserError) -> None:
        """Say what failed."""


class DialogOpener:
    """Makes the dialogs that actions ask for.

    Args:
        window: their parent.
        host: the same window, as what they need of it.
    """

    def __init__(self, window: QWidget, host: DialogHost) -> None:
        self._window, self._host = window, host
        self._makers: dict[str, Callable[[], None]] = {
            "export": self._export,
            "import": self._import,
            "planes": self._planes,
            "find_images": self._find_images,
            "statistics": self._statistics,
            "agreement": lambda: host.dialogs.show("agreement", AgreementDialog(window, host.controller)),
            "compare_project": lambda: ProjectComparer(window, host.controller, host.report).choose(),
            "boxes": lambda: BoxesChooser(window, host.controller, host.report).choose(),
            "settings": self._settings,
            "models": host.models.open,
            "display": lambda: host.dialogs.show("display", DisplayDialog(window, host.controller)),
            "help": lambda: host.dialogs.show("help", HelpWindow(window)),
            "shortcuts": lambda: host.dialogs.show("shortcuts", ShortcutsDialog(window, host.actions_made.keys)),
            "about": self._about,
        }

    def open(self, name: str) -> None:
        """Open the dialog of this name, in place of an open one of its kind.

        Raises:
            KeyError: there is no such dialog.
        """
        self._makers[name]()

    def _about(self) -> None:
        dialog = AboutDialog(self._window, self._host.model_words)
        dialog.licences_wanted.connect(self._licences)
        self._host.dialogs.show("about", dialog)

    def _licences(self) -> None:
        guide = HelpWindow(self._window)
        self._host.dialogs.show("help", guide)
        guide.turn_to(licence_page())

    def _export(self, chosen: str = "") -> None:
        """Open the dialog of exports; `chosen` is the format that it shows first, "" for its own."""
        dialog = ExportDialog(self._window, self._host.controller)
        dialog.format.setCurrentIndex(max(dialog.format.findData(chosen), 0))
        dialog.failed.connect(self._host.report)
        self._host.dialogs.show("export", dialog)

    def _statistics(self) -> None:
        dialog = StatisticsDialog(self._window, self._host.controller.store.reader())
        dialog.export_wanted.connect(partial(self._export, FIGURES))
        self._host.dialogs.show("statistics", dialog)

    def _import(self) -> None:
        self._host.dialogs.show("import", ImportDialog(self._window, self._host.controller, self._host.report))

    def _planes(self) -> None:
        dialog = PlanesDialog(self._window, self._host.controller)
        dialog.failed.connect(self._host.report)
        self._host.dialogs.show("planes", dialog)

    def _find_images(self) -> None:
        """Ask where the project's images are now, and take them from there."""
        found = ask_images(self._window, self._host.controller.state.folder)
        if found is not None:
            try:
                self._host.controller.map_images(found)
            except UserError as error:
                self._host.report(error)

    def _settings(self) -> None:
        host = self._host
        dialog, seen = SettingsDialog(self._window, host.settings, host.strategies), [host.settings]

        def use(chosen: Settings) -> None:
            """What was changed elsewhere meanwhile, by a key or a slider, stays."""
            before, seen[:] = seen[0], [chosen]
            host.use(with_changes(host.settings, before, chosen))

        dialog.chosen.connect(use)
        host.dialogs.show("settings", dialog)
