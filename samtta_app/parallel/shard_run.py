"""A run over many images in shards: the same for one process, several, or a cluster.

A worker makes the results of a shard. They are written whole, then the shard's manifest file. Whatever stops the run, the
same command goes on with the images that have none.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from samtta_app.core.messages import ReportProgress
from samtta_app.errors import ExportError, UserError
from samtta_app.parallel.image_places import ImagePlace, ResultPlace
from samtta_app.parallel.shard_manifest import (
    FileFacts,
    RunMark,
    ShardEntry,
    Standing,
    alone_in,
    file_facts,
    read_standing,
    require_same_run,
    shard_key,
    write_entry,
)
from samtta_app.parallel.worker_pool import WorkerPool
from samtta_app.parallel.workers import WorkerTask

SHARD_IMAGES = 16
"""Images of a shard: some seconds of work, so that a lost one costs little, and the driver's part is small."""


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What a worker made of a shard: files by their names in the place of results, and errors by image."""

    files: Mapping[str, bytes]
    errors: Mapping[str, str] = field(default_factory=dict)


ShardWork = Callable[[Sequence[ImagePlace], str, ReportProgress], ShardResult]
"""Gets images, the shard's key and a function for its progress; picklable. Files of a shard begin with `shards/KEY`."""


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """What a run does.

    Args:
        images: all of them; those that are done are left out.
        out: where the results go.
        settings: what decides on the results; another run into the same place must have the same.
        work: makes what works on a shard; called here when its turn comes.
        size: images of a shard.
    """

    images: Sequence[ImagePlace]
    out: ResultPlace
    settings: Mapping[str, str]
    work: Callable[[Sequence[ImagePlace]], ShardWork]
    size: int = SHARD_IMAGES


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What a run leaves: the standing of all images, errors by image of this run, and a line for each shard that failed."""

    standing: Standing
    errors: Mapping[str, str]
    failures: tuple[str, ...]


def run_shards(plan: ShardPlan, pool: WorkerPool, tell: ReportProgress, say: Callable[[str], None]) -> RunEnd:
    """Work on all images that are not done.

    Args:
        plan: what to do.
        pool: what works on it.
        tell: called with the completed share, and the words for images, rate and errors.
        say: called with a line at once for each image that failed.

    Raises:
        ExportError: the results cannot be written, other settings made what is there, or another run writes there.
        ClusterError: the cluster cannot be used.
        KeyboardInterrupt: Ctrl+C; finished shards stay.
    """
    if plan.size < 1:
        raise ExportError(f"A shard cannot have {plan.size} images", do="Name 1 or more")
    with alone_in(plan.out) as mark:
        require_same_run(plan.out, plan.settings)
        before = read_standing(plan.out, plan.images)
        for remark in before.remarks:
            say(remark)
        left = [image for image in plan.images if image.name not in before.done]
        keeper = _Keeper(plan, mark, len(left), len(before.done), say)
        tasks = _tasks(plan, left, keeper)
        failed = pool.run(tasks, lambda share, _: tell(share, keeper.words), float(len(left))) if left else ()
        if keeper.stopped:
            raise keeper.stopped
        return RunEnd(read_standing(plan.out, plan.images), keeper.errors, tuple(f"{n}: {why}" for n, why in failed))


def _tasks(plan: ShardPlan, left: Sequence[ImagePlace], keeper: _Keeper) -> Iterator[WorkerTask]:
    for images in (left[k : k + plan.size] for k in range(0, len(left), plan.size)):
        if keeper.stopped:  # what cannot be written need not be made
            return
        key = shard_key(images)
        work = partial(done_shard, plan.work(images), plan.out, images, key)
        yield WorkerTask(f"shard {key}", len(images), work, keep=partial(keeper.keep, key))


def done_shard(
    work: ShardWork, out: ResultPlace, images: Sequence[ImagePlace], key: str, told: ReportProgress
) -> tuple[ShardEntry, Mapping[str, bytes]]:
    """In a worker: do a shard. Its files come back; or they are written at once, where every machine can.

    Raises:
        UserError: the shard could not be done on this machine.
    """
    began, machine = time.perf_counter(), socket.gethostname()
    try:
        made = work(images, key, told)
        facts = {name: file_facts(data) for name, data in made.files.items()}
        if out.shared:
            for name, data in made.files.items():
                out.put(name, data)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        do = "Make room there; the same command does this shard again"
        raise UserError(f"The disk of the machine {machine} cannot be written: {error.strerror}", "", do) from error
    versions = {image.name: image.version for image in images}
    entry = ShardEntry(versions, facts, dict(made.errors), round(time.perf_counter() - began, 3), machine)
    return entry, {} if out.shared else made.files


class _Keeper:
    """Here: writes what comes back, and counts."""

    def __init__(
        self, plan: ShardPlan, mark: RunMark | None, left: int, before: int, say: Callable[[str], None]
    ) -> None:
        self._plan, self._mark, self._left, self._before, self._say = plan, mark, left, before, say
        self._began, self._done = time.monotonic(), 0
        self.errors: dict[str, str] = {}
        self.stopped: ExportError | None = None

    def keep(self, key: str, found: tuple[ShardEntry, Mapping[str, bytes]]) -> None:
        """Write a shard's files, then its manifest file. Where that fails, the run is to stop.

        Raises:
            ExportError: they cannot be written.
        """
        entry, files = found
        try:
            for name, data in files.items():
                self._plan.out.put(name, data)
            write_entry(self._plan.out, key, entry)
            if self._mark:
                self._mark.renew()
        except ExportError as error:
            self.stopped = error
            raise
        self._done += len(entry.images)
        self.errors |= entry.errors
        for text in entry.errors.values():
            self._say(text)

    @property
    def words(self) -> str:
        """How far the run is, at what rate, and with how many errors."""
        rate = 60 * self._done / max(time.monotonic() - self._began, 1e-9)
        counted = RUN_WORDS.format(done=self._before + self._done, total=self._before + self._left, rate=rate)
        return counted + (ERROR_WORDS.format(errors=len(self.errors)) if self.errors else "")


RUN_WORDS = "{done:,} of {total:,} images, {rate:,.0f} a minute"
ERROR_WORDS = ", {errors} with errors"


def read_file(out: ResultPlace, name: str, facts: FileFacts) -> bytes:
    """A file of results, as the manifest describes it.

    Raises:
        ExportError: it is missing or has changed.
    """
    try:
        data = out.get(name)
    except OSError:
        data = b""
    if file_facts(data) != facts:
        do = "Remove it, and give the same command again: its images are done again"
        raise ExportError("A file of results has changed since it was written", f"{out.root}/{name}", do)
    return data
