"""Bad input through the real command line: exit code 2, one clear message, no traceback, and nothing lost or half written."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from samtta_app.cli.entry import main
from samtta_app.images.read import read_ids
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of, report

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="limits, signals and owners of POSIX")


@dataclass(frozen=True)
class Ending:
    """How a call of the program ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str], qapp: object) -> Callable[..., Ending]:
    """The command line in this process, with everything that it prints."""

    def run(*words: object) -> Ending:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capfd.readouterr()
        return Ending(int(end.value.code or 0), out, err)

    return run


def program(*words: object) -> Ending:
    """The command line as a process of its own."""
    command = [sys.executable, "-m", "samtta_app", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return Ending(done.returncode, done.stdout, done.stderr)


def complains(ending: Ending, *words: str) -> None:
    """It ended with one message for a person that holds these words."""
    assert ending.code == 2, (ending.out, ending.err)
    lines = [line for line in ending.err.splitlines() if line.startswith("samtta:")]
    assert len(lines) == 1, ending.err
    for word in words:
        assert word in lines[0]
    for inner in ("Traceback", "sqlite3.", "Error:", "Exception"):
        assert inner not in ending.err


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of two images with three accepted objects, closed in order."""
    folder = folder_of(tmp_path / "cells", "a.png", "b.png")
    with Store.open(folder) as store:
        store.number_images()  # as the window does when it opens a folder
        for name in ("a.png", "a.png", "b.png"):
            saved = store.accept(accepted(name), WIDTH, HEIGHT)
        store.log_adaptation(report(saved.id, 1))
    return folder


def database(folder: Path) -> Path:
    return folder / ".samtta" / "project.db"


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def commands(folder: Path, out: Path) -> list[tuple[object, ...]]:
    """Everything that opens a project."""
    return [
        ("open", folder),
        ("stats", folder, "--out", out),
        ("export", folder, "--format", "coco", "--out", out),
        ("export", folder, "--format", "png", "--out", out),
        ("export", folder, "--format", "dataset", "--out", out),
    ]


# --- folders --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("short", [True, False])
def test_a_folder_without_images_is_refused_before_a_window_and_left_as_it_is(
    call: Callable[..., Ending], tmp_path: Path, short: bool
) -> None:
    (tmp_path / "notes.txt").write_text("the images are on the other disk")
    (tmp_path / "deeper").mkdir()
    complains(call(*([] if short else ["open"]), tmp_path), "no images", str(tmp_path), "png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deeper", "notes.txt"]


def test_a_file_that_is_no_image_in_the_place_of_a_folder_is_named(call: Callable[..., Ending], tmp_path: Path) -> None:
    """An image would open its folder."""
    folder = folder_of(tmp_path / "cells", "a.png")
    (folder / "notes.txt").write_text("mine")
    complains(call("open", folder / "notes.txt"), str(folder / "notes.txt"))
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "notes.txt"]


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_reading_commands_never_make_a_project(call: Callable[..., Ending], tmp_path: Path, kind: int) -> None:
    folder = folder_of(tmp_path / "cells", "a.png")
    words = commands(folder, tmp_path / "out")[1:][kind]
    complains(call(*words), "no samtta project", str(folder))
    assert not (folder / ".samtta").exists()
    assert not (tmp_path / "out").exists()


def test_a_project_place_that_is_a_file_is_refused_and_kept(call: Callable[..., Ending], tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "cells", "a.png")
    (tmp_path / "taken").write_text("mine")
    complains(call("open", folder, "--project", tmp_path / "taken"), "taken")
    assert (tmp_path / "taken").read_text() == "mine"


# --- projects that are not to be opened -----------------------------------------------------------------------------------


def make_newer(folder: Path) -> None:
    with closing(sqlite3.connect(database(folder))) as db, db:
        db.execute("INSERT INTO migrations VALUES ('tracks', '2031-01-01')")


def cut_off(folder: Path) -> None:
    content = database(folder).read_bytes()
    database(folder).write_bytes(content[: len(content) // 2])


def scramble(folder: Path) -> None:
    content = database(folder).read_bytes()
    database(folder).write_bytes(content[:4096] + np.random.default_rng(0).bytes(len(content) - 4096))


def overwrite(folder: Path) -> None:
    database(folder).write_bytes(b"this was a project once" * 400)


def replace_by_another(folder: Path) -> None:
    database(folder).unlink()
    with closing(sqlite3.connect(database(folder))) as db, db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (make_newer, "newer samtta (tracks)"),
        (cut_off, "damaged"),
        (scramble, "damaged"),
        (overwrite, "no database"),
        (replace_by_another, "not a samtta project"),
    ],
)
def test_a_database_that_is_not_understood_is_refused_by_every_command_and_stays_byte_by_byte(
    call: Callable[..., Ending], project: Path, tmp_path: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(project)
    before = files(project)
    for command in commands(project, tmp_path / "out"):
        complains(call(*command), words, str(database(project)))
        assert files(project) == before, command
    assert not (tmp_path / "out").exists()


def test_a_project_that_was_put_back_from_a_copy_opens_again(
    call: Callable[..., Ending], project: Path, tmp_path: Path
) -> None:
    copy = database(project).read_bytes()
    cut_off(project)
    complains(call("stats", project, "--out", tmp_path / "out"), "Put back a copy")
    database(project).write_bytes(copy)
    assert call("export", project, "--format", "coco", "--out", tmp_path / "out").code == 0
    assert len(COCO(tmp_path / "out" / "annotations/instances_default.json").anns) == 3


# --- a project that is open elsewhere -------------------------------------------------------------------------------------


def test_a_project_that_is_open_can_be_read_but_not_opened_again_by_its_own_folders_name_too(
    call: Callable[..., Ending], project: Path, tmp_path: Path
) -> None:
    with Store.open(project) as store:
        for k, folder in enumerate((project, project / ".samtta")):
            opening, *reading = commands(folder, tmp_path / f"out{k}")
            complains(call(*opening), "open in another samtta", "Close it there")
            for command in reading:
                assert call(*command).code == 0
            assert len(COCO(tmp_path / f"out{k}" / "annotations/instances_default.json").anns) == 3 + k
            store.accept(accepted(), WIDTH, HEIGHT)
        store.set_deleted(store.annotations()[-1].id, True)
    assert call("export", project, "--format", "coco", "--out", tmp_path / "out").code == 0
    assert len(COCO(tmp_path / "out" / "annotations/instances_default.json").anns) == 4


def test_another_process_reads_while_the_project_is_open_and_afterwards(project: Path, tmp_path: Path) -> None:
    words = ("stats", project, "--out", tmp_path / "out")
    with Store.open(project) as store:
        store.accept(accepted(), WIDTH, HEIGHT)
        beside = program(*words)
    assert beside.code == 0, beside.err
    while_open = next((tmp_path / "out").glob("*.json")).read_text()
    assert len(json.loads(while_open)["objects"]) == 4
    ending = program(*words)
    assert ending.code == 0, ending.err
    assert next((tmp_path / "out").glob("*.json")).read_text() == while_open


DIES = """
import os, signal, sys
from pathlib import Path
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted
store = Store.open(Path(sys.argv[1]))
store.accept(accepted(), WIDTH, HEIGHT)
os.kill(os.getpid(), signal.SIGKILL)
"""


@POSIX
def test_a_program_that_was_killed_leaves_no_lock_and_every_object(project: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DIES, str(project)], cwd=ROOT, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    ending = program("export", project, "--format", "coco", "--out", tmp_path / "out")
    assert ending.code == 0, ending.err
    assert len(COCO(tmp_path / "out" / "annotations/instances_default.json").anns) == 4


# --- places that cannot be written ----------------------------------------------------------------------------------------


WITHOUT_ROOM = """
import resource, sys
from samtta_app.cli.entry import main
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
main(sys.argv[1:])
"""


def without_room(*words: object) -> Ending:
    """The command line in a process whose disk is full for any file of more than 64 bytes."""
    command = [sys.executable, "-B", "-c", WITHOUT_ROOM, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return Ending(done.returncode, done.stdout, done.stderr)


OUTPUTS: tuple[Sequence[str], ...] = (
    ("export", "--format", "coco"),
    ("export", "--format", "png"),
    ("export", "--format", "dataset"),
    ("stats",),
)


@POSIX
@pytest.mark.parametrize("words", OUTPUTS, ids=" ".join)
def test_an_output_for_which_there_is_no_room_appears_not_at_all(
    project: Path, tmp_path: Path, words: Sequence[str]
) -> None:
    out = tmp_path / "out"
    full = without_room(*words, project, "--out", out)
    complains(full, str(out))
    assert not out.exists()
    again = program(*words, project, "--out", out)
    assert again.code == 0, again.err
    assert files(out)


@pytest.mark.parametrize("words", OUTPUTS, ids=" ".join)
def test_an_output_folder_that_is_a_file_is_refused_and_the_file_kept(
    call: Callable[..., Ending], project: Path, tmp_path: Path, words: Sequence[str]
) -> None:
    (tmp_path / "taken").write_text("mine")
    before = files(project)
    complains(call(*words, project, "--out", tmp_path / "taken"), "taken")
    assert (tmp_path / "taken").read_text() == "mine"
    assert files(project) == before


@POSIX
@pytest.mark.parametrize("words", OUTPUTS, ids=" ".join)
def test_an_output_that_fails_leaves_the_older_one_whole(
    call: Callable[..., Ending], project: Path, tmp_path: Path, words: Sequence[str]
) -> None:
    out = tmp_path / "out"
    assert call(*words, project, "--out", out).code == 0
    before = files(out)
    with Store.open(project) as store:
        store.accept(accepted("b.png"), WIDTH, HEIGHT)
    complains(without_room(*words, project, "--out", out), str(out))
    assert files(out) == before
    assert call(*words, project, "--out", out).code == 0
    assert files(out) != before


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that may be read by everybody and written by nobody."""
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture
def public() -> Iterator[Path]:
    """A place that every user of the machine can reach."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        yield Path(place)


AS_SOMEBODY = """
import os, sys
from samtta_app.cli.entry import main
warm, folder, out, *outputs = sys.argv[1:]
def ending(words, folder, out):
    try:
        main([*words.split(), folder, "--out", out])
    except SystemExit as end:
        return end.code or 0
for words in outputs:
    assert ending(words, warm, warm + "/out") == 0  # everything is imported while the interpreter may be read
if os.geteuid() == 0:
    os.setuid(65534)
for words in outputs:
    sys.stdout.write(chr(0))
    sys.stderr.write(chr(0))
    code = ending(words, folder, out)
    sys.stdout.write(f"{chr(0)}{code}")
"""


def as_somebody(folder: Path, out: Path) -> list[Ending]:
    """The commands of all outputs by someone without an administrator's rights, one after the other in one process."""
    warm = folder_of(folder.parent / "warm")
    with Store.open(warm) as store:
        store.accept(accepted(), WIDTH, HEIGHT)
    command = [sys.executable, "-c", AS_SOMEBODY, str(warm), str(folder), str(out), *map(" ".join, OUTPUTS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    _, *told = done.stdout.split("\0")
    _, *errors = done.stderr.split("\0")
    return [Ending(int(code), out, err) for out, code, err in zip(told[::2], told[1::2], errors, strict=True)]


@POSIX
def test_a_project_that_may_only_be_read_is_exported_whole_and_stays_as_it_is(public: Path) -> None:
    folder = folder_of(public / "cells", "a.png")
    with Store.open(folder) as store:
        saved = store.accept(accepted(), WIDTH, HEIGHT)
    before = files(folder)
    (public / "home").mkdir()
    (public / "home").chmod(0o777)
    with read_only(folder):
        endings = as_somebody(folder, public / "home" / "out")
    assert [ending.code for ending in endings] == [0] * len(OUTPUTS), endings
    assert files(folder) == before
    coco = COCO(public / "home" / "out" / "annotations/instances_default.json")
    (found,) = coco.anns.values()
    assert coco.annToMask(found).sum() == saved.mask.area


@POSIX
def test_an_output_folder_that_may_not_be_written_is_refused_and_stays_empty(public: Path) -> None:
    folder = folder_of(public / "cells", "a.png")
    with Store.open(folder) as store:
        store.accept(accepted(), WIDTH, HEIGHT)
    (public / "out").mkdir()
    with read_only(folder), read_only(public / "out"):
        endings = as_somebody(folder, public / "out")
    assert len(endings) == len(OUTPUTS)
    for ending in endings:
        complains(ending, str(public / "out"))
    assert not list((public / "out").iterdir())


# --- data sets ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """One image with one bright disc, in the layout of a data set folder."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    labels = (np.hypot(rows - 50, columns - 60) < 20).astype(np.uint8)
    for part, values in (("images", np.where(labels > 0, 210, 60).astype(np.uint8)), ("masks", labels)):
        (tmp_path / "discs" / part).mkdir(parents=True)
        Image.fromarray(values).save(tmp_path / "discs" / part / "a.png")
    return tmp_path / "discs"


def no_masks(folder: Path) -> None:
    (folder / "masks" / "a.png").unlink()


def other_size(folder: Path) -> None:
    Image.fromarray(np.ones((10, 10), np.uint8)).save(folder / "masks" / "a.png")


def empty_mask(folder: Path) -> None:
    (folder / "masks" / "a.png").write_bytes(b"")


def cut_image(folder: Path) -> None:
    content = (folder / "images" / "a.png").read_bytes()
    (folder / "images" / "a.png").write_bytes(content[: len(content) // 2])


def nothing_to_click(folder: Path) -> None:
    Image.fromarray(np.zeros((HEIGHT, WIDTH), np.uint8)).save(folder / "masks" / "a.png")


@pytest.mark.parametrize("damage", [no_masks, other_size, empty_mask, cut_image, nothing_to_click])
def test_a_data_set_that_cannot_be_measured_is_named_and_nothing_is_half_written(
    call: Callable[..., Ending], dataset: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    damage(dataset)
    out = tmp_path / "bench"
    complains(call("bench", dataset, "--objects", "1", "--out", out), str(dataset))
    assert not out.exists() or not files(out)


# --- images ---------------------------------------------------------------------------------------------------------------


def test_objects_whose_images_are_gone_or_damaged_are_exported_all_the_same(
    call: Callable[..., Ending], project: Path, tmp_path: Path
) -> None:
    (project / "a.png").unlink()
    (project / "b.png").write_bytes(b"")
    for words in OUTPUTS:
        if "dataset" not in words:
            assert call(*words, project, "--out", tmp_path / "out").code == 0
    no_image = call("export", project, "--format", "dataset", "--out", tmp_path / "set")
    complains(no_image, "None of the 2 annotated images can be copied", "its file is gone", "COCO or PNG")
    coco = COCO(tmp_path / "out" / "annotations/instances_default.json")
    assert len(coco.anns) == 3
    expected = int(accepted().mask.area)
    assert [int(coco.annToMask(found).sum()) for found in coco.anns.values()] == [expected] * 3
    index = read_ids(tmp_path / "out" / "instances" / "a.png")
    assert index.shape == (HEIGHT, WIDTH)
    assert np.count_nonzero(index) == expected


def test_damaged_weights_do_not_stand_in_the_way_of_an_export(
    call: Callable[..., Ending], project: Path, tmp_path: Path
) -> None:
    for file in (project / ".samtta" / "weights").iterdir():
        file.write_bytes(b"\0" * 100)
    for words in OUTPUTS:
        assert call(*words, project, "--out", tmp_path / "out").code == 0
    assert len(COCO(tmp_path / "out" / "annotations/instances_default.json").anns) == 3
