"""Everything that a user can do, in one table: menus, tool bar, tool tips, keys and the shortcut help are made from it."""

from __future__ import annotations

from collections.abc import Callable

from samtta_app.gui.actions import enabling
from samtta_app.gui.actions.action_row import ActionRow, ActionTarget
from samtta_app.gui.actions.display_actions import CANDIDATE_ACTIONS, DISPLAY_ACTIONS
from samtta_app.gui.actions.hand_actions import HAND_ACTIONS
from samtta_app.gui.actions.image_actions import IMAGE_ACTIONS
from samtta_app.gui.actions.object_actions import CLASS_ACTIONS, OBJECT_ACTIONS
from samtta_app.gui.actions.proposal_actions import PROPOSAL_ACTIONS
from samtta_app.gui.actions.review_actions import COMPARE_ACTIONS, REVIEW_ACTIONS
from samtta_app.session import acts
from samtta_app.session.acts import UserAct
from samtta_app.session.state import State
from samtta_app.session.workflow.overlays import following
from samtta_app.settings import Settings, Theme

# --- what ----------------------------------------------------------------------------------------------------------


def _does(act: UserAct) -> Callable[[ActionTarget], object]:
    return lambda desk: desk.controller.do(act)


def _number(number: int) -> Callable[[ActionTarget], object]:
    """A digit gives a class, or a rating while masks are rated."""

    def done(desk: ActionTarget) -> None:
        rating = desk.state.rating is not None
        desk.controller.do(acts.Rate(number) if rating else acts.SetClass(desk.state.classes[number - 1].id))

    return done


def _rate_masks(desk: ActionTarget) -> None:
    desk.controller.do(acts.StartRating() if desk.state.rating is None else acts.StopRating())


def _overlay(step: int) -> Callable[[ActionTarget], object]:
    return lambda desk: desk.controller.do(acts.Show(overlay=following(desk.state.display.overlay, step)))


def _pause(desk: ActionTarget) -> None:
    desk.controller.do(acts.ControlLearner("resume" if desk.state.adaptation.activity == "paused" else "pause"))


def _theme(theme: Theme) -> Callable[[ActionTarget], object]:
    return lambda desk: desk.choose_theme(theme)


def _is_theme(theme: Theme) -> Callable[[State | None, Settings], bool]:
    return lambda state, settings: settings.theme == theme


def _class_actions() -> tuple[ActionRow, ...]:
    return tuple(
        ActionRow(f"class_{n}", f"Class {n}", "Class", str(n), "", _number(n), enabling.has_class(n), divides=n == 1)
        for n in range(1, 10)
    )


ACTION_TABLE: tuple[ActionRow, ...] = (
    ActionRow("open", "Open folder…", "File", "Ctrl+O", "folder-open", lambda d: d.choose_folder(), enabling.always),
    ActionRow("samples", "Try the samples", "File", "", "image-square", lambda d: d.open_samples(), enabling.always),
    ActionRow(
        "export",
        "Export…",
        "File",
        "Ctrl+E",
        "export",
        lambda d: d.open_dialog("export"),
        enabling.annotated,
        divides=True,
    ),
    ActionRow("import", "Import…", "File", "", "", lambda d: d.open_dialog("import"), enabling.writable),
    *COMPARE_ACTIONS,
    ActionRow(
        "planes",
        "Pages and subfolders…",
        "File",
        "Ctrl+Shift+O",
        "",
        lambda d: d.open_dialog("planes"),
        enabling.writable,
    ),
    ActionRow(
        "find_images", "Find the images…", "File", "", "", lambda d: d.open_dialog("find_images"), enabling.writable
    ),
    ActionRow(
        "cancel_export", "Cancel the export", "File", "", "", lambda d: d.controller.cancel_export(), enabling.exporting
    ),
    ActionRow(
        "settings",
        "Settings…",
        "File",
        "Ctrl+,",
        "gear-six",
        lambda d: d.open_dialog("settings"),
        enabling.always,
        divides=True,
    ),
    ActionRow("models", "Models…", "File", "", "cube", lambda d: d.open_dialog("models"), enabling.always),
    ActionRow("quit", "Quit", "File", "Ctrl+Q", "sign-out", lambda d: d.leave(), enabling.always, divides=True),
    ActionRow("accept", "Accept", "Edit", "Return; Enter; E", "check", _does(acts.Accept()), enabling.can_accept),
    ActionRow(
        "accept_next",
        "Accept and next image",
        "Edit",
        "Ctrl+Return; Ctrl+Enter",
        "checks",
        _does(acts.Accept(then_next=True)),
        enabling.can_accept,
    ),
    ActionRow("cancel", "Cancel", "Edit", "Esc", "x", _does(acts.Cancel()), enabling.cancellable),
    ActionRow(
        "larger",
        "Ask the larger model",
        "Edit",
        "L",
        "",
        _does(acts.AskLarger()),
        enabling.enlargeable,
    ),
    ActionRow(
        "hypotheses",
        "Draw plausible outlines",
        "Edit",
        "G",
        "",
        _does(acts.DrawHypotheses()),
        enabling.enlargeable,
    ),
    ActionRow(
        "alternative",
        "Keep this outline as an alternative",
        "Edit",
        "K",
        "",
        _does(acts.KeepAlternative()),
        enabling.has_candidate,
        lambda state, settings: enabling.kept_alternative(state),
    ),
    ActionRow(
        "next", "Next candidate or object", "Edit", "Tab", "", _does(acts.Turn(1)), enabling.selectable, divides=True
    ),
    ActionRow(
        "previous", "Previous candidate or object", "Edit", "Shift+Tab", "", _does(acts.Turn(-1)), enabling.selectable
    ),
    *CANDIDATE_ACTIONS,
    ActionRow(
        "remove_click",
        "Remove last click",
        "Edit",
        "Backspace",
        "",
        _does(acts.RemoveClick()),
        enabling.is_annotating,
        divides=True,
    ),
    ActionRow("undo", "Undo", "Edit", "Ctrl+Z", "arrow-u-up-left", _does(acts.Undo()), enabling.undoable),
    ActionRow(
        "redo",
        "Redo",
        "Edit",
        "Ctrl+Y; Ctrl+Shift+Z",
        "arrow-u-up-right",
        _does(acts.Redo()),
        enabling.redoable,
    ),
    ActionRow("delete", "Delete object", "Edit", "Del", "trash", _does(acts.DeleteSelected()), enabling.selected),
    *REVIEW_ACTIONS,
    ActionRow(
        "rate_masks",
        "Rate masks from 1 to 10",
        "Edit",
        "Ctrl+R",
        "",
        _rate_masks,
        enabling.rateable,
        lambda state, settings: enabling.being_rated(state),
    ),
    ActionRow("rate_10", "Rate the mask 10", "Edit", "0", "", _does(acts.Rate(10)), enabling.being_rated),
    *OBJECT_ACTIONS,
    *HAND_ACTIONS,
    *PROPOSAL_ACTIONS,
    ActionRow(
        "previous_image",
        "Previous image",
        "Image",
        "A; PgUp",
        "caret-left",
        _does(acts.NextImage(-1)),
        enabling.several,
    ),
    ActionRow(
        "next_image",
        "Next image",
        "Image",
        "D; PgDown",
        "caret-right",
        _does(acts.NextImage(1)),
        enabling.several,
    ),
    ActionRow(
        "next_unreviewed",
        "Next image without objects",
        "Image",
        "N",
        "skip-forward",
        _does(acts.NextUnreviewed()),
        enabling.several,
    ),
    *IMAGE_ACTIONS,
    *_class_actions(),
    *CLASS_ACTIONS,
    ActionRow("fit", "Fit image", "View", "F; Ctrl+0", "corners-out", lambda d: d.canvas.fit(), enabling.pictured),
    ActionRow(
        "actual_size",
        "Actual size",
        "View",
        "Ctrl+1",
        "frame-corners",
        lambda d: d.canvas.actual_size(),
        enabling.pictured,
    ),
    ActionRow(
        "zoom_in",
        "Zoom in",
        "View",
        "Ctrl++; Ctrl+=",
        "magnifying-glass-plus",
        lambda d: d.canvas.zoom_in(),
        enabling.pictured,
    ),
    ActionRow(
        "zoom_out",
        "Zoom out",
        "View",
        "Ctrl+-",
        "magnifying-glass-minus",
        lambda d: d.canvas.zoom_out(),
        enabling.pictured,
    ),
    ActionRow(
        "masks",
        "Masks",
        "View",
        "V",
        "eye",
        lambda d: d.controller.do(acts.Show(masks=not d.state.display.masks)),
        enabling.pictured,
        lambda state, settings: state is not None and state.display.masks,
        divides=True,
    ),
    ActionRow(
        "uncertainty",
        "Map of doubt, next",
        "View",
        "U",
        "thermometer-simple",
        _overlay(1),
        enabling.pictured,
        lambda state, settings: state is not None and state.display.overlay != "off",
    ),
    ActionRow("uncertainty_back", "Map of doubt, previous", "View", "Shift+U", "", _overlay(-1), enabling.pictured),
    ActionRow(
        "compare",
        "Compare with the original model (hold)",
        "View",
        "C",
        "square-half",
        lambda d: d.controller.do(acts.Show(compare=not d.state.display.compare)),
        enabling.pictured,
        lambda state, settings: state is not None and state.display.compare,
        held=True,
    ),
    *DISPLAY_ACTIONS,
    ActionRow(
        "theme_system",
        "Theme of the system",
        "View",
        "",
        "",
        _theme("system"),
        enabling.always,
        _is_theme("system"),
        divides=True,
    ),
    ActionRow("theme_light", "Light theme", "View", "", "", _theme("light"), enabling.always, _is_theme("light")),
    ActionRow("theme_dark", "Dark theme", "View", "", "", _theme("dark"), enabling.always, _is_theme("dark")),
    ActionRow(
        "switch_theme",
        "Switch light and dark",
        "View",
        "Ctrl+Shift+L",
        "circle-half",
        lambda d: d.switch_theme(),
        enabling.always,
    ),
    ActionRow(
        "pause",
        "Pause learning",
        "Learning",
        "Ctrl+L",
        "pause",
        _pause,
        enabling.learner,
        lambda state, settings: state is not None and state.adaptation.activity == "paused",
        short="Pause",
    ),
    ActionRow(
        "roll_back",
        "Roll back one version",
        "Learning",
        "",
        "clock-counter-clockwise",
        _does(acts.ControlLearner("rollback")),
        enabling.returnable,
        short="Roll back",
    ),
    ActionRow(
        "reset",
        "Reset to the original model",
        "Learning",
        "",
        "arrow-counter-clockwise",
        _does(acts.ControlLearner("reset")),
        enabling.moved,
        short="Reset",
    ),
    ActionRow(
        "statistics",
        "Statistics…",
        "Learning",
        "Ctrl+Shift+S",
        "",
        lambda d: d.open_dialog("statistics"),
        enabling.annotated,
        divides=True,
    ),
    ActionRow("help", "Help", "Help", "F1", "question", lambda d: d.open_dialog("help"), enabling.always),
    ActionRow(
        "shortcuts", "Keys and gestures", "Help", "?", "keyboard", lambda d: d.open_dialog("shortcuts"), enabling.always
    ),
    ActionRow("about", "About samtta", "Help", "", "info", lambda d: d.open_dialog("about"), enabling.always),
)

GESTURES: tuple[tuple[str, str], ...] = (
    ("Left click", "This belongs to the object"),
    ("Right click, Shift + left click", "This does not belong to it"),
    ("Drag with the left button", "Draw a box around the object"),
    ("Ctrl + left click", "Select an object; clicks and strokes then change it"),
    ("Ctrl + right click", "Menu of the object there, or of the image"),
    ("Ctrl + Shift + left click", "Merge the object there with the selected one"),
    ("Drag with the brush, right drag", "Paint, erase; the eraser the other way round"),
    ("Ctrl + wheel with the brush", "Size of the brush"),
    ("Click with the polygon", "Set a corner; the first or last one again closes it"),
    ("Drag a corner, click on a line, right click", "Move, add, take away a corner"),
    ("Drag with the lasso, right drag with the lasso", "Accept the proposals inside, reject them; a click chooses one"),
    ("Wheel", "Zoom at the pointer"),
    ("Middle drag, Space + drag", "Move the image"),
    ("Space", "Accept, as Enter does"),
)
"""What the mouse does on the canvas, for the shortcut help."""
