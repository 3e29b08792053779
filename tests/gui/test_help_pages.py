"""The pages of the guide say what the program is: its keys, actions, settings, strategies and links are held to it."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.gui.actions.action_table import ACTION_TABLE, GESTURES
from samtta_app.gui.actions.bindings import bindings
from samtta_app.gui.dialogs.help_window import help_pages, page_title
from samtta_app.gui.panels.colour_bar import MAP_WORDS
from samtta_app.images.file_formats import ImageKind
from samtta_app.settings import Settings, StrategyName, resource

ROOT = Path(__file__).resolve().parents[2]
PAGES = help_pages()
README = (ROOT / "README.md").read_text(encoding="utf-8")
UNNAMED = {f"class_{number}" for number in range(1, 10)}
"""The page says "1 to 9"."""


def text_of(name: str) -> str:
    return resource(f"help/{name}.md").read_text(encoding="utf-8")


def cells(page: str) -> str:
    """The right column of a page's tables."""
    return "\n".join(line.rsplit("|", 2)[1] for line in page.splitlines() if line.startswith("|"))


# --- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [action for action in ACTION_TABLE if action.keys and action.name not in UNNAMED])
def test_the_page_of_keys_names_every_key_of_an_action(action):
    keys = cells(text_of("02-keys"))
    for key in bindings()[action.name]:
        assert re.search(rf"(?<![\w+]){re.escape(key)}(?![\w+])", keys), f"{action.text}: {key}"


@pytest.mark.parametrize("gesture", [how for how, _ in GESTURES])
def test_the_page_of_keys_names_every_gesture(gesture: str):
    table = text_of("02-keys").casefold()
    for part in gesture.casefold().replace("middle drag", "drag with the middle button").split(", "):
        assert part in table


def test_the_readme_names_keys_that_are_there():
    known = {key for keys in bindings().values() for key in keys}
    table = README.split("## Keys in short")[1].split("##")[0]
    named = re.findall(r"Ctrl\+\w|\bF1\b|\bTab\b|\bEnter\b|\bEsc\b|\bBackspace\b", table)
    assert {"F1", "Tab", "Ctrl+Z"} <= set(named) <= known


# --- what else the pages hold -----------------------------------------------------------------------------------------


def test_every_strategy_is_described_and_no_other():
    table = text_of("10-research").split("## Strategies")[1]
    assert re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE) == list(STRATEGY_WORDS)
    assert set(STRATEGY_WORDS) == set(get_args(StrategyName))


@pytest.mark.parametrize("name", [entry.name for entry in fields(Settings)])
def test_every_setting_is_in_the_table(name: str):
    assert f"| `{'[keys]' if name == 'keys' else name}` |" in text_of("06-projects")


@pytest.mark.parametrize("title", [words[0] for words in MAP_WORDS.values()])
def test_every_map_is_explained(title: str):
    assert f"| {title} |" in text_of("03-confidence")


@pytest.mark.parametrize("name", [kind.value for kind in ImageKind])
def test_every_format_that_is_read_is_named(name: str):
    assert name in text_of("05-images")


# --- pages ------------------------------------------------------------------------------------------------------------


def test_every_page_has_a_title_of_its_own():
    titles = [page_title(page) for page in PAGES]
    assert len(PAGES) >= 10
    assert len(set(titles)) == len(titles)
    assert all(page.read_text(encoding="utf-8").startswith(f"# {page_title(page)}\n") for page in PAGES)


def links(text: str) -> list[str]:
    return [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("http")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_of_a_page_leads_to_a_page(page: Path):
    assert all((page.parent / link) in PAGES for link in links(page.read_text(encoding="utf-8")))


def test_the_first_page_leads_to_every_other():
    assert sorted(links(text_of("01-first-steps"))) == [page.name for page in PAGES[1:]]


def test_every_link_of_the_front_page_leads_to_a_file():
    assert links(README)
    assert all((ROOT / link).exists() for link in links(README))


def test_the_front_page_is_short_and_its_pictures_are_small():
    assert README.count("\n") <= 150
    pictures = [ROOT / link for link in links(README) if "pictures/" in link]
    assert len(pictures) == 2
    assert all(picture.stat().st_size <= 200_000 for picture in pictures)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_names_no_path_of_one_machine(page: Path):
    assert not re.search(r"(?<![\w.])/(home|root|work|Users)/\w", page.read_text(encoding="utf-8"))


def test_the_table_of_features_names_keys_that_are_there():
    known = {key for keys in bindings().values() for key in keys}
    named = re.findall(r"(?:(?:Ctrl|Shift|Alt)\+)+(?:\w+|\[)", cells(text_of("14-what-works")))
    assert len(named) > 10
    assert set(named) <= known
