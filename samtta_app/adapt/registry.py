"""The strategies by name."""

from __future__ import annotations

import difflib
import math
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from samtta_app.adapt.strategies.dc_tta import DcTta
from samtta_app.adapt.strategies.default import Samtta
from samtta_app.adapt.strategies.fbrs import Fbrs
from samtta_app.adapt.strategies.lit_lora import LitLora
from samtta_app.adapt.strategies.per_class import PerClass
from samtta_app.adapt.strategies.schoen2024 import SCHOEN_ABLATIONS, Schoen2024, Schoen2024AsReleased
from samtta_app.adapt.strategies.sum_proposals import Sum
from samtta_app.adapt.strategy import AdaptationStrategy, NoAdaptation
from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.errors import UserError
from samtta_app.phrases import Phrase

DEFAULT_STRATEGY = "samtta"

BOTH = PerClass(name="samtta-both", words=STRATEGY_WORDS["samtta-both"], shared=True)

STRATEGIES: dict[str, AdaptationStrategy] = {
    each.name: each
    for each in (
        *(Samtta(), PerClass(), BOTH, Sum()),
        *(Schoen2024(), Schoen2024AsReleased(), Fbrs(), LitLora(), DcTta(), NoAdaptation()),
    )
}
"""Every strategy with its published or chosen hyper-parameters, the default first."""

_KINDS: dict[type, str] = {bool: "0 or 1", int: "a whole number", float: "a number"}
"""Kinds of hyper-parameters, and what they are called."""


def strategy(name: str) -> AdaptationStrategy:
    """The strategy of this name, or with other hyper-parameters: "samtta:replayed=0,stride=1" (for ablations).

    Raises:
        UserError: the strategy or hyper-parameter does not exist, has no effect, or its value is of the wrong kind.
    """
    base, colon, changes = name.partition(":")
    known = {**STRATEGIES, **SCHOEN_ABLATIONS}
    if base not in known:
        near = difflib.get_close_matches(base, known, n=1)
        advice = (
            Phrase("Did you mean {near}?", near=near[0])
            if near
            else Phrase("There are {names}", names=", ".join(STRATEGIES))
        )
        raise UserError(Phrase("There is no strategy named {base!r}", base=base), "", advice)
    found: Any = known[base]
    if not colon:
        return cast(AdaptationStrategy, found)
    given = [change.partition("=")[::2] for change in changes.split(",")]
    twice = next((key for key, _ in given if [k for k, _ in given].count(key) > 1), None)
    if twice is not None:
        raise UserError(Phrase("The hyper-parameter {twice!r} is given twice", twice=twice), name, "Give it once")
    for key, text in given:
        if key not in options(found):
            choice = ", ".join(options(found)) or "none"
            raise UserError(
                Phrase("There is no hyper-parameter named {key!r}", key=key),
                name,
                Phrase("There are {choice}", choice=choice),
            )
        found = _changed(found, key, text, name)
    return cast(AdaptationStrategy, replace(found, name=name))


def options(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - any dataclass
    """The hyper-parameters that change what a strategy does; those of nested values are included by name.

    `fits` is fixed for most strategies. It is an option only where clicks move the threshold.
    """
    own = [f.name for f in fields(value) if type(getattr(value, f.name)) in _KINDS]
    own = [name for name in own if name != "fits" or isinstance(value, Samtta)]
    inside = _inside(value)
    return tuple(dict.fromkeys([*own, *(options(getattr(value, inside)) if inside else ())]))


def _inside(value: Any) -> str | None:  # noqa: ANN401 - any dataclass
    return next((f.name for f in fields(value) if is_dataclass(getattr(value, f.name))), None)


def _changed(value: Any, key: str, text: str, where: str) -> Any:  # noqa: ANN401 - any dataclass
    """A frozen dataclass with one field set from text; fields of nested dataclasses are found by name."""
    inside = _inside(value)
    if inside is not None and key in options(getattr(value, inside)):
        changed = _changed(getattr(value, inside), key, text, where)
        own = {key: getattr(changed, key)} if key in {f.name for f in fields(value)} else {}  # both have a field `fits`
        return replace(value, **{inside: changed}, **own)
    kind = type(getattr(value, key))
    try:
        number = _number(text, kind)
    except ValueError as e:
        raise UserError(
            Phrase("{text!r} is no value for {key}", text=text, key=key),
            where,
            Phrase("Give {kinds}", kinds=_KINDS[kind]),
        ) from e
    return replace(value, **{key: number})


def _number(text: str, kind: type) -> bool | int | float:
    """A switch, or a number that is finite and not negative.

    Raises:
        ValueError: it is none.
    """
    if kind is bool:
        if text not in ("0", "1"):
            raise ValueError(f"{text} is no switch")
        return text == "1"
    number: int | float = kind(text)
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{text} is not finite or negative")
    return number
