"""One strategy of ours for every class of the session: what one class teaches does not change the answers for another."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from torch import Tensor

from samtta_app.adapt.memory import Memory, Remembered
from samtta_app.adapt.strategies.default import Samtta
from samtta_app.adapt.strategy import Attempt, Facts, Fitted, Knowledge, Learned, Lesson, NoAdaptation
from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.core.types import Prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.weights import EXTRA, Tensors

Part = int | None | Literal["all"]
"""What a line of learning belongs to: a class, objects without a class (None), or all objects."""


@dataclass(frozen=True, slots=True)
class PerClass(NoAdaptation):
    """The same learning, separate for each class: tests, lessons and replay stay within a class.

    A user who annotates "nucleus" and "cell" means different things by the same click. Schön et al. 2024 keep a copy of
    the decoder per class. `knowledge.tensors` are those of the class that was learned last.

    `shared`: every object is also a lesson for all classes together. A new class starts from that shared learning.
    """

    name: str = "samtta-per-class"
    words: str = STRATEGY_WORDS["samtta-per-class"]
    fits: bool = True
    shared: bool = False
    ours: Samtta = field(default_factory=Samtta)

    def before_answer(
        self, model: SamModel, known: Knowledge, attempt: Attempt | None, prompt: Prompt
    ) -> Generator[None, None, Fitted]:
        """The answer of the prompt's class; the original answers for a class without a lesson."""
        return (yield from self.ours.before_answer(model, _of(model, known, prompt.class_id), attempt, prompt))

    def after_accept(self, model: SamModel, known: Knowledge, lesson: Lesson) -> Generator[float, None, Learned]:
        """The lesson changes its own class only."""
        mine, every = lesson.newest.class_id, dict(_all(known))
        memory = Memory(tuple(item for item in lesson.memory.items if item.class_id == mine))
        start = _of(model, known, mine)
        if self.shared:
            whole = yield from self.ours.after_accept(model, _of(model, known, "all"), lesson)
            every["all"] = whole.knowledge
        learned = yield from self.ours.after_accept(model, start, replace(lesson, memory=memory))
        every[mine] = learned.knowledge
        return replace(learned, knowledge=Knowledge(learned.knowledge.tensors, every))

    def pseudo_label(self, model: SamModel, item: Remembered) -> Tensor | None:
        """The mask without the band along its outline."""
        return item.target

    def stored(self, known: Knowledge) -> tuple[Tensors, Facts]:
        """Every class's own data, under names that contain the class's number."""
        tensors, facts = dict(known.tensors), dict[str, str]()
        for number, mine in _all(known).items():
            own, said = self.ours.stored(mine)
            tensors |= {f"{EXTRA}{number}/{name}": tensor for name, tensor in own.items()}
            facts |= {f"{number}/{name}": text for name, text in said.items()}
        return tensors, facts

    def restored(self, model: SamModel, tensors: Tensors, facts: Facts) -> Knowledge:
        """The same knowledge again, bit for bit."""
        whole = {name: tensor for name, tensor in tensors.items() if not name.startswith(EXTRA)}
        numbers = {name.removeprefix(EXTRA).split("/")[0] for name in tensors.keys() - whole.keys()}
        every: dict[Part, Knowledge] = {}
        for number in sorted(numbers):
            start = f"{EXTRA}{number}/"
            own = {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
            said = {key.split("/", 1)[1]: text for key, text in facts.items() if key.startswith(f"{number}/")}
            part: Part = "all" if number == "all" else None if number == "None" else int(number)
            every[part] = self.ours.restored(model, own, said)
        return Knowledge(whole, every)


def _all(known: Knowledge) -> Mapping[Part, Knowledge]:
    return cast("Mapping[Part, Knowledge]", known.carried) if isinstance(known.carried, dict) else {}


def _of(model: SamModel, known: Knowledge, part: Part) -> Knowledge:
    """What is known of a class: its own learning, else what all classes taught, else nothing.

    Weights of another strategy count for every class.
    """
    if not isinstance(known.carried, dict):
        return Knowledge(known.tensors)
    every = _all(known)
    return every.get(part) or every.get("all") or Knowledge(model.frozen.tensors)
