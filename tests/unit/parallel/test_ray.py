"""A real cluster of two machines' worth of Ray on this one, and a real store behind S3's interface."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import PIL.Image
import pytest

from samtta_app.cli.entry import main
from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.messages import ReportProgress
from samtta_app.errors import ClusterError
from samtta_app.parallel import ray_workers
from samtta_app.parallel.image_places import ImagePlace, ResultPlace, found_images
from samtta_app.parallel.mask_shards import MaskShard
from samtta_app.parallel.model_on_worker import ModelOnWorker
from samtta_app.parallel.sent_files import files_of_model
from samtta_app.parallel.shard_run import ShardPlan, ShardResult, run_shards
from samtta_app.parallel.worker_pool import THIS_PROCESS, WorkerPool
from samtta_app.settings import resource
from tests.unit.values import picture

ray = pytest.importorskip("ray", reason="Ray is not installed here: pip install 'samtta[cluster]'")
pytest.importorskip("moto", reason="moto is not installed here")
pytest.importorskip("s3fs", reason="s3fs is not installed here")

MEMORY = 80_000_000
MODEL = ["--input-size", "128", "--device", "cpu"]
QUICK = [*MODEL, "--points-per-side", "4", "--pred-iou", "0.3", "--stability", "0.3"]
SETTINGS = AutomaticSettings(points_per_side=4, pred_iou=0.3, stability=0.3)
SOON = {  # a machine that died is missed after two seconds
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 2,
}


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """A bucket with two images, and the address of its server; this process and its children know it."""
    import boto3
    from moto.server import ThreadedMotoServer

    for name in ("botocore", "aiobotocore", "s3transfer", "werkzeug", "urllib3", "s3fs", "fsspec"):
        logging.getLogger(name).setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "DEFAULT_REGION": "us-east-1"}.items():
            patch.setenv(f"AWS_{name}", value)
        patch.setenv("PYTHONPATH", os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")]))
        boto3.client("s3").create_bucket(Bucket="pictures")
        yield "pictures"
    server.stop()


@pytest.fixture(scope="module")
def cluster(store: str) -> Iterator[Any]:
    """Two machines of one worker each; `worker` is the one that can be killed."""
    from ray._private.utils import get_ray_address_file
    from ray.cluster_utils import Cluster

    Path(get_ray_address_file(None)).parent.mkdir(exist_ok=True)  # with a temp_dir Ray writes there without making it
    folder = tempfile.mkdtemp(prefix="sr")  # sockets have short paths
    given = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args={**given, "temp_dir": folder, "_system_config": SOON})
    worker = made.add_node(**given)
    yield SimpleNamespace(address=made.address, worker=worker, remove=made.remove_node)
    made.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures with bright discs."""
    home = tmp_path / "images"
    home.mkdir()
    for k in range(4):
        PIL.Image.fromarray(picture(k, discs=((40, 48, 20), (96, 40, 16))).pixels).save(home / f"im{k}.png")
    return home


def call(*arguments: object) -> int:
    """Run the command line here; its exit code."""
    with pytest.raises(SystemExit) as end:
        main([str(each) for each in arguments])
    return int(end.value.code or 0)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@dataclass(frozen=True)
class Signalling:
    """Says on which machine a shard is worked on, waits until it may go on, and then finds masks."""

    work: MaskShard
    signs: Path

    def __call__(self, images: Sequence[ImagePlace], key: str, told: ReportProgress) -> ShardResult:
        node = ray.get_runtime_context().get_node_id()
        (self.signs / f"{key}-{node}-{os.getpid()}").touch()
        while not (self.signs / "go").exists():
            time.sleep(0.02)
        return self.work(images, key, told)


def begun(signs: Path) -> list[tuple[str, str, int]]:
    """Every start of a shard: its key, the machine, the process there."""
    names = [path.name.split("-") for path in signs.iterdir() if path.name != "go"]
    return [(key, node, int(process)) for key, node, process in names]


def dies(cluster: Any, signs: Path) -> None:
    """Kill a machine with all that works there: its workers would outlive it, and end their shards."""
    os.kill(cluster.worker.all_processes["raylet"][0].process.pid, signal.SIGSTOP)  # it would put others in their place
    for process in {process for _, node, process in begun(signs) if node == cluster.worker.node_id}:
        os.kill(process, signal.SIGKILL)
    cluster.remove(cluster.worker, allow_graceful=False)


def test_a_machine_dies_in_the_middle_and_nothing_is_lost_or_other(
    cluster: Any, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = resource("models/samtta-small.safetensors")
    work = MaskShard(ModelOnWorker(str(file), 128, "cpu"), SETTINGS, "small", "quick")
    images, signs = found_images(str(folder)), tmp_path / "signs"
    signs.mkdir()

    def planned(name: str, shard: Any) -> ShardPlan:
        return ShardPlan(images, ResultPlace(str(tmp_path / name)), {"kind": "masks"}, lambda _: shard, 1)

    def kill() -> None:
        end = time.monotonic() + 120
        while len({node for _, node, _ in begun(signs)}) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        dies(cluster, signs)
        (signs / "go").touch()

    killer = threading.Thread(target=kill)
    killer.start()
    said: list[str] = []
    pool = WorkerPool(ray=cluster.address, sent=files_of_model(file))
    end = run_shards(
        planned("many", Signalling(work, signs)), pool, lambda share, words: said.append(words), said.append
    )
    killer.join()
    assert (end.failures, end.errors) == ((), {})
    assert len(end.standing.done) == 4
    starts = begun(signs)
    assert len({node for _, node, _ in starts}) == 2
    assert len(starts) > len({key for key, _, _ in starts}), "the shard of the machine that died was done again"
    assert said[-1].startswith("4 of 4 images, ")
    run_shards(planned("one", work), THIS_PROCESS, lambda share, words: None, said.append)
    assert files(tmp_path / "many" / "shards") == files(tmp_path / "one" / "shards")


def test_from_and_into_a_store_the_files_are_those_of_one_process(
    cluster: Any, store: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import boto3

    s3 = boto3.client("s3")
    for path in folder.iterdir():
        s3.upload_file(str(path), store, f"images/{path.name}")
    s3.put_object(Bucket=store, Key="images/torn.png", Body=b"no picture")
    command = ["auto", f"s3://{store}/images", "--out", f"s3://{store}/out", "--ray", cluster.address, "--shard", "2"]
    assert call(*command, *QUICK) == 1
    error = capsys.readouterr().err
    assert error.count("torn.png") == 1
    assert f"s3://{store}/images/torn.png" in error
    assert call("auto", folder, "--out", tmp_path / "here", *QUICK) == 0
    for name in ("results.json", "annotations/instances_default.json"):
        assert s3.get_object(Bucket=store, Key=f"out/{name}")["Body"].read() == (tmp_path / "here" / name).read_bytes()
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=store, Prefix="out/")["Contents"]]
    assert "out/manifest/running.txt" not in keys
    assert sum(key.startswith("out/shards/") for key in keys) == 3
    capsys.readouterr()
    s3.put_object(Bucket=store, Key="out/manifest/running.txt", Body=f"elsewhere 7 {time.time():.0f}".encode())
    assert call(*command, *QUICK) == 2
    assert "Another run writes here (elsewhere 7" in capsys.readouterr().err
    assert call("auto", "s3://nowhere/in", "--out", tmp_path / "no", *QUICK) == 2
    assert "This cannot be read" in capsys.readouterr().err


def test_a_machine_with_another_version_gets_no_work(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_workers, "installed_version", lambda: "9.9")
    with pytest.raises(ClusterError, match=r"here are Python .*, samtta 9\.9"):
        WorkerPool(ray=cluster.address).run([], lambda share, words: None)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:1", "No Ray cluster answers at this address"),
        ("somewhere", "This is no address of a Ray cluster"),
        ("host:port", "This is no address of a Ray cluster"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_message(
    address: str, said: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("encode", folder, "--out", tmp_path / "out", "--ray", address, *MODEL) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
