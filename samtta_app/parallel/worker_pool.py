"""What works on tasks: this process, several processes of this machine, or the machines of a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from samtta_app.core.messages import ReportProgress
from samtta_app.parallel.workers import Failed, WorkerTask, in_processes, in_turn


@dataclass(frozen=True, slots=True)
class WorkerPool:
    """Where tasks are done; results do not depend on it.

    Args:
        processes: of this machine; 1 does the tasks in this process, unless `apart`.
        ray: address of a Ray cluster, or "auto" for the one that this machine belongs to; "" for none.
        sent: files that every machine of the cluster needs.
        most: workers of the cluster that are used at most; 0 uses all.
        gpus: GPUs of each worker of the cluster.
        apart: whether a single process is also one of its own.
    """

    processes: int = 1
    ray: str = ""
    sent: tuple[Path, ...] = ()
    most: int = 0
    gpus: float = 0.0
    apart: bool = False

    def run(self, tasks: Iterable[WorkerTask], tell: ReportProgress, whole: float | None = None) -> tuple[Failed, ...]:
        """Do the tasks; what each returns is kept here. The failed ones come back by name, with words.

        Raises:
            UserError: the cluster cannot be used, or a file cannot be sent.
            KeyboardInterrupt: Ctrl+C; what was kept stays.
        """
        if self.ray:
            from samtta_app.parallel.ray_workers import in_cluster

            return in_cluster(tasks, self.ray, tell, whole, sent=self.sent, most=self.most, gpus=self.gpus)
        if self.processes > 1 or self.apart:
            return in_processes(tasks, self.processes, tell, whole)
        return in_turn(tasks, tell, whole)


THIS_PROCESS = WorkerPool()
"""One task after the other, here."""
