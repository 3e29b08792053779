"""Acts at random that can each be undone, and what a project and its screen hold after each: for tests of undo."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from samtta_app.core.masks import full
from samtta_app.core.types import Mask
from samtta_app.session import acts
from samtta_app.session.acts import UserAct
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import HEIGHT, WIDTH, Person
from tests.unit.session.test_exact_undo import Moody


def opened(store: Store) -> Person:
    """A user of a project, whose engine never gives the same answer twice."""
    return Person(store, Moody(), twin=False, learn=False).starts()


def digest(person: Person) -> str:
    """Everything that undo brings back: objects, classes, and the object that is being annotated."""
    stored = person.workflow.store
    found: list[object] = [(c.id, c.name) for c in person.state.classes]
    rows = stored._rows("SELECT id, reviewed FROM annotations WHERE reviewed = 1")
    found += [tuple(row) for row in rows]
    for a in stored.annotations():
        found += [a.id, a.image_name, a.class_id, _bits(a.mask), len(a.history), [_bits(m) for m in a.alternatives]]
    preview = person.state.preview
    if preview is not None:
        shown = [(_bits(c.mask), _sum(c.logits.values), _sum(c.entropy)) for c in preview.candidates]
        found += [preview.clicks, preview.box, preview.chosen, preview.polygon, preview.edits, shown]
        found += [_bits(m) for m in preview.alternatives]
    return hashlib.sha256(repr(found).encode()).hexdigest()


def _bits(mask: Mask) -> str:
    return _sum(full(mask, HEIGHT, WIDTH))


def _sum(array: NDArray[Any]) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def drawn_acts(person: Person, rng: random.Random) -> tuple[UserAct, ...]:
    """One thing to do; the last of the acts is the one that undo takes back."""
    state = person.state
    x, y = rng.uniform(20, WIDTH - 20), rng.uniform(20, HEIGHT - 20)
    points = ((x, y), (x + 15.0, y + 5.0))
    stroke: tuple[UserAct, ...] = (acts.PaintStroke(points, 9.0),)
    begin: list[tuple[UserAct, ...]] = [(acts.PlaceClick(acts.Click(x, y, True)),), stroke]
    if state.preview is not None:
        return rng.choice([*begin, (acts.DrawPolygon((((x, y), (x + 12, y), (x, y + 12)),)),), *[(acts.Accept(),)] * 4])
    number = len(state.classes) + 1
    choices: list[tuple[UserAct, ...]] = [*begin, *begin, (acts.AddClass(f"class {rng.random()}"),)]
    choices.append((acts.RenameClass(state.classes[0].id, f"name {rng.random()}"),))
    if state.annotations:
        one, *others = rng.sample(state.annotations, len(state.annotations))
        chosen = acts.Select(one.id)
        new = next((c.id for c in state.classes if c.id != one.class_id), None)
        choices += [(chosen, acts.DeleteSelected()), (chosen, acts.PlaceClick(acts.Click(x, y, True)))]
        choices += [(chosen, acts.SetClass(new))] if new is not None and number else []
        choices += [(chosen, acts.MergeObjects(others[0].id))] if others else []
        choices += [(chosen, acts.Duplicate())]
    return rng.choice(choices)


def work(folder: Path, seed: int, count: int) -> None:
    """Act, print what there is after each act, and die without closing anything."""
    rng = random.Random(seed)
    person = opened(Store.open(folder))
    before = digest(person)
    sys.stdout.write(f"{before}\n")
    for number in range(count):
        if number and number % 40 == 0 and person.state.preview is None:
            person.do(acts.OpenImage(rng.randrange(len(person.state.images))))
        person.do(*drawn_acts(person, rng))
        if (now := digest(person)) != before:
            before = now
            sys.stdout.write(f"{before}\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
