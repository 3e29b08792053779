"""What the dialog of settings says of each setting, by its name in the schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PAGES = ("Look", "Masks", "Learning", "Model")
"""The pages of the dialog, before that of the keys."""


@dataclass(frozen=True, slots=True)
class SettingWords:
    """How one setting is shown.

    Args:
        page: where it stands.
        label: what stands before its field; a switch has it as its own text.
        tip: what it means.
        choices: words for each value of a choice.
        suffix: stands behind a number.
        automatic: words for the least number, "" where that is a number like the others.
        factor: what is shown is the value times this.
        digits: behind the decimal point of what is shown.
    """

    page: str
    label: str
    tip: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""
    automatic: str = ""
    factor: float = 1
    digits: int = 0


SETTING_WORDS: Mapping[str, SettingWords] = {
    "theme": SettingWords("Look", "Theme", choices={"system": "As the system", "light": "Light", "dark": "Dark"}),
    "language": SettingWords("Look", "Language", choices={"system": "As the system", "en": "English", "de": "Deutsch"}),
    "font_size": SettingWords(
        "Look", "Size of text", "Of all text in the window", suffix=" pt", automatic="As the system"
    ),
    "safe_colours": SettingWords(
        "Look", "Blue and orange in place of green and red", "For eyes that do not distinguish green and red"
    ),
    "wheel": SettingWords(
        "Look", "Mouse wheel", choices={"zoom": "Zooms (Ctrl scrolls)", "scroll": "Scrolls (Ctrl zooms)"}
    ),
    "overlay_opacity": SettingWords("Look", "Strength of maps of doubt", suffix=" %", factor=100),
    "tidy_masks": SettingWords(
        "Masks",
        "Remove crumbs and pinholes from masks",
        "Small loose parts without an include click, and small holes without an exclude click. "
        "A class can be exempted in its menu",
    ),
    "hover": SettingWords(
        "Masks",
        "Mask under the pointer",
        "What a click would give is shown before it",
        choices={"auto": "Where answers are quick", "on": "Always", "off": "Never"},
    ),
    "annotator": SettingWords(
        "Masks", "Your name", "It stands beside what you accept and review; empty takes the login name"
    ),
    "idle_seconds": SettingWords(
        "Masks",
        "Longest pause that counts",
        "A longer pause counts as so long in an object's time",
        suffix=" s",
    ),
    "strategy": SettingWords("Learning", "Way of learning"),
    "learn": SettingWords("Learning", "Learn from accepted objects"),
    "control_share": SettingWords(
        "Learning",
        "Control objects",
        "The original model answers them, unseen until Enter, to compare; 10 % is advised for studies",
        suffix=" % of objects",
        automatic="None",
        factor=100,
        digits=1,
    ),
    "model": SettingWords("Model", "Model", "A name, or a path to a weights file"),
    "device": SettingWords("Model", "Runs on", "auto, cpu, openvino, cuda, cuda:1 or mps; auto takes an NVIDIA GPU"),
    "kept_features": SettingWords(
        "Model",
        "Encoded images on the disk",
        "They open at once later",
        suffix=" MB",
        automatic="None",
    ),
    "threads": SettingWords("Model", "Threads", "Processor threads of the model", automatic="Automatic"),
}
"""Every setting of the schema but the keys, which have a page of their own."""
