"""Try a bundle as its user would, in a bare root without Python and without network, on a virtual screen.

Usage: python packaging/try_bundle.py PROGRAM [--root DIR] [--display N] [--picture FILE] [--language L] [--beside OTHER]

PROGRAM is the folder bundle, a .deb, or the command of an installed wheel. DIR is a root that debootstrap made, with the
libraries that the .deb names; root's rights are needed for it. Every module is imported, an image is opened, three objects
are clicked and exported, and pycocotools reads them outside. Two windows are started at once, and two processes find masks.
With OTHER, the command of an installed wheel, only the starts of both are timed, one after the other. Xvfb and xdotool are
needed.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageGrab
from pycocotools.coco import COCO
from scipy import ndimage

DISCS = {(230, 0, 230): (150, 160, 60), (0, 210, 210): (420, 140, 70), (240, 200, 0): (300, 330, 50)}
"""Colour -> column, row and radius of a disc: colours by which it is found on the screen."""
SIZE = (560, 430)
ODD_PLACE = "opt/Käfer und Zäune"
"""Where the folder bundle is mounted, read-only: blanks and umlauts, as users have them."""
PATIENCE = 240.0
"""Seconds that a step may take on a busy machine."""
STARTS = 5
"""Starts of each program that are timed, after one that fills the caches of the system."""

IMPORTING = """
import importlib, pkgutil, samtta_app
names = [each.name for each in pkgutil.walk_packages(samtta_app.__path__, "samtta_app.")]
for name in names:
    if not name.endswith(("__main__", "report.plots")):  # plots are of the extra bench
        importlib.import_module(name)
print("modules that import:", len(names))
assert len(names) > 300, names
"""
"""Imports all of samtta: a bundle lacks what no module names."""


@dataclass(frozen=True)
class Place:
    """Where the program runs: its words, its folder `/tmp/try` as seen from here, and the bare root (None: this system)."""

    program: list[str]
    folder: Path
    root: Path | None
    display: int
    mounted: Path | None = None
    language: str = "C.UTF-8"

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the program with these words."""
        environment = {"DISPLAY": f":{self.display}", "HOME": "/tmp/try/home", "SAMTTA_HOME": "/tmp/try/home"}
        environment |= {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "OMP_WAIT_POLICY": "PASSIVE", "LANG": self.language}
        command = [*self.program, *words]
        if self.root is None:
            environment |= {"HOME": str(self.folder / "home"), "SAMTTA_HOME": str(self.folder / "home")}
            command = [word.replace("/tmp/try", str(self.folder)) for word in command]
        else:
            command = [
                "unshare",
                "--mount",
                "--net",
                "sh",
                "-ec",
                self._mounts() + 'exec chroot "$0" "$@"',
                str(self.root),
                *command,
            ]
        return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def _mounts(self) -> str:
        """Mounts that end with the program; no network is there, so the screen comes as a socket."""
        root = shlex.quote(str(self.root))
        lines = [f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev"]
        lines += [f"mkdir -p {root}/tmp/.X11-unix", f"mount --bind /tmp/.X11-unix {root}/tmp/.X11-unix"]
        if self.mounted:
            inside = shlex.quote(f"{self.root}/{ODD_PLACE}")
            source = shlex.quote(str(self.mounted))
            lines += [f"mkdir -p {inside}", f"mount --bind {source} {inside}", f"mount -o remount,bind,ro {inside}"]
        return "; ".join(lines) + "; "

    def said(self, *words: str) -> tuple[int, str]:
        """Exit code and output of a command that ends."""
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, (out + err).strip()


def main(words: list[str]) -> int:
    """Try the bundle; 0 where three objects came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--display", type=int, default=97)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--language", default="C.UTF-8")
    parser.add_argument("--beside", type=Path)
    given = parser.parse_args(words)
    with screen(given.display), placed(given.program.resolve(), given.root, given.display) as found:
        place = replace(found, language=given.language)
        draw_images(place.folder / "images")
        if given.beside:
            return compare_starts(place, replace(place, program=[str(given.beside.absolute())]))
        print(place.said("--version")[1])
        code, said = place.said("-c", IMPORTING)
        if code:
            raise TrialError(said)
        print(said)
        annotate(place, given.picture)
        start_twice(place)
        for command in (
            ("auto", "/tmp/try/images", "--points-per-side", "4", "--jobs", "2", "--out", "/tmp/try/found"),
            ("export", "/tmp/try/images", "--format", "coco", "--out", "/tmp/try/out"),
            ("doctor",),
        ):
            code, said = place.said(*command)
            print(said)
            if code:
                raise TrialError(f"samtta {command[0]} ended with {code}")
        return judge(place.folder / "out")


class TrialError(Exception):
    """A bundle did not do what was asked of it."""


@contextmanager
def screen(display: int) -> Iterator[None]:
    """A virtual screen."""
    command = ["Xvfb", f":{display}", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(Path(f"/tmp/.X11-unix/X{display}").exists, "the virtual screen")
        yield
    finally:
        server.terminate()
        server.wait()


@contextmanager
def placed(program: Path, root: Path | None, display: int) -> Iterator[Place]:
    """The program where it is tried; what was put into the bare root is taken out again."""
    folder = root / "tmp" / "try" if root else Path(tempfile.mkdtemp(prefix="samtta-try-"))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    deb = program.suffix == ".deb"
    try:
        if root and deb:
            shutil.copy(program, root / "tmp" / program.name)
            in_root(root, "dpkg", "-i", f"/tmp/{program.name}")
            (root / "tmp" / program.name).unlink()
            yield Place(["/usr/bin/samtta"], folder, root, display)
        elif root:
            yield Place([f"/{ODD_PLACE}/{program.name}"], folder, root, display, program.parent)
        else:
            yield Place([str(program)], folder, None, display)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if root and deb:
            in_root(root, "dpkg", "-r", "samtta")


def in_root(root: Path, *words: str) -> None:
    """Run a command of the bare root."""
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}
    subprocess.run(["chroot", str(root), *words], check=True, env=environment, stdout=subprocess.DEVNULL)


# --- the user -------------------------------------------------------------------------------------------------------


def draw_images(folder: Path) -> None:
    """One image of three discs on noise."""
    folder.mkdir()
    picture = Image.fromarray(np.random.default_rng(1).integers(90, 130, (*SIZE[::-1], 3), dtype=np.uint8))
    draw = ImageDraw.Draw(picture)
    for colour, (x, y, r) in DISCS.items():
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    picture.save(folder / "discs.png")


def annotate(place: Place, picture: Path | None) -> None:
    """Open the image, click and accept every disc, try a second start beside it, and quit."""
    started = time.monotonic()
    process = place.start("/tmp/try/images/discs.png")
    try:
        until(
            lambda: process.poll() is not None or len(discs_seen(place.display)) == len(DISCS),
            "the image on the screen",
        )
        print(f"image on the screen after {time.monotonic() - started:.1f} s")
        time.sleep(2)  # the window finds its last size
        seen = discs_seen(place.display)
        for number, (x, y) in enumerate(seen, 1):
            hand(place.display, "mousemove", str(x), str(y), "click", "1")
            until(lambda enough=number: accepted(place, enough), f"object {number}", pause=2.0)
        print(f"{len(seen)} objects after {time.monotonic() - started:.1f} s")
        if picture:
            ImageGrab.grab(xdisplay=f":{place.display}").save(picture)
        print("a second start beside it:", *place.said("open", "/tmp/try/images"))
        print(f"the window closed with {closed(place, process)}")
    finally:
        if process.poll() is None:
            process.kill()
        print(*(text for text in process.communicate() if text))


def start_twice(place: Place) -> None:
    """Start two windows on a folder at the same moment: one opens it, the other says why it does not.

    Raises:
        TrialError: both opened it, or none.
    """
    draw_images(place.folder / "twice")
    both = [place.start("open", "/tmp/try/twice") for _ in range(2)]
    try:
        until(lambda: any(each.poll() is not None for each in both), "the end of one of two starts")
        ended = next(each for each in both if each.poll() is not None)
        print("of two starts at once:", *(text.strip() for text in ended.communicate() if text))
        (other,) = [each for each in both if each is not ended]
        until(lambda: other.poll() is not None or len(discs_seen(place.display)) == len(DISCS), "the other window")
        codes = (ended.wait(), closed(place, other))
        if codes != (2, 0):
            raise TrialError(f"of two starts at once: ended with {codes}")
    finally:
        for each in both:
            if each.poll() is None:
                each.kill()


def compare_starts(place: Place, other: Place) -> int:
    """Time the starts of two programs one after the other: the first paint of the window, and the image in it."""
    seconds: dict[str, list[list[float]]] = {"paint": [[], []], "image": [[], []]}
    for number in range(STARTS + 1):
        for which, each in enumerate((place, other)):
            painted, shown = first_paint(each), image_shown(each)
            if number:
                seconds["paint"][which].append(painted)
                seconds["image"][which].append(shown)
    for what, found in seconds.items():
        ours, theirs = (statistics.median(values) for values in found)
        print(f"{what}: {ours:.2f} s beside {theirs:.2f} s, ratio {ours / theirs:.2f}", found)
    return 0


def first_paint(place: Place) -> float:
    """Seconds from the start of the process to the first paint of the window, as `samtta bench desk` measures it."""
    words = ["-m", "samtta_app.gui.desk_parts", "start"]
    program = place.program if in_bundle(place) else [str(Path(place.program[0]).with_name("python"))]
    code, said = replace(place, program=program).said(*words, repr(time.time()))
    if code:
        raise TrialError(said)
    (figures,) = [line for line in said.splitlines() if line.startswith("{")]  # warnings may stand beside it
    return float(json.loads(figures)["first_paint_seconds"])


def in_bundle(place: Place) -> bool:
    """Whether the program is a bundle's, which answers Python's words itself."""
    return not Path(place.program[0]).with_name("python").exists()


def image_shown(place: Place) -> float:
    """Seconds until the image of a folder is on the screen."""
    started = time.monotonic()
    process = place.start("open", "/tmp/try/images")
    try:
        until(lambda: process.poll() is not None or len(discs_seen(place.display)) == len(DISCS), "the image")
        seconds = time.monotonic() - started
        closed(place, process)
    finally:
        if process.poll() is None:
            process.kill()
    return seconds


def closed(place: Place, process: subprocess.Popen[str]) -> int:
    """Quit by the keyboard, which no window manager gives to a window that has just come up; returns the exit code."""
    words = ["xdotool", "search", "--onlyvisible", "--class", "samtta", "windowfocus", "key", "ctrl+q"]

    def ended() -> bool:
        if process.poll() is None:
            subprocess.run(words, check=False, env={**os.environ, "DISPLAY": f":{place.display}"})
        return process.poll() is not None

    until(ended, "the end of the window", pause=2.0)
    return process.wait()


def discs_seen(display: int) -> list[tuple[int, int]]:
    """Middle of the largest patch of each disc's colour on the screen."""
    shown = np.asarray(ImageGrab.grab(xdisplay=f":{display}").convert("RGB")).astype(int)
    found = []
    for colour in DISCS:
        patches, count = ndimage.label(np.abs(shown - colour).max(axis=2) < 25)
        sizes = np.bincount(patches.ravel(), minlength=count + 1)[1:]
        if count and sizes.max() > 2000:
            y, x = ndimage.center_of_mass(patches == 1 + int(sizes.argmax()))
            found.append((round(x), round(y)))
    return found


def accepted(place: Place, enough: int) -> bool:
    """Press Enter until so many objects are stored."""
    project = place.folder / "images" / ".samtta"
    with tempfile.TemporaryDirectory() as copy:  # the window alone may open its database
        for file in project.glob("project.db*"):
            shutil.copy(file, copy)
        try:
            with closing(sqlite3.connect(Path(copy, "project.db"))) as database:
                stored = database.execute("SELECT count(*) FROM annotations").fetchone()[0]
        except sqlite3.Error:  # copied while it was written
            return False
    if stored < enough:
        hand(place.display, "key", "Return")
    return bool(stored >= enough)


def hand(display: int, *words: str) -> None:
    """Move the mouse or press keys."""
    subprocess.run(["xdotool", *words], check=True, env={**os.environ, "DISPLAY": f":{display}"})


def until(condition: Callable[[], bool], what: str, pause: float = 0.1) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: it did not come.
    """
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"no end of waiting for {what}")
        time.sleep(pause)


# --- outside --------------------------------------------------------------------------------------------------------


def judge(out: Path) -> int:
    """Read the export with pycocotools and compare its masks with the discs that were drawn; 0 where all three fit."""
    (file,) = out.rglob("instances_default.json")
    coco = COCO(str(file))
    masks = [coco.annToMask(annotation).astype(bool) for annotation in coco.loadAnns(coco.getAnnIds())]
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    drawn = [(columns - x) ** 2 + (rows - y) ** 2 <= r**2 for x, y, r in DISCS.values()]
    best = [max((float((mask & disc).sum() / (mask | disc).sum()) for mask in masks), default=0.0) for disc in drawn]
    print(f"pycocotools reads {len(masks)} objects; IoU with the discs: {', '.join(f'{value:.2f}' for value in best)}")
    return int(len(masks) != len(DISCS) or min(best) < 0.7)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
