"""Shards and their manifest: what goes on after a stop, what is damaged, refused, full or done twice."""

from __future__ import annotations

import errno
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from samtta_app.core.atomic_exchange import locked
from samtta_app.core.messages import ReportProgress
from samtta_app.errors import ExportError
from samtta_app.parallel import shard_manifest
from samtta_app.parallel.image_places import ImagePlace, ResultPlace
from samtta_app.parallel.shard_manifest import RunMark, entry_name, read_standing, shard_key
from samtta_app.parallel.shard_run import RunEnd, ShardPlan, ShardResult, read_file, run_shards
from samtta_app.parallel.worker_pool import THIS_PROCESS

IMAGES = tuple(ImagePlace(f"im{k}.png", f"/images/im{k}.png", "1") for k in range(5))


@dataclass(frozen=True)
class Naming:
    """Writes the images' names; one image has an error, another stops the run, a third fills the disk."""

    log: list[str]
    bad: str = ""
    stops: str = ""
    full: str = ""

    def __call__(self, images: Sequence[ImagePlace], key: str, told: ReportProgress) -> ShardResult:
        names = [image.name for image in images]
        if self.stops in names:
            raise KeyboardInterrupt
        if self.full in names:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.log.extend(names)
        good = [name for name in names if name != self.bad]
        errors = {self.bad: "It is torn"} if self.bad in names else {}
        return ShardResult({f"shards/{key}.txt": "\n".join(good).encode()}, errors)


def ran(work: Naming, out: str, images: Sequence[ImagePlace] = IMAGES, *, said: list[str] | None = None) -> RunEnd:
    plan = ShardPlan(images, ResultPlace(out), {"kind": "names", "model": "small"}, lambda part: work, 2)
    return run_shards(plan, THIS_PROCESS, lambda share, words: None, ([] if said is None else said).append)


@pytest.fixture(params=["folder", "url"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder, and a URL whose files every process would see."""
    if request.param == "folder":
        return str(tmp_path / "out")
    return pytest.importorskip("fsspec") and f"memory://{tmp_path.name}"


def test_a_stopped_run_goes_on_and_no_image_is_done_twice(out: str) -> None:
    log: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        ran(Naming(log, stops="im3.png"), out)
    end = ran(Naming(log), out)
    assert log == [image.name for image in IMAGES]
    assert set(end.standing.done) == set(log)
    assert ran(Naming(log), out).standing.done == end.standing.done
    assert len(log) == 5
    changed = (
        *IMAGES[:4],
        ImagePlace("im4.png", "/images/im4.png", "2"),
        ImagePlace("new.png", "/images/new.png", "1"),
    )
    assert len(ran(Naming(log), out, changed).standing.done) == 6
    assert log[5:] == ["im4.png", "new.png"]


def test_errors_are_told_at_once_kept_and_tried_again(out: str) -> None:
    said: list[str] = []
    end = ran(Naming([], bad="im1.png"), out, said=said)
    assert said == ["It is torn"]
    assert end.errors == {"im1.png": "It is torn"}
    assert "im1.png" not in end.standing.done
    log: list[str] = []
    assert len(ran(Naming(log), out).standing.done) == 5
    assert log == ["im1.png"]


@pytest.mark.parametrize("damage", [b"{", b"", b'{"images": 3}'])
def test_a_damaged_manifest_file_is_named_and_its_images_are_done_again(damage: bytes, out: str) -> None:
    ran(Naming([]), out)
    key = shard_key(IMAGES[:2])
    ResultPlace(out).put(entry_name(key), damage)
    log, said = list[str](), list[str]()
    assert len(ran(Naming(log), out, said=said).standing.done) == 5
    assert log == ["im0.png", "im1.png"]
    assert said == [f"manifest/{key}.json is damaged: the images of this shard are done again"]


def test_results_that_are_gone_or_changed_are_noticed(out: str) -> None:
    ran(Naming([]), out)
    place, first, second = ResultPlace(out), shard_key(IMAGES[:2]), shard_key(IMAGES[2:4])
    entry = read_standing(place, IMAGES).entries[first]
    ((name, facts),) = entry.files.items()
    assert read_file(place, name, facts) == b"im0.png\nim1.png"
    place.put(name, b"IM0.png\nim1.png")
    with pytest.raises(ExportError, match="has changed since it was written"):
        read_file(place, name, facts)
    place.remove(f"shards/{second}.txt")
    log: list[str] = []
    ran(Naming(log), out)
    assert log == ["im2.png", "im3.png"]


def test_results_of_other_settings_are_refused(out: str) -> None:
    ran(Naming([]), out)
    plan = ShardPlan(IMAGES, ResultPlace(out), {"kind": "names", "model": "base"}, lambda part: Naming([]), 2)
    with pytest.raises(ExportError, match="model was small, now base"):
        run_shards(plan, THIS_PROCESS, lambda share, words: None, print)
    ResultPlace(out).put("manifest/run.json", b"[")
    with pytest.raises(ExportError, match="settings of the earlier run cannot be read"):
        ran(Naming([]), out)


def test_a_full_disk_of_a_worker_fails_its_shard_alone(out: str) -> None:
    end = ran(Naming([], full="im2.png"), out)
    (failure,) = end.failures
    assert "The disk of the machine" in failure
    assert "No space left" in failure
    assert set(end.standing.done) == {"im0.png", "im1.png", "im4.png"}


def test_where_results_cannot_be_written_the_run_stops(tmp_path: Path) -> None:
    log: list[str] = []
    (tmp_path / "shards").write_text("in the way")
    with pytest.raises(ExportError, match="The results cannot be written"):
        ran(Naming(log), str(tmp_path))
    assert log == ["im0.png", "im1.png"], "nothing is made that cannot be kept"
    with pytest.raises(ExportError, match="A shard cannot have 0 images"):
        run_shards(
            ShardPlan(IMAGES, ResultPlace(str(tmp_path)), {}, lambda part: Naming([]), 0),
            *(THIS_PROCESS, lambda share, words: None, print),
        )


def test_two_runs_into_one_folder_do_not_meet(tmp_path: Path) -> None:
    (tmp_path / "manifest").mkdir()
    with locked(tmp_path / "manifest"), pytest.raises(ExportError, match="Another export is writing"):
        ran(Naming([]), str(tmp_path))


def test_the_mark_of_a_run_at_a_url_is_renewed_taken_away_and_grows_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec")
    out = ResultPlace(f"memory://{tmp_path.name}-mark")
    other = RunMark(out)
    other.take()
    monkeypatch.setattr(shard_manifest.os, "getpid", lambda: -1)
    with pytest.raises(ExportError, match="Another run writes here"):
        RunMark(out).take()
    monkeypatch.setattr(shard_manifest, "STALE_SECONDS", -1)
    mark = RunMark(out)
    mark.take()
    monkeypatch.setattr(shard_manifest, "RENEW_SECONDS", -1)
    before = out.get(shard_manifest.RUNNING)
    mark.renew()
    assert out.get(shard_manifest.RUNNING) >= before
    mark.leave()
    with pytest.raises(OSError, match="running"):
        out.get(shard_manifest.RUNNING)


def test_an_entry_says_what_was_done_where(tmp_path: Path) -> None:
    ran(Naming([]), str(tmp_path))
    entry = json.loads((tmp_path / "manifest" / f"{shard_key(IMAGES[4:])}.json").read_text())
    assert entry["images"] == {"im4.png": "1"}
    assert entry["files"][f"shards/{shard_key(IMAGES[4:])}.txt"]["size"] == 7
    assert entry["machine"]
