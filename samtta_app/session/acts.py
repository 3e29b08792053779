"""What a user can do, as frozen values that can be stored.

An act that comes before the answer it needs waits in `State.waiting`. A class name here is also the act's tag in what
is stored, so a released name is never changed.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from samtta_app.core.looks import DisplayLook
from samtta_app.core.mask_edits import ShapeChange
from samtta_app.core.messages import ControlAction
from samtta_app.core.object_notes import ObjectNote
from samtta_app.core.polygons import Rings
from samtta_app.core.types import Box, Click, Window
from samtta_app.errors import UserError
from samtta_app.phrases import Phrase
from samtta_app.session.class_acts import CLASS_ACT_NAMES, OfClasses
from samtta_app.session.proposal_acts import PROPOSAL_ACT_NAMES, JudgeProposals, OnProposals
from samtta_app.session.review_acts import REVIEW_ACT_NAMES, OnReview

OverlayKind = Literal["off", "entropy", "refiner", "ensemble", "disagreement", "adapted", "lesson", "edges"]
"""The maps that a user can see: five of uncertainty, what a mask teaches, and the edges of everything."""

ToolName = Literal["prompt", "brush", "eraser", "polygon", "cut", "lasso"]
"""What the mouse does on the image: clicks and boxes, work by hand, or verdicts on proposals."""


class Act(msgspec.Struct, frozen=True, tag=True):
    """One thing that a user does; it is stored under the name of its class."""


class PlaceClick(Act, frozen=True):
    """Include or exclude a point of `image`; `view` is the visible part of it, None for all of it."""

    click: Click
    view: Window | None = None
    image: str = ""


class DrawBox(Act, frozen=True):
    """Ask for the object in a box of `image`."""

    box: Box
    view: Window | None = None
    image: str = ""


class PaintStroke(Act, frozen=True):
    """Add the pixels under a brush of `size` (its diameter) to the mask, or `erase` them, along `points`, in image pixels."""

    points: tuple[tuple[float, float], ...]
    size: float
    erase: bool = False
    image: str = ""


class DrawPolygon(Act, frozen=True):
    """Make the mask what lies inside closed rings of corners, odd-even."""

    rings: Rings
    image: str = ""


class Reshape(Act, frozen=True):
    """Change the shape of the mask as a whole."""

    change: ShapeChange


class EditSelected(Act, frozen=True):
    """Take the selected object up to change it; without a selection the newest one."""


class MergeObjects(Act, frozen=True):
    """Make one object of the selected one and another of `image`."""

    annotation_id: int
    image: str = ""


class JoinSelected(Act, frozen=True):
    """Merge the selected object with the one that was named before; the first one is named, and waits for another."""


class DescribeObject(Act, frozen=True):
    """Give the selected object this note: attributes, a comment, and whether it is an ignore region."""

    note: ObjectNote


class CutObject(Act, frozen=True):
    """Make two objects of the selected one, or of the one under the line, along a straight line through two points."""

    start: tuple[float, float]
    end: tuple[float, float]
    image: str = ""


class Duplicate(Act, frozen=True):
    """Show a copy of the selected object beside it, to be accepted as another."""


class CopyToNext(Act, frozen=True):
    """Show a copy of the selected object on the next image, to be accepted there."""


class Select(Act, frozen=True):
    """Select an annotation of `image`, or none."""

    annotation_id: int | None
    image: str = ""


class NextCandidate(Act, frozen=True):
    """Show another candidate mask."""

    step: int = 1


class SelectNext(Act, frozen=True):
    """Select another annotation."""

    step: int = 1


class Turn(Act, frozen=True):
    """Show another candidate of the object being annotated; without one, select another annotation."""

    step: int = 1


class AskLarger(Act, frozen=True):
    """Have the larger model answer."""


class DrawHypotheses(Act, frozen=True):
    """Draw plausible outlines for the answer on the screen."""


class KeepAlternative(Act, frozen=True):
    """Keep the outline on the screen as an alternative of the object, or no longer."""


class Accept(Act, frozen=True):
    """Store the shown mask; `then_next` shows the next image afterwards, `ignore` makes it an ignore region."""

    then_next: bool = False
    ignore: bool = False


class Cancel(Act, frozen=True):
    """Discard the preview, or drop the selection."""


class RemoveClick(Act, frozen=True):
    """Take back the newest click or box of the object being annotated."""


class Undo(Act, frozen=True):
    """Undo the newest act."""


class Redo(Act, frozen=True):
    """Do again what was undone last."""


class OpenImage(Act, frozen=True):
    """Show an image."""

    index: int


class NextImage(Act, frozen=True):
    """Show the next image, or with -1 the previous."""

    step: int = 1


class NextUnreviewed(Act, frozen=True):
    """Show the next image without an annotation."""


class MarkEmpty(Act, frozen=True):
    """The open image is done, and there is nothing on it; or that is taken back."""

    empty: bool = True


class StartRating(Act, frozen=True):
    """Show accepted masks one at a time, in an order drawn with `seed`, to be rated without their numbers."""

    seed: int = 0


class Rate(Act, frozen=True):
    """Rate the mask that is shown, from 1 to 10, and show the next one."""

    value: int


class StopRating(Act, frozen=True):
    """End the rating; what was rated stays."""


class DeleteSelected(Act, frozen=True):
    """Delete the selected annotation."""


class SetClass(Act, frozen=True):
    """Choose the current class."""

    class_id: int


class AddClass(Act, frozen=True):
    """Add a class."""

    name: str


class RenameClass(Act, frozen=True):
    """Give a class another name."""

    class_id: int
    name: str


class Show(Act, frozen=True):
    """Show or hide masks, a map of uncertainty (`opacity` 0 .. 1) and the original weights' answer; None leaves it as it is.

    `look` is that of the image. `fill` is the opacity of masks, 0 .. 1 of the usual one, and `outlines` shows them without
    any. `hidden` and `behind` are the ids of objects that are not shown, and that lie behind the others.
    """

    masks: bool | None = None
    overlay: OverlayKind | None = None
    opacity: float | None = None
    compare: bool | None = None
    look: DisplayLook | None = None
    fill: float | None = None
    outlines: bool | None = None
    hidden: frozenset[int] | None = None
    behind: frozenset[int] | None = None


class UseTool(Act, frozen=True):
    """Choose what the mouse does on the image, and the diameter of the brush in image pixels; None leaves it as it is."""

    tool: ToolName | None = None
    size: float | None = None


class ControlLearner(Act, frozen=True):
    """Pause, resume, roll back one version, or reset to the original weights."""

    action: ControlAction


class GoBackTo(Act, frozen=True):
    """Let a version of the weights answer that was kept before; 0 is the original."""

    version: int


OnPlace = PlaceClick | DrawBox | Select | PaintStroke | DrawPolygon | MergeObjects | CutObject | JudgeProposals
"""Acts on a place of the image that is on the screen."""

ByHand = PaintStroke | DrawPolygon | Reshape
"""Acts that draw the mask by hand."""

OnAnswer = PlaceClick | DrawBox | Accept | NextCandidate | Turn | AskLarger | DrawHypotheses | KeepAlternative | ByHand
"""Acts on the answer to the newest click: they wait for it. A click gives back the logits of the answer before it."""

AmongImages = CopyToNext | OpenImage | NextImage | NextUnreviewed | StartRating | Rate | StopRating
"""Acts on the list of images, and those that rate masks all over it."""

ToImage = AmongImages | OnReview
"""Acts that may show another image."""

AtOnce = Show | UseTool | ControlLearner | GoBackTo
"""Acts on the view, the tools and the learner: they change no object, so they never wait."""

UserAct = (
    AtOnce
    | OnPlace
    | OnAnswer
    | ToImage
    | SelectNext
    | Cancel
    | RemoveClick
    | Undo
    | Redo
    | DeleteSelected
    | DescribeObject
    | MarkEmpty
    | JoinSelected
    | OfClasses
    | OnProposals
    | EditSelected
    | Duplicate
    | SetClass
    | AddClass
    | RenameClass
)

ACT_NAMES: dict[type[UserAct], str] = {
    **CLASS_ACT_NAMES,
    **PROPOSAL_ACT_NAMES,
    **REVIEW_ACT_NAMES,
    PlaceClick: "click",
    DrawBox: "box",
    PaintStroke: "stroke",
    DrawPolygon: "polygon",
    Reshape: "shape",
    EditSelected: "change",
    MergeObjects: "merge",
    CutObject: "cut",
    JoinSelected: "merge",
    DescribeObject: "note",
    MarkEmpty: "nothing here",
    Duplicate: "duplicate",
    CopyToNext: "copy to the next image",
    Select: "select",
    NextCandidate: "next candidate",
    SelectNext: "next object",
    Turn: "next candidate",
    AskLarger: "ask the larger model",
    DrawHypotheses: "plausible outlines",
    KeepAlternative: "keep an outline",
    Accept: "accept",
    Cancel: "cancel",
    RemoveClick: "remove click",
    Undo: "undo",
    Redo: "redo",
    OpenImage: "open image",
    NextImage: "next image",
    NextUnreviewed: "next image without objects",
    StartRating: "rate masks",
    Rate: "rate",
    StopRating: "end of rating",
    DeleteSelected: "delete",
    SetClass: "class",
    AddClass: "add class",
    RenameClass: "rename class",
    Show: "view",
    UseTool: "tool",
    ControlLearner: "learning",
    GoBackTo: "earlier version",
}
"""What each act is called in the status bar and in messages."""

MOST_NAMED = 4
"""A list of acts names this many; the status bar has room for no more."""


def leaves(act: UserAct) -> bool:
    """Whether another image may be on the screen after the act."""
    return isinstance(act, ToImage) or (isinstance(act, Accept) and act.then_next)


def in_words(acts: tuple[UserAct, ...]) -> Phrase:
    """The acts in their order, such as "accept, click, accept"; a long list ends in its number."""
    named = Phrase.joined(", ", (ACT_NAMES[type(act)] for act in acts[:MOST_NAMED]))
    more = len(acts) - MOST_NAMED
    return Phrase("{named} and {more} more", named=named, more=more) if more > 0 else named


def stored_act(act: UserAct) -> dict[str, Any]:
    """The act as values that JSON has, under "type" its name."""
    values: dict[str, Any] = msgspec.to_builtins(act)
    return values


def act_of(values: object) -> UserAct:
    """The act that `stored_act` turned into these values.

    Raises:
        UserError: this version knows no such act.
    """
    try:
        act: UserAct = msgspec.convert(values, UserAct)
    except msgspec.ValidationError as error:
        raise UserError(Phrase("This is not an act: {error}", error=error)) from error
    return act
