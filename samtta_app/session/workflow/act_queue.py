"""The workflow's part that does acts in order: an act that needs an answer waits for it, and so do all acts after it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from msgspec import structs

from samtta_app.errors import StoreError
from samtta_app.phrases import Phrase
from samtta_app.session import acts, proposal_acts
from samtta_app.session.acts import AmongImages, AtOnce, ByHand, OnAnswer, OnPlace, ToImage, UserAct
from samtta_app.session.class_acts import OfClasses
from samtta_app.session.proposal_acts import OnProposals
from samtta_app.session.review_acts import FixReview, OnReview
from samtta_app.session.workflow.annotating import Annotating
from samtta_app.session.workflow.class_editing import ClassEditing
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.handwork import Handwork
from samtta_app.session.workflow.image_opening import ImageOpener
from samtta_app.session.workflow.judging import Judging
from samtta_app.session.workflow.lessons import LessonQueue
from samtta_app.session.workflow.object_acts import Objects
from samtta_app.session.workflow.overlays import BLINDED
from samtta_app.session.workflow.plausible import Plausible
from samtta_app.session.workflow.proposing import Proposing
from samtta_app.session.workflow.rating import Rater
from samtta_app.session.workflow.reviewing import Reviewing
from samtta_app.session.workflow.reworking import Reworking
from samtta_app.session.workflow.undoing import Undoing


class Acting:
    """Takes every act, and passes it to the other parts when its turn comes."""

    def __init__(
        self,
        desk: SessionContext,
        browsing: ImageOpener,
        annotating: Annotating,
        objects: Objects,
        learning: LessonQueue,
        reviewing: Reviewing,
        undoing: Undoing,
        rater: Rater,
        plausible: Plausible,
        handwork: Handwork,
        reworking: Reworking,
        class_editing: ClassEditing,
        proposing: Proposing,
        judging: Judging,
    ) -> None:
        self._desk, self._browsing, self._annotating = desk, browsing, annotating
        self._objects, self._learning, self._reviewing, self._undoing = objects, learning, reviewing, undoing
        self._rater, self._plausible, self._handwork = rater, plausible, handwork
        self._reworking, self._class_editing = reworking, class_editing
        self._proposing, self._judging = proposing, judging

    def take(self, act: UserAct) -> Requests:
        """Do an act, or put it behind those that wait."""
        desk = self._desk
        if isinstance(act, AtOnce):
            return self._perform(act)
        desk.change(message=None)
        if not isinstance(act, acts.Redo):
            desk.dropped = ()
        if isinstance(act, OnPlace):
            act = structs.replace(act, image=desk.image_name())
            if any(map(acts.leaves, desk.state.waiting)):
                desk.say("info", "The image is about to change: click when the next one is there")
                return ()
            if desk.state.image is None:
                return self._perform(act)
        desk.change(waiting=(*desk.state.waiting, act))
        return self.serve()

    def serve(self) -> Requests:
        """Do the acts whose turn has come."""
        desk = self._desk
        requests: Requests = ()
        while self._desk.state.waiting and not self._must_wait(self._desk.state.waiting[0]):
            act, *later = self._desk.state.waiting
            desk.change(waiting=tuple(later))
            try:
                requests += desk.as_one(partial(self._perform, act))
                refused = isinstance(act, acts.Accept) and desk.draft is not None
            except StoreError as error:
                desk.say("error", str(error))
                refused = True
            if refused and later:  # a click that follows would go to the object that is still there
                self.drop((act, *later))
        return requests

    def _must_wait(self, act: UserAct) -> bool:
        """Whether an act needs what is still under way: the answer to a click, or an image that is opened to undo in it.

        Where learning follows the order of the acts, every act waits: a click that was given up teaches too.
        """
        if self._desk.draft is not None and self._desk.draft.preview.waiting:
            return self._desk.in_order or isinstance(act, OnAnswer)
        loading = self._desk.loading
        return loading is not None and loading.then != "" and not isinstance(act, ToImage)

    def drop(self, dropped: tuple[UserAct, ...]) -> None:
        """Cancel acts that were to follow a failed one, and name them; redo does them again."""
        if not dropped:
            return
        desk, said = self._desk, self._desk.state.message
        desk.dropped = dropped
        words = Phrase("Not done: {acts}. Redo tries again", acts=acts.in_words(dropped))
        desk.say(
            "error",
            Phrase.joined(" ", (said.text if said.text.endswith(".") else f"{said.text}.", words)) if said else words,
        )
        desk.change(waiting=())

    def _at_once(self, act: AtOnce) -> Requests:
        """Do what changes no object."""
        desk = self._desk
        match act:
            case acts.Show():
                if act.compare and desk.control_share:
                    desk.say("info", BLINDED)
                    act = structs.replace(act, compare=None)
                changes = {name: value for name, value in structs.asdict(act).items() if value is not None}
                desk.change(display=replace(desk.state.display, **changes))
                return self._annotating.compare() if act.compare else ()
            case acts.UseTool(tool=tool, size=size):
                self._handwork.use(tool, size)
                return ()
            case acts.ControlLearner(action=action):
                desk.change(message=None)
                return self._learning.control(action)
            case acts.GoBackTo(version=version):
                desk.change(message=None)
                return self._learning.go_back_to(version)

    def _perform(self, act: UserAct) -> Requests:
        if isinstance(act, AtOnce):
            return self._at_once(act)
        if self._desk.state.rating is not None:
            return self._rater.take(act, self._desk.state.rating)
        if isinstance(act, OnPlace):
            return self._point(act)
        if isinstance(act, ByHand):
            return self._handwork.do(act)
        if isinstance(act, OfClasses):
            return self._class_editing.do(act)
        if isinstance(act, OnProposals):
            return self._proposing.do(act)
        if isinstance(act, OnReview):
            return self._review(act)
        match act:
            case acts.Accept():
                return self._accept(act)
            case acts.Cancel():
                return self._cancel()
            case acts.Turn(step=step) if self._desk.draft is None:
                return self._objects.select_next(step)
            case acts.Turn(step=step) | acts.NextCandidate(step=step):
                return self._annotating.next_candidate(step)
            case acts.AskLarger():
                return self._annotating.ask_larger()
            case acts.DrawHypotheses():
                return self._plausible.draw()
            case acts.KeepAlternative():
                return self._plausible.keep()
            case acts.RemoveClick():
                return self._undoing.remove_step()
            case acts.Undo():
                return self._undoing.undo()
            case acts.Redo():
                return self._redo()
            case acts.SelectNext(step=step):
                return self._objects.select_next(step)
            case acts.EditSelected():
                return self._reworking.take_up()
            case acts.JoinSelected():
                return self._reworking.join()
            case acts.DescribeObject(note=note):
                return self._objects.describe(note)
            case acts.MarkEmpty(empty=empty):
                return (*self._annotating.cancel(), *self._objects.mark_empty(empty))
            case acts.Duplicate():
                return self._reworking.duplicate()
            case acts.DeleteSelected():
                return self._objects.delete_selected()
            case acts.SetClass(class_id=class_id):
                return self._objects.set_class(class_id)
            case acts.AddClass(name=name):
                return self._objects.add_class(name)
            case acts.RenameClass(class_id=class_id, name=name):
                return self._objects.rename_class(class_id, name)
        return self._show(act)

    def _point(self, act: OnPlace) -> Requests:
        """Do what was done at a place of the image that is still open."""
        if act.image != self._desk.image_name():
            self._desk.say(
                "info",
                Phrase(
                    "The {act} was meant for {image}, which is not open any more",
                    act=acts.in_words((act,)),
                    image=act.image,
                ),
            )
            return ()
        match act:
            case acts.PlaceClick(click=click, view=view):
                return self._annotating.click(click, view)
            case acts.DrawBox(box=box, view=view):
                return self._annotating.box(box, view)
            case acts.Select(annotation_id=annotation_id):
                return self._objects.select(annotation_id)
            case acts.PaintStroke() | acts.DrawPolygon():
                return self._handwork.do(act)
            case acts.MergeObjects(annotation_id=annotation_id):
                return self._reworking.merge(annotation_id)
            case acts.CutObject(start=start, end=end):
                return self._reworking.cut(start, end)
            case proposal_acts.JudgeProposals():
                return self._judging.judge(act)

    def _cancel(self) -> Requests:
        """Discard the mask; without one drop the selection, and without that put the tool down."""
        if self._desk.draft is not None:
            return self._annotating.cancel()
        if self._desk.state.selected is None:
            self._handwork.use("prompt", None)
        self._desk.change(joining=None)
        return self._objects.select(None)

    def _review(self, act: OnReview) -> Requests:
        """Do an act on the queue; a correction goes on until its accept."""
        self._annotating.cancel("left")
        if not isinstance(act, FixReview):
            return self._reviewing.do(act)
        requests = self._reworking.take_up()
        taken = self._desk.draft.edits if self._desk.draft is not None else None
        self._desk.reviewed = replace(self._desk.reviewed, fixing=taken.id if taken is not None else None)
        return requests

    def _show(self, act: AmongImages) -> Requests:
        """Do what may show another image."""
        match act:
            case acts.OpenImage(index=index):
                return self._open(index)
            case acts.CopyToNext():
                return self._open(self._reworking.carry())
            case acts.NextImage(step=step):
                return self._open(self._browsing.next_index(step))
            case acts.NextUnreviewed():
                return self._open(self._browsing.unreviewed_index())
            case acts.StartRating(seed=seed):
                self._annotating.cancel("left")
                return self._rater.start(seed)
            case acts.Rate() | acts.StopRating():
                self._desk.say("info", "No masks are being rated")
                return ()

    def _open(self, index: int | None) -> Requests:
        if index is None or not 0 <= index < len(self._desk.state.images):
            return ()
        self._annotating.cancel("left")
        return self._browsing.open(index)

    def _redo(self) -> Requests:
        """Redo, and then what was to follow."""
        dropped = self._desk.dropped
        requests = self._undoing.redo() if self._desk.history.can_redo or not dropped else ()
        self._desk.dropped = ()
        self._desk.change(waiting=(*dropped, *self._desk.state.waiting))
        return requests

    def _accept(self, act: acts.Accept) -> Requests:
        fixing = self._desk.reviewed.fixing
        saved = self._annotating.accept(ignore=act.ignore)
        if saved is None:
            return self._reviewing.unchanged(fixing)
        requests = self._reworking.shown(saved)
        requests += self._reviewing.fixed(saved)
        if act.then_next:
            requests += self._open(self._browsing.next_index(1))
        return requests
