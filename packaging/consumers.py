"""Makes an environment with other programs' readers of exports: `python packaging/consumers.py [FOLDER]`.

Their pinned versions clash with ours, so they get an environment of their own, by default `.consumers` beside this
checkout's files. Tests of `tests/unit/formats/test_consumers.py` use it where it is there, and are skipped without it.
The variable SAMTTA_CONSUMERS names another folder. Some hundred megabytes are downloaded; no weights are.
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
)


def consumers_python(folder: Path) -> Path:
    """The environment's interpreter, whether it exists or not."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def main(arguments: list[str]) -> int:
    """Make the environment, or complete it; returns the exit code."""
    folder = Path(arguments[0]) if arguments else Path(os.environ.get("SAMTTA_CONSUMERS", ROOT / ".consumers"))
    if not consumers_python(folder).exists():
        venv.create(folder, with_pip=True)
    command = [str(consumers_python(folder)), "-m", "pip", "install", "--disable-pip-version-check", *PACKAGES]
    done = subprocess.run(command, check=False)
    print(f"{'ready' if done.returncode == 0 else 'FAILED'}: {folder}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
