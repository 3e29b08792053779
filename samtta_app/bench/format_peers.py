"""What other programs need to write COCO, measured in a process of its own: `python format_peers.py PEER MASKS SIDE FILE`.

This file imports nothing of samtta, so that it runs in the environment that holds the other programs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

POOL = 64
"""Distinct masks that all sides write again and again, so that making them costs nothing."""

MASKS_PER_IMAGE = 50

PEER_MASKS = {"supervision": 10_000}
"""The most masks that a peer is given: supervision copies a bitmap of the whole image for each, 262 kB of 512 x 512 pixels."""

_SEED = 20


def mask_pool(side: int) -> list[NDArray[np.bool_]]:
    """POOL masks (side, side): one or two discs, some with a hole, none empty."""
    draw = np.random.default_rng(_SEED)
    rows, columns = np.ogrid[:side, :side]
    found = []
    for _ in range(POOL):
        bits = np.zeros((side, side), bool)
        centre = draw.integers(side // 8, side - side // 8, 2)
        for _ in range(int(draw.integers(1, 3))):
            y, x = centre + draw.integers(-8, 9, 2)
            bits |= (rows - y) ** 2 + (columns - x) ** 2 <= int(draw.integers(4, max(6, side // 12))) ** 2
        if draw.random() < 0.3:
            bits &= (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 > 4
        bits[centre[0], centre[1]] = True
        found.append(bits)
    return found


def peak_megabytes() -> float:
    """The most memory that this process had so far; nan where the system does not tell."""
    try:
        import resource
    except ImportError:
        return float("nan")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


def measured_writer(write: Callable[[], None], masks: int) -> dict[str, Any]:
    """Seconds of the clock and of the processor that a writer takes, masks per second of the latter, and megabytes.

    The processor's seconds do not depend on what else runs. Megabytes are those beyond what was there before.
    """
    before, begun, worked = peak_megabytes(), time.perf_counter(), time.process_time()
    write()
    seconds, worked = time.perf_counter() - begun, time.process_time() - worked
    found = {"seconds": seconds, "processor_seconds": worked, "masks_per_second": masks / max(worked, 1e-9)}
    return {**found, "megabytes": peak_megabytes() - before}


def by_pycocotools(masks: int, side: int, file: Path) -> dict[str, Any]:
    """Pycocotools' own loop: encode a bitmap, take its area and box, and write all entries as one JSON."""
    from pycocotools import mask as coco

    pool = [np.asfortranarray(bits, dtype=np.uint8) for bits in mask_pool(side)]

    def write() -> None:
        entries = []
        for k in range(masks):
            run_lengths = coco.encode(pool[k % POOL])
            area, box = float(coco.area(run_lengths)), coco.toBbox(run_lengths).tolist()
            run_lengths["counts"] = run_lengths["counts"].decode("ascii")
            image = k // MASKS_PER_IMAGE + 1
            entry = {"id": k + 1, "image_id": image, "category_id": 1, "segmentation": run_lengths}
            entries.append({**entry, "area": area, "bbox": box, "iscrowd": 0})
        file.write_text(json.dumps({"images": [], "categories": [], "annotations": entries}))

    return measured_writer(write, masks)


def by_supervision(masks: int, side: int, file: Path) -> dict[str, Any]:
    """The exporter of `supervision`; its images share one array of masks, because all of them would fill the memory."""
    import supervision as sv

    bits = np.stack(mask_pool(side)[:MASKS_PER_IMAGE])
    boxes = sv.mask_to_xyxy(bits)
    found = sv.Detections(xyxy=boxes, mask=bits, class_id=np.zeros(len(bits), int))
    count = max(1, masks // MASKS_PER_IMAGE)
    names = [str(file.with_name(f"{k}.png")) for k in range(count)]
    pixels = np.zeros((side, side, 3), np.uint8)
    data = sv.DetectionDataset(["object"], dict.fromkeys(names, pixels), dict.fromkeys(names, found))
    return measured_writer(lambda: data.as_coco(annotations_path=str(file)), count * MASKS_PER_IMAGE)


PEERS: dict[str, Callable[[int, int, Path], dict[str, Any]]] = {
    "pycocotools": by_pycocotools,
    "supervision": by_supervision,
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(PEERS[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))))
