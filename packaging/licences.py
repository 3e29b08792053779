"""The licences of what a bundle holds: an SBOM (CycloneDX), a page for users, and a refusal of what does not fit."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from license_expression import (
    AND,
    ExpressionError,
    LicenseExpression,
    LicenseSymbol,
    LicenseWithExceptionSymbol,
    ParseError,
    get_spdx_licensing,
)
from packaging.requirements import Requirement

Component = dict[str, Any]

FITTING = re.compile(
    r"""
    0BSD | Apache-2\.0([ ]WITH[ ]LLVM-exception)? | BSD-[234]-Clause.* | BSL-1\.0 | bzip2-1\.0\.6 | CC0-1\.0 | CNRI-Python
    | HPND.* | IJG | ISC | libpng.* | LGPL-(2\.1|3\.0)-(only|or-later) | MIT(-CMU|-0)?
    | MPL-2\.0 | NCSA | OFL-1\.1 | OpenSSL | PSF-2\.0
    | Python-2\.0(\.1)? | Unlicense | X11 | Zlib
    | GPL-[23]\.0-(only|or-later)[ ]WITH[ ](Bootloader-exception|GCC-exception-[23]\.[01])
    """,
    re.VERBOSE,
)
"""Licences beside which samtta may be given away. LGPL fits while its libraries stay files that can be replaced."""

SAID_ELSEWHERE = {
    "pycocotools": "BSD-2-Clause",
    "pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception",
    "samtta": "Apache-2.0",
    "torchvision": "BSD-3-Clause",
}
"""Licences of packages whose metadata does not say them as SPDX does, read in their own files."""

NAMES = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "freebsd": "BSD-2-Clause",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
}
"""Words of older metadata for a licence."""


STORED = Path(__file__).with_name("texts")

LICENCE_FILE = re.compile(r"\.dist-info/(.*/)?(licen[cs]e|copying|notice)[^/]*$", re.IGNORECASE)
"""Files of a package that hold the text of its licence."""


class LicenceError(Exception):
    """A package may not be given away inside a bundle."""


def material(python: str) -> Component:
    """The SBOM of what samtta needs in the environment of `python`."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", python, "--of", "JSON"]
    bom: Component = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return shipped(bom, needed(["samtta"]) | {"pyinstaller"})  # which leaves its starter in the bundle


def shipped(bom: Component, names: set[str]) -> Component:
    """The part of an SBOM that is about these packages."""
    kept = [each for each in bom["components"] if plain_name(each["name"]) in names]
    refs = {each["bom-ref"] for each in kept}
    edges = [
        {"ref": each["ref"], "dependsOn": [ref for ref in each.get("dependsOn", []) if ref in refs]}
        for each in bom.get("dependencies", [])
        if each["ref"] in refs
    ]
    return {**bom, "components": kept, "dependencies": edges}


def needed(roots: Iterable[str]) -> set[str]:
    """Names of packages that these need here, and of those that they need in turn, without extras."""
    waiting, found = list(roots), set[str]()
    while waiting:
        name = plain_name(waiting.pop())
        if name in found:
            continue
        try:
            requires = [Requirement(text) for text in importlib.metadata.requires(name) or []]
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name)
        waiting += [each.name for each in requires if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


def plain_name(name: str) -> str:
    """The name of a package as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(component: Component) -> str:
    """The licence in SPDX's words where they are known, else in the package's own; "" where it says nothing."""
    if plain_name(component["name"]) in SAID_ELSEWHERE:
        return SAID_ELSEWHERE[plain_name(component["name"])]
    said = component.get("licenses", [])
    expressions = [entry["expression"] for entry in said if "expression" in entry]
    if expressions:
        return str(expressions[0])
    known = [entry["license"]["id"] for entry in said if "id" in entry["license"]]
    other = [(entry["license"].get("text", {}).get("content") or entry["license"].get("name", "")) for entry in said]
    return " AND ".join(
        dict.fromkeys(known or [NAMES.get(word.split("::")[-1].strip().lower(), word.strip()) for word in other])
    )


def fits(licence: str) -> bool:
    """Whether a licence, or one of those that it leaves to choose from, may lie in a bundle."""
    try:
        parsed = get_spdx_licensing().parse(licence)
    except (ExpressionError, ParseError):  # words that are no expression are judged as they stand
        return FITTING.fullmatch(licence) is not None
    return parsed is not None and _fits(parsed)


def _fits(part: LicenseExpression) -> bool:
    if isinstance(part, LicenseSymbol | LicenseWithExceptionSymbol):
        return FITTING.fullmatch(str(part)) is not None
    return (all if isinstance(part, AND) else any)(_fits(each) for each in part.args)


def refuse_unfitting(bom: Component) -> None:
    """Stop the build where a package may not be given away.

    Raises:
        LicenceError: names each such package with its licence.
    """
    unfit = [
        f"{each['name']} {each.get('version', '')}: {licence_of(each) or 'says nothing'}"
        for each in bom["components"]
        if not fits(licence_of(each))
    ]
    if unfit:
        raise LicenceError("Licences that do not fit into a bundle:\n" + "\n".join(unfit))


def texts(component: Component) -> str:
    """The licence texts that a package of this environment brings."""
    try:
        files = importlib.metadata.distribution(component["name"]).files or []
    except importlib.metadata.PackageNotFoundError:
        return ""
    found = [Path(str(file.locate())) for file in files if LICENCE_FILE.search(file.as_posix())]
    if "LGPL-3.0" in licence_of(component):
        found += [STORED / "LGPL-3.0.txt", STORED / "GPL-3.0.txt"]  # Qt's wheels bring none
    return "\n\n".join(file.read_text(encoding="utf-8", errors="replace") for file in found)


def write_licences(bom: Component, resources: Path) -> None:
    """Write SBOM, licence texts and the page of the guide into a bundle's resources."""
    folder = resources / "licences"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sbom.cdx.json").write_text(json.dumps(bom, indent=1), encoding="utf-8")
    rows = []
    for each in sorted(bom["components"], key=lambda each: plain_name(each["name"])):
        file = folder / f"{plain_name(each['name'])}.txt"
        said = texts(each)
        if said:
            file.write_text(said, encoding="utf-8")
        name = f"[{each['name']}](../licences/{file.name})" if said else each["name"]
        rows.append(f"| {name} | {each.get('version', '')} | {licence_of(each)} |")
    (resources / "help" / "12-licences.md").write_text(PAGE + "\n".join(rows) + "\n", encoding="utf-8")


PAGE = """# Licences of this bundle

This bundle holds the packages below, unchanged, beside Python (PSF-2.0). A name leads to the texts of its licence.

Qt and PySide6 are used under the LGPL-3.0. Their libraries are files of their own in the folder PySide6. You may replace
them by others of the same interface. Their sources are at https://download.qt.io.

| package | version | licence |
| --- | --- | --- |
"""
