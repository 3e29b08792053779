"""What goes into a bundle beyond what is imported, and what stays out; the spec and the tests read it."""

from __future__ import annotations

import re

EXCLUDED = (
    "IPython",
    "matplotlib",  # of `samtta bench report`, which is an extra
    "tkinter",
    "pytest",
    "torch.utils.tensorboard",
    "triton",  # compiles for GPUs
    "PyQt5",
    "PyQt6",
    "PySide2",
    "hatchling",
    "PyInstaller",
)
"""Modules that the window and the commands do not need."""

COLLECTED = ("samtta_app", "segment_anything", "timm.models", "timm.layers")
"""Packages whose modules are all taken, because some are imported by name."""

DATA_OF = {"qtawesome": ["fonts/*"], "skimage": ["data/*"], "samtta_app": ["resources/**/*", "py.typed"]}
"""Files that packages read while they run."""

UNWANTED = re.compile(
    r"""
    (^|/)(
        torch/(include|share|test|bin/protoc.*|_inductor/codegen/.*\.h)   # what compilers and torch's own tests need
        | torch/lib/[^/]*\.(a|lib)$                              # to link against
        | [^/]*(libnvjpeg|libcudart|libtorch_cuda|libc10_cuda|libcu(blas|dnn|sparse|fft|rand|solver))[^/]*$
        | torchvision/image[^/]*\.(so|pyd)$                      # reads JPEG by libraries of its own; samtta does not
        | torchvision\.libs/.*
        | PySide6/Qt/(qml|resources)/.*
        | PySide6/Qt/lib/libQt6(Qml|Quick|Pdf|VirtualKeyboard)[^/]*$
        | PySide6/Qt/plugins/(platforminputcontexts/libqtvirtualkeyboard|imageformats/libqpdf|qmltooling|sqldrivers)[^/]*
    )
    """,
    re.VERBOSE,
)
"""Files that are left out, by their place in the bundle. CUDA is not for bundles: its licence does not fit."""


def wanted(place: str) -> bool:
    """Whether a file of this place belongs into the bundle."""
    return UNWANTED.search(place.replace("\\", "/")) is None
