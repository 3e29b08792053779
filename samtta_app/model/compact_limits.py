"""What a model file may ask for, looked at before anything is built: sizes, names, shapes and kinds of numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

BACKBONES = ("mobilenetv2_035", "mobilenetv2_050", "mobilenetv2_075", "mobilenetv2_100")
"""The encoders that a compact model may have, by timm's exact names: any other text could name a file or a web address.

The sizes are one network in four widths; the shipped models have the widest.
"""

RANGES: Mapping[str, tuple[int, int]] = {
    "dim": (16, 1024),
    "mlp": (16, 8192),
    "heads": (1, 32),
    "depth": (1, 8),
    "head_dim": (8, 1024),
    "input_size": (64, 1024),
}
"""Least and largest of each whole number of a configuration: four times what the shipped models have, or more."""

SWITCHES = ("similarity", "context")
"""Optional parts of a configuration: each is on or off."""

MAX_VALUES = 400_000_000
"""Values of a compact model at most; in single precision they take 1.6 GB."""

FLOATS = ("F16", "BF16", "F32")
"""Kinds of numbers that are read as single precision, as safetensors names them; any other is refused."""

NAME_LENGTH = 100
"""Characters of a model's name at most: it is shown in a line."""

Shape = tuple[int, ...]


def config_values(text: str) -> dict[str, Any]:
    """The fields of a compact model's configuration, checked one by one.

    Raises:
        ValueError: it is no JSON object, or a field is unknown, not of its kind, or out of its range.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise ValueError(f"the model's configuration cannot be read: {e}") from e
    if not isinstance(values, dict):
        raise ValueError("the model's configuration cannot be read: it is no table")
    for name, value in values.items():
        _check_field(str(name), value)
    dim, heads = values.get("dim"), values.get("heads")
    if isinstance(dim, int) and (dim % 16 or (heads and dim % (2 * heads))):
        raise ValueError(f"the configuration's dim = {dim} does not go with {heads} heads")
    return values


def _check_field(name: str, value: object) -> None:
    if name == "name":
        fits = isinstance(value, str) and len(value) <= NAME_LENGTH and value.isprintable()
    elif name == "backbone":
        fits = value in BACKBONES
    elif name in SWITCHES:
        fits = isinstance(value, bool)
    elif name in RANGES:
        low, high = RANGES[name]
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        fits = fits and (name != "input_size" or int(str(value)) % 32 == 0)
    else:
        raise ValueError(f"the configuration has an unknown field {name[:40]!r}")
    if not fits:
        raise ValueError(f"the configuration's {name} = {str(value)[:60]!r} is not possible")


class Slice(Protocol):
    """A tensor in a safetensors file, not read yet."""

    def get_dtype(self) -> str:
        """As the file names it: "F16"."""

    def get_shape(self) -> list[int]:
        """Its sizes."""


def check_slices(found: Mapping[str, Slice], expected: Mapping[str, Shape]) -> None:
    """Every name, shape and kind of number, before a value is read.

    Raises:
        ValueError: there are too many values, or what the file holds is not what is expected.
    """
    size = sum(_product(shape) for shape in expected.values())
    if size > MAX_VALUES:
        raise ValueError(f"it asks for {size / 1e6:.0f} M values")
    missing, unexpected = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or unexpected:
        raise ValueError(f"missing {missing[:3]}, unexpected {unexpected[:3]}")
    for name, shape in expected.items():
        if tuple(found[name].get_shape()) != shape:
            raise ValueError(f"{name} is {found[name].get_shape()}, not {list(shape)}")
        if found[name].get_dtype() not in FLOATS:
            raise ValueError(
                f"it holds {found[name].get_dtype()} in {name}, where one of {', '.join(FLOATS)} is expected"
            )


def _product(shape: Shape) -> int:
    total = 1
    for side in shape:
        total *= side
    return total
