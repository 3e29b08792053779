"""A project on a network share is refused with words; everything else is as before."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

from samtta_app.errors import ProjectError
from samtta_app.session.project import network_share
from samtta_app.session.project.network_share import mounted_kind, network_kind
from samtta_app.session.project.store import Store
from tests.unit.values import picture

MOUNTS = """/dev/sda1 / ext4 rw 0 0
proc /proc proc rw 0 0
server:/export /mnt/data nfs4 rw 0 0
//server/share /mnt/two\\040words cifs rw 0 0
/dev/sdb1 /mnt/data/own xfs rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/srv/images", "ext4"),
        ("/mnt/data", "nfs4"),
        ("/mnt/data/cells/.samtta", "nfs4"),
        ("/mnt/database", "ext4"),
        ("/mnt/two words/x", "cifs"),
        ("/mnt/data/own/x", "xfs"),
    ],
)
def test_the_nearest_mount_counts(place: str, kind: str) -> None:
    assert mounted_kind(MOUNTS, place) == kind


def test_no_mount_is_no_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mounted_kind("", "/srv") == ""
    monkeypatch.setattr(network_share, "MOUNTS", tmp_path / "none")
    assert network_kind(tmp_path) == ""


def test_a_project_on_a_share_is_refused_and_one_beside_it_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share, own = tmp_path / "share", tmp_path / "own"
    share.mkdir()
    PIL.Image.fromarray(picture().pixels).save(share / "im0.png")
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {share} nfs4 rw 0 0\n")
    monkeypatch.setattr(network_share, "MOUNTS", mounts)
    with pytest.raises(ProjectError, match=r"belongs to one machine, and this folder is on a network share \(nfs4\)"):
        Store.open(share)
    assert not (share / ".samtta").exists()
    with Store.open(share, own) as store:
        assert [entry.name for entry in store.images()] == ["im0.png"]
