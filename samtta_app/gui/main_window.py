"""The window: tools on the left, the canvas in the middle, docks on the right; it passes every state on to its views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMainWindow, QMenu, QToolBar

from samtta_app.errors import SettingsError, UserError
from samtta_app.gui import recent
from samtta_app.gui.actions.action_set import ActionSet
from samtta_app.gui.actions.keyboard import HeldKey, shield
from samtta_app.gui.canvas.canvas import Canvas
from samtta_app.gui.controller import Controller
from samtta_app.gui.dialogs.dialog_opening import DialogOpener
from samtta_app.gui.dialogs.models_page import ModelsPage
from samtta_app.gui.dialogs.open_dialogs import PROJECT_BOUND, OpenDialogs
from samtta_app.gui.opening import place_dropped
from samtta_app.gui.panels.dock import Dock
from samtta_app.gui.panels.docks import LAYOUT, make_docks, show_docks
from samtta_app.gui.panels.message_bar import MessageBar
from samtta_app.gui.panels.stage import Stage
from samtta_app.gui.panels.start import StartPage
from samtta_app.gui.panels.status import StatusBar
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.plain_text import button_text, title_text
from samtta_app.gui.widgets.translation import translated
from samtta_app.session import acts
from samtta_app.session.state import Message, State
from samtta_app.settings import Settings, Theme, save_settings

if TYPE_CHECKING:
    from samtta_app.gui.project_views import ProjectViews

LOADING = "Loading the model…"
"""Stands in the status bar until the model answers."""


class MainWindow(QMainWindow):
    """The window of samtta; without a controller it shows the start page.

    Args:
        controller: the project's controller, None where no project is open.
        settings: the user's settings.
        strategies: what each strategy does, in words, by name.

    Signals:
        folder_chosen(Path): the user wants to open this folder, or the folder of this image.
        samples_wanted: the user wants the sample images.
        settings_changed(Settings): the settings were changed and saved.
        closing: the window is about to close.
    """

    folder_chosen = Signal(Path)
    samples_wanted = Signal()
    settings_changed = Signal(object)
    closing = Signal()
    _held: HeldKey | None = None  # Qt sends events before it is made

    def __init__(self, controller: Controller | None, *, settings: Settings, strategies: Mapping[str, str]) -> None:
        super().__init__()
        self.settings, self.strategies = settings, strategies
        self._controller: Controller | None = None
        self._views: ProjectViews | None = None
        self.docks: dict[str, Dock] = {}
        self.dialogs = OpenDialogs(self)
        self.models = ModelsPage(self, self.dialogs, lambda: self.settings, self.use, self.show_message)
        self._opener = DialogOpener(self, self)
        self.closing.connect(self.models.close)
        self._dress()
        self.messages = MessageBar()
        self.stage = Stage(self.messages)
        self.setCentralWidget(self.stage)
        self.status = StatusBar()
        self.setStatusBar(self.status)
        self.actions_made = ActionSet(self, settings, self)
        self._held = HeldKey(self.actions_made["compare"])
        self._held.let_go.connect(self._stop_comparing)
        for error in self.actions_made.left_out:
            self.report(error)
        self._furnish()
        if controller is None:
            self._show_start()
        else:
            self.attach(controller)

    # --- one project ------------------------------------------------------------------------------------------------

    @property
    def controller(self) -> Controller:
        """The project's controller.

        Raises:
            RuntimeError: no project is open (actions that need one are disabled then).
        """
        if self._controller is None:
            raise RuntimeError("no project is open")
        return self._controller

    @property
    def canvas(self) -> Canvas:
        """The canvas.

        Raises:
            RuntimeError: no project is open.
        """
        if self._views is None:
            raise RuntimeError("no project is open")
        return self._views.canvas

    @property
    def state(self) -> State:
        """What is shown."""
        return self.controller.state

    def attach(self, controller: Controller) -> None:
        """Show a project in place of the one before; the controller of that one is not closed."""
        from samtta_app.gui.project_views import ProjectViews  # imports the plots, which the start page does without

        views = ProjectViews(controller, self.actions_made, self.strategies)
        if self._controller is not None:
            self._let_go(self._controller)
            self.dialogs.close(*PROJECT_BOUND)
            self.messages.clear()
        first, self._controller = self._controller is None, controller
        controller.drawn.connect(self.show_state)
        controller.state_changed.connect(self.actions_made.show_state)  # keys act on the newest state, drawn or not
        controller.state_changed.connect(self.messages.show_state)  # none is passed over
        controller.described.connect(self.show_model)
        for name, panel in views.panels.items():
            self.docks[name].hold(panel)
        self._views = views
        self._place(views)
        self.show_model(controller.description or LOADING)
        if first:
            self.bar.show()
            show_docks(self, self.docks)
        recent.remember_folder(recent.reopening_place(controller.state.folder, controller.state.project))
        self._fill_recent()
        self.show_state(controller.state)
        views.canvas.setFocus()

    def rest(self) -> None:
        """Show nothing more of the project: another window does from now on."""
        if self._controller is not None and self._views is not None:
            self._views.rest()
            self._let_go(self._controller)

    def _let_go(self, controller: Controller) -> None:
        controller.drawn.disconnect(self.show_state)
        controller.state_changed.disconnect(self.actions_made.show_state)
        controller.state_changed.disconnect(self.messages.show_state)
        controller.described.disconnect(self.show_model)

    def _place(self, views: ProjectViews) -> None:
        self._set_up(views, self.settings)
        views.canvas.hovered.connect(self.status.show_hover)
        views.canvas.zoomed.connect(self.status.show_zoom)
        bars = views.canvas.horizontalScrollBar(), views.canvas.verticalScrollBar()
        for moved in (views.canvas.zoomed, *(bar.valueChanged for bar in bars)):
            moved.connect(self._keep_clear)
        views.key.opacity_chosen.connect(lambda opacity: self.use(replace(self.settings, overlay_opacity=opacity)))
        self.stage.fill(views.canvas, bottom=views.strip, corner=views.key, caption=views.canvas.comparison)

    def _set_up(self, views: ProjectViews, settings: Settings) -> None:
        """Control objects are answered unseen, so nothing is shown before a click where they are drawn."""
        views.canvas.wheel = settings.wheel
        views.hover.choice = "off" if settings.control_share else settings.hover

    @Slot()
    def _keep_clear(self) -> None:
        """Let nothing lie on the mask that is to be accepted, wherever it is on the screen now."""
        if self._views is not None:
            self.stage.keep_clear(self._views.preview_place(self.state))

    @Slot(object)
    def show_state(self, state: State) -> None:
        """Show a new state everywhere."""
        self.setWindowTitle(f"{title_text(state.folder.name)}[*] – samtta")
        self.setWindowModified(state.preview is not None)
        self.actions_made.show_state(state)
        if self._views is not None:
            self._views.show_state(state)
            self._keep_clear()
        self.status.show_state(state)
        self.messages.show_state(state)

    def show_message(self, message: Message) -> None:
        """Show a message that does not come from a project."""
        self.messages.show_message(message)

    @Slot(object)
    def report(self, error: UserError) -> None:
        """Say what failed."""
        self.messages.show_message(Message("error", str(error)))

    @Slot(object)
    def show_model(self, description: str) -> None:
        """Say in the status bar which model runs on which device."""
        self.status.show_model(description)

    # --- what actions call ------------------------------------------------------------------------------------------

    def choose_folder(self) -> None:
        """Ask for a folder of images."""
        start = str(self._controller.state.folder.parent) if self._controller else ""
        chosen = QFileDialog.getExistingDirectory(self, translated("Open a folder of images"), start)
        if chosen:
            self.folder_chosen.emit(Path(chosen))

    def open_samples(self) -> None:
        """Ask for the samples."""
        self.samples_wanted.emit()

    def open_dialog(self, name: str) -> None:
        """Open the dialog of this name."""
        self._opener.open(name)

    def open_menu(self, name: str) -> None:
        """Open the menu or field of this name."""
        if self._views is not None:
            self.docks[self._views.menus.dock_of(name)].show()
            self._views.menus.open(name)

    @property
    def model_words(self) -> str:
        """Which model runs on which device, "" where no project is open."""
        return self._controller.description if self._controller else ""

    def choose_theme(self, chosen: Theme) -> None:
        """Show a theme and remember it."""
        self.use(replace(self.settings, theme=chosen))

    def switch_theme(self) -> None:
        """Change between light and dark."""
        self.choose_theme("light" if theme.current().name == "dark" else "dark")

    def switch_hover(self) -> None:
        """Show the mask under the pointer before a click, or no longer."""
        self.use(replace(self.settings, hover="on" if self.settings.hover == "off" else "off"))

    def leave(self) -> None:
        """Close the window."""
        self.close()

    def remember_layout(self) -> None:
        """Write down where the window and its docks are, for the next window."""
        recent.store_layout("geometry", self.saveGeometry())
        if self._controller is not None:
            recent.store_layout("docks", self.saveState(LAYOUT))

    @Slot(object)
    def use(self, settings: Settings) -> None:
        """Take other settings and save the changes; if that fails a message says so, and they are used for this run."""
        before = self.settings
        try:
            self.actions_made.use(settings)
            self.settings = settings
            if self._views is not None:
                self._set_up(self._views, settings)
            self._show_theme()
            save_settings(settings, before=before)
        except SettingsError as error:
            self.report(error)
        self.settings_changed.emit(self.settings)

    # --- Qt's events ------------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Keep keys for the widget that needs them; release held keys when the window loses the focus."""
        if event.type() == QEvent.Type.WindowDeactivate:
            self._stop_comparing()
        if self._held is not None:
            self._held.note(event)
        return shield(event, self.focusWidget(), self._views.canvas if self._views else None) or super().event(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept dropped folders and images; other files stand for their folder."""
        if place_dropped(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the folder or image that was dropped."""
        place = place_dropped(event.mimeData())
        if place is not None:
            event.acceptProposedAction()
            self.folder_chosen.emit(place)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the layout."""
        self.remember_layout()
        self.dialogs.close_all()
        self.closing.emit()
        super().closeEvent(event)

    # --- making -----------------------------------------------------------------------------------------------------

    def _dress(self) -> None:
        self.setWindowTitle("samtta")
        self.setWindowIcon(icons.app_icon())
        self.setAcceptDrops(True)
        self.setDockOptions(QMainWindow.DockOption.AllowNestedDocks | QMainWindow.DockOption.AllowTabbedDocks)
        room = _application().primaryScreen().availableGeometry().size() - QSize(2 * theme.GRID, 6 * theme.GRID)
        self.resize(QSize(180 * theme.GRID, 112 * theme.GRID).boundedTo(room))  # with room for the title bar
        self._dress_application()
        _application().styleHints().colorSchemeChanged.connect(self._scheme_changed)

    def _furnish(self) -> None:
        """Menus, tool bar, docks, keys."""
        self.bar = QToolBar(translated("Tools"))
        self.bar.setObjectName("tools")
        self.bar.setMovable(False)
        self.bar.setIconSize(QSize(theme.ICON, theme.ICON))
        self.actions_made.fill_bar(self.bar)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, self.bar)
        self.addActions(self.actions_made.all())
        menus = self.actions_made.fill_menus(self.menuBar())
        self.recent_menu = QMenu(translated("Open recent"), self)
        menus["File"].insertMenu(self.actions_made["samples"], self.recent_menu)
        menus["View"].addSeparator()
        self.docks = make_docks(self)
        for dock in self.docks.values():
            menus["View"].addAction(dock.toggleViewAction())
        self._fill_recent()
        geometry = recent.stored_layout("geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)

    def _stop_comparing(self) -> None:
        if self._controller is not None and self._controller.state.display.compare:
            self._controller.do(acts.Show(compare=False))

    def _show_start(self) -> None:
        page = StartPage()
        page.open_wanted.connect(self.choose_folder)
        page.samples_wanted.connect(self.samples_wanted)
        page.recent_chosen.connect(self.folder_chosen)
        page.show_recent(recent.folders())
        self.stage.fill(page)
        self.bar.hide()
        for name in self.docks:
            self.docks[name].toggleViewAction().setEnabled(False)
        self.actions_made.show_state(None)

    @Slot()
    def _scheme_changed(self) -> None:
        if self.settings.theme == "system":
            self._show_theme()

    def _show_theme(self) -> None:
        self._dress_application()
        self.actions_made.tint()
        self.actions_made.show_state(self._controller.state if self._controller else None)

    def _dress_application(self) -> None:
        chosen = self.settings
        theme.choose(_application(), chosen.theme, safe=chosen.safe_colours, points=chosen.font_size)

    def _fill_recent(self) -> None:
        self.recent_menu.clear()
        for folder in recent.folders():
            action = self.recent_menu.addAction(button_text(str(folder)))
            action.triggered.connect(lambda checked=False, folder=folder: self.folder_chosen.emit(folder))
        self.recent_menu.setEnabled(bool(self.recent_menu.actions()))


def _application() -> QApplication:
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        raise RuntimeError("a window needs a QApplication")
    return application
