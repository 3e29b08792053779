"""What users get: metadata, the commit, the words of a version, what a bundle holds, and the licences that it refuses."""

from __future__ import annotations

import configparser
import importlib.util
import mimetypes
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from samtta_app.cli import build_words, doctor
from samtta_app.cli.doctor import Finding
from samtta_app.commit import commit_of
from samtta_app.core.names import IMAGE_SUFFIXES
from samtta_app.display import X11_LIBRARIES
from samtta_app.extras import extra_advice

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"


@pytest.fixture(autouse=True)
def tools_see_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(PACKAGING)])


def tool(name: str) -> ModuleType:
    """A module of packaging/, which is no part of the package."""
    spec = importlib.util.spec_from_file_location(name, PACKAGING / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- wheel and sdist ------------------------------------------------------------------------------------------------


def test_the_metadata_is_complete_and_the_package_says_that_it_is_typed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {
        "name",
        "version",
        "description",
        "readme",
        "requires-python",
        "license",
        "authors",
        "keywords",
        "scripts",
    }
    assert wanted <= set(project)
    assert "Typing :: Typed" in project["classifiers"]
    assert (ROOT / "samtta_app" / "py.typed").is_file()


def test_the_conda_recipe_asks_for_what_the_wheel_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    recipe = (PACKAGING / "conda" / "meta.yaml").read_text(encoding="utf-8").lower()
    other = {"opencv-python-headless": "py-opencv", "pyside6-essentials": "pyside6", "torch": "pytorch"}
    for needed in project["dependencies"]:
        name, bound = needed.lower().split(">=")
        assert f"{other.get(name, name)} >={bound}" in recipe.replace("msgspec-python", "msgspec") or name.startswith(
            "segment"
        )


# --- version and doctor ---------------------------------------------------------------------------------------------


def test_the_commit_comes_from_the_checkout_and_says_where_files_differ(tmp_path: Path):
    assert commit_of(tmp_path) == ""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "file").write_text("1")
    for words in (["init", "-q"], ["add", "file"], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    whole = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    assert commit_of(tmp_path) == whole[:10]
    (tmp_path / "file").write_text("2")
    assert commit_of(tmp_path) == f"{whole[:10]}+changes"


def test_a_commit_that_was_written_into_the_package_goes_before_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "commit.txt").write_text("abc\n")
    monkeypatch.setattr(build_words, "resource", lambda name: tmp_path / name)
    assert build_words.commit_words() == "abc"
    assert "commit abc, model" in build_words.version_words()


def test_the_doctor_knows_a_bundle_and_does_not_speak_of_pip_there(monkeypatch: pytest.MonkeyPatch):
    assert doctor.installation().subject == "samtta"
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    found = doctor.installation()
    assert (found.level, found.subject) == ("ok", "bundle")
    assert str(Path(sys.executable).resolve().parent) in found.found
    findings = [Finding("problem", "numpy", "is not installed", "pip install numpy"), Finding("ok", "rich", "15")]
    findings.append(doctor.without_gpu(nvidia=True, built_for=None))
    advice = [doctor.BUNDLE_ADVICE, "", doctor.BUNDLE_GPU_ADVICE]
    assert [each.do for each in doctor.in_words_of_a_bundle(findings)] == advice
    assert extra_advice("sam2").startswith("Nothing can be added to a bundle")
    monkeypatch.setattr(doctor, "resource", lambda name: Path("not there", name))
    assert doctor.installation().do == doctor.BUNDLE_ADVICE


def test_a_bundle_answers_the_words_of_python_with_which_samtta_starts_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "argv", ["samtta"])
    start = tool("bundle_start")
    start.start(["-I", "-S", "-c", "import sys; print('asked', sys.argv)", "3"])
    for words in (["-m", "samtta_app", "--version"], ["--version"]):
        with pytest.raises(SystemExit):
            start.start(words)
    said = capsys.readouterr().out.splitlines()
    assert said == ["asked ['-c', '3']", *[build_words.version_words()] * 2]
    environment = {"LD_LIBRARY_PATH": "the bundle's", "LD_LIBRARY_PATH_ORIG": "the system's"}
    start.give_libraries_back(environment)
    assert environment == {"LD_LIBRARY_PATH": "the system's"}


# --- bundles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        ("torch/lib/libtorch_cpu.so", True),
        ("torch/bin/torch_shm_manager", True),
        ("torchvision/_C.so", True),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6/Qt/translations/qtbase_de.qm", True),
        ("samtta_app/resources/models/samtta-small.safetensors", True),
        ("PySide6/Qt/plugins/platforms/libqwayland.so", True),
        ("PySide6/Qt/plugins/platformthemes/libqxdgdesktopportal.so", True),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", False),
        ("PySide6/Qt/plugins/tls/libqopensslbackend.so", False),
        ("PySide6/Qt/translations/qt_help_de.qm", False),
        ("torch/include/ATen/ATen.h", False),
        ("torch/bin/test_jit", False),
        ("torchvision.libs/libnvjpeg.36e11081.so.13", False),
        ("torch\\lib\\cudart64_12.lib", False),
    ],
)
def test_a_bundle_holds_what_runs_and_nothing_for_compilers_or_cuda(place: str, inside: bool):
    assert tool("bundle_parts").wanted(place) is inside


def test_the_spec_and_the_desktop_file_name_what_is_there():
    spec = (PACKAGING / "samtta.spec").read_text(encoding="utf-8")
    assert "bundle_start.py" in spec
    assert {"samtta_app", "skimage", "qtawesome"} == set(tool("bundle_parts").DATA_OF)
    desktop = configparser.ConfigParser(interpolation=None)
    desktop.read(PACKAGING / "linux" / "samtta.desktop", encoding="utf-8")
    entry = desktop["Desktop Entry"]
    assert (entry["Icon"], entry["Exec"]) == ("samtta", "samtta open %f")
    kinds = set(entry["MimeType"].strip(";").split(";"))
    known = mimetypes.MimeTypes()  # without what this system adds
    suffixes = [suffix for suffix in IMAGE_SUFFIXES if suffix in known.types_map[True] and suffix != ".dicom"]
    assert {"inode/directory", "application/dicom", *(known.types_map[True][suffix] for suffix in suffixes)} - {
        "image/x-ms-bmp"
    } <= kinds
    assert X11_LIBRARIES


def test_a_library_that_only_left_out_files_needed_is_left_out_too():
    parts = tool("bundle_parts")
    linked = {"/env/qxcb.so": {"libQt6Gui.so.6", "libxcb.so.1", "libc.so.6"}}
    kept = [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "/env/qxcb.so", "BINARY"),
        ("PySide6/Qt/lib/libQt6Gui.so.6", "/env/libQt6Gui.so.6", "BINARY"),
        ("libQt6Gui.so.6", "PySide6/Qt/lib/libQt6Gui.so.6", "SYMLINK"),
        ("libxcb.so.1", "/lib/x86_64-linux-gnu/libxcb.so.1", "BINARY"),
        ("libpython3.11.so.1.0", "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", "BINARY"),
    ]
    lost = [
        ("PySide6/Qt/lib/libQt6EglFsKmsSupport.so.6", "/env/libQt6EglFsKmsSupport.so.6", "BINARY"),
        ("libQt6EglFsKmsSupport.so.6", "PySide6/Qt/lib/libQt6EglFsKmsSupport.so.6", "SYMLINK"),
        ("libgtk-3.so.0", "/usr/lib/x86_64-linux-gnu/libgtk-3.so.0", "BINARY"),
    ]
    assert parts.reached([*kept, *lost], lambda source: linked.get(source, ())) == kept
    assert parts.without_dangling([*kept, lost[1]], {place for place, _, _ in kept}) == kept


def test_what_the_sbom_does_not_name_stays_out_of_the_bundle():
    parts = tool("bundle_parts")
    inside = parts.needed(parts.INSIDE)
    assert {"samtta", "pydicom", "torch", "timm"} <= inside
    assert inside.isdisjoint(parts.LEFT_OUT)
    foreign = set(parts.foreign_modules(inside))
    assert {"pytest", "ruff", "huggingface_hub"} <= foreign
    assert foreign.isdisjoint({"samtta_app", "torch", "pydicom", "numpy", "PySide6", "typer"})


def test_the_workflows_run_tools_that_are_there():
    for file in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        text = file.read_text(encoding="utf-8")
        jobs = yaml.safe_load(text)["jobs"]
        assert all(
            job["runs-on"] and all("run" in step or "uses" in step for step in job["steps"]) for job in jobs.values()
        )
        named = set(re.findall(r"packaging[/\\][\w./\\-]+", text))
        assert named, file
        assert [place for place in named if not (ROOT / place.replace("\\", "/")).exists()] == []


def material(licence: dict[str, object], name: str = "thing") -> dict[str, object]:
    return {"name": name, "version": "1", "bom-ref": name, "licenses": [licence]}


@pytest.mark.parametrize(
    ("licence", "fits"),
    [
        ({"expression": "LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only"}, True),
        ({"expression": "BSD-3-Clause AND 0BSD AND MIT"}, True),
        ({"license": {"id": "MIT"}}, True),
        ({"license": {"name": "License :: OSI Approved :: BSD License"}}, True),
        ({"expression": "MIT AND GPL-3.0-only"}, False),
        ({"license": {"name": "LicenseRef-NVIDIA-Proprietary"}}, False),
        ({"license": {"name": "Other/Proprietary License"}}, False),
    ],
)
def test_a_licence_that_does_not_fit_ends_the_build(licence: dict[str, object], fits: bool):
    licences = tool("licences")
    bom = {"components": [material(licence)]}
    if fits:
        licences.refuse_unfitting(bom)
    else:
        with pytest.raises(licences.LicenceError, match="thing 1: "):
            licences.refuse_unfitting(bom)


@pytest.mark.parametrize(
    ("said", "licence", "fits"),
    [
        ("Files: *\nCopyright: 1990\nLicense: GPL-3+\n", "GPL-3+", False),
        ("Format: 1\n\nFiles: *\nCopyright: a\nLicense: LGPL-2.1+\n", "LGPL-2.1+", True),
        ("Files: *\nLicense: GPL-2+ or AFL-2.1\n", "GPL-2+ or AFL-2.1", True),
        ("Files: *\nCopyright: 1996\nLicense: Sleepycat\n", "Sleepycat", False),
        ("You may use this.", "see its text", True),
        ("", "", False),
    ],
)
def test_a_library_of_the_system_under_the_gpl_ends_the_build(said: str, licence: str, fits: bool):
    licences = tool("licences")
    assert licences.main_licence(said) == licence
    bom = {"components": [licences.stated("libthing", "1", licences.DEBIAN + "libthing", licence)]}
    if fits:
        licences.refuse_unfitting(bom)
    else:
        with pytest.raises(licences.LicenceError, match="libthing 1: "):
            licences.refuse_unfitting(bom)


def test_a_bundle_has_a_page_of_licences_with_their_texts(tmp_path: Path):
    licences = tool("licences")
    (tmp_path / "help").mkdir()
    bom = {
        "components": [
            licences.stated("CPython", "3", licences.PYTHON, "PSF-2.0"),
            {"name": "PySide6-Essentials", "version": "6", "licenses": [{"expression": "LGPL-3.0-only"}]},
        ]
    }
    licences.write_licences(bom, tmp_path)
    page = (tmp_path / "help" / "12-licences.md").read_text(encoding="utf-8")
    assert page.startswith("# Licences of this bundle")
    assert "| [PySide6-Essentials](../licences/pyside6-essentials.txt) | 6 | LGPL-3.0-only |" in page
    text = (tmp_path / "licences" / "pyside6-essentials.txt").read_text(encoding="utf-8")
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in text
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert (tmp_path / "licences" / "sbom.cdx.json").is_file()


def test_the_sbom_is_of_what_samtta_needs_and_not_of_the_builders_tools():
    licences = tool("licences")
    names = licences.needed(["samtta"])
    assert {"samtta", "torch", "sympy"} <= names
    assert not {"pytest", "ruff", "hatchling"} & names
    everything = {
        "components": [{"name": name, "bom-ref": name} for name in ("samtta", "torch", "ruff")],
        "dependencies": [{"ref": "samtta", "dependsOn": ["ruff", "torch"]}, {"ref": "ruff"}],
    }
    kept = licences.shipped(everything, names)
    assert [each["name"] for each in kept["components"]] == ["samtta", "torch"]
    assert kept["dependencies"] == [{"ref": "samtta", "dependsOn": ["torch"]}]
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in licences.texts(
        {"name": "PySide6-Essentials", "licenses": [{"expression": "LGPL-3.0-only OR GPL-3.0-only"}]}
    )
