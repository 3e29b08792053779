"""The settings file survives everything, and refuses by name what cannot work."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samtta_app import settings as module
from samtta_app.adapt.registry import DEFAULT, STRATEGIES
from samtta_app.errors import SettingsError
from samtta_app.settings import (
    Settings,
    Strategy,
    data_folder,
    load_settings,
    model_folder,
    resource,
    save_settings,
    settings_file,
    valid_keys,
)

KEYS = st.sampled_from(["", "A", "Ctrl+Z", "Return; E", "Shift+PgDown", "?", "F12", "Ctrl+Shift+Z; Ctrl+Y"])
NAMES = st.text(min_size=1, max_size=12).filter(lambda text: "\n" not in text)


def test_without_a_file_the_defaults_hold(tmp_path: Path):
    assert load_settings(tmp_path / "none.toml") == Settings()


@given(
    model=st.text(min_size=1, max_size=40).filter(lambda text: text.strip() != ""),
    theme=st.sampled_from(["system", "light", "dark"]),
    threads=st.integers(0, 1024),
    idle=st.floats(1, 3600),
    wheel=st.sampled_from(["zoom", "scroll"]),
    strategy=st.sampled_from(get_args(Strategy)),
    learn=st.booleans(),
    opacity=st.floats(0, 1),
    keys=st.dictionaries(NAMES, KEYS, max_size=4),
)
def test_what_is_saved_is_what_is_loaded(
    tmp_path_factory, model, theme, threads, idle, wheel, strategy, learn, opacity, keys
):
    path = tmp_path_factory.mktemp("settings") / "settings.toml"
    written = Settings(model, theme, threads, idle, wheel, strategy, learn, opacity, keys)
    save_settings(written, path)
    assert load_settings(path) == written


def test_a_whole_number_of_seconds_is_read_as_it_is_written_by_hand(tmp_path: Path):
    path = tmp_path / "settings.toml"
    path.write_text("idle_seconds = 20\n[keys]\naccept = 'Return'\n")
    assert load_settings(path) == Settings(idle_seconds=20, keys={"accept": "Return"})


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("theme = 'blue'", "theme"),
        ("model = ''", "model"),
        ("model = 3", "model"),
        ("threads = -1", "threads"),
        ("threads = true", "threads"),
        ("threads = 1.5", "threads"),
        ("idle_seconds = 0", "idle_seconds"),
        ("idle_seconds = nan", "idle_seconds"),
        ("idle_seconds = 'long'", "idle_seconds"),
        ("wheel = 'pan'", "wheel"),
        ("strategy = 'luck'", "strategy"),
        ("strategy = 3", "strategy"),
        ("learn = 1", "learn"),
        ("overlay_opacity = 1.5", "overlay_opacity"),
        ("overlay_opacity = true", "overlay_opacity"),
        ("overlay_opacity = nan", "overlay_opacity"),
        ("keys = 3", "keys"),
        ("keys.accept = 5", "keys.accept"),
        ("keys.accept = 'Ctrl+'", "keys.accept"),
        ("keys.accept = 'Kontrol+A'", "keys.accept"),
    ],
)
def test_a_value_that_is_not_valid_is_refused_with_its_name_and_file(tmp_path: Path, line: str, named: str):
    path = tmp_path / "settings.toml"
    path.write_text(line)
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert f"setting {named} " in caught.value.what
    assert caught.value.where == str(path)
    assert caught.value.do


def test_the_strategies_are_those_of_the_registry_and_a_wrong_one_names_them_all(tmp_path: Path):
    assert list(get_args(Strategy)) == list(STRATEGIES)
    assert Settings().strategy == DEFAULT
    path = tmp_path / "settings.toml"
    path.write_text("strategy = 'luck'")
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert caught.value.do == f"It must be one of {', '.join(STRATEGIES)}"


def test_an_unknown_name_is_refused_and_the_nearest_one_is_offered(tmp_path: Path):
    path = tmp_path / "settings.toml"
    path.write_text("thread = 2")
    with pytest.raises(SettingsError, match="Did you mean threads"):
        load_settings(path)
    path.write_text("zzz = 2")
    with pytest.raises(SettingsError, match="The settings are model, theme"):
        load_settings(path)


def test_a_file_that_is_not_toml_or_not_text_or_a_folder_is_refused(tmp_path: Path):
    path = tmp_path / "settings.toml"
    path.write_text("theme = ")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load_settings(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path)


def test_a_failed_save_leaves_the_file_before_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "settings.toml"
    save_settings(Settings(theme="dark"), path)

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "replace", full_disk)
    with pytest.raises(SettingsError, match="No space left"):
        save_settings(Settings(theme="light"), path)
    assert load_settings(path).theme == "dark"
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.toml"]


def test_a_settings_folder_that_cannot_be_made_is_said_so(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="not saved"):
        save_settings(Settings(), tmp_path / "file" / "settings.toml")


@pytest.mark.parametrize("text", ["", "A", "Ctrl+Shift+Z", "Return; E; Space", "?", "[", "+", "F1", "F35", "Ctrl++"])
def test_keys_as_people_write_them_are_valid(text: str):
    assert valid_keys(text)


@pytest.mark.parametrize("text", ["AB", "Ctrl+", "Ctrl+Ctrl", "F0", "F36", "Return,E", "A;;B", "A B"])
def test_keys_that_no_keyboard_has_are_not_valid(text: str):
    assert not valid_keys(text)


def test_one_variable_moves_everything_that_is_written_outside_projects(samtta_home: Path):
    assert data_folder() == samtta_home
    assert model_folder() == samtta_home / "models"
    assert settings_file() == samtta_home / "settings.toml"
    save_settings(Settings(wheel="scroll"))
    assert load_settings().wheel == "scroll"


def test_without_the_variable_the_platforms_folders_are_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SAMTTA_HOME")
    assert data_folder().name == "samtta"
    assert settings_file().parent.name == "samtta"


def test_the_shipped_resources_are_found():
    assert resource("models").is_dir()
    assert not resource("no such thing").exists()
