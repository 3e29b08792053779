"""Files on disk: known ones are recognised by their hash, nothing is taken for what it is not, and nothing is lost."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from samtta_app.checkpoints import model_catalogue, model_files
from samtta_app.checkpoints.measured_speeds import MeasuredSpeed, remember_speed, remembered_speed
from samtta_app.checkpoints.model_catalogue import MODELS, SOURCES_NEEDED, KnownModel, known_model, size_words
from samtta_app.checkpoints.model_files import (
    add_model,
    check_model,
    model_row,
    model_rows,
    place_of,
    remove_model,
)
from samtta_app.checkpoints.partial_files import part_of_download
from samtta_app.errors import CheckpointError, UserError
from samtta_app.model.model_registry import OFFICIAL_CHECKPOINTS, SHIPPED, model_file
from samtta_app.settings import data_folder, model_folder
from tests.unit.checkpoints.file_server import CONTENT, OTHER, known
from tests.unit.no_files import NO_FILES, put_what_is_no_file

UNKNOWN_HASH = known("http://models.invalid", name="open", title="Open", file="open.pth", sha256="", sources=())


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> KnownModel:
    """A catalogue with two small models, one of which has no known hash, beside the shipped ones."""
    models = (*MODELS[:2], known("http://models.invalid"), UNKNOWN_HASH)
    monkeypatch.setattr(model_files, "MODELS", models)
    monkeypatch.setattr(model_catalogue, "MODELS", models)
    return models[2]


@pytest.fixture
def right(tmp_path: Path) -> Path:
    """The file of the small model, under a name of the user's."""
    path = tmp_path / "from a colleague.pth"
    path.write_bytes(CONTENT)
    return path


def in_folder() -> list[str]:
    return sorted(path.name for path in model_folder().iterdir()) if model_folder().exists() else []


# --- the catalogue ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_an_entry_of_the_catalogue_is_complete(model: KnownModel):
    assert model.title
    assert model.licence
    assert model.size > 1_000_000
    assert model.file.endswith(model_files.ENDINGS)
    assert not model.sha256 or (len(model.sha256) == 64 and set(model.sha256) <= set("0123456789abcdef"))
    assert all(url.startswith("https://") and url.endswith(".pth" if ".pth" in url else ".pt") for url in model.urls)
    assert bool(model.sha256) == bool(model.sources)
    assert (model.shipped or model.family == "SAM 2") == (not model.sha256)


def test_no_two_entries_share_a_name_a_file_or_a_hash():
    for values in ([m.name for m in MODELS], [m.file for m in MODELS], [m.sha256 for m in MODELS if m.sha256]):
        assert len(set(values)) == len(values)


def test_a_file_is_downloadable_exactly_where_two_sources_name_its_hash():
    for model in MODELS:
        assert model.downloadable == (not model.shipped and len(set(model.sources)) >= SOURCES_NEEDED)
    older = [f"sam2_{size}" for size in ("tiny", "small", "base_plus", "large")]
    assert [m.name for m in MODELS if not m.downloadable] == [*SHIPPED, *older, "hq_vit_b", "hq_vit_l"]


def test_every_entry_is_a_name_that_models_are_loaded_by():
    assert {model.name for model in MODELS} == {*SHIPPED, *OFFICIAL_CHECKPOINTS}
    for model in MODELS:
        if model.shipped:
            assert model_file(model.name) == place_of(model)
            assert place_of(model).stat().st_size == pytest.approx(model.size, rel=0.5)
        else:
            assert OFFICIAL_CHECKPOINTS[model.name] == model.file


def test_the_hashes_that_the_project_was_given_are_the_catalogues():
    begins = {"vit_b": "ec2df627", "vit_l": "3adcc431", "vit_h": "a7bf3b02", "mobile_sam": "6dbb9052"}
    sizes = {"vit_b": 375_042_383, "vit_h": 2_564_550_879, "mobile_sam": 40_728_226}
    assert all(known_model(name).sha256.startswith(begin) for name, begin in begins.items())
    assert all(known_model(name).size == size and known_model(name).exact for name, size in sizes.items())


def test_a_name_that_is_nearly_right_is_corrected():
    with pytest.raises(CheckpointError, match="Did you mean mobile_sam"):
        known_model("mobilesam")
    with pytest.raises(CheckpointError, match="samtta models list"):
        known_model("zzz")


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0.0 MB"), (6_211_808, "6.2 MB"), (375_042_383, "375 MB"), (2_564_550_879, "2.56 GB")]
)
def test_sizes_are_said_as_users_know_them(size: int, words: str):
    assert size_words(size) == words


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_has_every_known_model_and_the_users_own(tiny: KnownModel):
    model_folder().mkdir(parents=True)
    for name in ("mine.pth", "mine.heads.safetensors", "notes.txt", ".hidden.pth.part", "tiny.pth"):
        (model_folder() / name).write_bytes(b"weights")
    (model_folder() / "folder.pth").mkdir()
    rows = model_rows()
    assert [row.title for row in rows] == ["samtta small", "samtta base", "Tiny", "Open", "mine.pth"]
    assert [row.place for row in rows] == ["shipped", "shipped", "here", "absent", "here"]
    assert rows[-1].name == str(model_folder() / "mine.pth")
    assert (rows[-1].licence, rows[2].licence) == ("", "Apache-2.0")


def test_rows_say_where_a_model_is_and_how_large(tiny: KnownModel):
    part = part_of_download(tiny)
    part.path.parent.mkdir(parents=True)
    part.path.write_bytes(CONTENT[: len(CONTENT) // 2])
    partial, absent = model_row("tiny"), model_row("open")
    assert (partial.where, partial.size_text, partial.present) == ("50% downloaded", "1.5 MB", False)
    assert partial.to_remove == "what has arrived of Tiny (0.8 MB)"
    assert absent.to_remove == "Open (1.5 MB)"
    assert absent.where == "not here; add its file from disk"
    assert model_row("samtta-small").where == "comes with samtta"
    about = replace(absent, known=replace(UNKNOWN_HASH, exact=False))
    assert about.size_text == "about 1.5 MB"


def test_a_file_of_the_users_own_is_found_by_its_name(tiny: KnownModel):
    model_folder().mkdir(parents=True)
    (model_folder() / "mine.pth").write_bytes(b"weights")
    assert model_row("mine.pth").place == "here"
    with pytest.raises(CheckpointError, match="no known model"):
        model_row("other.pth")


# --- adding -----------------------------------------------------------------------------------------------------------


def test_a_known_file_gets_its_own_name_and_the_original_stays(tiny: KnownModel, right: Path):
    shares: list[float] = []
    row = add_model(right, lambda share, words: shares.append(share))
    assert (row.name, row.place) == ("tiny", "here")
    assert row.path.read_bytes() == right.read_bytes() == CONTENT
    assert in_folder() == ["tiny.pth"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_adding_it_twice_changes_nothing(tiny: KnownModel, right: Path):
    first = add_model(right)
    before = first.path.stat().st_mtime_ns
    assert add_model(right).path.stat().st_mtime_ns == before


def test_a_file_that_is_added_ends_its_broken_off_download(tiny: KnownModel, right: Path):
    part = part_of_download(tiny)
    part.path.parent.mkdir(parents=True)
    part.path.write_bytes(CONTENT[:1000])
    add_model(right)
    assert not part.path.exists()


def test_a_model_of_the_users_own_keeps_its_name(tiny: KnownModel, tmp_path: Path):
    mine = tmp_path / "my cells.safetensors"
    mine.write_bytes(OTHER)
    row = add_model(mine)
    assert (row.known, row.name) == (None, str(model_folder() / "my cells.safetensors"))
    assert row.path.read_bytes() == OTHER


def test_a_known_name_with_another_hash_is_refused(tiny: KnownModel, tmp_path: Path):
    wrong = tmp_path / "tiny.pth"
    wrong.write_bytes(OTHER)
    with pytest.raises(CheckpointError, match="This is not Tiny: its hash") as caught:
        add_model(wrong)
    assert "rename it" in caught.value.do
    assert in_folder() == []


def test_the_name_of_a_shipped_model_is_refused(tiny: KnownModel, tmp_path: Path):
    mine = tmp_path / "samtta-small.safetensors"
    mine.write_bytes(OTHER)
    with pytest.raises(CheckpointError, match="comes with samtta"):
        add_model(mine)


def test_another_file_of_its_name_is_never_replaced(tiny: KnownModel, tmp_path: Path):
    mine = tmp_path / "mine.pth"
    mine.write_bytes(OTHER)
    add_model(mine)
    mine.write_bytes(CONTENT[::-1])
    with pytest.raises(CheckpointError, match="another file of this name"):
        add_model(mine)
    assert (model_folder() / "mine.pth").read_bytes() == OTHER


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_refused(tiny: KnownModel, tmp_path: Path, kind: str):
    path = tmp_path / "strange.pth"
    put_what_is_no_file(path, kind)
    if kind == "large":
        assert add_model(path).place == "here"  # two megabytes are few for a model
        return
    with pytest.raises(CheckpointError, match=r"no such file|not a regular file"):
        add_model(path)
    assert in_folder() == []


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [("empty.pth", b"", "is empty"), ("photo.png", b"picture", "not a weights file"), (None, b"", "no such file")],
)
def test_what_holds_no_weights_is_refused(tiny: KnownModel, tmp_path: Path, name: str | None, content: bytes, why: str):
    path = tmp_path / (name or "gone.pth")
    if name:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=why):
        add_model(path)


def test_a_copy_that_is_cancelled_leaves_nothing(tiny: KnownModel, right: Path):
    def cancel(share: float, words: str) -> None:
        if words.startswith("copying"):
            raise UserError("cancelled")

    with pytest.raises(UserError, match="cancelled"):
        add_model(right, cancel)
    assert in_folder() == []
    assert right.read_bytes() == CONTENT


def test_without_room_nothing_is_copied(tiny: KnownModel, right: Path, monkeypatch: pytest.MonkeyPatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 1000))
    with pytest.raises(CheckpointError, match=r"no room for 1\.5 MB"):
        add_model(right)
    assert in_folder() == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")
def test_a_disk_that_fills_up_while_copying_leaves_nothing(tiny: KnownModel, right: Path):
    model_folder().mkdir(parents=True)
    (model_folder() / ".tiny.pth.part").symlink_to("/dev/full")
    with pytest.raises(CheckpointError, match="was not copied: No space left"):
        add_model(right)
    assert in_folder() == []


def test_a_file_in_the_place_of_the_folder_is_said(tiny: KnownModel, right: Path):
    model_folder().write_text("no folder")
    with pytest.raises(CheckpointError, match="was not copied"):
        add_model(right)


# --- checking ---------------------------------------------------------------------------------------------------------


def test_a_right_file_is_called_right_and_a_changed_one_is_not(tiny: KnownModel, right: Path):
    row = add_model(right)
    assert check_model(row).well is True
    row.path.write_bytes(CONTENT[:-1] + b"!")
    found = check_model(row)
    assert found.well is False
    assert "damaged, or another file" in found.words
    assert row.path.exists()


def test_a_file_without_a_known_hash_is_told_its_own(tiny: KnownModel, tmp_path: Path):
    mine = tmp_path / "open.pth"
    mine.write_bytes(OTHER)
    found = check_model(add_model(mine))
    assert found.well is None
    assert hashlib.sha256(OTHER).hexdigest() in found.words


@pytest.mark.parametrize(("name", "do"), [("tiny", "samtta models download tiny"), ("open", "samtta models add FILE")])
def test_a_model_that_is_not_here_cannot_be_checked(tiny: KnownModel, name: str, do: str):
    with pytest.raises(CheckpointError, match="is not on this machine") as caught:
        check_model(model_row(name))
    assert caught.value.do == do


# --- removing ---------------------------------------------------------------------------------------------------------


def test_a_model_is_removed_with_what_a_download_has_left(tiny: KnownModel, right: Path):
    add_model(right)
    part = part_of_download(tiny)
    part.path.parent.mkdir(parents=True)
    part.path.write_bytes(CONTENT[:1000])
    remove_model(model_row("tiny"))
    assert in_folder() == []


def test_a_broken_off_download_can_be_removed(tiny: KnownModel):
    part = part_of_download(tiny)
    part.path.parent.mkdir(parents=True)
    part.path.write_bytes(CONTENT[:1000])
    remove_model(model_row("tiny"))
    assert model_row("tiny").place == "absent"
    assert in_folder() == []


@pytest.mark.parametrize(("name", "why"), [("samtta-small", "comes with samtta"), ("tiny", "nothing to remove")])
def test_what_cannot_be_removed_stays(tiny: KnownModel, name: str, why: str):
    with pytest.raises(CheckpointError, match=why):
        remove_model(model_row(name))
    assert place_of(MODELS[0]).is_file()


def test_a_file_that_is_gone_by_then_is_said(tiny: KnownModel, right: Path):
    row = add_model(right)
    row.path.unlink()
    with pytest.raises(CheckpointError, match="cannot be removed"):
        remove_model(row)


# --- speeds -----------------------------------------------------------------------------------------------------------


def test_a_speed_is_remembered_for_its_file_until_the_file_changes(tmp_path: Path):
    path = tmp_path / "a.pth"
    path.write_bytes(b"weights")
    assert remembered_speed(path) is None
    remember_speed(path, MeasuredSpeed(48.2, "cpu"))
    assert remembered_speed(path) == MeasuredSpeed(48.2, "cpu")
    path.write_bytes(b"other weights")
    assert remembered_speed(path) is None
    path.unlink()
    assert remembered_speed(path) is None


def test_speeds_of_several_files_stand_side_by_side(tmp_path: Path):
    for name in ("a.pth", "b.pth"):
        (tmp_path / name).write_bytes(b"weights")
        remember_speed(tmp_path / name, MeasuredSpeed(float(ord(name[0])), "cpu"))
    assert remembered_speed(tmp_path / "a.pth") == MeasuredSpeed(97.0, "cpu")


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(48.4, "48 ms (cpu)"), (9_999, "9999 ms (cpu)"), (11_230, "11.2 s (cpu)")]
)
def test_speeds_are_said_in_the_unit_that_fits(milliseconds: float, words: str):
    assert MeasuredSpeed(milliseconds, "cpu").words == words


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"%s": 3}', '{"%s": {"milliseconds": "x", "device": "cpu", "file": []}}']
)
def test_a_damaged_memory_of_speeds_is_as_good_as_none(tmp_path: Path, content: str):
    path = tmp_path / "a.pth"
    path.write_bytes(b"weights")
    data_folder().mkdir(parents=True, exist_ok=True)
    (data_folder() / "model-speeds.json").write_text(content.replace("%s", str(path)))
    assert remembered_speed(path) is None
    remember_speed(path, MeasuredSpeed(5.0, "cpu"))
    assert remembered_speed(path) == MeasuredSpeed(5.0, "cpu")


def test_a_speed_that_is_no_number_is_not_told(tmp_path: Path):
    path = tmp_path / "a.pth"
    path.write_bytes(b"weights")
    remember_speed(path, MeasuredSpeed(5.0, "cpu"))
    stored = data_folder() / "model-speeds.json"
    changed = json.loads(stored.read_text())
    changed[str(path)]["milliseconds"] = float("nan")
    stored.write_text(json.dumps(changed))
    assert remembered_speed(path) is None
