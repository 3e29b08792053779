"""Features on the disk, so that an image that was seen before need not be encoded again: safetensors, bounded, oldest first.

The files can be deleted at any time. One that cannot be read is deleted, and the window is encoded again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from samtta_app.core.files import write_whole
from samtta_app.core.types import Window
from samtta_app.model.backbone import SamModel
from samtta_app.model.fast_encoder import FAST_DEVICE
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.predictor import ImageFeatures

FORMAT = "samtta-features-1"

SUFFIX = ".features.safetensors"
"""Only files of such a name are ever deleted."""

MOST_WAITING = 8
"""Features that wait to be written; on a disk that is slower than the encoder, further ones are not kept."""

log = logging.getLogger(__name__)


class FeatureFiles:
    """Keeps features of one model in a folder.

    Reading is done by the caller, a few milliseconds for some MB. Writing is done on a thread, which gets bytes.

    Args:
        folder: where they are; it is made at the first write.
        model: whose features they are.
        budget: bytes of all files in the folder, also those of other models; the ones used longest ago go first.
    """

    def __init__(self, folder: Path, model: SamModel, budget: int) -> None:
        self._folder, self._model, self._budget = folder, model, budget
        self._lock = threading.Lock()
        self._waiting: list[tuple[Path, bytes]] = []
        self._writer: threading.Thread | None = None

    def read(self, image_key: str, window: Window) -> ImageFeatures | None:
        """The features of a window; None where they are not kept."""
        path, device = self._folder / _file_name(self._model, image_key, window), str(self._model.device)
        try:
            with safe_open(path, framework="pt", device=device) as file:
                facts: Mapping[str, str] = file.metadata() or {}
                tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            found = _features(json.loads(facts["features"]), tensors)
            if (found.image_key, found.window) != (image_key, window):
                raise ValueError("they are those of another window")
            path.touch()
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, KeyError, ValueError, TypeError, AttributeError) as error:
            log.warning("Kept features were dropped: %s", error)
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        return found

    def keep(self, features: ImageFeatures) -> None:
        """Have features written, unless too many wait already."""
        name, data = packed_features(self._model, features)
        packed = self._folder / name, data
        with self._lock:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append(packed)
            if self._writer is None:  # not a daemon: the end of the program does not cut a file off
                self._writer = threading.Thread(target=self._write_all, name="samtta-features")
                self._writer.start()

    def settle(self) -> None:
        """Wait until everything is written."""
        writer = self._writer
        if writer is not None:
            writer.join()

    def _write_all(self) -> None:
        """Write what waits; a disk that is full or read-only costs nothing but the time of encoding again."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._writer = None
                    return
                path, data = self._waiting.pop(0)
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                write_whole(path, data)
                _shrink(self._folder, self._budget)
            except OSError as error:
                log.warning("Features were not kept: %s", error)


def packed_features(model: SamModel, features: ImageFeatures) -> tuple[str, bytes]:
    """Name and content of the file that holds features of a model."""
    return _file_name(model, features.image_key, features.window), _packed(features)


def _file_name(model: SamModel, image_key: str, window: Window) -> str:
    runs_on = FAST_DEVICE if model.encoder else model.device.type
    whose = (FORMAT, fingerprint(model), model.size, runs_on, model.outline is not None)
    return f"{blake2b(repr((whose, image_key, window)).encode(), digest_size=20).hexdigest()}{SUFFIX}"


def _packed(features: ImageFeatures) -> bytes:
    tensors = {f"skip{k}": skip.cpu() for k, skip in enumerate(features.skips)}
    tensors["embedding"] = features.embedding.cpu()
    if features.picture is not None:
        tensors["picture"] = torch.from_numpy(features.picture)
    window = features.window
    facts = {
        "format": FORMAT,
        "image": features.image_key,
        "window": (window.x, window.y, window.width, window.height),
        "valid": features.valid,
        "skips": len(features.skips),
    }
    return save(tensors, {"features": json.dumps(facts)})  # one entry: of several, the order in the file is random


def _features(facts: Mapping[str, object], tensors: Mapping[str, Tensor]) -> ImageFeatures:
    x, y, width, height = cast("list[int]", facts["window"])
    rows, columns = cast("list[int]", facts["valid"])
    picture = tensors.get("picture")
    return ImageFeatures(
        str(facts["image"]),
        Window(x, y, width, height),
        tensors["embedding"],
        tuple(tensors[f"skip{k}"] for k in range(cast("int", facts["skips"]))),
        (rows, columns),
        None if picture is None else picture.cpu().numpy(),
    )


def _shrink(folder: Path, budget: int) -> None:
    """Delete the files that were used longest ago, until the others are within the budget."""
    files = sorted(((file.stat(), file) for file in folder.glob(f"*{SUFFIX}")), key=lambda each: each[0].st_mtime_ns)
    total = sum(stat.st_size for stat, _ in files)
    for stat, file in files:
        if total <= budget:
            return
        file.unlink(missing_ok=True)
        total -= stat.st_size
