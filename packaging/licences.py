"""The licences of what a bundle holds: an SBOM (CycloneDX), a page for users, and a refusal of what does not fit."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bundle_parts import INSIDE, needed, plain_name
from license_expression import (
    AND,
    ExpressionError,
    LicenseExpression,
    LicenseSymbol,
    LicenseWithExceptionSymbol,
    ParseError,
    get_spdx_licensing,
)

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
    "pydicom": "MIT",
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

PYTHON, DEBIAN = "pkg:generic/cpython", "pkg:deb/debian/"
"""How the addresses of components begin that are no packages of Python (package URLs)."""

LICENCE_FILE = re.compile(r"\.dist-info/(.*/)?(licen[cs]e|copying|notice)[^/]*$", re.IGNORECASE)
"""Files of a package that hold the text of its licence."""


class LicenceError(Exception):
    """A package may not be given away inside a bundle."""


def material(python: str) -> Component:
    """The SBOM of what samtta needs in the environment of `python`."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", python, "--of", "JSON"]
    bom: Component = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    part = shipped(bom, needed(INSIDE) | {"pyinstaller"})  # which leaves its starter in the bundle
    version = platform.python_version()
    return {**part, "components": [*part["components"], stated("CPython", version, PYTHON, "PSF-2.0")]}


def stated(name: str, version: str, purl: str, licence: str) -> Component:
    """A component whose licence is known in words, as the SBOM writes it."""
    whole = f"{purl}@{version}"
    said = {"license": {"name": licence}}
    return {"type": "library", "bom-ref": whole, "name": name, "version": version, "purl": whole, "licenses": [said]}


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
        if not (fits_beside if each.get("purl", "").startswith(DEBIAN) else fits)(licence_of(each))
    ]
    if unfit:
        raise LicenceError("Licences that do not fit into a bundle:\n" + "\n".join(unfit))


# --- libraries of Linux ---------------------------------------------------------------------------------------------


def system_components(libraries: Iterable[str]) -> list[Component]:
    """Debian's packages of these library files, as components of the SBOM; other systems have none."""
    found: dict[str, Component] = {}
    for library in libraries:
        name, version = _owner(Path(library).resolve())
        found[name] = stated(name, version, DEBIAN + name, main_licence(copyright_text(name)))
    return [found[name] for name in sorted(found)]


def _owner(library: Path) -> tuple[str, str]:
    """Name and version of the package that a library belongs to; /usr/lib was /lib once, and packages may still say so."""
    for place in (str(library), str(library).removeprefix("/usr")):
        asked = subprocess.run(["dpkg-query", "--search", place], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            name = asked.stdout.partition(":")[0]
            command = ["dpkg-query", "--show", "--showformat=${Version}\n", name]
            shown = subprocess.run(command, capture_output=True, text=True, check=True)
            return name, shown.stdout.splitlines()[0]
    raise LicenceError(f"No package owns {library}: its licence is not known")


def copyright_text(name: str) -> str:
    """What a package of Debian says of its licences."""
    file = Path("/usr/share/doc", name, "copyright")
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def main_licence(said: str) -> str:
    """The licence of most files in a text of Debian (DEP 5); where it is in free words, they are to be read."""
    stanza = re.search(r"^Files:\s*\*\s*$.*?^License:[ \t]*([^\n]+)", said, re.MULTILINE | re.DOTALL)
    return stanza[1].strip() if stanza else ("see its text" if said else "")


def fits_beside(licence: str) -> bool:
    """Whether a library of this licence of Debian's words may lie beside samtta: the GPL fits only as one of a choice."""
    return any(not re.match(r"A?GPL|Sleepycat", each.strip()) for each in licence.split(" or ")) if licence else False


# --- what is written ------------------------------------------------------------------------------------------------


def texts(component: Component) -> str:
    """The licence texts that a component brings: a package of this environment, Python itself, or one of Debian."""
    purl = component.get("purl", "")
    if purl.startswith(DEBIAN):
        return copyright_text(component["name"])
    if purl.startswith(PYTHON):
        file = Path(sysconfig.get_path("stdlib"), "LICENSE.txt")
        return file.read_text(encoding="utf-8") if file.is_file() else ""
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

This bundle holds the packages below, unchanged. A name leads to the texts of its licence.

Qt and PySide6 are used under the LGPL-3.0. Their libraries are files of their own in the folder PySide6. You may replace
them by others of the same interface. Their sources are at https://download.qt.io.

| package | version | licence |
| --- | --- | --- |
"""
