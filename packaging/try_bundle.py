"""Try a bundle as its user would, in a bare root without Python and without network, on a virtual screen.

Usage: python packaging/try_bundle.py PROGRAM [--root DIR] [--display N] [--picture FILE]

PROGRAM is the folder bundle, a .deb, or the command of an installed wheel to compare with. DIR is a root that debootstrap
made, with the libraries that the .deb names; root's rights are needed for it. A folder opens, three objects are clicked
and exported, and pycocotools reads them outside. Xvfb and xdotool are needed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Place:
    """Where the program runs: its words, its folder `/tmp/try` as seen from here, and the bare root (None: this system)."""

    program: list[str]
    folder: Path
    root: Path | None
    display: int
    mounted: Path | None = None

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the program with these words."""
        environment = {"DISPLAY": f":{self.display}", "HOME": "/tmp/try/home", "SAMTTA_HOME": "/tmp/try/home"}
        environment |= {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "OMP_WAIT_POLICY": "PASSIVE", "LANG": "C.UTF-8"}
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
    given = parser.parse_args(words)
    with screen(given.display), placed(given.program.resolve(), given.root, given.display) as place:
        draw_images(place.folder / "images")
        print(place.said("--version")[1])
        annotate(place, given.picture)
        code, said = place.said("export", "/tmp/try/images", "--format", "coco", "--out", "/tmp/try/out")
        print(said)
        print(place.said("doctor")[1])
        return code or judge(place.folder / "out")


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
    """Open the folder, click and accept every disc, try a second start beside it, and quit."""
    started = time.monotonic()
    process = place.start("open", "/tmp/try/images")
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
        hand(place.display, "key", "ctrl+q")
        print(f"the window closed with {process.wait(PATIENCE)}")
    finally:
        if process.poll() is None:
            process.kill()
        print(*(text for text in process.communicate() if text))


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
