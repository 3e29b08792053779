"""Bundles of samtta for machines without Python: a folder, a .deb and an AppImage on Linux.

Usage: python packaging/bundle.py [folder|deb|appimage]... [--out DIR]

It runs in an environment with samtta's wheel and `pip install "samtta[bundle]"`. A CPU build of torch and torchvision
keeps the bundle small. On Windows and macOS the folder is what installers are made of.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from bundle_parts import INSIDE
from licences import LicenceError, material, refuse_unfitting, system_components, write_licences

ROOT = Path(__file__).resolve().parents[1]
LINUX = ROOT / "packaging" / "linux"
DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}
LISTED = 25
"""Libraries whose sizes are shown; the others are summed up."""


def main(words: list[str]) -> int:
    """Make what is asked for; the folder comes first, since the others are made of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", default=["folder"], choices=["folder", "deb", "appimage"])
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    given = parser.parse_args(words)
    out: Path = given.out.resolve()
    try:
        refuse_environment()
        if "folder" in given.kinds or not (out / "samtta").is_dir():
            make_folder(out)
        for kind in given.kinds:
            if kind != "folder":
                made = {"deb": make_deb, "appimage": make_appimage}[kind](out)
                print(f"{made}: {made.stat().st_size / 1e6:.0f} MB")
    except (LicenceError, BundleError, subprocess.CalledProcessError) as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 1
    return 0


class BundleError(Exception):
    """A bundle cannot be made here."""


def refuse_environment() -> None:
    """A bundle holds what is installed: samtta's wheel, its other packages, and a torchvision that loads beside torch.

    Raises:
        BundleError: says what to install.
    """
    found = importlib.util.find_spec("samtta_app")
    inside = found and found.origin and Path(found.origin).with_name("resources").is_dir()
    if not inside:
        raise BundleError("samtta is not installed from its wheel: python -m build && pip install dist/samtta-*.whl")
    absent = [name for name in INSIDE if not any(importlib.metadata.distributions(name=name))]
    if absent:
        raise BundleError(f"{', '.join(absent)} is missing: pip install 'samtta[bundle]'")
    tried = subprocess.run(
        [sys.executable, "-c", "import torchvision.ops"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        raise BundleError("torchvision does not load beside torch: install both from the same index of CPU wheels")


def make_folder(out: Path) -> None:
    """The folder bundle, with licences and SBOM; a licence that does not fit ends it.

    Packages are judged before anything is built, libraries of Linux once it is known which ones are needed.
    """
    bom = material(sys.executable)
    refuse_unfitting(bom)
    draw_icons(out)
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", "--distpath", str(out)]
    command += ["--workpath", str(out / "work"), str(ROOT / "packaging" / "samtta.spec")]
    subprocess.run(command, check=True, cwd=out)  # a module of the working folder would go before the wheel's
    listed = out / "system_libraries.txt"
    of_system = system_components(listed.read_text().split("\n")) if listed.is_file() else []
    bom = {**bom, "components": [*bom["components"], *of_system]}
    refuse_unfitting(bom)
    for inside in [*out.glob("samtta/_internal"), *out.glob("samtta.app/Contents/Resources")]:
        write_licences(bom, inside / "samtta_app" / "resources")
    print("\n".join(size_lines(out / "samtta")))


def draw_icons(out: Path) -> None:
    """The icon in the formats of the systems, drawn from the SVG."""
    from PySide6.QtGui import QGuiApplication, QIcon

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QGuiApplication.instance() or QGuiApplication([])
    out.mkdir(parents=True, exist_ok=True)
    picture = QIcon(str(ROOT / "resources" / "icons" / "samtta.svg")).pixmap(256, 256)
    kinds = {"win32": ["png", "ico"], "darwin": ["png", "icns"]}.get(sys.platform, ["png"])
    for kind in kinds:
        picture.save(str(out / f"samtta.{kind}"))
    del application


def size_lines(folder: Path) -> list[str]:
    """Megabytes by library, the largest first; a library is the first folder or file below `_internal`."""
    sizes: Counter[str] = Counter()
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            parts = path.relative_to(folder).parts
            sizes[parts[1] if parts[0] == "_internal" else parts[0]] += path.stat().st_size
    first = sizes.most_common(LISTED)
    rest = sum(sizes.values()) - sum(size for _, size in first)
    return [f"{size / 1e6:7.1f} MB  {name}" for name, size in [*first, ("the rest", rest), ("together", sizes.total())]]


# --- Linux ----------------------------------------------------------------------------------------------------------


def linux_tree(out: Path, root: Path) -> None:
    """The folder bundle below `root` as Linux lays programs out: /opt, a command, a desktop file and icons."""
    shutil.copytree(out / "samtta", root / "opt" / "samtta", symlinks=True)
    for source, place in {
        LINUX / "samtta.desktop": "usr/share/applications/samtta.desktop",
        ROOT / "resources" / "icons" / "samtta.svg": "usr/share/icons/hicolor/scalable/apps/samtta.svg",
        out / "samtta.png": "usr/share/icons/hicolor/256x256/apps/samtta.png",
        ROOT / "LICENSE": "usr/share/doc/samtta/copyright",
    }.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, root / place)
    (root / "usr" / "bin").mkdir()
    (root / "usr" / "bin" / "samtta").symlink_to("../../opt/samtta/samtta")


def make_deb(out: Path) -> Path:
    """The .deb; its needs are the libraries of Qt's X11 platform, as `samtta doctor` knows them."""
    from samtta_app.display import X11_LIBRARIES

    version, machine = importlib.metadata.version("samtta"), DEBIAN[platform.machine()]
    root = out / "deb"
    shutil.rmtree(root, ignore_errors=True)
    linux_tree(out, root)
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    needs = ", ".join(["libc6 (>= 2.28)", *dict.fromkeys(debian for debian, _ in X11_LIBRARIES.values())])
    control = {
        "Package": "samtta",
        "Version": version,
        "Architecture": machine,
        "Maintainer": "samtta authors <samtta@localhost>",
        "Installed-Size": str(size // 1024),
        "Depends": needs.replace("libglib2.0-0", "libglib2.0-0t64 | libglib2.0-0"),
        "Recommends": "fonts-dejavu-core",
        "Section": "science",
        "Priority": "optional",
        "Description": importlib.metadata.metadata("samtta")["Summary"],
    }
    (root / "DEBIAN").mkdir()
    lines = "".join(f"{name}: {value}\n" for name, value in control.items())
    (root / "DEBIAN" / "control").write_text(lines, encoding="utf-8")
    made = out / f"samtta_{version}_{machine}.deb"
    build = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z3", "--build", str(root), str(made)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(root)
    return made


def make_appimage(out: Path) -> Path:
    """The AppImage, where appimagetool is at hand."""
    tool = shutil.which("appimagetool")
    if not tool:
        raise BundleError("appimagetool is not on the PATH: https://github.com/AppImage/appimagetool")
    root = out / "samtta.AppDir"
    shutil.rmtree(root, ignore_errors=True)
    linux_tree(out, root)
    shutil.copyfile(LINUX / "samtta.desktop", root / "samtta.desktop")
    shutil.copyfile(out / "samtta.png", root / "samtta.png")
    (root / "AppRun").symlink_to("opt/samtta/samtta")
    made = out / f"samtta-{importlib.metadata.version('samtta')}-{platform.machine()}.AppImage"
    subprocess.run([tool, str(root), str(made)], check=True, env={**os.environ, "ARCH": platform.machine()})
    shutil.rmtree(root)
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
