"""What users get: metadata, the commit, the words of a version, what a bundle holds, and the licences that it refuses."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from samtta_app.cli import build_words, doctor
from samtta_app.cli.doctor import Finding
from samtta_app.commit import commit_of
from samtta_app.display import X11_LIBRARIES

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"


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
    assert [each.do for each in doctor.in_words_of_a_bundle(findings)] == [doctor.BUNDLE_ADVICE, ""]
    monkeypatch.setattr(doctor, "resource", lambda name: Path("not there", name))
    assert doctor.installation().do == doctor.BUNDLE_ADVICE


def test_a_bundle_answers_the_words_of_python_with_which_samtta_starts_itself(capsys: pytest.CaptureFixture[str]):
    start = tool("bundle_start")
    start.start(["-I", "-S", "-c", "print('asked')"])
    with pytest.raises(SystemExit):
        start.start(["-m", "samtta_app", "--version"])
    assert capsys.readouterr().out.splitlines()[0] == "asked"
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
        ("torch/include/ATen/ATen.h", False),
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
    desktop = (PACKAGING / "linux" / "samtta.desktop").read_text(encoding="utf-8")
    assert "Icon=samtta" in desktop
    assert "MimeType=inode/directory" in desktop
    assert X11_LIBRARIES


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
