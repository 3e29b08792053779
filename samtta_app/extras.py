"""Packages that samtta does without until they are wanted: the extras of its wheel, and what to do where one is missing."""

from __future__ import annotations

import sys

from samtta_app.phrases import Phrase

INSTALL_EXTRA = 'Say: pip install "samtta[{extra}]"'
EXTRA_BESIDE_BUNDLE = 'Nothing can be added to a bundle: install samtta by pip install "samtta[{extra}]"'


def in_bundle() -> bool:
    """Whether this is a bundle, which brings its own Python and packages."""
    return bool(getattr(sys, "frozen", False))


def extra_advice(extra: str) -> Phrase:
    """How the packages of an extra come to where samtta runs."""
    return Phrase(EXTRA_BESIDE_BUNDLE if in_bundle() else INSTALL_EXTRA, extra=extra)
