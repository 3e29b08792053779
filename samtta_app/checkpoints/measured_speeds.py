"""How fast models are on this machine, as it was measured: one small file, and a figure for each weights file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from samtta_app.core.files import write_whole
from samtta_app.core.names import to_text
from samtta_app.core.texts import json_text
from samtta_app.regular_files import SETTINGS_BYTES, read_json
from samtta_app.settings import data_folder


@dataclass(frozen=True, slots=True)
class MeasuredSpeed:
    """Milliseconds to encode one window, and the device that did it."""

    milliseconds: float
    device: str

    @property
    def words(self) -> str:
        """For a table: "48 ms (cpu)", "11.2 s (cpu)"."""
        slow = self.milliseconds >= 10_000
        figure = f"{self.milliseconds / 1000:.1f} s" if slow else f"{self.milliseconds:.0f} ms"
        return f"{figure} ({self.device})"


def remember_speed(path: Path, speed: MeasuredSpeed) -> None:
    """Store what was measured for a weights file.

    Raises:
        OSError: it cannot be stored; what was stored before stays.
    """
    known = _stored()
    known[_key(path)] = {"milliseconds": speed.milliseconds, "device": speed.device, "file": _stamp(path)}
    _file().parent.mkdir(parents=True, exist_ok=True)
    write_whole(_file(), json_text(known, indent=1).encode())


def remembered_speed(path: Path) -> MeasuredSpeed | None:
    """What was measured for this very file; None where nothing was, or where the file has changed since."""
    found = _stored().get(_key(path))
    if not isinstance(found, dict):
        return None
    milliseconds, device = found.get("milliseconds"), found.get("device")
    if not isinstance(milliseconds, int | float) or not math.isfinite(milliseconds) or not isinstance(device, str):
        return None
    try:
        same = found.get("file") == _stamp(path)
    except OSError:
        return None
    return MeasuredSpeed(float(milliseconds), device) if same else None


def _stored() -> dict[str, object]:
    """Everything that is stored; a damaged file is as good as none."""
    try:
        found = read_json(_file(), SETTINGS_BYTES)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _file() -> Path:
    return data_folder() / "model-speeds.json"


def _key(path: Path) -> str:
    return to_text(str(path))


def _stamp(path: Path) -> list[int]:
    """What changes with the file: its size, and when it was written."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]
