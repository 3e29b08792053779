"""The weights files that annotators own: names, sizes, hashes with their sources, licences, and where they are had.

A file is downloaded only where two independent sources name the same hash. Any other file is taken from disk.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from samtta_app.errors import CheckpointError
from samtta_app.phrases import Phrase

Family = Literal["samtta", "SAM", "MobileSAM", "SAM 2", "SAM 2.1", "HQ-SAM"]

APACHE = "Apache-2.0"

SOURCES_NEEDED = 2
"""Independent sources that must name a file's hash before it is downloaded: one alone may have been made up or broken into."""

_META = "https://dl.fbaipublicfiles.com"
_HUB = "https://huggingface.co"
_MICRO_SAM = "computational-cell-analytics/micro-sam, micro_sam/util.py"
_MICRO_SAM_2 = "computational-cell-analytics/micro-sam, micro_sam/v2/util.py"
_SLICER = "mazurowski-lab/SlicerSegmentWithSAM, SegmentWithSAM.py"
_GETI = "open-edge-platform/geti-instant-learn, instantlearn/utils/constants.py"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A weights file that samtta knows by name.

    Args:
        name: how `--model` and the settings call it.
        title: what a user reads.
        family: the architecture.
        file: its name in the model folder.
        size: bytes.
        sha256: its hash; "" where none is known, or where the file is part of the package.
        sources: who names this hash, each independent of the others: repository and file.
        urls: where it can be downloaded, in the order in which they are tried.
        exact: whether `size` is exact; otherwise it is only shown.
        shipped: whether it comes with samtta.
    """

    name: str
    title: str
    family: Family
    file: str
    size: int
    sha256: str = ""
    sources: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    licence: str = APACHE
    exact: bool = True
    shipped: bool = False

    @property
    def downloadable(self) -> bool:
        """Whether enough sources name its hash."""
        return bool(self.sha256 and self.urls) and len(set(self.sources)) >= SOURCES_NEEDED


def _shipped(name: str, title: str, size: int) -> KnownModel:
    return KnownModel(name, title, "samtta", f"{name}.safetensors", size, exact=False, shipped=True)


def _sam(size: str, file: str, length: int, sha256: str, sources: tuple[str, ...], *mirrors: str) -> KnownModel:
    urls = (f"{_META}/segment_anything/{file}", *mirrors)
    return KnownModel(f"vit_{size}", f"SAM ViT-{size.upper()}", "SAM", file, length, sha256, sources, urls)


def _sam2(name: str, title: str, length: int, sha256: str) -> KnownModel:
    stem = f"sam2.1_hiera_{name}"
    hub = f"{_HUB}/facebook/sam2.1-hiera-{name.replace('_', '-')}/resolve/main/{stem}.pt"
    urls = (f"{_META}/segment_anything_2/092824/{stem}.pt", hub)
    sources = (_MICRO_SAM_2, _GETI)
    return KnownModel(f"sam2.1_{name}", f"SAM 2.1 {title}", "SAM 2.1", f"{stem}.pt", length, sha256, sources, urls)


def _older_sam2(name: str, title: str, length: int) -> KnownModel:
    """SAM 2 as it came first. No source names its hashes, so its files are taken from disk only."""
    stem = f"sam2_hiera_{name}"
    urls = (f"{_META}/segment_anything_2/072824/{stem}.pt",)
    return KnownModel(f"sam2_{name}", f"SAM 2 {title}", "SAM 2", f"{stem}.pt", length, urls=urls, exact=False)


def _hq(name: str, title: str, length: int, sha256: str, sources: tuple[str, ...], exact: bool = True) -> KnownModel:
    stem = f"sam_hq_vit_{name}"
    urls = (f"{_HUB}/lkeab/hq-sam/resolve/main/{stem}.pth",)
    own = f"hq_{name}" if name == "tiny" else f"hq_vit_{name}"
    return KnownModel(own, f"HQ-SAM {title}", "HQ-SAM", f"{stem}.pth", length, sha256, sources, urls, exact=exact)


MODELS: tuple[KnownModel, ...] = (
    _shipped("samtta-small", "samtta small", 6_221_160),
    _shipped("samtta-base", "samtta base", 13_332_856),
    _sam(
        "b",
        "sam_vit_b_01ec64.pth",
        375_042_383,
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
        (_MICRO_SAM, _SLICER),
        f"{_HUB}/datasets/Gourieff/ReActor/resolve/main/models/sams/sam_vit_b_01ec64.pth",
    ),
    _sam(
        "l",
        "sam_vit_l_0b3195.pth",
        1_249_524_607,
        "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
        (_MICRO_SAM, _SLICER),
    ),
    _sam(
        "h",
        "sam_vit_h_4b8939.pth",
        2_564_550_879,
        "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
        (_MICRO_SAM, _SLICER),
        f"{_HUB}/sam-hq-team/sam-hq-training/resolve/main/pretrained_checkpoint/sam_vit_h_4b8939.pth",
    ),
    KnownModel(
        "mobile_sam",
        "MobileSAM",
        "MobileSAM",
        "mobile_sam.pt",
        40_728_226,
        "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f",
        (_MICRO_SAM, _GETI),
        (
            "https://raw.githubusercontent.com/ChaoningZhang/MobileSAM/f706ad9c4eb7f219c00d9050e46328518ffb65d2/"
            "weights/mobile_sam.pt",
            "https://github.com/ChaoningZhang/MobileSAM/raw/master/weights/mobile_sam.pt",
        ),
    ),
    _sam2("tiny", "tiny", 156_008_466, "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69"),
    _sam2("small", "small", 184_416_285, "6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38"),
    _sam2("base_plus", "base+", 323_606_802, "a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5"),
    _sam2("large", "large", 898_083_611, "2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318"),
    _older_sam2("tiny", "tiny", 156_000_000),
    _older_sam2("small", "small", 184_000_000),
    _older_sam2("base_plus", "base+", 323_000_000),
    _older_sam2("large", "large", 898_000_000),
    _hq(
        "tiny",
        "tiny",
        42_500_000,
        "0f32c075ccdd870ae54db2f7630e7a0878ede5a2b06d05d6fe02c65a82fb7196",
        (_GETI, "sebgreenhalgh/Football-Intelligence, the hash of its frozen Light HQ-SAM"),
        exact=False,
    ),
    _hq(
        "b",
        "ViT-B",
        379_000_000,
        "14a9d662cd6f5a9c2dba6d40ab0058d88d287e4a18fd6fdc6ad5fb1a3fdeaa57",
        (_GETI,),  # a second source is a script without a named repository, so this file is taken from disk only
        exact=False,
    ),
    _hq(
        "l",
        "ViT-L",
        1_250_000_000,
        "e1a6c385d62bf005ded91a54d5ec55c985cfc4103ef89c08d90f39f04934c343",
        (_GETI,),  # no second source was found, so this file is taken from disk only
        exact=False,
    ),
    _hq(
        "h",
        "ViT-H",
        2_570_940_653,
        "a7ac14a085326d9fa6199c8c698c4f0e7280afdbb974d2c4660ec60877b45e35",
        (_GETI, "finegrain-ai/refiners, refiners/conversion/models/hq_sam.py"),
    ),
)
"""Every known model, in the order of the table that users see."""


def known_model(name: str) -> KnownModel:
    """The model of this name.

    Raises:
        CheckpointError: there is none.
    """
    found = next((model for model in MODELS if model.name == name), None)
    if found is not None:
        return found
    near = difflib.get_close_matches(name, [model.name for model in MODELS], n=1)
    advice = Phrase("Did you mean {near}", near=near[0]) if near else "samtta models list shows them all"
    raise CheckpointError(Phrase("There is no known model named {name!r}", name=name), do=advice)


def size_words(size: int) -> str:
    """Bytes in words: "6.2 MB", "375 MB", "2.56 GB"."""
    if size >= 1e9:
        return f"{size / 1e9:.2f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 10e6 else f"{size / 1e6:.1f} MB"
