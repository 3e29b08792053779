"""Whether a folder lies on another machine: SQLite's locks and its log do not hold there, and a project would be damaged.

Source: sqlite.org/wal.html ("WAL does not work over a network filesystem") and sqlite.org/howtocorrupt.html, 2.1.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path

from samtta_app.errors import ProjectError
from samtta_app.phrases import Phrase

NETWORK_KINDS = frozenset(
    (
        "nfs",
        "nfs4",
        "cifs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "afs",
        "ncpfs",
        "ceph",
        "lustre",
        "gpfs",
        "beegfs",
        "glusterfs",
    )
) | {"fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.davfs", "davfs"}
"""Kinds of file systems, as Linux names them, whose files are on another machine."""

MOUNTS = Path("/proc/self/mounts")
REMOTE_DRIVE = 4
"""GetDriveTypeW says so of a drive on another machine (winbase.h)."""


def network_kind(folder: Path) -> str:
    """The kind of network share that a folder lies on, which need not exist yet; "" where it lies on this machine.

    On macOS this is not known, and "" is the answer.
    """
    place = os.path.realpath(folder)
    if sys.platform == "win32":
        drive = os.path.splitdrive(place)[0]
        remote = drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == REMOTE_DRIVE
        return "SMB" if remote else ""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
    kind = mounted_kind(mounts, place)
    return kind if kind in NETWORK_KINDS else ""


def mounted_kind(mounts: str, place: str) -> str:
    """The kind of the file system that holds an absolute path, by the lines of /proc/self/mounts; "" if none does."""
    best, found = "", ""
    for line in mounts.splitlines():
        _, point, kind, *_ = [*line.split(" "), "", "", ""]
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point)
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if point and inside and len(point) >= len(best):  # of two at one point, the later one is seen
            best, found = point, kind
    return found


def require_own_disk(home: Path) -> None:
    """Refuse a project's own folder on a network share.

    Raises:
        ProjectError: it lies there.
    """
    kind = network_kind(home)
    if kind:
        what = Phrase("A project belongs to one machine, and this folder is on a network share ({kind})", kind=kind)
        do = "Name a folder of this machine with --project; the images may stay where they are"
        raise ProjectError(what, home, do)
