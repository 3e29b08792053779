"""What goes into a bundle beyond what is imported, and what stays out; the spec, the licences and the tests read it."""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from packaging.requirements import Requirement

INSIDE = ("samtta", "pydicom")
"""What a bundle is made of, beside what it needs. Users of a bundle cannot add pydicom, which is an extra of the wheel."""

LEFT_OUT = frozenset({"huggingface-hub", "triton"})
"""Packages that timm and torch name, and that nothing here uses: downloads of other models, and a compiler for GPUs."""

EXCLUDED = (
    "tkinter",
    "torch.utils.tensorboard",
    "PySide6.QtNetwork",  # brings Kerberos
    "_curses",
    "_dbm",
    "_gdbm",  # its library is under the GPL
    "nis",
    "readline",  # its library is under the GPL
    "_uuid",  # Python makes unique names without it
)
"""Modules of Python and of packages that the window and the commands do not need."""

COLLECTED = ("samtta_app", "qtawesome", "segment_anything", "timm.models", "timm.layers")
"""Packages whose modules are all taken, because some are imported by name."""

DATA_OF = {"qtawesome": ["fonts/*"], "skimage": ["data/*"], "samtta_app": ["resources/**/*", "**/*.j2", "py.typed"]}
"""Files that packages read while they run."""

UNWANTED = re.compile(
    r"""
    (^|/)(
        torch/(include|share|test|bin/(protoc|test_).*|_inductor/codegen/.*\.h)   # for compilers and torch's own tests
        | torch/lib/lib(aoti_custom_ops|backend_with_compiler|jitbackend_test|torchbind_test)\.so$
        | torch/lib/[^/]*\.(a|lib)$                              # to link against
        | [^/]*(libnvjpeg|libcudart|libtorch_cuda|libc10_cuda|libcu(blas|dnn|sparse|fft|rand|solver))[^/]*$
        | torchvision/image[^/]*\.(so|pyd)$                      # reads JPEG by libraries of its own; samtta does not
        | torchvision\.libs/.*
        | PySide6/Qt/(qml|resources)/.*
        | PySide6/Qt/lib/libQt6(Qml|Quick|Pdf|VirtualKeyboard)[^/]*$
        | PySide6/Qt/translations/(?!qtbase_).*                  # of other Qt programs
        | PySide6/Qt/plugins/(egldeviceintegrations|generic|networkinformation|qmltooling|sqldrivers|tls)/.*
        | PySide6/Qt/plugins/(platforminputcontexts/libqtvirtualkeyboard|imageformats/libqpdf)[^/]*
        | PySide6/Qt/plugins/platforms/libq(eglfs|linuxfb|minimalegl|vkkhrdisplay|vnc)[^/]*   # screens without a desktop
        | PySide6/Qt/plugins/platformthemes/libqgtk3[^/]*        # would bring GTK; the portal's dialogs are as native
    )
    """,
    re.VERBOSE,
)
"""Files that are left out, by their place in the bundle. CUDA is not for bundles: its licence does not fit."""

SYSTEM_FOLDERS = ("/lib", "/usr/lib")
"""Where the libraries of Linux itself lie."""

Entry = tuple[str, str, str]
"""A file of a bundle as PyInstaller lists it: its place in the bundle, where it comes from, and its kind."""


def wanted(place: str) -> bool:
    """Whether a file of this place belongs into the bundle."""
    return UNWANTED.search(place.replace("\\", "/")) is None


# --- packages -------------------------------------------------------------------------------------------------------


def plain_name(name: str) -> str:
    """The name of a package as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(roots: Iterable[str]) -> set[str]:
    """Names of packages that these need here, and of those that they need in turn, without extras and what is left out."""
    waiting, found = list(roots), set[str]()
    while waiting:
        name = plain_name(waiting.pop())
        if name in found or name in LEFT_OUT:
            continue
        try:
            requires = [Requirement(text) for text in importlib.metadata.requires(name) or []]
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name)
        waiting += [each.name for each in requires if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


def foreign_modules(inside: set[str]) -> list[str]:
    """Modules of all other packages of this environment: what the SBOM does not name stays out of the bundle."""
    owners = importlib.metadata.packages_distributions()
    return sorted(module for module, names in owners.items() if inside.isdisjoint(map(plain_name, names)))


# --- libraries ------------------------------------------------------------------------------------------------------


def is_reached_only(entry: Entry) -> bool:
    """Whether a file is there for other files alone: a library of Linux, or one of Qt's."""
    place, source, _ = entry
    name = Path(place).name
    of_system = source.startswith(SYSTEM_FOLDERS) and not name.startswith("libpython")
    return ".so" in name and (of_system or place.startswith("PySide6/Qt/lib/"))


def reached(entries: Iterable[Entry], imports_of: Callable[[str], Iterable[str]]) -> list[Entry]:
    """The files without libraries that only files needed which were left out.

    Args:
        entries: files, symbolic links among them (kind "SYMLINK", whose source is the place of their target).
        imports_of: the names of the libraries that a library file is linked to, and of those that these are linked to.
    """
    everything = list(entries)
    behind = {Path(entry[0]).name for entry in everything if entry[2] != "SYMLINK" and is_reached_only(entry)}
    asking = [entry[1] for entry in everything if entry[2] != "SYMLINK" and not is_reached_only(entry)]
    lost = behind.difference(*(imports_of(source) for source in asking if behind))
    return [entry for entry in everything if Path(entry[0]).name not in lost]


def without_dangling(entries: Iterable[Entry], places: Collection[str]) -> list[Entry]:
    """The files without symbolic links that lead to none of these places."""
    return [
        entry
        for entry in entries
        if entry[2] != "SYMLINK" or os.path.normpath(Path(entry[0]).parent / entry[1]) in places
    ]
