"""Images by path, by URL and by list; and what is said where they cannot be had."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import PIL.Image
import pytest

from samtta_app.core.types import Image
from samtta_app.errors import ExportError, ImageError, UserError
from samtta_app.images.read import read_image
from samtta_app.parallel import image_places
from samtta_app.parallel.image_places import ImagePlace, ResultPlace, fetched_image, found_images, is_url
from samtta_app.parallel.model_on_worker import each_fetched
from samtta_app.parallel.sent_files import files_of_model, read_to_send, receive, sent_key, sent_place
from samtta_app.settings import model_folder
from tests.unit.values import picture

fsspec = pytest.importorskip("fsspec")


def seen(image: ImagePlace) -> Image:
    with fetched_image(image) as path:
        return read_image(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "images"
    home.mkdir()
    for k in (1, 2, 10):
        PIL.Image.fromarray(picture(k, 12, 16).pixels).save(home / f"im{k}.png")
    (home / "notes.md").write_text("none")
    return home


@pytest.fixture
def store(folder: Path) -> str:
    """The same images at a URL."""
    url = f"memory://{folder.parent.name}"
    system = fsspec.filesystem("memory")
    for path in folder.iterdir():
        system.pipe_file(f"/{folder.parent.name}/{path.name}", path.read_bytes())
    return url


def test_a_folder_a_url_and_a_list_give_the_same_images(folder: Path, store: str, tmp_path: Path) -> None:
    here, there = found_images(str(folder)), found_images(store)
    names = ["im1.png", "im2.png", "im10.png"]
    assert [image.name for image in here] == [image.name for image in there] == names
    listing = tmp_path / "all.txt"
    listing.write_text("\n".join(["# mine", *(image.place for image in there), "", there[0].place]))
    listed = found_images(str(listing))
    assert [image.name for image in listed] == [image.place for image in there]
    for one, other, third in zip(here, there, listed, strict=True):
        assert (seen(one).pixels == seen(other).pixels).all()
        assert seen(third).key == seen(one).key
    assert [image.name for image in found_images(f"{store}/im2.png")] == ["im2.png"]
    assert found_images(str(folder / "im2.png"))[0].version == here[1].version


def test_what_cannot_be_had_is_said_with_its_address(store: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"This cannot be read.*/elsewhere"):
        found_images(f"{store}/elsewhere")
    fsspec.filesystem("memory").pipe_file(f"/{tmp_path.name}/below/notes.md", b"")
    with pytest.raises(ImageError, match="There is no image in the folder"):
        found_images(f"{store}/below")
    with pytest.raises(ImageError, match=r"This cannot be read.*none\.txt"):
        found_images(str(tmp_path / "none.txt"))
    with pytest.raises(ImageError, match="no such image on the machine"):
        seen(ImagePlace("a.png", str(tmp_path / "a.png")))
    with pytest.raises(ImageError, match=r"This cannot be read.*gone\.png.*all machines reach it"):
        seen(ImagePlace("gone.png", f"{store}/gone.png"))
    fsspec.filesystem("memory").pipe_file(f"/{tmp_path.name}/torn.png", b"no picture")
    with pytest.raises(ImageError, match=f"memory://{tmp_path.name}/torn.png"):
        seen(ImagePlace("torn.png", f"memory://{tmp_path.name}/torn.png"))


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("s3://secret/a.png", PermissionError(errno.EACCES, "Access Denied"), "the rights to it"),
        ("s3://bucket/a.png", ImportError("Install s3fs"), r"Install samtta\[s3\] on all machines"),
        ("odd://bucket/a.png", ValueError("Protocol not known: odd"), "Protocol not known: odd"),
    ],
)
def test_rights_and_extras_that_lack_are_named(
    url: str, error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise error

    monkeypatch.setattr(image_places, "_system", refuse)
    with pytest.raises(ImageError, match=said):
        seen(ImagePlace("a.png", url))
    with pytest.raises(ExportError, match="The results cannot be written"):
        ResultPlace(url).put("a", b"")
    with pytest.raises(ExportError, match=said):
        ResultPlace(url).sizes("")


def test_images_are_fetched_one_ahead_in_order_with_their_errors(folder: Path) -> None:
    images = [*found_images(str(folder)), ImagePlace("gone.png", str(folder / "gone.png"))]
    told: list[float] = []
    found = list(each_fetched(images, lambda share, words: told.append(share)))
    assert [image for image, _ in found] == images
    assert [isinstance(path, ImageError) for _, path in found] == [False, False, False, True]
    assert told == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_url_is_no_drive() -> None:
    assert is_url("s3://bucket")
    assert not is_url(r"C:\images")


def test_a_result_stays_in_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="outside the folder"):
        ResultPlace(str(tmp_path / "out")).put("../a", b"")


def test_what_was_sent_is_this_machines_model_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("samtta_app.parallel.sent_files._PLACES", {})
    model_folder().mkdir(parents=True)
    own, beside = tmp_path / "mine.safetensors", model_folder() / "mine.selector.safetensors"
    own.write_bytes(b"weights")
    beside.write_bytes(b"layers")
    sent = read_to_send(files_of_model(own))
    assert list(sent) == [str(own), str(beside)]
    monkeypatch.setenv("SAMTTA_HOME", "elsewhere")
    for _ in range(2):
        receive(sent_key(sent), sent)
    assert Path(sent_place(str(own))).read_bytes() == b"weights"
    assert (model_folder() / beside.name).read_bytes() == b"layers"
    assert Path(sent_place(str(own))) != own
    assert sent_place("samtta-small") == "samtta-small"
    with pytest.raises(UserError, match="cannot be sent"):
        read_to_send([tmp_path / "none"])


def test_ray_that_is_not_installed_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    from samtta_app.errors import ClusterError
    from samtta_app.parallel.worker_pool import WorkerPool

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match="Ray is not installed here"):
        WorkerPool(ray="auto").run([], lambda share, words: None)
