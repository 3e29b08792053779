"""The doctor tells what is wrong from what is right, and always says what to do about it."""

from __future__ import annotations

import ctypes.util
import os
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from samtta_app.cli import doctor
from samtta_app.cli.doctor import (
    Finding,
    check_display,
    free_disk,
    model,
    official_models,
    package_versions,
    python_version,
    qt_libraries,
    settings_and_model,
    torch_devices,
    without_gpu,
    writable_folder,
)
from samtta_app.display import X11_LIBRARIES

VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
START = Path(__file__).resolve().parents[2] / "packaging" / "start"


def levels(findings: list[Finding]) -> dict[str, str]:
    return {finding.subject: finding.level for finding in findings}


def test_an_old_python_is_a_problem_and_a_new_one_is_not():
    assert python_version((3, 10)).level == "problem"
    assert python_version((3, 11)).level == "ok"
    assert python_version((4, 0)).level == "ok"


def test_every_declared_package_that_is_installed_and_fits_is_ok():
    found = levels([doctor._package(Requirement("pytest>=8")), doctor._package(Requirement("numpy"))])
    assert found == {"pytest": "ok", "numpy": "ok"}


def test_a_missing_package_and_a_wrong_version_are_problems_with_the_command_that_mends_them():
    missing = doctor._package(Requirement("no-such-package-here>=2"))
    wrong = doctor._package(Requirement("numpy<0.1"))
    assert (missing.level, wrong.level) == ("problem", "problem")
    assert missing.do == 'pip install "no-such-package-here>=2"'
    assert wrong.do == 'pip install "numpy<0.1"'


def test_extras_are_not_asked_of_everyone():
    declared = ["numpy", 'pydicom>=2; extra == "dicom"', 'pywin32; sys_platform == "nowhere"', "not a requirement !"]
    assert [requirement.name for requirement in doctor._wanted(declared)] == ["numpy"]


def test_a_checkout_that_is_not_installed_is_named_and_not_a_problem():
    (finding,) = package_versions("samtta-that-is-not-installed")
    assert finding.level == "warn"
    assert "pip install ." in finding.do


def test_a_package_that_clashes_is_warned_about(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(doctor._CLASHES, "pytest", "clashes in this test")
    (finding,) = doctor._clash("pytest")
    assert finding.level == "warn"
    assert "pip uninstall pytest" in finding.do
    assert doctor._clash("no-such-package-here") == []


def test_all_qt_libraries_present_is_one_ok():
    (finding,) = qt_libraries(load=lambda name: object())
    assert finding.level == "ok"


def test_missing_qt_libraries_are_named_with_the_packages_of_debian_and_fedora():
    def load(name: str) -> object:
        if name in ("libxcb-cursor.so.0", "libEGL.so.1"):
            raise OSError(f"{name}: cannot open shared object file")
        return object()

    (finding,) = qt_libraries(load=load)
    assert finding.level == "problem"
    assert "libxcb-cursor.so.0" in finding.found
    assert "apt-get install libegl1 libxcb-cursor0" in finding.do
    assert "dnf install libglvnd-egl xcb-util-cursor" in finding.do


@pytest.mark.skipif(sys.platform != "linux", reason="shared objects are looked for on Linux only")
def test_a_library_that_is_really_there_loads_and_one_that_is_not_does_not():
    there = ctypes.util.find_library("c") or "libc.so.6"
    (finding,) = qt_libraries({there: ("libc6", "glibc"), "libno-such.so.9": ("libno-such9", "no-such")})
    assert finding.found == "missing: libno-such.so.9"


def test_the_start_script_installs_what_the_doctor_looks_for():
    (table,) = re.findall(r"^needed='([^']*)'", START.read_text(encoding="utf-8"), re.MULTILINE)
    rows = [line.split() for line in table.splitlines() if line.strip()]
    assert {name: tuple(packages) for name, *packages in rows if ".so" in name} == dict(X11_LIBRARIES)


def test_without_a_display_the_doctor_names_what_still_works():
    finding = check_display("linux", {})
    assert (finding.level, finding.found) == ("warn", "there is no display")
    assert "samtta demo --simulate" in finding.do


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be without a display")
def test_a_display_that_does_not_answer_is_a_problem_and_qt_is_really_tried():
    environment = {name: text for name, text in os.environ.items() if name not in VARIABLES}
    finding = check_display("linux", {**environment, "DISPLAY": ":4711"})
    assert finding.level == "problem"
    assert ":4711" in finding.found
    assert "ssh -X" in finding.do
    broken = check_display("linux", {**environment, "QT_QPA_PLATFORM": "no-such-platform"})
    assert broken.level == "problem"
    assert "no-such-platform" in broken.found
    assert check_display("linux", {**environment, "QT_QPA_PLATFORM": "offscreen"}) == Finding(
        "ok", "display", "offscreen"
    )


def test_a_gpu_that_torch_cannot_use_is_warned_about_and_no_gpu_is_fine():
    assert without_gpu(nvidia=False, built_for=None).level == "ok"
    assert without_gpu(nvidia=False, built_for="13.2").level == "ok"
    assert "CPU-only" in without_gpu(nvidia=True, built_for=None).found
    lost = without_gpu(nvidia=True, built_for="13.2")
    assert lost.level == "warn"
    assert "13.2" in lost.found
    assert "driver" in lost.do


def test_torch_and_torchvision_load_together_and_a_device_is_named():
    findings = torch_devices()
    assert levels(findings) == {"torch threads": "ok", "torchvision": "ok", "torch device": findings[-1].level}


def test_a_folder_is_made_where_it_is_missing_and_a_place_that_cannot_be_written_is_a_problem(tmp_path: Path):
    assert writable_folder("data folder", tmp_path / "new" / "folder").level == "ok"
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    (tmp_path / "file").write_text("")
    blocked = writable_folder("data folder", tmp_path / "file" / "folder")
    assert blocked.level == "problem"
    assert "SAMTTA_HOME" in blocked.do


def test_a_full_disk_is_warned_about_even_where_the_folder_is_still_to_be_made(tmp_path: Path):
    assert free_disk(tmp_path / "not" / "yet", needed=0).level == "ok"
    assert free_disk(tmp_path / "not" / "yet", needed=10**18).level == "warn"


def test_every_setting_that_is_left_out_is_a_finding_with_its_place_and_the_model_is_looked_at_all_the_same(
    samtta_home: Path,
):
    (samtta_home / "settings.toml").write_text("theme = 'pink'\nthread = 2\nmodel =")
    *findings, last = settings_and_model()
    assert [finding.level for finding in findings] == ["warn"] * 3
    assert all(str(samtta_home) in finding.found for finding in findings)
    assert "Line 3" in findings[0].found
    assert "system" in findings[1].do
    assert "threads" in findings[2].do
    assert (last.subject, last.level) == ("model", "ok")


def test_a_model_file_that_is_missing_is_a_problem_and_the_shipped_one_loads(tmp_path: Path):
    assert model(str(tmp_path / "no.pth")).level == "problem"
    loaded = model("samtta-small")
    assert loaded.level == "ok"
    assert "M parameters" in loaded.found


def test_official_checkpoints_in_the_model_folder_are_listed(tmp_path: Path):
    assert "none in" in official_models(tmp_path).found
    (tmp_path / "sam_vit_b_01ec64.pth").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    assert official_models(tmp_path).found == "sam_vit_b_01ec64.pth"
    others = ("mobile_sam.pt", "sam2.1_hiera_tiny.pt", "sam_hq_vit_tiny.pth")
    for name in others:
        (tmp_path / name).write_bytes(b"")
    assert official_models(tmp_path).found == ", ".join(sorted(("sam_vit_b_01ec64.pth", *others)))


def test_the_whole_examination_ends_and_every_bad_finding_says_what_to_do():
    findings = doctor.examine()
    assert {"Python", "torch device", "display", "model", "data folder", "disk"} <= {
        entry.subject for entry in findings
    }
    assert all(finding.do for finding in findings if finding.level != "ok")
