"""`samtta doctor`: what this machine has, what is missing, and what to do about each finding."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from packaging.requirements import InvalidRequirement, Requirement

from samtta_app.checkpoints.model_catalogue import MODELS
from samtta_app.cli.build_words import bundle_folder, version_words
from samtta_app.display import X11_LIBRARIES, display_fault, missing_libraries, named_display, qt_fault
from samtta_app.errors import UserError
from samtta_app.extras import in_bundle
from samtta_app.settings import data_folder, model_folder, read_settings, resource, settings_file

Level = Literal["ok", "warn", "problem"]

_DISK_NEEDED = 1_000_000_000

BUNDLE_ADVICE = "Install the bundle again: pip cannot change what is inside it"
BUNDLE_GPU_ADVICE = "A bundle uses the processor alone: for the GPU, install samtta with pip"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its result, and what to do ("" if nothing)."""

    level: Level
    subject: str
    found: str
    do: str = ""


def examine() -> list[Finding]:
    """Run all checks; loading torch and the default model takes some seconds."""
    findings = [python_version(sys.version_info[:2]), installation()]
    packages = [*package_versions(), *torch_devices()]
    findings += in_words_of_a_bundle(packages) if in_bundle() else packages
    findings += qt_libraries() if sys.platform == "linux" else []
    findings += [check_display(sys.platform, os.environ), *settings_and_model()]
    findings += [
        writable_folder("data folder", data_folder()),
        writable_folder("settings folder", settings_file().parent),
    ]
    return [*findings, free_disk(data_folder()), official_models(model_folder())]


def python_version(version: tuple[int, ...]) -> Finding:
    """Python 3.11 or newer, CPython."""
    found = f"{platform.python_implementation()} {'.'.join(map(str, version))}"
    if version < (3, 11):
        return Finding("problem", "Python", found, "Install CPython 3.11 or newer")
    return Finding("ok", "Python", found)


def installation() -> Finding:
    """Where samtta runs from, and what exactly it is. A bundle also needs the files that it was packed with."""
    if in_bundle() and not resource("models/samtta-small.safetensors").is_file():
        return Finding("problem", "bundle", f"files are missing in {bundle_folder()}", BUNDLE_ADVICE)
    return Finding("ok", "bundle" if in_bundle() else "samtta", f"{version_words()}, in {_program_folder()}")


def _program_folder() -> Path:
    return bundle_folder() if in_bundle() else resource("").parent


def in_words_of_a_bundle(findings: Iterable[Finding]) -> list[Finding]:
    """Findings about packages, with advice that holds where nothing can be installed into what runs."""
    advice = {"torch device": BUNDLE_GPU_ADVICE}
    return [
        replace(finding, do=advice.get(finding.subject, BUNDLE_ADVICE)) if finding.do else finding
        for finding in findings
    ]


# --- packages -------------------------------------------------------------------------------------------------------


def package_versions(distribution: str = "samtta") -> list[Finding]:
    """Every package that samtta declares: present, in a version that fits; and packages that clash with them."""
    try:
        declared = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return [Finding("warn", distribution, "runs from a folder, is not installed", "pip install . in that folder")]
    findings = [_package(requirement) for requirement in _wanted(declared)]
    return findings + [
        clash for name in ("segment-anything", "opencv-python", "PySide6-Addons") for clash in _clash(name)
    ]


def _wanted(declared: Iterable[str]) -> list[Requirement]:
    requirements = []
    for text in declared:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            requirements.append(requirement)
    return requirements


def _package(requirement: Requirement) -> Finding:
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return Finding("problem", requirement.name, "is not installed", f'pip install "{requirement}"')
    if not requirement.specifier.contains(version, prereleases=True):
        return Finding("problem", requirement.name, version, f'pip install "{requirement}"')
    return Finding("ok", requirement.name, version)


_CLASHES = {
    "segment-anything": "an older cut of segment-anything-py with the same module name",
    "opencv-python": "brings Qt plugins that clash with PySide6",
    "PySide6-Addons": "not needed, and must be of PySide6-Essentials' version",
}


def _clash(name: str) -> list[Finding]:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return []
    return [Finding("warn", name, f"{version}: {_CLASHES[name]}", f"pip uninstall {name}, then install samtta again")]


# --- torch ----------------------------------------------------------------------------------------------------------


def torch_devices() -> list[Finding]:
    """The devices that torch can use, its threads, and whether torchvision fits torch."""
    try:
        import torch
        import torchvision
    except (ImportError, OSError, RuntimeError) as error:
        text = str(error).strip().splitlines()
        return [
            Finding(
                "problem",
                "torch",
                f"torch and torchvision cannot be loaded together: {text[0] if text else error!r}",
                "Install both from one source: pip install --force-reinstall torch torchvision",
            )
        ]
    findings = [Finding("ok", "torch threads", f"{torch.get_num_threads()} of {os.cpu_count()} processors")]
    findings.append(Finding("ok", "torchvision", f"{torchvision.__version__} loads beside torch {torch.__version__}"))
    if torch.cuda.is_available():
        names = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
        return [*findings, Finding("ok", "torch device", f"cuda: {names}")]
    if torch.backends.mps.is_available():
        return [*findings, Finding("ok", "torch device", "mps: Apple GPU, for training (the window uses the cpu)")]
    return [*findings, without_gpu(shutil.which("nvidia-smi") is not None, torch.version.cuda)]


def without_gpu(nvidia: bool, built_for: str | None) -> Finding:
    """What it means that torch has no GPU: nothing without one, or a GPU that torch cannot use."""
    if not nvidia:
        return Finding("ok", "torch device", "cpu: the default model is made for it; large SAM models are slow")
    if built_for is None:
        advice = "Install the CUDA build: see https://pytorch.org/get-started/locally"
        return Finding(
            "warn", "torch device", "cpu, although there is an NVIDIA driver: torch is a CPU-only build", advice
        )
    found = f"cpu, although there is an NVIDIA driver: torch wants CUDA {built_for}"
    return Finding("warn", "torch device", found, "Update the driver, or install the torch build for its CUDA version")


# --- Qt -------------------------------------------------------------------------------------------------------------


def qt_libraries(
    libraries: Mapping[str, tuple[str, str]] = X11_LIBRARIES, load: Callable[[str], object] = ctypes.CDLL
) -> list[Finding]:
    """Load each shared object that Qt's X11 platform needs; one finding names what is missing and the packages."""
    missing = missing_libraries(libraries, load)
    if not missing:
        return [Finding("ok", "Qt libraries", f"all {len(libraries)} load")]
    debian = " ".join(dict.fromkeys(libraries[name][0] for name in missing))
    fedora = " ".join(dict.fromkeys(libraries[name][1] for name in missing))
    advice = f"Debian, Ubuntu: sudo apt-get install {debian} · Fedora: sudo dnf install {fedora}"
    return [Finding("problem", "Qt libraries", f"missing: {', '.join(missing)}", advice)]


def check_display(system: str, environment: Mapping[str, str]) -> Finding:
    """Whether Qt can open a window. A named display that does not answer is a problem; no display is not."""
    named = named_display(environment)
    fault = display_fault(system, environment)
    if not fault and (named or not system.startswith("linux")):
        fault = qt_fault(environment)
    if fault:
        advice = "Open a desktop session (or ssh -X); without one, samtta demo --simulate, export, stats and bench work"
        return Finding("problem" if named else "warn", "display", fault, advice)
    return Finding("ok", "display", named or "present")


# --- folders and model ----------------------------------------------------------------------------------------------


def writable_folder(subject: str, folder: Path) -> Finding:
    """Whether a file can be made in the folder; a missing folder is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        advice = "Give yourself write access to it, or name another folder in the variable SAMTTA_HOME"
        return Finding("problem", subject, f"{folder}: {error.strerror}", advice)
    return Finding("ok", subject, str(folder))


def free_disk(folder: Path, needed: int = _DISK_NEEDED) -> Finding:
    """Free space where samtta keeps its data."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    found = f"{free / 1e9:.1f} GB free at {existing}"
    if free < needed:
        return Finding("warn", "disk", found, "Free some space: accepted masks cannot be stored on a full disk")
    return Finding("ok", "disk", found)


def settings_and_model() -> list[Finding]:
    """Whether the settings file is valid, and the model that it names can be loaded."""
    settings, left_out = read_settings()
    found = [Finding("warn", "settings", f"{error.what} ({error.where})", error.do) for error in left_out]
    there = "" if os.path.lexists(settings_file()) else " (defaults)"
    return [
        *(found or [Finding("ok", "settings", f"{settings_file()}{there}")]),
        model(settings.model, settings.device),
    ]


def model(source: str, device: str = "auto") -> Finding:
    """Whether a model's weights file exists, and the model answers on the device."""
    try:
        from samtta_app.model.loading import open_model

        ready = open_model(source, device)
    except UserError as error:
        return Finding("problem", "model", f"{error.what} ({error.where})", error.do)
    except (ImportError, OSError, RuntimeError) as error:
        return Finding(
            "problem", "model", f"{source} cannot be loaded: {error}", "Fix the findings about packages first"
        )
    loaded, size = ready.model, f"{ready.model.parameters / 1e6:.1f} M parameters, input {ready.model.size} px"
    if ready.refusal:
        do = "Choose the device cpu in the settings, update the GPU's driver, or free its memory"
        return Finding("warn", "model", f"{source} answers ({size}), but {ready.refusal}, so the processor answers", do)
    return Finding("ok", "model", f"{source} loads and answers on {loaded.device}: {size}")


def official_models(folder: Path) -> Finding:
    """Which published checkpoints are in the model folder; none is needed."""
    present = sorted(model.file for model in MODELS if not model.shipped and (folder / model.file).is_file())
    found = ", ".join(present) or f"none in {folder} (none is needed; samtta models gets them)"
    return Finding("ok", "published models", found)
