"""The commit of a checkout. The build of a wheel reads this file alone, so it imports nothing of samtta."""

from __future__ import annotations

import subprocess
from pathlib import Path

GIT_SECONDS = 5.0
"""Seconds after which git counts as silent; it usually needs 0.05."""


def commit_of(root: Path) -> str:
    """The short commit of a checkout, with "+changes" where files differ from it; "" where this is no checkout."""
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "describe", "--always", "--exclude=*", "--abbrev=10", "--dirty=+changes"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
