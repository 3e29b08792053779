"""What a user can do, as frozen values: an act that comes before its time waits for the answer in `State.waiting`."""

from __future__ import annotations

from dataclasses import dataclass

from samtta_app.core.types import Box, Click, Window


@dataclass(frozen=True, slots=True)
class PlaceClick:
    """Include or exclude a point of `image`; `view` is the visible part of it, None for all of it."""

    click: Click
    view: Window | None = None
    image: str = ""


@dataclass(frozen=True, slots=True)
class DrawBox:
    """Ask for the object in a box of `image`."""

    box: Box
    view: Window | None = None
    image: str = ""


@dataclass(frozen=True, slots=True)
class Select:
    """Select an annotation of `image`, or none."""

    annotation_id: int | None
    image: str = ""


@dataclass(frozen=True, slots=True)
class NextCandidate:
    """Show another candidate mask."""

    step: int = 1


@dataclass(frozen=True, slots=True)
class SelectNext:
    """Select another annotation."""

    step: int = 1


@dataclass(frozen=True, slots=True)
class Turn:
    """Show another candidate of the object being annotated; without one, select another annotation."""

    step: int = 1


@dataclass(frozen=True, slots=True)
class AskLarger:
    """Have the larger model answer."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Store the shown mask; `then_next` shows the next image afterwards."""

    then_next: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    """Put the preview aside, or drop the selection."""


@dataclass(frozen=True, slots=True)
class RemoveClick:
    """Take back the newest click or box of the object being annotated."""


@dataclass(frozen=True, slots=True)
class Undo:
    """Undo the newest act."""


@dataclass(frozen=True, slots=True)
class Redo:
    """Do again what was undone last."""


@dataclass(frozen=True, slots=True)
class OpenImage:
    """Show an image."""

    index: int


@dataclass(frozen=True, slots=True)
class NextImage:
    """Show the next image, or with -1 the previous."""

    step: int = 1


@dataclass(frozen=True, slots=True)
class NextUnreviewed:
    """Show the next image without an annotation."""


@dataclass(frozen=True, slots=True)
class NextReview:
    """Show the accepted mask that needs a second look most."""


@dataclass(frozen=True, slots=True)
class ConfirmReview:
    """The selected mask is right."""


@dataclass(frozen=True, slots=True)
class DeleteSelected:
    """Delete the selected annotation."""


@dataclass(frozen=True, slots=True)
class SetClass:
    """Choose the current class."""

    class_id: int


@dataclass(frozen=True, slots=True)
class AddClass:
    """Add a class."""

    name: str


@dataclass(frozen=True, slots=True)
class RenameClass:
    """Give a class another name."""

    class_id: int
    name: str


OnPlace = PlaceClick | DrawBox | Select
"""Acts on a place of the image that is on the screen."""

OnAnswer = Accept | NextCandidate | Turn | AskLarger
"""Acts on the answer to the newest click: they wait for it."""

ToImage = OpenImage | NextImage | NextUnreviewed | NextReview | ConfirmReview
"""Acts that may show another image."""

UserAct = (
    OnPlace
    | OnAnswer
    | ToImage
    | SelectNext
    | Cancel
    | RemoveClick
    | Undo
    | Redo
    | DeleteSelected
    | SetClass
    | AddClass
    | RenameClass
)

ACT_NAMES: dict[type[UserAct], str] = {
    PlaceClick: "click",
    DrawBox: "box",
    Select: "select",
    NextCandidate: "next candidate",
    SelectNext: "next object",
    Turn: "next candidate",
    AskLarger: "ask the larger model",
    Accept: "accept",
    Cancel: "cancel",
    RemoveClick: "remove click",
    Undo: "undo",
    Redo: "redo",
    OpenImage: "open image",
    NextImage: "next image",
    NextUnreviewed: "next image without objects",
    NextReview: "next review",
    ConfirmReview: "confirm",
    DeleteSelected: "delete",
    SetClass: "class",
    AddClass: "add class",
    RenameClass: "rename class",
}
"""What each act is called in the status bar and in messages."""

MOST_NAMED = 4
"""A list of acts names this many; the status bar has room for no more."""


def leaves(act: UserAct) -> bool:
    """Whether another image may be on the screen after the act."""
    return isinstance(act, ToImage) or (isinstance(act, Accept) and act.then_next)


def in_words(acts: tuple[UserAct, ...]) -> str:
    """The acts in their order, such as "accept, click, accept"; a long list ends in its number."""
    named = ", ".join(ACT_NAMES[type(act)] for act in acts[:MOST_NAMED])
    more = len(acts) - MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named
