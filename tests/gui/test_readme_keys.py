"""The README's table of keys is the table that the window is made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from samtta_app.gui.actions.action_table import ACTION_TABLE
from samtta_app.gui.actions.bindings import bindings

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
KEYS = README.split("### Keys and gestures")[1].split("###")[0]
UNNAMED = {f"class_{number}" for number in range(1, 10)}
"""The README says "1 to 9"."""


@pytest.mark.parametrize("action", [action for action in ACTION_TABLE if action.keys and action.name not in UNNAMED])
def test_the_readme_names_every_key_of_an_action(action):
    for key in bindings()[action.name]:
        assert key in KEYS, f"{action.text}: {key}"
