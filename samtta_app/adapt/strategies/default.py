"""samtta's own strategy: it learns slowly from accepted masks and answers at the share that proved better."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from samtta_app.adapt.accepted_looks import NO_LOOKS, AcceptedLooks, without_looks
from samtta_app.adapt.guard import ALL_LEARNED, Evidence, Verdict, expert_weights, scored, verdict
from samtta_app.adapt.loop import DEFAULT_TRAINING, Trained, TrainingConfig, UnlabelledLoss, learn
from samtta_app.adapt.memory import Remembered
from samtta_app.adapt.object_sizes import Sizes
from samtta_app.adapt.preferences import NO_PREFERENCES, Preferences, without_preferences
from samtta_app.adapt.strategies.adam_steps import step
from samtta_app.adapt.strategy import Attempt, Facts, Fitted, Knowledge, Learned, Lesson, NoAdaptation
from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.adapt.task_prompts import with_task
from samtta_app.adapt.threshold import offset
from samtta_app.core.types import Prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.losses import click_loss
from samtta_app.model.weights import EXTRA, TASK, Tensors, check_like

BOLD_RATE, BOLD_STRIDE, BOLD_ANCHOR = 4.0, 0.8, 0.25
"""What the bold learner changes: factors of rate and anchor, and its stride.

On ten unseen sets the failures (FR_20@85) were 30.3 % frozen, 26.0 % careful, 22.3 % bold, and 21.0 % by the better of
both. Bold gained most where all objects are alike, and lost where kinds of objects mix.
"""

_BOLD = "bold/"
"""Prefix of the bold learner's tensors in a stored version."""


@dataclass(frozen=True, slots=True, eq=False)
class RefinedLine:
    """The learned weights, the evidence for the experts at first and later clicks, and the objects' sizes.

    `tasks` are the task prompts of the classes, by their ids. `looks` are those of accepted objects, `preferences` what
    was accepted among plausible outlines. `bold` is what was learned at a higher rate, None where nothing was.
    """

    tensors: Tensors
    first: Evidence = field(default_factory=Evidence)
    later: Evidence = field(default_factory=Evidence)
    sizes: Sizes = field(default_factory=Sizes)
    tasks: Mapping[int, Tensor] = field(default_factory=dict)
    looks: AcceptedLooks = field(default_factory=AcceptedLooks)
    preferences: Preferences = NO_PREFERENCES
    bold: Tensors | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RefinedAnswering:
    """The learned line, and the weights for a prompt that leaves no doubt which object is meant."""

    line: RefinedLine
    later: Tensors


@dataclass(frozen=True, slots=True)
class Samtta(NoAdaptation):
    """Clicks move the threshold of their own object; every accepted object is first a test, then a lesson.

    For ablations: `fits` False keeps the threshold. `guarded` False always answers with all that was learned. `learns`
    False keeps the original weights. `sized` False treats every object as if its size were unknown. `shows` False shows
    the decoder no accepted objects. `prefers` False leaves the priors of hypotheses as they are. `bold` True learns at
    two rates, and the guard chooses. `click_rate` above 0 is Adam's learning rate for one step on the clicks after each
    answer, for the rest of their object.
    """

    name: str = "samtta"
    words: str = STRATEGY_WORDS["samtta"]
    learning: TrainingConfig = DEFAULT_TRAINING
    fits: bool = True
    guarded: bool = True
    learns: bool = True
    sized: bool = True
    shows: bool = True
    prefers: bool = True
    bold: bool = False
    click_rate: float = 0.0

    @property
    def clicks_teach(self) -> bool:
        """Clicks teach where a rate for them is given."""
        return self.click_rate > 0

    def after_answer(self, model: SamModel, attempt: Attempt) -> Knowledge | None:
        """One step on all clicks of the answer, which nothing outlasts its object."""
        if not (self.click_rate and attempt.prompt.clicks):
            return None
        asked, features = attempt.prompt, attempt.features
        before = Knowledge(attempt.tensors, attempt.carried)
        return step(
            *(model, before, features, asked, self.click_rate),
            lambda logits: click_loss(logits, asked.clicks, features.window).sum() / 2,
        )[0]

    def before_answer(
        self, model: SamModel, known: Knowledge, attempt: Attempt | None, prompt: Prompt
    ) -> Generator[None, None, Fitted]:
        """First and later clicks each use the share that proved better for them; errors move the threshold."""
        moved = offset(prompt) if self.fits else 0.0
        if attempt is not None and attempt.taught is not None and attempt.knowledge is known:
            sized = known.carried.line.sizes if isinstance(known.carried, RefinedAnswering) and self.sized else Sizes()
            looks = self._looks(known, prompt)
            return Fitted(attempt.taught.tensors, attempt.taught.carried, moved, sized, looks, self._preferences(known))
        if not isinstance(known.carried, RefinedAnswering):
            return Fitted(known.tensors, offset=moved)
        answering = known.carried
        line = answering.line
        sizes = line.sizes if self.sized else Sizes()
        tensors = known.tensors if prompt.ambiguous else answering.later
        share = (line.first if prompt.ambiguous else line.later).share if self.guarded else 1.0
        tensors = with_task(tensors, line.tasks, prompt.class_id, share)
        own = (moved, sizes, self._looks(known, prompt), self._preferences(known))
        return Fitted(tensors, None, *own)
        yield

    def _looks(self, known: Knowledge, prompt: Prompt) -> AcceptedLooks:
        """What is shown with a prompt: nothing while the original proved better."""
        if not (self.shows and isinstance(known.carried, RefinedAnswering)):
            return NO_LOOKS
        line = known.carried.line
        proven = not self.guarded or (line.first if prompt.ambiguous else line.later).share > 0
        return line.looks if proven else NO_LOOKS

    def _preferences(self, known: Knowledge) -> Preferences:
        """What was accepted among plausible outlines."""
        chose = self.prefers and isinstance(known.carried, RefinedAnswering)
        return known.carried.line.preferences if chose else NO_PREFERENCES

    def after_accept(self, model: SamModel, known: Knowledge, lesson: Lesson) -> Generator[float, None, Learned]:
        """Test, then learn; the verdict's figures are from the tests only."""
        line = known.carried.line if isinstance(known.carried, RefinedAnswering) else RefinedLine(known.tensors)
        first, later, sizes = line.first, line.later, Sizes.of(lesson.memory.items)
        if not self.learns:
            chosen = yield from self._chosen(model, line, lesson)
            sized = RefinedLine(line.tensors, sizes=sizes, preferences=chosen)
            return Learned(self._known(model, sized), Verdict(True, "Only the sizes of objects are learned"))
        if line.tensors is not model.frozen.tensors:
            learned = with_task(line.tensors, line.tasks, lesson.newest.class_id, 1.0)
            shown = line.looks.of_class(lesson.newest.class_id) if self.shows else ()
            boldly = line.bold if self.bold else None
            scores = yield from scored(model, learned, lesson.newest, bold=boldly, fits=self.fits, looks=shown)
            first, later = first.add(scores[0]), later.add(scores[1])
        memory, learning = lesson.memory, self.learning
        more = yield from self.unlabelled(model, known, lesson)
        looks = line.looks.without(frozenset({lesson.newest.object_id})).updated(model, memory)
        own = (lesson.rng, learning, line.tasks, more, looks if self.shows else NO_LOOKS)
        trained = yield from learn(model, line.tensors, lesson.newest, memory, *own)
        second = yield from self._learned_boldly(model, line, lesson, more, looks if self.shows else NO_LOOKS)
        chosen = yield from self._chosen(model, line, lesson)
        bold, losses = (second.tensors, second.losses) if second else (None, ())
        line = RefinedLine(trained.tensors, first, later, sizes, trained.tasks, looks, chosen, bold)
        return Learned(self._known(model, line), verdict(first, later), (*trained.losses, *losses))

    def _learned_boldly(
        self,
        model: SamModel,
        line: RefinedLine,
        lesson: Lesson,
        more: Sequence[UnlabelledLoss],
        looks: AcceptedLooks,
    ) -> Generator[float, None, Trained | None]:
        """The same lesson at a higher rate, for weights of its own; it has no task prompts."""
        if not self.bold:
            return None
        start, careful = line.tensors if line.bold is None else line.bold, self.learning
        rates = replace(
            careful,
            learning_rate=BOLD_RATE * careful.learning_rate,
            stride=max(careful.stride, BOLD_STRIDE),
            anchor=BOLD_ANCHOR * careful.anchor,
            task_rate=0.0,
        )
        return (yield from learn(model, start, lesson.newest, lesson.memory, lesson.rng, rates, None, more, looks))

    def _chosen(self, model: SamModel, line: RefinedLine, lesson: Lesson) -> Generator[float, None, Preferences]:
        """What was accepted so far among plausible outlines."""
        if not self.prefers:
            return NO_PREFERENCES
        newest = frozenset({lesson.newest.object_id})
        return (yield from line.preferences.without(newest).updated(model, lesson.memory))

    def unlabelled(
        self, model: SamModel, known: Knowledge, lesson: Lesson
    ) -> Generator[float, None, tuple[UnlabelledLoss, ...]]:
        """What else is learned from with this object: nothing."""
        return ()
        yield

    def _known(self, model: SamModel, line: RefinedLine) -> Knowledge:
        leaders = (line.first.leader, line.later.leader) if self.guarded else (ALL_LEARNED, ALL_LEARNED)
        original = model.frozen.tensors
        first, later = (expert_weights(original, line.tensors, line.bold, expert) for expert in leaders)
        return Knowledge(first, RefinedAnswering(line, later))

    def pseudo_label(self, model: SamModel, item: Remembered) -> Tensor | None:
        """The mask without the band along its outline."""
        return item.target if self.learns else None

    def stored(self, known: Knowledge) -> tuple[Tensors, Facts]:
        """All that was learned, and the evidence; the shares follow from the evidence."""
        if not isinstance(known.carried, RefinedAnswering):
            return known.tensors, {}
        line = known.carried.line
        tasks = {f"{EXTRA}{TASK}.{class_id}": vector for class_id, vector in line.tasks.items()}
        (looks, seen), (places, chosen) = line.looks.stored(), line.preferences.stored()
        facts = {"first": line.first.text(), "later": line.later.text(), "sizes": line.sizes.text()}
        bold = {f"{EXTRA}{_BOLD}{name}": tensor for name, tensor in (line.bold or {}).items()}
        return {**line.tensors, **tasks, **looks, **places, **bold}, {**facts, "looks": seen, "preferences": chosen}

    def restored(self, model: SamModel, tensors: Tensors, facts: Facts) -> Knowledge:
        """The same knowledge that was stored."""
        looks, tensors = AcceptedLooks.read(tensors, facts.get("looks", "[]")), without_looks(tensors)
        chosen = Preferences.read(tensors, facts.get("preferences", ""))
        tensors = without_preferences(tensors)
        first, later = (Evidence.read(facts.get(name, "[]")) for name in ("first", "later"))
        own = {name: tensor for name, tensor in tensors.items() if not name.startswith(EXTRA)}
        tasks = {
            int(name.rpartition(".")[2]): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{EXTRA}{TASK}.")
        }
        bold = {
            name.removeprefix(EXTRA + _BOLD): tensor
            for name, tensor in tensors.items()
            if name.startswith(EXTRA + _BOLD)
        }
        check_like(own, model.frozen.tensors)
        if bold:
            check_like(bold, model.frozen.tensors)
        width = torch.zeros(model.backbone.width)
        check_like(tasks, dict.fromkeys(tasks, width))
        sizes = Sizes.read(facts.get("sizes", "[]"))
        return self._known(model, RefinedLine(own, first, later, sizes, tasks, looks, chosen, bold or None))
