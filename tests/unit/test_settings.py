"""The settings file survives everything, and refuses by name what cannot work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samtta_app import settings as module
from samtta_app.adapt.registry import DEFAULT_STRATEGY, STRATEGIES
from samtta_app.errors import SettingsError
from samtta_app.settings import (
    Settings,
    StrategyName,
    changed_names,
    data_folder,
    load_settings,
    model_folder,
    read_settings,
    resource,
    save_settings,
    settings_file,
    valid_keys,
    with_changes,
)
from tests.unit.no_files import NO_FILES, file_state, put_what_is_no_file

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
    strategy=st.sampled_from(get_args(StrategyName)),
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
        ("control_share = -0.1", "control_share"),
        ("control_share = 0.51", "control_share"),
        ("control_share = true", "control_share"),
        ("control_share = 'few'", "control_share"),
        ("keys = 3", "keys"),
        ("keys.accept = 5", "keys.accept"),
        ("keys.accept = 'Ctrl+'", "keys.accept"),
        ("keys.accept = 'Kontrol+A'", "keys.accept"),
    ],
)
def test_a_value_that_is_not_valid_is_left_out_with_its_name_and_file_and_all_else_holds(
    tmp_path: Path, line: str, named: str
):
    path = tmp_path / "settings.toml"
    other = "threads = 4" if named != "threads" else "wheel = 'scroll'"
    path.write_text(f"{other}\n{line}\n" + ("" if named == "keys" else "keys.undo = 'U'\n"))
    settings, (error,) = read_settings(path)
    assert f"setting {named} " in error.what
    assert error.where == str(path)
    assert error.do
    expected = Settings(threads=4) if named != "threads" else Settings(wheel="scroll")
    assert settings == replace(expected, keys={} if named == "keys" else {"undo": "U"})


def test_the_strategies_are_those_of_the_registry_and_a_wrong_one_names_them_all(tmp_path: Path):
    assert list(get_args(StrategyName)) == list(STRATEGIES)
    assert Settings().strategy == DEFAULT_STRATEGY
    path = tmp_path / "settings.toml"
    path.write_text("strategy = 'luck'")
    _, (error,) = read_settings(path)
    assert error.do == f"It must be one of {', '.join(STRATEGIES)}"


def test_an_unknown_name_is_passed_over_and_the_nearest_one_is_offered(tmp_path: Path):
    path = tmp_path / "settings.toml"
    path.write_text("thread = 2\ntheme = 'dark'\nzzz = 2\n[more]\nfield = 1\n")
    settings, (near, far, table) = read_settings(path)
    assert settings == Settings(theme="dark")
    assert near.do == "Did you mean threads"
    assert far.do.startswith("The settings are model, theme")
    assert "'more'" in table.what


def test_what_is_left_out_is_logged_for_the_command_line(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = tmp_path / "settings.toml"
    path.write_text("threads = 'many'\nwheel = 'scroll'")
    assert load_settings(path) == Settings(wheel="scroll")
    assert "The setting threads is not valid and is left out" in caplog.text
    assert str(path) in caplog.text


@pytest.mark.parametrize(
    "bad",
    [
        b"theme = ",
        b"threads = " + b"9" * 5000,
        b"model = 'gr\xfcn.pth'",
        b"model = 'a' 'b'",
        b"model = 'never closed",
        b'model = """never closed',
        b"idle_seconds = " + b"[" * 20_000,
        b"model = 'a\x00b'",
        b"= 3",
        b"just words",
        b"\x00\x01\x02",
    ],
    ids=lambda text: repr(text[:24]),
)
def test_a_line_that_is_not_toml_hides_no_other_line_and_is_kept_as_a_comment_when_something_changes(
    tmp_path: Path, bad: bytes
):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"# mine\nwheel = 'scroll' # as ever\n" + bad + b"\nlearn = false\n[keys]\nundo = 'U'\n")
    settings, errors = read_settings(path)
    assert settings == Settings(wheel="scroll", learn=False, keys={"undo": "U"})
    assert "Line 3" in errors[0].what
    save_settings(replace(settings, theme="dark"), path, before=settings)
    again, errors = read_settings(path)
    assert (again, errors) == (replace(settings, theme="dark"), ())
    written = path.read_bytes()
    assert b"# mine\nwheel = 'scroll' # as ever\n# not valid: " in written
    assert bad.split(b"\x00")[0][:400] in written


def test_a_table_that_cannot_be_read_takes_nothing_into_another(tmp_path: Path):
    path = tmp_path / "settings.toml"
    path.write_text("theme = 'dark'\n[keys\nundo = 'U'\nmodel = 'x'\n[more]\nmodel = 'y'\n")
    settings, errors = read_settings(path)
    assert settings == Settings(theme="dark")
    assert ["Line 2" in errors[0].what, "Line 3" in errors[1].what, "Line 4" in errors[2].what] == [True] * 3


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_settings_file_stops_nothing_and_is_left_as_it_is(tmp_path: Path, kind: str):
    path = tmp_path / "settings.toml"
    put_what_is_no_file(path, kind)
    settings, (error,) = read_settings(path)
    assert settings == Settings()
    assert "cannot be read" in error.what
    before = file_state(path)
    with pytest.raises(SettingsError, match="were not saved"):
        save_settings(Settings(theme="dark"), path)
    assert file_state(path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.toml"]


# --- changing one value ---------------------------------------------------------------------------------------------


FILE = """\
# written by hand
theme = "light"   # for the lab
future = [1,
  2]  # of a later version

[keys]
undo = "U"  # left hand
dance = "X"

[plugin]
# nothing yet
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_one_change_leaves_comments_unknown_names_and_layout_as_they_are(tmp_path: Path, ending: str, start: str):
    path = tmp_path / "settings.toml"
    path.write_bytes((start + FILE).replace("\n", ending).encode())
    settings, _ = read_settings(path)
    save_settings(replace(settings, theme="dark"), path, before=settings)
    expected = (start + FILE.replace('"light"', '"dark"')).replace("\n", ending)
    assert path.read_bytes().decode() == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", "a 'b' \"c\" \\ d"),
        ("theme", "dark"),
        ("threads", 3),
        ("idle_seconds", 2.5),
        ("wheel", "scroll"),
        ("strategy", "frozen"),
        ("learn", False),
        ("overlay_opacity", 0.25),
        ("control_share", 0.1),
        ("keys", {"undo": "U", "dance": "X", "redo": "Ctrl+U; U"}),
        ("keys", {"undo": "Ctrl+Z"}),
        ("keys", {}),
    ],
)
def test_every_setting_can_be_changed_by_itself(tmp_path: Path, name: str, value: object):
    path = tmp_path / "settings.toml"
    path.write_text(FILE)
    before, _ = read_settings(path)
    save_settings(replace(before, **{name: value}), path, before=before)
    assert read_settings(path)[0] == replace(before, **{name: value})
    written = path.read_text()
    assert "# written by hand" in written
    assert "future = [1,\n  2]  # of a later version" in written
    assert "[plugin]\n# nothing yet" in written


@pytest.mark.parametrize(
    "keys", ["keys.undo = 'U'", "keys = { undo = 'U' }", "[keys]\nundo = 'U'", "['keys']\n'undo' = 'U'"]
)
def test_keys_may_be_written_in_every_way_that_toml_has(tmp_path: Path, keys: str):
    path = tmp_path / "settings.toml"
    path.write_text(f"{keys}\n")
    before, errors = read_settings(path)
    assert (before.keys, errors) == ({"undo": "U"}, ())
    after = replace(before, theme="dark", keys={"undo": "I", "redo": "O"})
    save_settings(after, path, before=before)
    assert read_settings(path) == (after, ())


def test_what_others_change_in_the_file_meanwhile_stays(tmp_path: Path):
    path = tmp_path / "settings.toml"
    path.write_text(FILE)
    mine, _ = read_settings(path)
    path.write_text(FILE.replace('"U"', '"I"') + "more = 'pan'\n")
    save_settings(replace(mine, theme="dark"), path, before=mine)
    assert read_settings(path)[0].keys["undo"] == "I"
    assert "more = 'pan'" in path.read_text()


def test_a_bad_value_stays_until_it_is_changed_itself(tmp_path: Path):
    path = tmp_path / "settings.toml"
    bad = f"threads = 0x{'f' * 5000}\nwheel = 'pan'\n"
    path.write_text(bad + "theme = 'pink'\n")
    before, errors = read_settings(path)
    assert [error.what.split()[2] for error in errors] == ["threads", "wheel", "theme"]
    save_settings(replace(before, theme="dark"), path, before=before)
    assert path.read_text() == bad + 'theme = "dark"\n'


def test_a_link_stays_a_link_and_the_file_keeps_its_rights(tmp_path: Path):
    real, path = tmp_path / "dotfiles.toml", tmp_path / "settings.toml"
    real.write_text("theme = 'dark'\n")
    real.chmod(0o640)
    path.symlink_to(real)
    save_settings(Settings(theme="light"), path, before=Settings(theme="dark"))
    assert path.is_symlink()
    assert read_settings(real)[0].theme == "light"
    assert real.stat().st_mode & 0o777 == 0o640


@given(st.binary(max_size=200), st.sampled_from(["theme", "keys"]))
def test_no_content_of_the_file_stops_the_start_and_a_change_is_stored_or_refused(tmp_path_factory, content, name):
    path = tmp_path_factory.mktemp("settings") / "settings.toml"
    path.write_bytes(content)
    before, _ = read_settings(path)
    after = replace(before, **{name: "dark" if name == "theme" else {**before.keys, "undo": "F9"}})
    try:
        save_settings(after, path, before=before)
    except SettingsError:
        assert path.read_bytes() == content
    else:
        assert read_settings(path)[0] == after


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


@pytest.mark.parametrize("name", ["samtta:fits=0", "samtta-per-class:steps=2,stride=0.5", "fbrs:memory=3"])
def test_a_strategy_may_have_options(name: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    save_settings(Settings(strategy=name), path)
    assert load_settings(path).strategy == name


@pytest.mark.parametrize(
    "name", ["samtta:", "samtta:fits", "samtta:=0", "samtta:a=1,", "samtta:a=1,,b=2", "other:a=1", ":a=1"]
)
def test_options_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="strategy"):
        Settings(strategy=name)


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1", "mps"])
def test_a_device_is_kept(device: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    save_settings(Settings(device=device), path)
    assert load_settings(path).device == device


@pytest.mark.parametrize("device", ["gpu", "", "cuda:", "cuda:x", "CPU", "meta", "cpu\n", 3])
def test_another_device_is_refused_with_those_that_there_are(device: object) -> None:
    with pytest.raises(SettingsError, match="cuda:1"):
        Settings(device=device)  # type: ignore[arg-type]


def test_what_was_changed_is_named_and_changed_elsewhere_too():
    before, after = Settings(theme="dark", threads=2), Settings(theme="dark", learn=False, keys={"fit": "F"})
    assert changed_names(before, before) == ()
    assert set(changed_names(before, after)) == {"threads", "learn", "keys"}
    elsewhere = Settings(theme="light", threads=3, model="mine")
    expected = Settings(theme="light", model="mine", learn=False, keys={"fit": "F"})
    assert with_changes(elsewhere, before, after) == expected
