"""Where files are and what a user may change: resources, folders, and the settings file.

The settings are one TOML file in the platform's configuration folder. The variable SAMTTA_HOME moves all that samtta
writes outside project folders (settings, downloaded models, logs) into one folder.
"""

from __future__ import annotations

import difflib
import getpass
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import platformdirs

from samtta_app import toml_text
from samtta_app.errors import SettingsError
from samtta_app.phrases import Phrase
from samtta_app.regular_files import SETTINGS_BYTES, read_bytes

Theme = Literal["system", "light", "dark"]
Language = Literal["system", "en", "de"]
Wheel = Literal["zoom", "scroll"]
HoverChoice = Literal["auto", "on", "off"]
SettingKind = Literal["choice", "switch", "whole", "number", "text"]
StrategyName = Literal[
    "samtta",
    "samtta-per-class",
    "samtta-both",
    "sum",
    "schoen2024",
    "schoen2024-asreleased",
    "fbrs",
    "lit-lora",
    "dc-tta",
    "frozen",
]

HOME_VARIABLE = "SAMTTA_HOME"

SETTINGS_VERSION = 1
"""What a file without the entry `version` has; a samtta that gives a setting another meaning writes a greater one."""

NEWER = "The settings were written by a newer samtta (version {version}), and {number} of them are not known here"

log = logging.getLogger(__name__)

_MODIFIERS = r"(?:(?:Ctrl|Shift|Alt|Meta)\+)*"
_NAMED = (
    "Backspace|Backtab|Del|Delete|Down|End|Enter|Esc|Escape|Home|Ins|Insert|Left|PgDown|PgUp|Return|Right|Space|Tab|Up"
)
_OPTIONS = re.compile(r"\w+=[^,=\s]+(?:,\w+=[^,=\s]+)*")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{0,100}")
_DEVICE = re.compile(r"auto|cpu|openvino|mps|cuda(?::\d{1,3})?")

DEVICES = '"auto", "cpu", "openvino", "cuda", "cuda:1" or "mps"'
"""The devices that a model can use, in words for users."""

_KEY = re.compile(rf"{_MODIFIERS}(?:{_NAMED}|F(?:[1-9]|[12]\d|3[0-5])|[^\s;])")


def valid_strategy(text: object) -> bool:
    """Whether `text` is a strategy's name, alone or with options after a colon; higher layers know their meaning."""
    name, colon, options = text.partition(":") if isinstance(text, str) else ("", "", "")
    return name in get_args(StrategyName) and (not colon or _OPTIONS.fullmatch(options) is not None)


class SettingField(NamedTuple):
    """What may stand in a setting: the dialog of settings and the check of values are made from it.

    `kind` is "choice", "switch", "whole", "number" or "text". `choices` are the values of a choice, `limits` the least and
    the greatest number. `expected` says both in words.
    """

    name: str
    kind: SettingKind
    expected: str
    choices: tuple[str, ...] = ()
    limits: tuple[float, float] = (0, 0)
    valid: Callable[[Any], object] = bool

    def holds(self, value: object) -> bool:
        """Whether a value may stand there."""
        match self.kind:
            case "choice":
                return value in self.choices
            case "switch":
                return isinstance(value, bool)
            case "text":
                return isinstance(value, str) and bool(self.valid(value))
            case "whole" if not isinstance(value, int):
                return False
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and self.limits[0] <= value <= self.limits[1]  # type: ignore[operator]


class _Rule(NamedTuple):
    """What a setting's type does not say; see `SettingField`."""

    expected: str
    limits: tuple[float, float] = (0, 0)
    valid: Callable[[Any], object] = bool


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user may change; every field has a default and is checked when it is made.

    Args:
        model: name of a shipped model, of a file in the model folder, or a path to a weights file.
        theme: "system", "light" or "dark".
        threads: processor threads for the model; 0 takes OMP_NUM_THREADS, or as many as there are cores to use.
        idle_seconds: a longer pause between two prompts counts as this long in the object's time.
        wheel: what the bare mouse wheel does; Ctrl with the wheel does the other.
        strategy: name of the way in which the decoder adapts, with other hyper-parameters after a colon
            ("samtta:fits=0"); "frozen" keeps the original weights.
        learn: whether the decoder learns from accepted objects.
        overlay_opacity: how strongly a map of uncertainty covers the image, 0 .. 1.
        keys: action name -> key, or several separated by ";" ("Return; E"), in place of the action's default.
        device: what the model runs on: "auto" (an NVIDIA GPU where torch can use one), "cpu", "cuda", "cuda:1" or "mps".
            "openvino" is the processor with a faster encoder (the extra `fast`).
        control_share: share of objects, 0 .. 0.5, that the original model answers, unseen until the accept, to be compared
            with the others; 0.1 is advised for studies.
        tidy_masks: whether crumbs and pinholes of a mask go, unless a click holds them; a class can be exempted.
        kept_features: megabytes of encoded images kept on the disk, so that they open at once later; 0 keeps none.
        hover: whether the mask under the pointer is shown before a click; "auto": where an answer takes under 50 ms.
        font_size: of the window's text in points, 6 .. 32; 0 is the system's.
        language: of the window: "system", "en" or "de".
        safe_colours: whether good and bad are blue and orange in place of green and red.
        annotator: whose name stands beside objects and reviews; "" takes the login name.

    Raises:
        SettingsError: a value is not valid.
    """

    model: Annotated[str, _Rule("the name or path of a model", valid=str.strip)] = "samtta-small"
    theme: Annotated[Theme, _Rule('"system", "light" or "dark"')] = "system"
    threads: Annotated[int, _Rule("a whole number from 0 to 1024", (0, 1024))] = 0
    idle_seconds: Annotated[float, _Rule("from 1 to 3600 seconds", (1, 3600))] = 15.0
    wheel: Annotated[Wheel, _Rule('"zoom" or "scroll"')] = "zoom"
    strategy: Annotated[
        str, _Rule(Phrase("one of {names}", names=", ".join(get_args(StrategyName))), valid=valid_strategy)
    ] = "samtta"
    learn: Annotated[bool, _Rule("true or false")] = True
    overlay_opacity: Annotated[float, _Rule("from 0 to 1", (0, 1))] = 0.8
    keys: Mapping[str, str] = field(default_factory=dict)
    device: Annotated[str, _Rule(DEVICES, valid=_DEVICE.fullmatch)] = "auto"
    control_share: Annotated[float, _Rule("from 0 to 0.5", (0, 0.5))] = 0.0
    tidy_masks: Annotated[bool, _Rule("true or false")] = True
    kept_features: Annotated[int, _Rule("a whole number of megabytes, 0 for none", (0, 1_000_000))] = 2048
    hover: Annotated[HoverChoice, _Rule('"auto", "on" or "off"')] = "auto"
    font_size: Annotated[int, _Rule("a whole number from 0 to 32", (0, 32))] = 0
    language: Annotated[Language, _Rule('"system", "en" or "de"')] = "system"
    safe_colours: Annotated[bool, _Rule("true or false")] = False
    annotator: Annotated[str, _Rule("a name of up to 100 characters in one line", valid=_NAME.fullmatch)] = ""

    def __post_init__(self) -> None:
        """Refuse invalid values; the error names the setting."""
        for entry in setting_fields():
            _require(entry.holds(getattr(self, entry.name)), entry.name, entry.expected)
        _require(isinstance(self.keys, Mapping), "keys", "a table of action names and keys")
        for action, text in self.keys.items():
            _require(
                isinstance(text, str) and valid_keys(text), f"keys.{action}", 'a key such as "Ctrl+Z" or "Return; E"'
            )


@cache
def setting_fields() -> tuple[SettingField, ...]:
    """Every setting but the keys, in the order of `Settings`."""
    kinds: dict[object, SettingKind] = {bool: "switch", int: "whole", float: "number", str: "text"}
    found = []
    for name, hint in get_type_hints(Settings, include_extras=True).items():
        if get_origin(hint) is Annotated:
            kind, (rule,) = hint.__origin__, hint.__metadata__
            chosen = get_args(kind) if kind not in kinds else ()
            found.append(SettingField(name, kinds.get(kind, "choice"), rule.expected, chosen, rule.limits, rule.valid))
    return tuple(found)


def valid_keys(text: str) -> bool:
    """Whether `text` is one key or several separated by ";", modifiers first ("Shift+B"); "" takes the key away."""
    return not text.strip() or all(_KEY.fullmatch(part.strip()) for part in text.split(";"))


def annotator_of(settings: Settings) -> str:
    """The annotator's name: the setting, or else the login name; "" where the system knows none."""
    try:
        return settings.annotator.strip() or getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def learns_in_order(strategy: str) -> bool:
    """Whether a strategy learns in the order of the acts, so that a click waits for the lesson before it.

    The strategies say so themselves; this tells it before torch is loaded.
    """
    return strategy.startswith("schoen2024")


def _require(holds: bool, name: str, expected: str) -> None:
    if not holds:
        raise SettingsError(
            Phrase("The setting {name} is not valid", name=name),
            do=Phrase("It must be {expected}", expected=Phrase.of(expected)),
        )


# --- folders --------------------------------------------------------------------------------------------------------


def resource(name: str) -> Path:
    """Path of a file or folder that samtta ships, for example "models/samtta-small.safetensors"; it may not exist."""
    package = Path(__file__).resolve().parent
    inside = package / "resources"
    return (inside if inside.is_dir() else package.parent / "resources") / name


def data_folder() -> Path:
    """Folder for what samtta keeps outside projects (models, logs, samples); it may not exist yet."""
    home = os.environ.get(HOME_VARIABLE)
    return Path(os.path.expanduser(home)) if home else Path(platformdirs.user_data_dir("samtta", appauthor=False))


def feature_folder() -> Path:
    """Folder for encoded images, which can be deleted at any time; it may not exist yet."""
    return data_folder() / "features"


def model_folder() -> Path:
    """Folder where weights files are looked up by name; it may not exist yet."""
    return data_folder() / "models"


def settings_file() -> Path:
    """The settings file; it may not exist yet."""
    home = os.environ.get(HOME_VARIABLE)
    folder = Path(os.path.expanduser(home)) if home else Path(platformdirs.user_config_dir("samtta", appauthor=False))
    return folder / "settings.toml"


# --- reading and writing --------------------------------------------------------------------------------------------


def read_settings(path: Path | None = None) -> tuple[Settings, tuple[SettingsError, ...]]:
    """The settings in `path` (default: the user's own file), and the errors for what was left out.

    Nothing in the file stops the program: an invalid value leaves its default, an unknown name is ignored.
    """
    path = path or settings_file()
    try:
        parsed = toml_text.parse(read_bytes(path, SETTINGS_BYTES).decode("utf-8", "surrogateescape"))
    except FileNotFoundError:
        return Settings(), ()
    except OSError as error:
        what = Phrase("The settings file cannot be read, so the defaults hold: {strerror}", strerror=error.strerror)
        return Settings(), (SettingsError(what, path, "Correct it or delete it"),)
    left_out = [
        SettingsError(
            Phrase("Line {number} of the settings file is not valid and is left out: {why}", number=number, why=why),
            path,
            "Correct it",
        )
        for number, why in parsed.bad
    ]
    good: dict[str, Any] = {}
    version = parsed.values.pop("version", SETTINGS_VERSION)
    for name, value in _each(parsed.values):
        try:
            _refuse_unknown(name)
            Settings(**{name: value})
        except SettingsError as error:
            left_out.append(SettingsError(Phrase("{what} and is left out", what=error.what), path, error.do))
            continue
        good[name] = {**good.get(name, {}), **value} if name == "keys" else value
    if isinstance(version, int) and version > SETTINGS_VERSION and left_out:
        what = Phrase(NEWER, version=version, number=len(left_out))
        left_out = [SettingsError(what, path, "Update samtta to use them; they stay in the file")]
    return Settings(**good), tuple(left_out)


def load_settings(path: Path | None = None) -> Settings:
    """The settings as in `read_settings`; errors are logged as warnings."""
    settings, left_out = read_settings(path)
    for error in left_out:
        log.warning("%s", error)
    return settings


def _each(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every setting separately, and every key of the table `keys` separately."""
    for name, value in values.items():
        if name == "keys" and isinstance(value, Mapping):
            yield from (("keys", {action: text}) for action, text in value.items())
        else:
            yield name, value


def _refuse_unknown(name: str) -> None:
    known = [entry.name for entry in fields(Settings)]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        advice = (
            Phrase("Did you mean {near}", near=near[0])
            if near
            else Phrase("The settings are {names}", names=", ".join(known))
        )
        raise SettingsError(Phrase("The setting {name!r} is not known", name=name), do=advice)


def save_settings(settings: Settings, path: Path | None = None, *, before: Settings | None = None) -> None:
    """Write the values that differ from `before` (default: the defaults) to `path` (default: the user's own file).

    The file is read again, and everything else in it stays: changes by other programs, comments, unknown names.

    Raises:
        SettingsError: the file cannot be written; the previous file stays.
    """
    changes = _changes(before or Settings(), settings)
    path = Path(os.path.realpath(path or settings_file()))  # a link stays a link
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            text = read_bytes(path, SETTINGS_BYTES).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            text = ""
        content = toml_text.with_value(text, changes) if changes else text
        _replace(path, content.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise SettingsError(
            Phrase("The settings were not saved: {strerror}", strerror=error.strerror),
            path,
            "Check the file and its folder's rights",
        ) from error
    except ValueError as error:
        raise SettingsError(
            Phrase("The settings were not saved: {error}", error=error), path, "Correct the file by hand"
        ) from error


def with_changes(settings: Settings, before: Settings, after: Settings) -> Settings:
    """`settings` with the values that differ between `before` and `after`, and no others."""
    return replace(settings, **{name: getattr(after, name) for name in changed_names(before, after)})


def changed_names(before: Settings, after: Settings) -> tuple[str, ...]:
    """The names of the settings that differ."""
    names = (entry.name for entry in fields(Settings))
    return tuple(name for name in names if getattr(after, name) != getattr(before, name))


def _changes(before: Settings, after: Settings) -> dict[toml_text.TomlKey, Any]:
    """The changes, by their place in the file; None for a removed value."""
    plain = [entry.name for entry in fields(Settings) if entry.name != "keys"]
    found: dict[toml_text.TomlKey, Any] = {
        (name,): getattr(after, name) for name in plain if getattr(after, name) != getattr(before, name)
    }
    names = (*before.keys, *(name for name in after.keys if name not in before.keys))
    return found | {
        ("keys", name): after.keys.get(name) for name in names if after.keys.get(name) != before.keys.get(name)
    }


def _replace(path: Path, content: bytes) -> None:
    """Replace the file by `content`, whole or not at all, with the same permissions."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
