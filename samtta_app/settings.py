"""Where things lie and what a person may change: resources, folders, and the settings file.

The settings are one TOML file in the platform's configuration folder. The variable SAMTTA_HOME moves all that samtta
writes outside project folders (settings, downloaded models, logs) into one folder.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

import platformdirs

from samtta_app.errors import SettingsError

Theme = Literal["system", "light", "dark"]
Wheel = Literal["zoom", "scroll"]
Strategy = Literal[
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

_MODIFIERS = r"(?:(?:Ctrl|Shift|Alt|Meta)\+)*"
_NAMED = (
    "Backspace|Backtab|Del|Delete|Down|End|Enter|Esc|Escape|Home|Ins|Insert|Left|PgDown|PgUp|Return|Right|Space|Tab|Up"
)
_OPTIONS = re.compile(r"\w+=[^,=\s]+(?:,\w+=[^,=\s]+)*")
_DEVICE = re.compile(r"auto|cpu|mps|cuda(?::\d{1,3})?")

DEVICES = '"auto", "cpu", "cuda", "cuda:1" or "mps"'
"""The devices that a model can be put on, for people."""

_KEY = re.compile(rf"{_MODIFIERS}(?:{_NAMED}|F(?:[1-9]|[12]\d|3[0-5])|[^\s;])")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person may change; every field has a default and is checked when it is made.

    Args:
        model: name of a shipped model, of a file in the model folder, or a path to a weights file.
        theme: "system", "light" or "dark".
        threads: processor threads for the model; 0 takes OMP_NUM_THREADS, or as many as there are cores to use.
        idle_seconds: a longer pause between two prompts counts as this long in the object's time.
        wheel: what the bare mouse wheel does; Ctrl with the wheel does the other.
        strategy: name of the way in which the decoder adapts, with other hyper-parameters after a colon
            ("samtta:fits=0"); "frozen" keeps the original weights.
        learn: whether the decoder learns from accepted objects when a project is opened.
        overlay_opacity: how strongly a map of uncertainty covers the image, 0 .. 1.
        keys: action name -> key, or several separated by ";" ("Return; E"), in place of the action's default.
        device: what the model runs on: "auto" (an NVIDIA GPU where torch can use one), "cpu", "cuda", "cuda:1" or "mps".

    Raises:
        SettingsError: a value is not valid.
    """

    model: str = "samtta-small"
    theme: Theme = "system"
    threads: int = 0
    idle_seconds: float = 15.0
    wheel: Wheel = "zoom"
    strategy: str = "samtta"
    learn: bool = True
    overlay_opacity: float = 0.8
    keys: Mapping[str, str] = field(default_factory=dict)
    device: str = "auto"

    def __post_init__(self) -> None:
        """Refuse what cannot work, by name."""
        _require(isinstance(self.model, str) and bool(self.model.strip()), "model", "the name or path of a model")
        _require(self.theme in get_args(Theme), "theme", '"system", "light" or "dark"')
        _require(_whole(self.threads) and 0 <= self.threads <= 1024, "threads", "a whole number from 0 to 1024")
        _require(
            _number(self.idle_seconds) and 1 <= self.idle_seconds <= 3600, "idle_seconds", "from 1 to 3600 seconds"
        )
        _require(self.wheel in get_args(Wheel), "wheel", '"zoom" or "scroll"')
        _require(valid_strategy(self.strategy), "strategy", f"one of {', '.join(get_args(Strategy))}")
        _require(isinstance(self.device, str) and bool(_DEVICE.fullmatch(self.device)), "device", DEVICES)
        _require(isinstance(self.learn, bool), "learn", "true or false")
        _require(_number(self.overlay_opacity) and 0 <= self.overlay_opacity <= 1, "overlay_opacity", "from 0 to 1")
        _require(isinstance(self.keys, Mapping), "keys", "a table of action names and keys")
        for action, text in self.keys.items():
            _require(
                isinstance(text, str) and valid_keys(text), f"keys.{action}", 'a key such as "Ctrl+Z" or "Return; E"'
            )


def valid_keys(text: str) -> bool:
    """Whether `text` is one key or several separated by ";", modifiers first ("Shift+B"); "" takes the key away."""
    return not text.strip() or all(_KEY.fullmatch(part.strip()) for part in text.split(";"))


def valid_strategy(text: object) -> bool:
    """Whether `text` is a strategy's name, alone or with options after a colon; what they mean is known further up."""
    name, colon, options = text.partition(":") if isinstance(text, str) else ("", "", "")
    return name in get_args(Strategy) and (not colon or _OPTIONS.fullmatch(options) is not None)


def _require(holds: bool, name: str, expected: str) -> None:
    if not holds:
        raise SettingsError(f"The setting {name} is not valid", do=f"It must be {expected}")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# --- folders --------------------------------------------------------------------------------------------------------


def resource(name: str) -> Path:
    """Path of a file or folder that samtta ships, for example "models/samtta-small.safetensors"; it may not exist."""
    package = Path(__file__).resolve().parent
    inside = package / "resources"
    return (inside if inside.is_dir() else package.parent / "resources") / name


def data_folder() -> Path:
    """Folder for what samtta keeps outside projects (models, logs, samples); it may not exist yet."""
    home = os.environ.get(HOME_VARIABLE)
    return Path(home).expanduser() if home else Path(platformdirs.user_data_dir("samtta", appauthor=False))


def model_folder() -> Path:
    """Folder where weights files are looked up by name; it may not exist yet."""
    return data_folder() / "models"


def settings_file() -> Path:
    """The settings file; it may not exist yet."""
    home = os.environ.get(HOME_VARIABLE)
    folder = Path(home).expanduser() if home else Path(platformdirs.user_config_dir("samtta", appauthor=False))
    return folder / "settings.toml"


# --- reading and writing --------------------------------------------------------------------------------------------


def load_settings(path: Path | None = None) -> Settings:
    """The settings in `path` (default: the person's own file); the defaults where there is no file.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or holds an unknown name or a value that is not valid.
    """
    path = path or settings_file()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("The settings file cannot be read", path, "Mend it or delete it") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file is not valid TOML: {error}", path, "Mend it or delete it") from error
    _refuse_unknown(values, path)
    try:
        return Settings(**values)
    except SettingsError as error:
        raise SettingsError(error.what, path, error.do) from error


def _refuse_unknown(values: Mapping[str, Any], path: Path) -> None:
    known = [entry.name for entry in fields(Settings)]
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            advice = f"Did you mean {near[0]}" if near else f"The settings are {', '.join(known)}"
            raise SettingsError(f"There is no setting named {name!r}", path, advice)


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Write the settings to `path` (default: the person's own file), whole or not at all.

    Raises:
        SettingsError: the file cannot be written; the file before stays.
    """
    path = path or settings_file()
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_as_toml(settings))
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise SettingsError(
            f"The settings were not saved: {error.strerror}", path, "Check the folder's rights"
        ) from error


def _as_toml(settings: Settings) -> str:
    plain = [entry.name for entry in fields(Settings) if entry.name != "keys"]
    lines = [f"{name} = {_value(getattr(settings, name))}" for name in plain]
    if settings.keys:
        lines += ["", "[keys]"] + [f"{_value(name)} = {_value(keys)}" for name, keys in settings.keys.items()]
    return "\n".join(lines) + "\n"


def _value(value: str | float) -> str:
    """One TOML value; a JSON string is a TOML basic string but for the DEL character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
