"""The strategies by name."""

from __future__ import annotations

import difflib
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from samtta_app.adapt.classes import PerClass
from samtta_app.adapt.dc_tta import DcTta
from samtta_app.adapt.fbrs import Fbrs
from samtta_app.adapt.lit_lora import LitLora
from samtta_app.adapt.ours import Samtta
from samtta_app.adapt.proposals import Sum
from samtta_app.adapt.schoen import Schoen2024, Schoen2024AsReleased
from samtta_app.adapt.strategy import Frozen, Strategy
from samtta_app.adapt.words import WORDS
from samtta_app.errors import UserError

DEFAULT = "samtta"

BOTH = PerClass(name="samtta-both", words=WORDS["samtta-both"], shared=True)

STRATEGIES: dict[str, Strategy] = {
    each.name: each
    for each in (
        *(Samtta(), PerClass(), BOTH, Sum()),
        *(Schoen2024(), Schoen2024AsReleased(), Fbrs(), LitLora(), DcTta(), Frozen()),
    )
}
"""Every strategy with its published or chosen hyper-parameters, the default first."""


def strategy(name: str) -> Strategy:
    """The strategy of this name, or with other hyper-parameters: "samtta:replayed=0,stride=1" (for ablations).

    Raises:
        UserError: there is no such strategy or hyper-parameter, or its value is not of its kind.
    """
    base, _, changes = name.partition(":")
    if base not in STRATEGIES:
        near = difflib.get_close_matches(base, STRATEGIES, n=1)
        advice = f"Did you mean {near[0]}?" if near else f"There are {', '.join(STRATEGIES)}"
        raise UserError(f"There is no strategy named {base!r}", "", advice)
    found: Any = STRATEGIES[base]
    for change in filter(None, changes.split(",")):
        found = _changed(found, *change.partition("=")[::2], name)
    return cast(Strategy, replace(found, name=name) if changes else found)


def _changed(value: Any, key: str, text: str, where: str) -> Any:  # noqa: ANN401 - any dataclass
    """A frozen dataclass with one field set from text; fields of nested dataclasses are reached by their own names."""
    kinds = {f.name: type(getattr(value, f.name)) for f in fields(value)}
    nested = next((name for name, kind in kinds.items() if is_dataclass(kind)), None)
    if key not in kinds and nested is not None:
        return replace(value, **{nested: _changed(getattr(value, nested), key, text, where)})
    if kinds.get(key) not in (bool, int, float):
        known = ", ".join(n for n, kind in kinds.items() if kind in (bool, int, float))
        raise UserError(f"There is no hyper-parameter named {key!r}", where, f"There are {known}")
    try:
        return replace(value, **{key: bool(int(text)) if kinds[key] is bool else kinds[key](text)})
    except ValueError as e:
        raise UserError(f"{text!r} is no value for {key}", where, f"Give {kinds[key].__name__}") from e
