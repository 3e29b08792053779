"""The command line: every promise of `--help`, one clear message for a person's error, and clean ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from PIL import Image

from samtta_app.cli import build_words, entry
from samtta_app.cli.entry import expanded, main
from samtta_app.errors import UserError
from samtta_app.settings import resource

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [
    "open",
    "demo",
    "doctor",
    "export",
    "encode",
    "import",
    "compare",
    "stats",
    "bench",
    "train",
    "models",
    "auto",
    "edges",
]


def call(*arguments: str) -> int:
    """Run the command line here; its exit code."""
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0)


def python(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """Run a Python of its own on the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment, **options)


# --- short forms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ([], ["open"]),
        (["--help"], ["--help"]),
        (["--version"], ["--version"]),
        (["photos"], ["open", "photos"]),
        (["./doctor"], ["open", "./doctor"]),
        (["--model", "vit_b", "photos"], ["open", "--model", "vit_b", "photos"]),
        (["open", "photos"], ["open", "photos"]),
        (["doctor"], ["doctor"]),
        (["bench"], ["bench"]),
        (["bench", "--help"], ["bench", "--help"]),
        (["bench", "speed"], ["bench", "speed"]),
        (["bench", "report", "out"], ["bench", "report", "out"]),
        (["bench", "points", "data/nuclei"], ["bench", "points", "data/nuclei"]),
        (["bench", "quality", "data/nuclei"], ["bench", "quality", "data/nuclei"]),
        (["bench", "--mix", "a", "b"], ["bench", "run", "--mix", "a", "b"]),
        (["bench", "data/nuclei", "data/cells"], ["bench", "run", "data/nuclei", "data/cells"]),
        (["bench", "--orders", "2", "data/nuclei"], ["bench", "run", "--orders", "2", "data/nuclei"]),
        (["bench", "run", "speed"], ["bench", "run", "speed"]),
        (["train", "model", "x"], ["train", "model", "x"]),
        (["models"], ["models"]),
        (["models", "check", "vit_b"], ["models", "check", "vit_b"]),
    ],
)
def test_short_forms_are_spelled_out(given: list[str], meant: list[str]):
    assert expanded(given) == meant


# --- help -----------------------------------------------------------------------------------------------------------


def test_help_names_every_command_and_ends_well(capsys: pytest.CaptureFixture[str]):
    assert call("--help") == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"\b{name}\b", shown) for name in COMMANDS)
    assert "samtta FOLDER" in shown


@pytest.mark.parametrize(
    "words",
    [[name] for name in COMMANDS]
    + [["bench", "run"], ["bench", "report"], ["bench", "points"], ["bench", "speed"], ["train", "model"]],
)
def test_every_command_has_help(words: list[str], capsys: pytest.CaptureFixture[str]):
    assert call(*words, "--help") == 0
    assert "Usage" in capsys.readouterr().out


def test_help_and_version_need_neither_torch_nor_qt():
    code = (
        "import sys\nfrom samtta_app.cli.entry import main\n"
        "for words in (['--help'], ['bench', '--help'], ['train', 'model', '--help'], ['--version']):\n"
        "    try: main(words)\n"
        "    except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'PySide6', 'cv2', 'numpy', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


def test_the_package_runs_as_a_module_too():
    done = python("-m", "samtta_app", "--help")
    assert done.returncode == 0
    assert "samtta" in done.stdout
    assert done.stderr == ""


def test_the_version_names_what_runs_even_where_samtta_is_not_installed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(build_words, "version", lambda name: {"samtta": "1.2.3", "torch": "2.9"}.get(name, "6.8"))
    assert call("--version") == 0
    words = r"samtta 1\.2\.3, commit \S+, model samtta-small [0-9a-f]{8}, torch 2\.9, Qt 6\.8\n"
    assert re.fullmatch(words, capsys.readouterr().out)

    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(build_words, "version", absent)
    assert call("--version") == 0
    assert capsys.readouterr().out.startswith("samtta not installed, commit ")


def test_the_guide_names_every_command_and_no_other():
    text = resource("help/08-commands.md").read_text(encoding="utf-8")
    table = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    named = set(re.findall(r"samtta (\w+)", table))
    assert named - {"FOLDER", "COMMAND"} == set(COMMANDS)


# --- errors ---------------------------------------------------------------------------------------------------------


def test_a_persons_error_is_one_message_on_stderr_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert call("export", str(tmp_path), "--format", "png", "--out", str(tmp_path / "out")) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert str(tmp_path) in captured.err
    assert "Traceback" not in captured.err
    assert not (tmp_path / ".samtta").exists(), "a command that only reads made a project"


def test_square_brackets_in_a_message_are_shown_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def fail() -> None:
        raise UserError("The name [bold]x[/bold] is not valid", "[red]/somewhere", "Choose another")

    monkeypatch.setattr(entry, "load_settings", fail)
    assert call("open") == 2
    assert "The name [bold]x[/bold] is not valid ([red]/somewhere). Choose another." in capsys.readouterr().err


def test_a_word_that_is_neither_folder_nor_command_is_named(capsys: pytest.CaptureFixture[str]):
    assert call("exprot") == 2
    assert "neither a folder nor a command" in capsys.readouterr().err


def test_an_image_is_opened_and_another_file_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    asked: list[Path] = []
    monkeypatch.setattr(entry, "require_display", lambda: None)
    monkeypatch.setattr(entry.demo_command, "open_window", lambda folder, *_, **__: asked.append(folder) or 0)
    monkeypatch.setattr(entry.demo_command, "leave", lambda code: None)
    (tmp_path / "a.png").touch()
    (tmp_path / "a.txt").touch()
    call(str(tmp_path / "a.png"))
    assert asked == [tmp_path / "a.png"]
    assert call(str(tmp_path / "a.txt")) == 2
    assert "neither a folder nor an image" in capsys.readouterr().err


def test_a_setting_that_is_not_valid_stops_nothing_and_is_named(
    tmp_path: Path, samtta_home: Path, caplog: pytest.LogCaptureFixture
):
    (samtta_home / "settings.toml").write_text("theme = 'pink'\nthreads = 3")
    assert entry.prepared().threads == 3
    assert "theme" in caplog.text
    assert "settings.toml" in caplog.text


def test_an_unknown_export_format_is_refused_with_the_known_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert call("export", str(tmp_path), "--format", "gif", "--out", str(tmp_path)) == 2
    assert "coco, png" in capsys.readouterr().err


def test_a_missing_option_is_exit_code_2_and_no_traceback(capsys: pytest.CaptureFixture[str]):
    assert call("export", "somewhere") == 2
    assert "--format" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be without a display")
@pytest.mark.parametrize("named", [{}, {"DISPLAY": ":4711"}, {"WAYLAND_DISPLAY": "none"}, {"QT_QPA_PLATFORM": "xcb"}])
def test_where_no_window_can_be_opened_one_line_names_the_doctor_and_the_simulated_demo(
    named: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, text in named.items():
        monkeypatch.setenv(name, text)
    assert call("open") == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "No window can be opened" in shown
    assert "samtta demo --simulate" in shown
    assert "samtta doctor" in shown


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be without a display")
@pytest.mark.parametrize("named", [{}, {"DISPLAY": ":4711"}, {"DISPLAY": "no.such.host.invalid:0"}])
@pytest.mark.parametrize("words", [["--simulate"], []], ids=str)
def test_the_demo_needs_no_display(
    words: list[str], named: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from samtta_app.cli import demo_command

    asked: list[Path] = []
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, text in named.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(demo_command, "simulate_without_window", lambda objects, out, settings: asked.append(out))
    assert call("demo", *words, "--out", str(tmp_path)) == 0
    assert asked == [tmp_path]


def test_a_qt_that_cannot_be_loaded_is_one_line_that_names_the_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from samtta_app.cli import demo_command

    def fail(language: str) -> None:
        raise ImportError("libEGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(demo_command, "_splash", fail)
    assert call("open", str(tmp_path)) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "libEGL.so.1" in shown
    assert "samtta doctor" in shown


@pytest.mark.parametrize(
    ("words", "display", "expected"),
    [
        ([], True, "window"),
        (["--simulate"], True, "simulation in the window"),
        (["--simulate", "--no-window"], True, "simulation"),
        (["--no-window"], True, "simulation"),
        ([], False, "simulation"),
        (["--simulate"], False, "simulation"),
        (["--no-window"], False, "simulation"),
    ],
)
def test_the_demo_is_shown_as_the_machine_can_show_it(
    words: list[str],
    display: bool,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    from samtta_app.cli import demo_command

    monkeypatch.setattr(demo_command, "display_fault", lambda system, environment: "" if display else "none answers")
    monkeypatch.setattr(demo_command, "leave", sys.exit)  # it ends the process
    done: list[tuple[str, int]] = []
    monkeypatch.setattr(demo_command, "open_samples", lambda *_: done.append(("window", 0)) or 0)
    monkeypatch.setattr(
        demo_command, "simulate_in_window", lambda n, *_: done.append(("simulation in the window", n)) or 0
    )
    monkeypatch.setattr(demo_command, "simulate_without_window", lambda n, *_: done.append(("simulation", n)))
    assert call("demo", "--objects", "7", *words) == 0
    assert done == [(expected, 0 if expected == "window" else 7)]
    assert ("No window can be opened" in capsys.readouterr().out) == (not display and not words)


def test_an_output_that_is_cut_off_ends_without_a_traceback():
    code = "import sys; from samtta_app.cli.entry import main; main(['--help'])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, timeout=120, check=False, env=environment
    )
    os.close(writing)
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send there")
def test_ctrl_c_ends_with_130_and_without_a_traceback():
    code = (
        "import os, signal, samtta_app.cli.doctor as doctor\n"
        "def examine(): os.kill(os.getpid(), signal.SIGINT); return []\n"
        "doctor.examine = examine\n"
        "from samtta_app.cli.entry import main; main(['doctor'])\n"
    )
    done = python("-c", code)
    assert done.returncode in (130, -signal.SIGINT)
    assert "Traceback" not in done.stderr


# --- strategies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["open"], ["demo"], ["demo", "--simulate"], ["demo", "--simulate", "--no-window"]], ids=" ".join
)
def test_a_strategy_that_does_not_exist_is_refused_before_anything_is_done(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert call(*words, "--strategy", "schoen204") == 2
    shown = capsys.readouterr().err
    assert "There is no strategy named 'schoen204'. Did you mean schoen2024" in shown
    assert shown.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_is_named_on_the_command_line_goes_before_the_settings_and_does_not_change_them(
    tmp_path: Path, samtta_home: Path, monkeypatch: pytest.MonkeyPatch
):
    from samtta_app.adapt.registry import STRATEGIES
    from samtta_app.cli import demo_command
    from samtta_app.gui import app

    (samtta_home / "settings.toml").write_text("model = 'mine'\nstrategy = 'fbrs'\n")
    asked: list[tuple[object, ...]] = []

    def window(folder, *, settings, strategies, given, **_):
        asked.append((folder, settings.strategy, given))
        assert strategies == {name: each.words for name, each in STRATEGIES.items()}
        return 0

    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(app, "run_window", window)
    monkeypatch.setattr(demo_command, "_splash", lambda language: None)
    monkeypatch.setattr(demo_command, "leave", leave)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert call("open", str(tmp_path)) == 0
    assert call("open", str(tmp_path), "--strategy", "frozen", "--model", "vit_b") == 0
    assert asked == [
        (tmp_path, "fbrs", {}),
        (tmp_path, "fbrs", {"model": "vit_b", "strategy": "frozen"}),
    ]


@pytest.mark.parametrize(("named", "expected"), [([], "lit-lora"), (["--strategy", "frozen"], "frozen")])
def test_the_simulated_demo_learns_by_the_named_strategy_or_by_that_of_the_settings(
    tmp_path: Path, samtta_home: Path, monkeypatch: pytest.MonkeyPatch, named: list[str], expected: str
):
    from samtta_app.cli import demo_command
    from samtta_app.simulation import simulated_session

    (samtta_home / "settings.toml").write_text("strategy = 'lit-lora'")
    asked: list[str] = []
    monkeypatch.setattr(demo_command, "_samples", lambda: tmp_path)
    monkeypatch.setattr(simulated_session, "run_simulation", lambda samples, *, strategy, **_: asked.append(strategy))
    monkeypatch.setattr(simulated_session, "show_simulation", lambda console, simulation: None)
    assert call("demo", "--simulate", "--no-window", "--out", str(tmp_path / "out"), *named) == 0
    assert asked == [expected]


# --- commands -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("levels", "code"), [(["ok", "warn"], 0), (["ok", "problem"], 1)])
def test_doctor_ends_with_1_when_there_is_a_problem(
    levels, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from samtta_app.cli import doctor

    findings = [doctor.Finding(level, f"thing {level}", "found [so]", "do this") for level in levels]
    monkeypatch.setattr(doctor, "examine", lambda: findings)
    assert call("doctor") == code
    shown = capsys.readouterr().out
    assert all(f"thing {level}" in shown for level in levels)
    assert "found [so]" in shown


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of one image with a project in it, nothing accepted yet."""
    from samtta_app.session.project.store import Store

    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("RGB", (40, 30), "grey").save(folder / "a.png")
    with Store.open(folder) as store:
        store.image_opened("a.png", 40, 30)
    return folder


@pytest.mark.parametrize("place", [".", ".samtta"])
def test_export_takes_the_images_folder_or_the_project_folder(
    project: Path, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert call("export", str(project / place), "--format", "coco", "--out", str(tmp_path / "out")) == 0
    assert (tmp_path / "out" / "annotations/instances_default.json").is_file()
    assert "instances_default.json" in capsys.readouterr().out


def test_stats_writes_its_files_and_says_the_sentence(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert call("stats", str(project), "--out", str(tmp_path / "out")) == 0
    written = sorted(path.suffix for path in (tmp_path / "out").iterdir())
    assert ".csv" in written
    assert ".json" in written
    said = " ".join(capsys.readouterr().out.split())
    assert "wrote" in said
    assert "favours learning" in said
    assert "over all attempts (0, given up: 0)" in said


def test_threads_of_the_settings_reach_torch_before_it_is_loaded(samtta_home: Path, monkeypatch: pytest.MonkeyPatch):
    (samtta_home / "settings.toml").write_text("threads = 3")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert entry.prepared().threads == 3
    assert os.environ["OMP_NUM_THREADS"] == "3"
