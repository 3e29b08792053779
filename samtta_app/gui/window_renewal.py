"""Another window about the same session, so that each of its texts is said in another language."""

from __future__ import annotations

from samtta_app.gui.controller import Controller
from samtta_app.gui.main_window import MainWindow


def renewed_window(before: MainWindow, controller: Controller | None) -> MainWindow:
    """Make a window like `before`, with its project, place, messages, dialogs and work, and close that one.

    The session lies in the controller, and goes on.
    """
    before.rest()
    before.remember_layout()
    dialogs = [(name, before.dialogs[name].pos()) for name in before.dialogs]
    made = MainWindow(controller, settings=before.settings, strategies=before.strategies)
    made.models.take_over(before.models)
    made.messages.take_over(before.messages)
    made.setVisible(before.isVisible())
    before.close()
    before.deleteLater()
    for name, place in dialogs:
        if name != "crash":  # a report is of its moment, and the log keeps it
            made.open_dialog(name)
            made.dialogs[name].move(place)
    return made
