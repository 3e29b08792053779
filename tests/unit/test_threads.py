"""Threads that wait sleep, and there are as many as there are cores to use; what a person has set stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from samtta_app import threads
from samtta_app.threads import PASSIVE, choose_number, compute_with, usable_cores, wait_passively

linux = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processors can be taken away on Linux only")
REAL = "0::/\n"


def test_waiting_threads_sleep() -> None:
    environment = {"PATH": "x"}
    wait_passively(environment)
    assert environment == {"PATH": "x", **PASSIVE}


@pytest.mark.parametrize("own", [{"OMP_WAIT_POLICY": "ACTIVE"}, {"KMP_BLOCKTIME": "200"}, {"GOMP_SPINCOUNT": "100000"}])
def test_whoever_has_chosen_how_to_wait_keeps_it(own: dict[str, str]) -> None:
    environment = dict(own)
    wait_passively(environment)
    assert environment == own


def test_the_number_is_the_settings_else_the_persons_else_that_of_the_cores() -> None:
    for given, wanted, expected in (
        ({}, 3, "3"),
        ({"OMP_NUM_THREADS": "5"}, 3, "3"),
        ({"OMP_NUM_THREADS": "5"}, 0, "5"),
    ):
        environment = dict(given)
        choose_number(environment, wanted)
        assert environment["OMP_NUM_THREADS"] == expected
    environment = {}
    choose_number(environment)
    assert environment.get("OMP_NUM_THREADS", "0") == str(usable_cores())


def machine(folder: Path, cores: dict[int, str], **limits: str) -> tuple[Path, Path]:
    """Files as Linux has them: which processors share a core, and the limits of a group ("a/b" is written a__b)."""
    system, process = folder / "sys", folder / "proc"
    process.mkdir(parents=True)
    for number, siblings in cores.items():
        topology = system / f"devices/system/cpu/cpu{number}/topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(siblings + "\n")
    (system / "fs/cgroup/outer/inner").mkdir(parents=True)
    (system / "fs/cgroup/cpu/job").mkdir(parents=True)
    for name, text in limits.items():
        (system / "fs/cgroup" / name.replace("__", "/").replace("_max", ".max").replace("cfs_", "cpu.cfs_")).write_text(
            text
        )
    (process / "cgroup").write_text("12:memory:/job\n3:cpuset:/\n2:cpu,cpuacct:/job\n0::/outer/inner\n")
    return system, process


HYPER = {0: "0,4", 4: "0,4", 1: "1,5", 5: "1,5", 2: "2,6", 6: "2,6", 3: "3,7", 7: "3,7"}


@pytest.mark.parametrize(
    ("allowed", "limits", "expected"),
    [
        ({*HYPER}, {}, 4),
        ({0, 4}, {}, 1),
        ({0, 1, 4}, {}, 2),
        ({20, 21}, {}, 2),
        ({*HYPER}, {"outer__inner__cpu_max": "max 100000"}, 4),
        ({*HYPER}, {"outer__inner__cpu_max": "250000 100000"}, 2),
        ({*HYPER}, {"outer__cpu_max": "100000 100000", "outer__inner__cpu_max": "max 100000"}, 1),
        ({*HYPER}, {"outer__cpu_max": "20000 100000"}, 1),
        ({*HYPER}, {"outer__cpu_max": "odd"}, 4),
        ({*HYPER}, {"cpu__job__cfs_quota_us": "300000", "cpu__job__cfs_period_us": "100000"}, 3),
        ({*HYPER}, {"cpu__job__cfs_quota_us": "-1", "cpu__job__cfs_period_us": "100000"}, 4),
    ],
)
def test_cores_count_once_and_no_more_than_the_group_is_given(
    allowed: set[int], limits: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: allowed, raising=False)
    assert usable_cores(*machine(tmp_path, HYPER, **limits)) == expected


def test_where_nothing_can_be_read_every_processor_is_a_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert usable_cores(tmp_path, tmp_path) == 3


def test_where_the_system_does_not_tell_torch_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    environment: dict[str, str] = {}
    choose_number(environment)
    assert environment == {}


@linux
def test_here_it_is_at_most_the_processors_that_are_left() -> None:
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    code += "from samtta_app.threads import usable_cores; print(usable_cores())"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "1"


# --- the real commands ------------------------------------------------------------------------------------------------


def seen_by_torch(arguments: list[str], **own: str) -> str:
    """What OpenMP says of itself when torch is loaded within a command of this command line."""
    code = f"""
import sys
from samtta_app.cli import bench, entry, train
def loads(*_, **__):
    import torch
    print("threads", torch.get_num_threads())
for group in (entry.app, bench.bench_app, train.train_app):
    for command in group.registered_commands:
        command.callback = lambda: loads()
entry.main({arguments!r})
"""
    names = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "GOMP_SPINCOUNT", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment |= {"OMP_DISPLAY_ENV": "VERBOSE", **own}
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False, timeout=600
    )
    assert "threads" in ended.stdout, ended.stderr
    return ended.stdout + ended.stderr


libgomp = pytest.mark.skipif(sys.platform != "linux", reason="only GNU's OpenMP, Linux's, tells what it was given")


@libgomp
def test_the_window_loads_torch_with_threads_that_sleep() -> None:
    said = seen_by_torch(["doctor"])
    assert "GOMP_SPINCOUNT = '0'" in said
    assert f"threads {usable_cores()}" in said


@libgomp
def test_training_keeps_threads_that_spin() -> None:
    assert "GOMP_SPINCOUNT = '0'" not in seen_by_torch(["train", "decoder"])


@libgomp
def test_a_persons_own_variables_reach_torch() -> None:
    said = seen_by_torch(["bench", "speed"], OMP_WAIT_POLICY="ACTIVE", OMP_NUM_THREADS="1")
    assert "OMP_WAIT_POLICY = 'ACTIVE'" in said
    assert "threads 1" in said


@pytest.mark.parametrize(
    ("own", "present", "wanted", "expected"),
    [
        ("5", "3", 0, 5),
        ("5", "5", 2, 2),
        ("", "3", 0, usable_cores() or os.cpu_count()),
        ("", "", 0, 7),
        ("x", "3", 4, 4),
    ],
)
def test_another_number_holds_at_once(
    own: str, present: str, wanted: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [7]
    torch = SimpleNamespace(get_num_threads=lambda: numbers[-1], set_num_threads=numbers.append)
    monkeypatch.setitem(sys.modules, "torch", torch)  # type: ignore[arg-type]
    monkeypatch.setattr(threads, "OWN_NUMBER", own)
    monkeypatch.setenv("OMP_NUM_THREADS", present)
    if not present:
        monkeypatch.delenv("OMP_NUM_THREADS")
    compute_with(wanted)
    compute_with(wanted)
    assert numbers == ([7] if expected == 7 else [7, expected])
    assert os.environ.get("OMP_NUM_THREADS", "7") == str(expected)
