"""What a file is, is decided by its content; nothing but the documented formats ever reaches a decoder."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import PIL.EpsImagePlugin
import PIL.Image
import pytest

from samtta_app.datasets.folder import DataImage, read_labels
from samtta_app.errors import DatasetError, ImageError
from samtta_app.images.file_formats import HEAD_BYTES, ImageKind, image_kind, opened_image
from samtta_app.images.read import image_size, read_ids, read_image
from samtta_app.train.data.labelled_images import read_labelled
from samtta_app.train.data.pseudo_masks import read_photo
from tests.unit.core.crafted import POSTSCRIPT, noise, stored, written

NAMES = ("b.png", "b.jpg", "b.tif", "b.bmp", "b.webp", "b.eps")

FOREIGN: dict[str, tuple[bytes, str]] = {
    "PostScript": (POSTSCRIPT, "a PostScript program"),
    "PostScript with a preview": (b"\xc5\xd0\xd3\xc6" + bytes(26) + POSTSCRIPT, "a PostScript program"),
    "PostScript after a blank": (b"\n" + POSTSCRIPT, "something else"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "a PDF document"),
    "WMF": (b"\xd7\xcd\xc6\x9a" + bytes(40), "a WMF drawing"),
    "EMF": (b"\x01\0\0\0" + bytes(36) + b" EMF" + bytes(60), "an EMF drawing"),
    "FITS": (b"SIMPLE  =                    T" + b" " * 2850, "a FITS file"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a text with tags"),
    "ICO": (b"\0\0\x01\0\x01\0\x10\x10" + bytes(40), "something else"),
    "PAM": (b"P7\nWIDTH 4\n" + bytes(48), "something else"),
    "TGA": (bytes((0, 0, 2)) + bytes(9) + b"\x04\0\x04\0\x18\0" + bytes(48), "something else"),
    "a letter": (b"BM, dear colleague, is short for bitmap.", "something else"),
}


@pytest.fixture
def fake_ghostscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program named gs that leaves a mark where it was started."""
    mark, program = tmp_path / "gs was started", tmp_path / "programs" / "gs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setattr(PIL.EpsImagePlugin, "gs_binary", None)
    return mark


_started: list[str] = []
_watching = False


def _audit(event: str, _arguments: object) -> None:
    if _watching and event in ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "pty.spawn"):
        _started.append(event)


sys.addaudithook(_audit)


@pytest.fixture
def no_program() -> Iterator[None]:
    """Fail a test during which a program was started."""
    global _watching
    _started.clear()
    _watching = True
    yield
    _watching = False
    assert _started == []


@pytest.mark.parametrize("kind", ImageKind)
def test_the_documented_formats_are_known_by_their_first_bytes(kind: ImageKind) -> None:
    assert image_kind(stored(kind.value)[:HEAD_BYTES]) is kind


@pytest.mark.parametrize("kind", ImageKind)
@pytest.mark.parametrize("name", NAMES)
def test_a_name_says_nothing_about_a_file(tmp_path: Path, kind: ImageKind, name: str) -> None:
    path = written(tmp_path, name, stored(kind.value))
    assert read_image(path).pixels.shape == noise().shape
    assert image_size(path) == (48, 40)


@pytest.mark.usefixtures("no_program")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("foreign", FOREIGN)
def test_every_other_format_is_refused_by_what_it_is(tmp_path: Path, name: str, foreign: str) -> None:
    data, says = FOREIGN[foreign]
    path = written(tmp_path, name, data)
    for reads in (read_image, image_size, read_ids):
        with pytest.raises(ImageError, match=rf"This is {says}.*not an image that samtta can read") as raised:
            reads(path)
        assert raised.value.do


@pytest.mark.skipif(sys.platform == "win32", reason="the program that leaves the mark is a shell script")
def test_pillow_left_to_itself_would_start_the_program(tmp_path: Path, fake_ghostscript: Path) -> None:
    with PIL.Image.open(written(tmp_path, "b.png", POSTSCRIPT)) as file, pytest.raises(OSError, match=r".*"):
        file.load()
    assert fake_ghostscript.exists()


@pytest.mark.usefixtures("no_program")
def test_a_program_is_refused_as_image_mask_photo_and_record(
    tmp_path: Path, fake_ghostscript: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    image = written(tmp_path / "images", "a.png", POSTSCRIPT)
    good = written(tmp_path / "images", "b.png", stored("PNG", noise(channels=1)))
    mask = written(tmp_path / "masks", "b.png", POSTSCRIPT)
    written(tmp_path / "masks", "a.png", stored("PNG", noise(channels=1)))
    for reads in (read_image, read_photo):
        with pytest.raises(ImageError, match="PostScript"):
            reads(image)
    for data in (DataImage("a", image, good), DataImage("b", good, mask)):
        with pytest.raises(DatasetError, match="PostScript"):
            read_labels(data)
    assert read_labelled([image, good]) == []
    assert caplog.text.count("PostScript") == 2
    assert not fake_ghostscript.exists()


def test_a_jpeg_of_several_pictures_is_read_as_a_plain_jpeg(tmp_path: Path) -> None:
    first, second = (PIL.Image.new("RGB", (32, 24), colour) for colour in ((200, 0, 0), (0, 0, 200)))
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    image = read_image(tmp_path / "a.jpg")
    assert image.pixels[5, 5, 0] > 150 > 60 > image.pixels[5, 5, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders")
def test_a_pipe_and_a_device_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    for name in ("pipe.png", "zero.png"):
        with pytest.raises(ImageError, match="not an ordinary file"):
            read_image(tmp_path / name)


def test_a_name_that_no_file_can_have_is_an_image_error() -> None:
    for name in ("a\0b.png", "x" * 5000):
        with pytest.raises(ImageError, match="opened"):
            read_image(Path(name))


def test_the_file_asks_before_each_read_whether_anybody_waits(tmp_path: Path) -> None:
    asked: list[int] = []
    path = written(tmp_path, "a.bmp", stored("BMP", noise(300, 300)))
    with opened_image(path, lambda: asked.append(1)) as source:
        assert source.size == path.stat().st_size
        source.file.read()
    assert len(asked) > 1
