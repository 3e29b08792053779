"""`samtta models`: a table, and acts that do what they say, say what they did, and end with the right exit code."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from samtta_app.checkpoints import model_catalogue, model_files
from samtta_app.checkpoints.download import MIRROR_VARIABLE
from samtta_app.checkpoints.measured_speeds import remembered_speed
from samtta_app.checkpoints.model_catalogue import MODELS
from samtta_app.checkpoints.model_files import place_of
from samtta_app.checkpoints.partial_files import part_of_download
from samtta_app.engine import model_speed
from samtta_app.engine.model_speed import measured_speed
from samtta_app.errors import CheckpointError
from samtta_app.model.model_registry import model_file
from samtta_app.settings import model_folder
from tests.unit.checkpoints.file_server import CONTENT, OTHER, Served, known, serving
from tests.unit.test_cli import call

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def small_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped models and two small ones; no address that leads anywhere."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv(MIRROR_VARIABLE, "")
    lone = known("http://models.invalid", name="lone", title="Lone", file="lone.pth", sha256="1" * 64, sources=("one",))
    models = (*MODELS[:2], known("http://models.invalid"), lone)
    monkeypatch.setattr(model_files, "MODELS", models)
    monkeypatch.setattr(model_catalogue, "MODELS", models)


@pytest.fixture
def mirror() -> Iterator[tuple[Served, str]]:
    served = Served()
    with serving(served) as address:
        yield served, address


def put(name: str = "tiny.pth", content: bytes = CONTENT) -> Path:
    model_folder().mkdir(parents=True, exist_ok=True)
    (model_folder() / name).write_bytes(content)
    return model_folder() / name


@pytest.mark.parametrize("words", [["models"], ["models", "list"]])
def test_the_list_says_name_size_licence_speed_and_place(capsys: Capture, words: list[str]):
    put("mine.pth", OTHER)
    assert call(*words) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == [
        "name size licence speed here where",
        "samtta-small 6.2 MB Apache-2.0 not measured comes with samtta",
    ]
    assert "tiny 1.5 MB Apache-2.0 not here" in lines
    assert "lone 1.5 MB Apache-2.0 not here; add its file from disk" in lines
    assert "mine.pth 1.5 MB not known not measured here" in lines
    assert lines[-1] == f"model folder: {model_folder()}"


def test_a_download_says_where_the_file_is(capsys: Capture, mirror: tuple[Served, str]):
    assert call("models", "download", "tiny", "--mirror", mirror[1]) == 0
    assert capsys.readouterr().out.strip() == f"Tiny: {model_folder() / 'tiny.pth'}"
    assert place_of(model_files.MODELS[2]).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("tiny", "there is no connection"),
        ("lone", "not confirmed by 2 independent sources"),
        ("samtta-small", "comes with samtta"),
        ("tinny", "Did you mean tiny"),
    ],
)
def test_what_cannot_be_downloaded_is_one_line_and_exit_code_2(capsys: Capture, name: str, why: str):
    assert call("models", "download", name) == 2
    said = capsys.readouterr().err.strip()
    assert why in said
    assert "\n" not in said


def test_ctrl_c_stops_a_download_and_the_same_command_goes_on(
    capsys: Capture, mirror: tuple[Served, str], monkeypatch: pytest.MonkeyPatch
):
    served, address = mirror
    from samtta_app.checkpoints import resumed_transfer

    real = resumed_transfer.size_words

    def interrupt(size: int) -> str:
        if size > 600_000 and not monkey.is_set():
            monkey.set()
            raise KeyboardInterrupt
        return real(size)

    monkey = threading.Event()
    monkeypatch.setattr(resumed_transfer, "size_words", interrupt)
    assert call("models", "download", "tiny", "--mirror", address) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert part_of_download(model_files.MODELS[2]).received > 0
    assert call("models", "download", "tiny", "--mirror", address) == 0
    assert served.asked[1][1].startswith("bytes=")


def test_a_check_of_everything_names_what_is_wrong(capsys: Capture):
    put(content=OTHER)
    assert call("models", "check") == 1
    out = capsys.readouterr().out
    assert "Tiny: damaged, or another file" in out
    assert "samtta small: no hash is known" in out
    put()
    assert call("models", "check", "tiny") == 0
    assert "whole and right" in capsys.readouterr().out


def test_a_check_of_what_is_not_here_says_what_to_do(capsys: Capture):
    assert call("models", "check", "tiny") == 2
    assert "samtta models download tiny" in capsys.readouterr().err


def test_a_file_is_added_and_said_how_to_use(capsys: Capture, tmp_path: Path):
    for name, content in (("some.pth", CONTENT), ("mine.pth", OTHER)):
        (tmp_path / name).write_bytes(content)
    assert call("models", "add", str(tmp_path / "some.pth"), str(tmp_path / "mine.pth")) == 0
    out = capsys.readouterr().out
    assert "Tiny: its hash is right; use it with --model tiny" in out
    assert f"use it with --model {model_folder() / 'mine.pth'}" in out


def test_a_file_that_is_not_what_its_name_says_is_exit_code_2(capsys: Capture, tmp_path: Path):
    (tmp_path / "tiny.pth").write_bytes(OTHER)
    assert call("models", "add", str(tmp_path / "tiny.pth")) == 2
    assert "This is not Tiny" in capsys.readouterr().err


def test_a_removal_asks_first(capsys: Capture, monkeypatch: pytest.MonkeyPatch):
    path = put()
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert call("models", "remove", "tiny") == 1
    assert f"Delete Tiny (1.5 MB) in {path.parent}?" in capsys.readouterr().out
    assert path.exists()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert call("models", "remove", "tiny") == 0
    assert "removed Tiny" in capsys.readouterr().out
    assert not path.exists()


def test_a_removal_that_is_sure_does_not_ask(capsys: Capture, monkeypatch: pytest.MonkeyPatch):
    path = put("mine.pth", OTHER)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert call("models", "remove", "mine.pth", "--yes") == 0
    assert not path.exists()


def test_a_shipped_model_is_not_removed(capsys: Capture):
    assert call("models", "remove", "samtta-small", "--yes") == 2
    assert "comes with samtta" in capsys.readouterr().err


def test_a_speed_is_measured_remembered_and_listed(capsys: Capture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(model_speed, "TIMED_WINDOWS", 1)
    assert call("models", "speed", "samtta-small", "--device", "cpu") == 0
    speed = remembered_speed(place_of(MODELS[0]))
    assert speed is not None
    assert speed.device == "cpu"
    assert speed.milliseconds > 0
    assert f"samtta small: {speed.words} a window" in capsys.readouterr().out
    call("models")
    assert speed.words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["tiny"], "is not on this machine"),
        (["samtta-small", "--device", "toaster"], "setting device is not valid"),
        (["nothing"], "no known model"),
    ],
)
def test_what_cannot_be_measured_is_exit_code_2(capsys: Capture, words: list[str], why: str):
    assert call("models", "speed", *words) == 2
    assert why in capsys.readouterr().err


def test_a_file_that_is_no_model_is_not_measured():
    path = put("mine.pth", OTHER)
    with pytest.raises(CheckpointError):
        measured_speed(str(path))
    assert remembered_speed(path) is None


def test_a_known_model_that_is_not_here_says_how_to_get_it():
    with pytest.raises(CheckpointError, match="vit_b is not on this machine") as caught:
        model_file("vit_b")
    assert "samtta models download vit_b" in caught.value.do
    assert "samtta models add FILE" in caught.value.do
