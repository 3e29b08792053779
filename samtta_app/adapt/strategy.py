"""The interface of every adaptation method: what it does before and after an answer, and at the end of an object.

A strategy is a value: its hyper-parameters. What it learned is a value too: the `Knowledge` of one version of the
weights. The engine owns versions, memory and caches. A strategy only maps knowledge to knowledge.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from samtta_app.adapt.accepted_looks import AcceptedLooks
from samtta_app.adapt.guard import Verdict
from samtta_app.adapt.memory import Memory, Remembered
from samtta_app.adapt.object_sizes import Sizes
from samtta_app.adapt.preferences import Preferences
from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.core.types import Prompt
from samtta_app.model.answers import Hints
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import ImageFeatures
from samtta_app.model.weights import Tensors

Facts = Mapping[str, str]
"""Facts stored with the weights beside the tensors, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """What was learned so far: the decoder's `tensors` that answer, and `carried`, which only the strategy reads."""

    tensors: Tensors
    carried: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """An object at one of its answers: the prompt, the window's features, and the weights used.

    `knowledge` is what was known at its first click; `carried` belongs to the strategy. `taught` is what the clicks of
    this answer taught, once that was computed.
    """

    knowledge: Knowledge
    prompt: Prompt
    features: ImageFeatures
    tensors: Tensors
    carried: Any = None
    taught: Knowledge | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The decoder's tensors for the next answer, and `carried`, which the strategy finds in the attempt afterwards.

    `offset` is added to the answer's logits about the newest click, as far as earlier clicks allow. `sizes` gives the
    size of a first click's window. `looks` are shown to the decoder. `preferences` move the priors of hypotheses.
    """

    tensors: Tensors
    carried: Any = None
    offset: float = 0.0
    sizes: Sizes = field(default_factory=Sizes)
    looks: AcceptedLooks = field(default_factory=AcceptedLooks)
    preferences: Preferences = field(default_factory=Preferences)

    def hints(self, image_key: str, prompt: Prompt) -> Hints:
        """What is known beside a prompt in this image."""
        side = self.sizes.expected(image_key, prompt.class_id)
        return Hints(self.offset, side, self.looks.of_class(prompt.class_id))


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """An accepted object to learn from, the `memory` that holds it, and its last answer if that is still known.

    The last answer is unknown only after a restart.

    Every draw comes from `rng`.
    """

    newest: Remembered
    memory: Memory
    attempt: Attempt | None
    rng: np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What an accepted object taught: new knowledge, one loss per optimiser step, and whether and why it is published."""

    knowledge: Knowledge
    verdict: Verdict
    losses: tuple[float, ...] = ()


class AdaptationStrategy(Protocol):
    """One way of adapting. Generators yield wherever a click may be served.

    `name` is what users type, `words` what they read in the panel. No strategy ever sees a true mask, only clicks and
    masks that a user accepted.
    """

    @property
    def name(self) -> str:
        """As typed: "samtta", "frozen", ..."""

    @property
    def words(self) -> str:
        """What it does, in one plain sentence for users."""

    @property
    def fits(self) -> bool:
        """Whether it also adapts to the current object, between its clicks."""

    @property
    def in_order(self) -> bool:
        """Whether an answer waits until everything before it is learned, as in the published loop; else learning follows."""

    @property
    def clicks_teach(self) -> bool:
        """Whether `after_answer` may teach anything."""

    @property
    def single(self) -> bool:
        """Whether the single mask (token 0) answers at every click, and not the best of three at the first one."""

    def before_answer(
        self, model: SamModel, known: Knowledge, attempt: Attempt | None, prompt: Prompt
    ) -> Generator[None, None, Fitted]:
        """The tensors to answer `prompt` with; `attempt` is the same object's last answer, None for its first prompt."""

    def after_answer(self, model: SamModel, attempt: Attempt) -> Knowledge | None:
        """What the clicks of an answer teach, used if the object goes on or is given up; None where nothing is learned."""

    def given_up(self, known: Knowledge, attempt: Attempt) -> Knowledge:
        """What is known after an object was given up at `attempt`."""

    def after_accept(self, model: SamModel, known: Knowledge, lesson: Lesson) -> Generator[float, None, Learned]:
        """Learn from an accepted object; yields the share of work done, 0 .. 1."""

    def pseudo_label(self, model: SamModel, item: Remembered) -> Tensor | None:
        """What an accepted object teaches in its window: (G, G) int8 of 1 object, 0 background, -1 left out.

        None where accepted objects teach nothing.
        """

    def stored(self, known: Knowledge) -> tuple[Tensors, Facts]:
        """What to write to disk, so that `restored` gives the same knowledge bit for bit."""

    def restored(self, model: SamModel, tensors: Tensors, facts: Facts) -> Knowledge:
        """The knowledge that was stored."""


@dataclass(frozen=True, slots=True)
class NoAdaptation:
    """The original weights, always. It is also the base class: other strategies inherit what they do not change."""

    name: str = "frozen"
    words: str = STRATEGY_WORDS["frozen"]
    fits: bool = False
    single: bool = False

    @property
    def in_order(self) -> bool:
        """Learning follows when there is time for it."""
        return False

    @property
    def clicks_teach(self) -> bool:
        """Clicks teach nothing."""
        return False

    def before_answer(
        self, model: SamModel, known: Knowledge, attempt: Attempt | None, prompt: Prompt
    ) -> Generator[None, None, Fitted]:
        """The known tensors, unchanged."""
        return Fitted(known.tensors)
        yield

    def after_answer(self, model: SamModel, attempt: Attempt) -> Knowledge | None:
        """Clicks teach nothing."""
        return None

    def given_up(self, known: Knowledge, attempt: Attempt) -> Knowledge:
        """What was known before."""
        return known

    def after_accept(self, model: SamModel, known: Knowledge, lesson: Lesson) -> Generator[float, None, Learned]:
        """Nothing is learned."""
        nan = float("nan")
        return Learned(known, Verdict(False, "Not learned: the original weights are kept", nan, nan, nan))
        yield

    def pseudo_label(self, model: SamModel, item: Remembered) -> Tensor | None:
        """Nothing."""
        return None

    def stored(self, known: Knowledge) -> tuple[Tensors, Facts]:
        """The tensors alone."""
        return known.tensors, {}

    def restored(self, model: SamModel, tensors: Tensors, facts: Facts) -> Knowledge:
        """The tensors alone."""
        return Knowledge(tensors)
