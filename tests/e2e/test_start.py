"""packaging/start sets a machine up that has nothing, says what it does, and leaves a set-up machine alone."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.machine import PYTHON, ROOT, Index, Machine, make_checkout, serving, write_wheel

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="packaging/start installs system packages on Linux only"
)

PYTEST = "import sys; print('arguments', *sys.argv[1:]); print('1 passed in 0.01s'); sys.exit(3)"
SHELLS = [words for words in ("/bin/sh", "dash", "bash --posix", "busybox ash") if shutil.which(words.split()[0])]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """The index that pip asks by itself; its torch is the one for GPUs."""
    folder = tmp_path_factory.mktemp("usual")
    for name, version in (("torch", "2.5.0"), ("torchvision", "0.20.0"), ("gauge", "1.0"), ("needle", "1.0")):
        write_wheel(folder, name, version, requires=("needle",) if name == "torch" else ())
    write_wheel(folder, "pytest", "8.0", PYTEST)
    write_wheel(folder, "sam2", "1.1.0")
    with serving(folder) as index:
        yield index


@pytest.fixture(scope="module")
def cpu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Torch's own index of CPU wheels, which holds nothing else."""
    folder = tmp_path_factory.mktemp("cpu")
    write_wheel(folder, "torch", "2.5.0+cpu", requires=("needle",))
    write_wheel(folder, "torchvision", "0.20.0+cpu")
    with serving(folder) as index:
        yield index


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment, to be copied."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([PYTHON, "-m", "venv", str(folder)], check=True)
    return folder


@pytest.fixture
def bare(tmp_path: Path, usual: Index, cpu: Index) -> Machine:
    """A machine on which nothing was started yet; it has no GPU."""
    machine = Machine(tmp_path, make_checkout(tmp_path / "samtta"))
    machine.variables.update(PIP_INDEX_URL=usual.url, SAMTTA_TORCH_INDEX=cpu.url, PIP_NO_CACHE_DIR="1")
    machine.command("nvidia-smi", "exit 9")
    machine.command("lspci", "echo '00:02.0 VGA compatible controller: Virtio'")
    usual.asked.clear()
    cpu.asked.clear()
    return machine


@pytest.fixture
def prepared(bare: Machine, environment: Path) -> Machine:
    """One that has its virtual environment, still empty, and that makes another by copying it, which is quick."""
    shutil.copytree(environment, bare.checkout / ".venv", symlinks=True, copy_function=os.link)
    for name in ("cp", "rm"):
        (bare.bin / name).symlink_to(str(shutil.which(name)))
    copies(bare, environment)
    return bare


def copies(machine: Machine, environment: Path) -> None:
    """From now on a new virtual environment on this machine is a copy of that one."""
    copied = f'rm -rf .venv; exec cp -R "{environment}" .venv'
    machine.command("python3", f'if [ "$*" = "-m venv --clear .venv" ]; then {copied}; fi; exec {PYTHON} "$@"')


@pytest.fixture
def ready(prepared: Machine) -> Machine:
    """One on which all Python packages were installed before."""
    text = (prepared.checkout / "pyproject.toml").read_text(encoding="utf-8")
    summed = subprocess.run(["cksum"], input=text, capture_output=True, text=True, check=True).stdout.strip()
    for name in ("installed", "installed[test]"):
        (prepared.checkout / ".venv" / name).write_text(f"{summed} {prepared.checkout}\n", encoding="utf-8")
    site = next(prepared.checkout.glob(".venv/lib/python*/site-packages"))
    (site / "pytest.py").write_text(PYTEST, encoding="utf-8")
    return prepared


# --- from nothing -----------------------------------------------------------------------------------------------------


def test_from_nothing_to_the_demo_and_a_second_time_without_a_network(bare: Machine, usual: Index, cpu: Index) -> None:
    first = bare.start("demo", "--objects", "3")
    assert first.code == 0, first.said
    assert first.out.splitlines()[-1] == "window demo --objects 3 PASSIVE"
    assert "making .venv" in first.out
    assert cpu.url in first.out
    found = bare.installed()
    assert (found["torch"], found["torchvision"]) == ("2.5.0+cpu", "0.20.0+cpu")
    assert {"gauge", "needle", "samtta"} <= set(found)
    assert "pytest" not in found

    usual.asked.clear()
    cpu.asked.clear()
    bare.variables.update(PIP_INDEX_URL="http://127.0.0.1:9/simple", SAMTTA_TORCH_INDEX="http://127.0.0.1:9/simple")
    second = bare.start("demo")
    assert (second.code, second.said) == (0, "window demo PASSIVE\n")
    assert not usual.asked
    assert not cpu.asked


def test_what_the_project_needs_anew_is_installed_anew_and_the_tests_bring_their_own_packages(
    ready: Machine, usual: Index, cpu: Index
) -> None:
    project = ready.checkout / "pyproject.toml"
    project.write_text(f"{project.read_text(encoding='utf-8')}# needs something else\n", encoding="utf-8")
    ready.command("xvfb-run", 'while [ "$1" != -m ]; do last=$1; shift; done; exec "$last" "$@"')
    assert ready.start("demo").code == 0
    assert "pytest" not in ready.installed()
    assert "/simple/gauge/" in usual.asked
    assert "/simple/torch/" in cpu.asked
    cpu.asked.clear()
    assert ready.start("test").code == 3
    assert "pytest" in ready.installed()
    assert not cpu.asked, "torch was there already"
    usual.asked.clear()
    assert ready.start("demo").code == 0
    assert ready.start("test").code == 3
    assert not usual.asked


def test_an_environment_that_does_not_work_is_made_anew(ready: Machine) -> None:
    python = ready.checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/no/such/python3.9")
    done = ready.start("demo")
    assert done.code == 0, done.said
    assert "making .venv" in done.out
    assert "torch" in ready.installed()


def test_packages_that_cannot_be_had_end_it_with_a_sentence_and_it_can_be_tried_again(
    prepared: Machine, tmp_path: Path, usual: Index
) -> None:
    write_wheel(tmp_path / "poor", "torch", "2.5.0")
    with serving(tmp_path / "poor") as poor:
        prepared.variables["PIP_INDEX_URL"] = poor.url
        failed = prepared.start("demo")
    assert failed.code == 1
    assert failed.err.splitlines()[-1].startswith("samtta: pip could not install the packages")
    assert "window" not in failed.out
    prepared.variables["PIP_INDEX_URL"] = usual.url
    assert prepared.start("demo").code == 0


# --- where torch comes from -------------------------------------------------------------------------------------------


def refusing(stack: ExitStack, folder: Path) -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/whl/cpu"


def silent(stack: ExitStack, folder: Path) -> str:
    listener = stack.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/whl/cpu"


def empty(stack: ExitStack, folder: Path) -> str:
    return stack.enter_context(serving(folder)).url


def for_another_machine(stack: ExitStack, folder: Path) -> str:
    wheel = write_wheel(folder, "torch", "2.5.0+cpu")
    wheel.rename(folder / "torch-2.5.0+cpu-cp27-cp27m-macosx_10_6_intel.whl")
    return stack.enter_context(serving(folder)).url


@pytest.mark.parametrize("answering", [refusing, silent, empty, for_another_machine])
def test_where_the_cpu_index_does_not_answer_torch_is_the_usual_one(
    prepared: Machine, tmp_path: Path, answering: Callable[[ExitStack, Path], str]
) -> None:
    with ExitStack() as stack:
        prepared.variables["SAMTTA_TORCH_INDEX"] = answering(stack, tmp_path / "other")
        done = prepared.start("demo")
    assert done.code == 0, done.said
    assert "does not answer: torch comes from the usual index" in done.out
    assert prepared.installed()["torch"] == "2.5.0"


def test_a_cpu_index_that_lacks_one_of_the_two_costs_nothing_but_the_try(prepared: Machine, tmp_path: Path) -> None:
    write_wheel(tmp_path / "half", "torch", "2.5.0+cpu")
    with serving(tmp_path / "half") as half:
        prepared.variables["SAMTTA_TORCH_INDEX"] = half.url
        done = prepared.start("demo")
    assert done.code == 0, done.said
    assert "that failed: torch comes from the usual index" in done.out
    assert prepared.installed()["torch"] == "2.5.0"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("nvidia-smi", "echo 'GPU 0: NVIDIA H100 (UUID: GPU-1)'"),
        ("lspci", "echo '01:00.0 3D controller: NVIDIA Corporation GA100'"),
    ],
)
def test_with_an_nvidia_gpu_torch_is_the_usual_one_and_the_cpu_index_is_not_asked(
    prepared: Machine, cpu: Index, name: str, body: str
) -> None:
    prepared.command(name, body)
    done = prepared.start("demo")
    assert done.code == 0, done.said
    assert "NVIDIA GPU: torch comes from the usual index" in done.out
    assert prepared.installed()["torch"] == "2.5.0"
    assert not cpu.asked


def test_pip_keeps_to_the_persons_own_configuration(prepared: Machine, tmp_path: Path, usual: Index) -> None:
    write_wheel(tmp_path / "mirror", "torch", "9.0")
    write_wheel(tmp_path / "mirror", "gauge", "7.0")
    write_wheel(tmp_path / "mirror", "gauge", "8.0")
    (tmp_path / "limits.txt").write_text("gauge<8\n", encoding="utf-8")
    configuration = (
        f"[global]\nuser = true\nfind-links = {tmp_path / 'mirror'}\nconstraint = {tmp_path / 'limits.txt'}\n"
    )
    (tmp_path / "pip.conf").write_text(configuration, encoding="utf-8")
    prepared.variables["PIP_CONFIG_FILE"] = str(tmp_path / "pip.conf")
    done = prepared.start("demo")
    assert done.code == 0, done.said
    found = prepared.installed()
    assert found["gauge"] == "7.0"
    assert found["torch"] == "2.5.0+cpu"


# --- system packages --------------------------------------------------------------------------------------------------


def test_what_is_missing_is_installed_by_root_with_apt_and_said_before(ready: Machine) -> None:
    ready.without("gadget")
    ready.command("apt-get", f'touch "{ready.bin}/gadget"; chmod +x "{ready.bin}/gadget"', told=True)
    (ready.bin / "chmod").symlink_to(str(shutil.which("chmod")))
    done = ready.start("demo")
    assert done.code == 0, done.said
    assert ready.called[0] == "apt-get update -qq"
    assert re.fullmatch(r"apt-get install .*--no-install-recommends .* gadget-deb", ready.called[1])
    words = done.out.splitlines()
    assert words == ["samtta: system packages are missing; running: apt-get install gadget-deb", "window demo PASSIVE"]
    assert len(ready.called) == 2
    ready.start("demo")
    assert len(ready.called) == 2


def test_without_root_it_goes_by_sudo_and_on_fedora_by_dnf(ready: Machine) -> None:
    ready.without("gadget")
    ready.command("id", "echo 1000")
    ready.command("sudo", 'exec "$@"', told=True)
    ready.command("dnf", ":", told=True)
    done = ready.start("demo")
    assert done.code == 0, done.said
    assert ready.called == ["sudo dnf install -y -q gadget-rpm", "dnf install -y -q gadget-rpm"]
    assert "running: sudo dnf install gadget-rpm" in done.out


def test_only_the_tests_need_a_virtual_screen(ready: Machine) -> None:
    ready.command("apt-get", ":", told=True)
    ready.start("demo")
    assert not ready.called
    done = ready.start("test", "-x")
    assert ready.called[-1].endswith(" xvfb-deb")
    assert "still missing: xvfb-run" in done.err
    assert done.out.splitlines()[-2:] == ["arguments -x", "1 passed in 0.01s"]
    assert done.code == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"apt-get": ":"},
            "there is neither root nor sudo to install system packages; ask for: apt-get install gadget-deb",
        ),
        ({"dnf": ":"}, "there is neither root nor sudo to install system packages; ask for: dnf install gadget-rpm"),
        (
            {"sudo": ":"},
            "there is neither apt-get nor dnf to install system packages with; Debian calls them: gadget-deb",
        ),
        (
            {"sudo": "echo 'not in the sudoers file' >&2; exit 7", "dnf": ":"},
            "dnf install failed (exit code 7); by hand: sudo dnf install gadget-rpm",
        ),
    ],
)
def test_what_cannot_be_installed_is_named_and_the_rest_goes_on(
    ready: Machine, given: dict[str, str], words: str
) -> None:
    ready.without("gadget")
    ready.command("id", "echo 1000")
    for name, body in given.items():
        ready.command(name, body)
    done = ready.start("demo")
    assert f"samtta: {words}\n" in done.err
    assert "still missing: gadget" in done.err
    assert (done.code, done.out.splitlines()[-1]) == (0, "window demo PASSIVE")


def test_without_qts_libraries_the_demo_is_simulated_and_the_tests_do_not_begin(ready: Machine) -> None:
    make_checkout(ready.checkout, needed="libno-such-thing.so.9 no-such-deb no-such-rpm")
    done = ready.start("demo", "--objects", "2")
    assert done.code == 0
    assert "no-such-deb" in done.err
    assert "a simulated annotator works instead" in done.out
    assert done.out.splitlines()[-1] == "window demo --simulate --no-window --objects 2 PASSIVE"
    tests = ready.start("test")
    assert tests.code == 1
    assert tests.err.splitlines()[-1].endswith("needs these libraries: libno-such-thing.so.9 xvfb-run")
    assert "passed" not in tests.out


# --- Python -----------------------------------------------------------------------------------------------------------


def test_without_a_python_it_is_installed_with_its_module_for_virtual_environments(ready: Machine) -> None:
    copies(ready, (ready.checkout / ".venv").rename(ready.checkout / "installed"))
    (ready.bin / "python3").rename(ready.bin / "right")
    ready.command("python3", "exit 1")
    ready.command("apt-get", f'cp "{ready.bin}/right" "{ready.bin}/python3"', told=True)
    done = ready.start("demo")
    assert done.code == 0, done.said
    assert ready.called[1].endswith(" python3 python3-venv")
    assert done.out.splitlines()[-1] == "window demo PASSIVE"


def test_an_old_python_that_stays_old_is_named_in_one_sentence(bare: Machine) -> None:
    bare.command("python3", "exit 1")
    bare.command("apt-get", ":", told=True)
    done = bare.start("demo")
    assert done.code == 1
    assert done.err.splitlines()[-1] == (
        "samtta: CPython 3.11 or newer with its module venv is needed; install it, then run this again"
    )
    asked = [line.split(" DPkg::Lock::Timeout=300 ")[1] for line in bare.called if " install " in line]
    assert asked == ["python3 python3-venv", "python3.11 python3.11-venv"]
    assert not (bare.checkout / ".venv").exists()


def test_another_python_beside_an_old_one_is_found(ready: Machine) -> None:
    copies(ready, (ready.checkout / ".venv").rename(ready.checkout / "installed"))
    (ready.bin / "python3").rename(ready.bin / "python3.12")
    ready.command("python3", "exit 1")
    assert ready.start("demo").code == 0


# --- the words and the end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("words", [[], ["tests"], ["--help"]])
def test_any_other_word_is_answered_with_the_two_commands(bare: Machine, shell: str, words: list[str]) -> None:
    done = bare.start(*words, shell=f"{shutil.which(shell.split()[0])}{shell.removeprefix(shell.split()[0])}")
    assert done.code == 2
    assert "sh packaging/start demo, or sh packaging/start test" in done.err
    assert not (bare.checkout / ".venv").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_every_posix_shell_runs_it(ready: Machine, shell: str) -> None:
    done = ready.start(
        "check", "--fast", shell=f"{shutil.which(shell.split()[0])}{shell.removeprefix(shell.split()[0])}"
    )
    assert (done.code, done.out.splitlines()[-1]) == (0, "gate --fast")


def test_the_tests_run_on_a_screen_of_their_own_and_speak_last(ready: Machine) -> None:
    ready.command(
        "xvfb-run", 'echo "screen ${DISPLAY-none}"; while [ "$1" != -m ]; do last=$1; shift; done; exec "$last" "$@"'
    )
    ready.command("xauth", ":")
    ready.variables.update(DISPLAY=":7", WAYLAND_DISPLAY="wayland-0")
    done = ready.start("test", "tests/unit", "-q")
    assert done.out.splitlines() == ["screen none", "arguments tests/unit -q", "1 passed in 0.01s"]
    assert done.code == 3


def test_the_waiting_that_a_person_chose_for_openmp_stays(ready: Machine) -> None:
    ready.variables["OMP_WAIT_POLICY"] = "ACTIVE"
    assert ready.start("demo").out == "window demo ACTIVE\n"


# --- what is built on it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gate", "tests", "code"), [(0, 0, 0), (4, 0, 4), (0, 5, 5), (4, 5, 4)])
def test_ci_runs_the_gate_and_then_the_tests_by_it_and_fails_with_either(
    tmp_path: Path, gate: int, tests: int, code: int
) -> None:
    for name in (".ci", "packaging"):
        (tmp_path / name).mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    script = f'mkdir -p .venv; echo "$*"; case $1 in check) exit {gate} ;; test) exit {tests} ;; esac\n'
    (tmp_path / "packaging" / "start").write_text(script, encoding="utf-8")
    done = subprocess.run(["bash", ".ci/run"], cwd=tmp_path, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-1], done.returncode) == ("check --no-tests", "test -q", code)
    assert not (tmp_path / ".venv").exists(), "it came with the run and goes with it"


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="there is no PowerShell here")
def test_the_script_for_windows_is_valid_powershell() -> None:
    file = ROOT / "packaging" / "start.ps1"
    code = (
        f"$e = $null; [void][Management.Automation.Language.Parser]::ParseFile('{file}', [ref]$null, [ref]$e); $e.Count"
    )
    done = subprocess.run(["pwsh", "-NoProfile", "-Command", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
