"""What runs here: version, commit, model, torch and Qt in one line, and whether it is a bundle. Nothing heavy is imported."""

from __future__ import annotations

import hashlib
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from samtta_app.commit import commit_of
from samtta_app.extras import in_bundle
from samtta_app.settings import read_settings, resource

_HASH_DIGITS = 8
"""Digits of a model's hash: enough to tell two trainings of one model from each other."""


def bundle_folder() -> Path:
    """The folder that holds the program of a bundle."""
    return Path(sys.executable).resolve().parent


def commit_words() -> str:
    """The commit that this was built from: written into the package, or asked of the checkout; "" where none is known."""
    try:
        return resource("commit.txt").read_text(encoding="utf-8").strip()
    except OSError:
        return commit_of(resource("").parent)


def version_words() -> str:
    """One line for a report of an error: what of samtta, its model, torch and Qt runs here."""
    parts = [
        _versioned("samtta", "samtta", "not installed"),
        f"commit {commit_words() or 'unknown'}",
        f"model {_model_words()}",
        _versioned("torch", "torch", "not installed"),
        _versioned("Qt", "PySide6-Essentials", "not installed"),
    ]
    return ", ".join([*parts, "bundle"] if in_bundle() else parts)


def _versioned(title: str, distribution: str, absent: str) -> str:
    try:
        return f"{title} {version(distribution)}"
    except PackageNotFoundError:
        return f"{title} {absent}"


def _model_words() -> str:
    """The model of the settings; a shipped one with the first digits of its file's SHA-256."""
    name = read_settings()[0].model
    file = resource(f"models/{name}.safetensors")
    try:
        return f"{name} {hashlib.sha256(file.read_bytes()).hexdigest()[:_HASH_DIGITS]}"
    except OSError:
        return name
