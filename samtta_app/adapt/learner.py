"""What one session has learned: published versions, memory, the current object, and the strategy that uses them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from safetensors import SafetensorError

from samtta_app.adapt.guard import Verdict
from samtta_app.adapt.memory import Memory, remember_object
from samtta_app.adapt.registry import STRATEGIES
from samtta_app.adapt.strategy import AdaptationStrategy, Attempt, Fitted, Knowledge, Learned, Lesson, NoAdaptation
from samtta_app.core.messages import ControlAction
from samtta_app.core.types import Example, Logits, Prompt
from samtta_app.errors import CheckpointError, UserError
from samtta_app.model.backbone import SamModel
from samtta_app.model.fingerprint import weights_sha256
from samtta_app.model.loading import try_answer
from samtta_app.model.predictor import ImageFeatures
from samtta_app.model.weights import Weights, all_finite, from_bytes, to_bytes
from samtta_app.phrases import Phrase

VERSIONS_KEPT = 20
"""Newest versions that stay in memory beside the original."""

BELONGS_TO = "weights"
"""Key in a stored version's facts: the weights that it was learned on top of."""

ANSWERS_KEPT = 32
"""Newest answers whose fit is kept, so that a click can continue from any of them. An object may have 30 clicks."""

ODD = (LookupError, ValueError, TypeError, AttributeError, RuntimeError, SafetensorError)
"""Exceptions raised by reading or using damaged tensors and facts."""


@dataclass(frozen=True, slots=True, eq=False)
class LearningOutcome:
    """Result of one accepted object: verdict, losses, and the published version's stored form (b"" if none)."""

    verdict: Verdict
    losses: tuple[float, ...] = ()
    data: bytes = b""


def dropped(reason: str, losses: tuple[float, ...] = ()) -> LearningOutcome:
    """An outcome that publishes nothing, for `reason`."""
    return LearningOutcome(Verdict(False, reason), losses)


class Learner:
    """Owns versions and memory; every method is called on the engine's thread.

    Args:
        model: its original decoder is version 0 and the frozen twin.
        strategy: how it learns.
        seed: seeds every draw. The same objects in the same order give the same weights (CPU, one process).
    """

    def __init__(self, model: SamModel, strategy: AdaptationStrategy, seed: int) -> None:
        self.strategy = strategy
        self.memory = Memory()
        self.paused = False
        self._model, self._seed = model, seed
        self._known: OrderedDict[int, Knowledge] = OrderedDict({0: Knowledge(model.frozen.tensors)})
        self._newest = 0
        self._lineage = [0]
        self._attempt: Attempt | None = None
        self._attempts: OrderedDict[Logits, Attempt] = OrderedDict()
        self._withdrawn: frozenset[int] = frozenset()

    def rested(self) -> Learner:
        """Another learner with the same published knowledge, which is paused."""
        other = Learner(self._model, self.strategy, self._seed)
        other._known, other._lineage, other._newest = OrderedDict(self._known), list(self._lineage), self._newest
        other.paused = True
        return other

    @cached_property
    def model_sha256(self) -> str:
        """Identifies the model, even among models with the same name."""
        return weights_sha256(self._model)

    @property
    def published(self) -> Weights:
        """The weights that answer now."""
        return Weights(self._lineage[-1], self._knowledge.tensors)

    @property
    def _knowledge(self) -> Knowledge:
        return self._known[self._lineage[-1]]

    def knowledge(self, version: int) -> Knowledge:
        """What was known at a version; if it was dropped, at the oldest later version that is still kept.

        Raises:
            UserError: there is none.
        """
        return self._known[self.kept(version)]

    def kept(self, version: int) -> int:
        """The version itself; if it was dropped, the oldest later version that is still kept.

        Raises:
            UserError: no version has that number or a later one.
        """
        if version in self._known:
            return version
        later = [number for number in self._known if number > version]
        if not later:
            raise UserError(
                Phrase("There is no version {version}, so the object cannot be compared", version=version), "", ""
            )
        return min(later)

    # --- the current object -----------------------------------------------------------------------------------------

    def fitted(self, image_key: str, prompt: Prompt) -> Generator[None, None, tuple[Weights, Fitted]]:
        """The weights for the next answer: the published ones, fitted to the object by what `prompt` says of it.

        A prompt continues from the answer whose logits it returns, whatever was answered in between. The published
        weights do not change.
        """
        attempt = self._before(image_key, prompt)
        if attempt is None:
            yield from self._begin(image_key, prompt)
        elif len(attempt.prompt.clicks) < len(prompt.clicks):
            attempt = yield from self._taught(attempt)
        found = yield from self.strategy.before_answer(self._model, self._knowledge, attempt, prompt)
        found = self._of_kept_objects(found)
        return Weights(self._lineage[-1], found.tensors), found

    def unfitted(self, prompt: Prompt) -> Generator[None, None, tuple[Weights, Fitted]]:
        """The published weights and what is known beside a prompt; nothing is fitted to the current object."""
        found = yield from self.strategy.before_answer(self._model, self._knowledge, None, prompt)
        return Weights(self._lineage[-1], found.tensors), self._of_kept_objects(found)

    def _of_kept_objects(self, found: Fitted) -> Fitted:
        """What was learned from objects that were withdrawn since is left out."""
        gone = self._withdrawn
        return replace(found, looks=found.looks.without(gone), preferences=found.preferences.without(gone))

    def _before(self, image_key: str, prompt: Prompt) -> Attempt | None:
        """The answer that `prompt` continues from.

        No logits (nothing was shown) and logits made elsewhere (a mask of zeros and ones) mean the newest answer.
        """
        attempt = self._attempts.get(prompt.logits, self._attempt) if prompt.logits else self._attempt
        if attempt is None or not _goes_on(attempt, image_key, prompt):
            return None
        return attempt if prompt.logits or _steps(attempt.prompt) < _steps(prompt) else None

    def _begin(self, image_key: str, prompt: Prompt) -> Generator[None, None, None]:
        """A new object begins: one that was neither accepted nor is asked again was given up."""
        left = self._attempt
        if left is None or (left.features.image_key == image_key and _same_steps(left.prompt, prompt)):
            return
        left = yield from self._taught(left)
        self._attempt = None
        known = self._knowledge
        after = self.strategy.given_up(known, left)
        if after.tensors is known.tensors:
            self._known[self._lineage[-1]] = after
        else:
            self._publish(after)

    def _taught(self, attempt: Attempt) -> Generator[None, None, Attempt]:
        """The attempt with what its clicks teach, which is computed once."""
        if attempt.taught is not None or self.paused:
            return attempt
        yield
        taught = self.strategy.after_answer(self._model, attempt)
        if taught is None:
            return attempt
        after = replace(attempt, taught=taught)
        self._attempts.update({logits: after for logits, known in self._attempts.items() if known is attempt})
        if self._attempt is attempt:
            self._attempt = after
        return after

    def teach(self) -> Generator[None, None, None]:
        """Learn from the clicks of the newest answer; where it is interrupted, the next answer does it."""
        if self._attempt is not None:
            yield from self._taught(self._attempt)

    def answered(self, prompt: Prompt, features: ImageFeatures, fitted: Fitted, given: Iterable[Logits] = ()) -> None:
        """Record the answer to a prompt in the window of `features`, with the logits `given`."""
        before = self._before(features.image_key, prompt)
        begun = before.knowledge if before else self._knowledge
        self._attempt = Attempt(begun, prompt, features, fitted.tensors, fitted.carried)
        self._attempts.update(dict.fromkeys(given, self._attempt))
        while len({id(attempt) for attempt in self._attempts.values()}) > ANSWERS_KEPT:
            self._attempts.popitem(last=False)

    def withdraw(self, object_id: int) -> None:
        """An accepted object is gone: it is not replayed again, nor shown to the decoder."""
        self.memory, self._withdrawn = self.memory.without(object_id), self._withdrawn | {object_id}

    # --- accepted objects -------------------------------------------------------------------------------------------

    def learn(
        self, example: Example, features: ImageFeatures, closeup: ImageFeatures | None, *, learn: bool
    ) -> Generator[float, None, LearningOutcome]:
        """Remember an accepted object and, with `learn`, learn from it; yields the share of work done, 0 .. 1."""
        item = remember_object(example, features, self._model.size, closeup)
        if item is None:
            return dropped("Not learned: the mask is empty or fills its whole window")
        self.memory, self._withdrawn = self.memory.add(item), self._withdrawn - {example.object_id}
        attempt = self._accepted(example)
        if not learn:
            return dropped("Remembered from before")
        if self.paused:
            return dropped("Learning is paused; the object is remembered for later")
        start = self._lineage[-1]
        rng = np.random.default_rng([self._seed, example.object_id])
        lesson = Lesson(item, self.memory, attempt, rng)
        learned = yield from self.strategy.after_accept(self._model, self._knowledge, lesson)
        return self._judged(start, learned)

    def _accepted(self, example: Example) -> Attempt | None:
        """The answer that was accepted, if it is still known; the object's answers are not needed any more."""
        asked, key = Prompt(example.clicks, example.box), example.image.key
        every = [self._attempt, *reversed(self._attempts.values())]
        own = [one for one in every if one is not None and one.features.image_key == key and _begun(one.prompt, asked)]
        if any(one is self._attempt for one in own):
            self._attempt = None  # otherwise the user has started the next object already
        for logits in [known for known, one in self._attempts.items() if any(one is each for each in own)]:
            del self._attempts[logits]
        return next((one for one in own if _same_steps(one.prompt, asked)), None)

    def _judged(self, start: int, learned: Learned) -> LearningOutcome:
        tensors, facts = self.strategy.stored(learned.knowledge)
        finite = all_finite(learned.knowledge.tensors) and all_finite(tensors)  # answering weights, and stored ones
        if not finite or not np.isfinite(learned.losses).all():
            return dropped("Dropped: the loss was not finite", learned.losses)
        if start != self._lineage[-1]:
            return dropped("Dropped: the weights were changed by hand meanwhile", learned.losses)
        if not learned.verdict.kept:
            return LearningOutcome(learned.verdict, learned.losses)
        self._publish(learned.knowledge)
        about = {**facts, "strategy": self.strategy.name, BELONGS_TO: self.model_sha256}
        return LearningOutcome(learned.verdict, learned.losses, to_bytes(tensors, self._model.name, about))

    def _publish(self, knowledge: Knowledge) -> None:
        self._newest += 1
        self._known[self._newest] = knowledge
        self._lineage.append(self._newest)
        for version in list(self._known)[1:-VERSIONS_KEPT]:  # the original is never dropped
            del self._known[version]
            self._lineage = [v for v in self._lineage if v != version]

    # --- control ----------------------------------------------------------------------------------------------------

    def control(self, action: ControlAction) -> None:
        """Pause, resume, roll back one version, or go back to the original weights."""
        if action in ("pause", "resume"):
            self.paused = action == "pause"
        elif action == "rollback" and len(self._lineage) > 1:
            self._lineage.pop()
        elif action == "reset":
            self._lineage = [0]

    def restore(self, version: int, data: bytes) -> None:
        """Publish a stored version again, or nothing where `data` is empty.

        A version of another strategy keeps its decoder weights only.

        Raises:
            CheckpointError: as in `from_bytes`; or the version was learned on top of other weights; or the strategy's
                own stored data is damaged.
        """
        self._newest = max(self._newest, version)  # also when refused: its number is not used again
        if not data:
            return
        self._known[version] = self._read(version, data)
        self._lineage = [0, version]

    def keep(self, version: int, data: bytes) -> None:
        """Load a stored version for comparison, without publishing it.

        Raises:
            CheckpointError: as in `restore`.
        """
        if version not in self._known:
            self._known[version] = self._read(version, data)

    def _read(self, version: int, data: bytes) -> Knowledge:
        tensors, facts = from_bytes(version, data, self._model.name, self._model.frozen.tensors)
        if facts.get(BELONGS_TO) != self.model_sha256:
            what = Phrase(
                "The stored decoder weights were not learned on top of these weights of {name!r}", name=self._model.name
            )
            raise CheckpointError(what, Phrase("version {version}", version=version), "The original is used")
        name = facts.get("strategy", "")
        owner = self.strategy if name == self.strategy.name else STRATEGIES.get(name.partition(":")[0], NoAdaptation())
        try:
            known = owner.restored(self._model, tensors, facts)
            try_answer(self._model, known.tensors)
        except ODD as e:
            do = "The original is used"
            raise CheckpointError(
                "The stored decoder weights do not fit the model", Phrase("version {version}", version=version), do
            ) from e
        return known if owner is self.strategy else Knowledge(known.tensors)


def _steps(prompt: Prompt) -> int:
    return len(prompt.clicks) + (prompt.box is not None)


def _same_steps(one: Prompt, other: Prompt) -> bool:
    return (one.clicks, one.box) == (other.clicks, other.box)


def _begun(one: Prompt, other: Prompt) -> bool:
    """Whether both prompts begin with the same click, or have no clicks and the same box."""
    return one.clicks[:1] == other.clicks[:1] and (bool(one.clicks) or one.box == other.box)


def _goes_on(attempt: Attempt, image_key: str, prompt: Prompt) -> bool:
    """Whether `prompt` adds to what was said about the same object."""
    before = attempt.prompt
    same_place = attempt.features.image_key == image_key and before.box in (None, prompt.box)
    return same_place and prompt.clicks[: len(before.clicks)] == before.clicks
