"""Any number of runs, stops, changes and damages: at the end every image is done, as it is now, and none without need."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samtta_app.core.messages import ReportProgress
from samtta_app.parallel.image_places import ImagePlace, ResultPlace
from samtta_app.parallel.shard_manifest import Standing, read_standing
from samtta_app.parallel.shard_run import ShardPlan, ShardResult, read_file, run_shards
from samtta_app.parallel.worker_pool import THIS_PROCESS

NAMES = tuple(f"im{k}.png" for k in range(7))


@dataclass
class Folder:
    """Images by name with their versions, and what was done with each version of each."""

    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    done: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def images(self) -> tuple[ImagePlace, ...]:
        return tuple(ImagePlace(name, name, str(version)) for name, version in sorted(self.versions.items()))


@dataclass
class Step:
    """What happens before a run, and after how many shards it is stopped."""

    size: int
    stop: int
    changed: frozenset[str]
    gone: frozenset[str]
    damaged: int


STEPS = st.builds(
    Step,
    size=st.integers(1, 4),
    stop=st.integers(0, 8),
    changed=st.frozensets(st.sampled_from(NAMES), max_size=2),
    gone=st.frozensets(st.sampled_from(NAMES), max_size=2),
    damaged=st.integers(0, 3),
)


def ran(folder: Folder, out: ResultPlace, size: int, stop: int) -> Standing:
    """A run that is stopped when it would begin its shard number `stop`."""
    begun = 0

    def work(images: Sequence[ImagePlace], key: str, told: ReportProgress) -> ShardResult:
        nonlocal begun
        begun += 1
        if begun > stop:
            raise KeyboardInterrupt
        folder.done.update((image.name, image.version) for image in images)
        lines = [f"{image.name} {image.version}" for image in images]
        return ShardResult({f"shards/{key}.txt": "\n".join(lines).encode()})

    plan = ShardPlan(folder.images, out, {"kind": "test"}, lambda part: work, size)
    return run_shards(plan, THIS_PROCESS, lambda share, words: None, lambda line: None).standing


def result_of(out: ResultPlace, standing: Standing, image: ImagePlace) -> str:
    """The line of an image, read as the end of a run reads it."""
    ((name, facts),) = standing.entries[standing.done[image.name]].files.items()
    lines = read_file(out, name, facts).decode().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{image.name} ")]
    return line


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=5))
def test_whatever_happened_every_image_is_done_as_it_is_now(steps: list[Step]) -> None:
    with TemporaryDirectory() as here:
        folder, out = Folder(), ResultPlace(here)
        for step in steps:
            for name in step.changed & folder.versions.keys():
                folder.versions[name] += 1
            files = sorted(Path(here).glob("shards/*"))
            for path in files[: step.damaged]:
                path.write_bytes(path.read_bytes()[:-1])
            taken = {name: folder.versions.pop(name) for name in step.gone & folder.versions.keys()}
            before = read_standing(out, folder.images).done if folder.images else {}
            counted = Counter(folder.done)
            with contextlib.suppress(KeyboardInterrupt):
                ran(folder, out, step.size, step.stop)
            for name, _ in folder.done - counted:
                assert name not in before, "what was done is not done again"
            folder.versions |= taken
        standing = ran(folder, out, 3, 100)
        assert set(standing.done) == set(folder.versions)
        for image in folder.images:
            assert result_of(out, standing, image) == f"{image.name} {image.version}"
        counted = Counter(folder.done)
        ran(folder, out, 2, 100)
        assert folder.done == counted, "a further run has nothing to do"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_each_image_is_done_once_whatever_the_size_of_shards(size: int, tmp_path: Path) -> None:
    folder = Folder()
    standing = ran(folder, ResultPlace(str(tmp_path)), size, 100)
    assert set(folder.done.values()) == {1}
    assert len(standing.entries) == -(-len(NAMES) // size)
