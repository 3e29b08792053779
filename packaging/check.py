"""The one gate, the same by hand and in CI: `python packaging/check.py`.

ruff format --check, ruff, mypy, lint-imports, the house rules, pytest, build the wheel, install it into a clean
environment, `samtta --help` there, open the window on a folder and quit. Stops at the first failure with its name.
mypy takes a minute of one core, so it works beside the others.

    --no-tests   leave pytest out (CI runs it last by itself)
    --fast       only what reads the source: no pytest, no wheel
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from house_rules import broken_rules

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str]) -> int:
    """Run every step; 0 when all hold, 1 at the first that does not."""
    unknown = set(arguments) - {"--no-tests", "--fast"}
    if unknown:
        print(f"unknown argument: {', '.join(sorted(unknown))}\n\n{__doc__}", file=sys.stderr)
        return 2
    fast, tested = "--fast" in arguments, not {"--no-tests", "--fast"} & set(arguments)
    with tempfile.TemporaryFile() as said, begun("mypy", said) as types:
        steps: list[tuple[str, Callable[[], bool]]] = [
            ("ruff format", lambda: run("ruff", "format", "--check", ".")),
            ("ruff", lambda: run("ruff", "check", ".")),
            ("lint-imports", lint_imports),
            ("house rules", house_rules),
            *([] if fast else [("wheel", wheel_works)]),
            ("mypy", lambda: ended(types, said)),
            *([("pytest", lambda: run("pytest", "-q"))] if tested else []),
        ]
        return 0 if all(step(name, check) for name, check in steps) else 1


def step(name: str, check: Callable[[], bool]) -> bool:
    """Run one step and say how it went and how long it took."""
    started = time.perf_counter()
    print(f"--- {name}", flush=True)
    holds = check()
    print(f"--- {name}: {'ok' if holds else 'FAILED'} ({time.perf_counter() - started:.0f} s)", flush=True)
    return holds


def run(module: str, *arguments: str) -> bool:
    """Run a tool of this environment on the repository."""
    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, check=False).returncode == 0


@contextmanager
def begun(module: str, said: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A tool of this environment at work on the repository beside other steps; ended when the block is left."""
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT) as process:
        yield process
        process.kill()


def ended(process: subprocess.Popen[bytes], said: IO[bytes]) -> bool:
    """Wait for such a tool, and show its words."""
    process.wait()
    said.seek(0)
    print(said.read().decode(errors="replace"), end="", flush=True)
    return process.returncode == 0


def lint_imports() -> bool:
    """The layers (contracts in pyproject.toml)."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False).returncode == 0


def house_rules() -> bool:
    """What no linter knows: sizes, names, weights of tests."""
    broken = broken_rules(ROOT)
    print("\n".join(broken) if broken else "sizes, names, docstrings, declared packages and tests as agreed")
    return not broken


def wheel_works() -> bool:
    """Build the wheel, install it alone into a fresh environment, ask it for help, open its window on a folder and quit.

    Its dependencies come from the environment that runs this, so that nothing heavy is installed twice.
    """
    with tempfile.TemporaryDirectory(prefix="samtta-gate-") as name:
        folder = Path(name)
        if not run("build", "--wheel", "--outdir", str(folder), str(ROOT)):
            return False
        (wheel,) = folder.glob("*.whl")
        python = str(clean_environment(folder / "env", wheel))
        mine = "import samtta_app, sys; sys.exit(not samtta_app.__file__.startswith(sys.prefix))"
        calls = [
            (["-c", mine], "the wheel is what is imported"),
            (["-m", "samtta_app", "--help"], "samtta --help"),
            ([str(ROOT / "packaging" / "open_and_quit.py"), str(folder / "images")], "open the window and quit"),
        ]
        return all(in_clean_environment(folder, [python, *call], label) for call, label in calls)


def clean_environment(folder: Path, wheel: Path) -> Path:
    """A new virtual environment with the wheel, which then sees this one's packages after its own; returns its python."""
    venv.create(folder)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    install = ["--quiet", "--disable-pip-version-check", "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True)
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([str(python), "-c", query], capture_output=True, text=True, check=True).stdout.strip()
    here = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    (Path(site) / "parent.pth").write_text("\n".join(here) + "\n", encoding="utf-8")
    return python


def in_clean_environment(folder: Path, command: list[str], label: str) -> bool:
    """Run away from the checkout, on a virtual screen where there is no other; show the output of what failed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["SAMTTA_HOME"] = str(folder / "home")
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        if shutil.which("xvfb-run"):
            command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", *command]
        else:
            environment["QT_QPA_PLATFORM"] = "offscreen"
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
    except subprocess.TimeoutExpired as error:
        print(f"{label}: no end after {error.timeout:.0f} s")
        return False
    print(f"{label}: {'ok' if done.returncode == 0 else f'exit code {done.returncode}'}")
    if done.returncode:
        print(done.stdout + done.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
