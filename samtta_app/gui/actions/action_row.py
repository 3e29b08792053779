"""One row of the table of actions, and what an action acts on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from samtta_app.gui.canvas.canvas import Canvas
from samtta_app.gui.controller import Controller
from samtta_app.session.state import State
from samtta_app.settings import Settings, Theme

Menu = Literal["File", "Edit", "Draw", "Propose", "Image", "Class", "View", "Learning", "Help"]


class ActionTarget(Protocol):
    """What an action acts on: the window, its controller and its canvas."""

    @property
    def controller(self) -> Controller:
        """The project's controller."""

    @property
    def canvas(self) -> Canvas:
        """The canvas."""

    @property
    def state(self) -> State:
        """What is shown."""

    def choose_folder(self) -> None:
        """Ask for a folder and open it."""

    def open_samples(self) -> None:
        """Open the sample images."""

    def open_dialog(self, name: str) -> None:
        """Open the dialog of this name."""

    def open_menu(self, name: str) -> None:
        """Open the menu or field of this name beside what it is about."""

    def choose_theme(self, theme: Theme) -> None:
        """Show a theme and remember it."""

    def switch_theme(self) -> None:
        """Change between light and dark."""

    def switch_hover(self) -> None:
        """Show the mask under the pointer before a click, or no longer."""

    def leave(self) -> None:
        """Close the window."""


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One row of the table.

    Args:
        name: how the settings' `keys` table calls it.
        text: the menu's text.
        menu: the menu it stands in; rows keep their order, `divides` draws a line above.
        keys: default keys, several separated by ";", "" for none.
        icon: Phosphor icon, "" for none.
        run: what it does.
        enabled: whether it can be done now; the state is None where no project is open.
        checked: whether it is on (None for actions that are not switches).
        held: on while its key is held down.
        short: what stands on a button; "" for the text.
    """

    name: str
    text: str
    menu: Menu
    keys: str
    icon: str
    run: Callable[[ActionTarget], object]
    enabled: Callable[[State | None], bool]
    checked: Callable[[State | None, Settings], bool] | None = None
    divides: bool = False
    held: bool = False
    short: str = ""
