"""Makes an environment with other programs' readers of exports: `python packaging/consumers.py [FOLDER]`.

Their pinned versions clash with ours, so they get an environment of their own, by default `.consumers` beside this
checkout's files. Tests of `tests/unit/formats/test_consumers.py` use it where it is there, and are skipped without it.
The variable SAMTTA_CONSUMERS names another folder. Some hundred megabytes are downloaded; no weights are.

ultralytics comes without what it needs to compute: its reader of labels asks for torch, and for the version of
torchvision alone. torch comes from its own index of CPU wheels; SAMTTA_TORCH_INDEX names another.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "datumaro>=1.10",
    "supervision>=0.25",
    "labelme>=5.5",
    "label-studio-converter>=0.0.59",
    "pycocotools>=2.0.7",
    "psutil>=5.8",
    "polars>=0.20",
)
WITHOUT_THEIR_NEEDS = ("ultralytics>=8.3", "ultralytics-thop>=2.0", "torchvision>=0.20")
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def consumers_python(folder: Path) -> Path:
    """The environment's interpreter, whether it exists or not."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def main(arguments: list[str]) -> int:
    """Make the environment, or complete it; returns the exit code."""
    folder = Path(arguments[0]) if arguments else Path(os.environ.get("SAMTTA_CONSUMERS", ROOT / ".consumers"))
    if not consumers_python(folder).exists():
        venv.create(folder, with_pip=True)
    index = os.environ.get("SAMTTA_TORCH_INDEX", CPU_INDEX)
    steps = (PACKAGES, ("torch", "--extra-index-url", index), ("--no-deps", *WITHOUT_THEIR_NEEDS))
    command = [str(consumers_python(folder)), "-m", "pip", "install", "--disable-pip-version-check"]
    code = max(subprocess.run([*command, *step], check=False).returncode for step in steps)
    print(f"{'ready' if code == 0 else 'FAILED'}: {folder}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
