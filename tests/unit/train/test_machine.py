"""Errors that mean a lack of memory are told from others, and devices that are not there are refused by name."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch._utils import ExceptionWrapper

from samtta_app.errors import DatasetError, SettingsError
from samtta_app.train.batches import Batch, SampleSource, ahead, batches
from samtta_app.train.compact import compact_run
from samtta_app.train.compact.compact_run import CompactRun
from samtta_app.train.compact.recipe import Recipe, TrainingStage
from samtta_app.train.device import (
    from_loader,
    loader_workers,
    training_device,
    training_out_of_memory,
    trains_in_bfloat16,
)
from tests.unit.train.material import record
from tests.unit.train.toy import TOY


def torch_allocates() -> None:
    torch.empty(1 << 50, dtype=torch.uint8)


def numpy_allocates() -> None:
    np.empty(1 << 55, np.uint8)


def opencv_allocates() -> None:
    cv2.resize(np.zeros((2, 2), np.uint8), (2**31 - 1, 2**20))


@pytest.mark.parametrize("allocate", [torch_allocates, numpy_allocates, opencv_allocates])
def test_what_libraries_raise_when_memory_does_not_suffice_is_known(allocate) -> None:
    with pytest.raises((RuntimeError, MemoryError, cv2.error)) as caught:
        allocate()
    assert training_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:80] data. DefaultCPUAllocator: not enough memory: you tried to"),
        RuntimeError("Unexpected bus error in worker. This might be caused by insufficient shared memory (shm)."),
        RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    ],
)
def test_what_cannot_be_made_here_is_known_by_its_text(error: Exception) -> None:
    assert training_out_of_memory(error)


def test_other_mistakes_are_not_taken_for_a_lack_of_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.zeros(2, 3) @ torch.zeros(2, 3)
    assert not training_out_of_memory(caught.value)
    assert not training_out_of_memory(ValueError("the mixture gives no share"))


@pytest.mark.parametrize("name", ["gpu", "cuda:99", ""])
def test_a_device_that_is_not_here_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(SettingsError, match="Choose auto, cpu or cuda") as caught:
        training_device(name)
    assert repr(name) in str(caught.value)


def test_auto_is_a_device_that_works() -> None:
    assert training_device("cpu") == torch.device("cpu")
    assert training_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_a_gpu_is_fed_by_more_processes_than_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    assert loader_workers(1, torch.device("cpu")) == 1
    assert loader_workers(1, torch.device("cuda")) == 14
    assert loader_workers(30, torch.device("cuda")) == 30


@pytest.mark.parametrize("told", [{"avx512_bf16": True}, {"avx512_bf16": False}, {}, None])
def test_a_cpu_computes_in_bfloat16_where_it_says_that_it_can(
    told: dict[str, object] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    if told is not None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert trains_in_bfloat16(torch.device("cpu")) == bool(told and told.get("avx512_bf16"))
    assert trains_in_bfloat16(torch.device("cuda"))
    assert not trains_in_bfloat16(torch.device("mps"))


@pytest.mark.parametrize("half", [False, True])
def test_a_run_computes_as_its_device_does_best_and_keeps_single_weights(
    half: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact_run, "trains_in_bfloat16", lambda device: half)
    seen: list[torch.dtype] = []
    recipe = Recipe(
        mixture={"s": 1.0}, stages=(TrainingStage("a", 64, images=2, targets=1, lr=1e-3, lr_end=1e-4, steps=2),)
    )
    batch = next(batches(SampleSource({"s": [record(0)]}, {"s": 1.0}, 64, 1, 0), 2, 0, workers=0))
    with CompactRun(recipe, TOY, torch.device("cpu"), 2, tmp_path / "m.safetensors", tmp_path / "m.pt") as run:
        run.model.image_encoder.mix[0].register_forward_hook(lambda layer, given, made: seen.append(made.dtype))
        run.step(batch)
        assert {parameter.dtype for parameter in run.model.parameters()} == {torch.float32}
    assert set(seen) == {torch.bfloat16 if half else torch.float32}


def test_batches_that_are_fetched_ahead_are_the_same_in_the_same_order() -> None:
    fetched = []

    def feed() -> Iterator[Batch]:
        for number in range(100):
            fetched.append(number)
            yield Batch(*(torch.full((1,), float(number)) for _ in range(5)))

    with ThreadPoolExecutor(2) as pool:
        early = ahead(feed(), pool, pinned=False)
        assert [next(early).pixels.item() for _ in range(5)] == [0, 1, 2, 3, 4]
    assert fetched == [0, 1, 2, 3, 4, 5]  # one more than was asked for


def test_an_error_of_the_feed_comes_through() -> None:
    def feed() -> Iterator[Batch]:
        yield Batch(*(torch.zeros(1) for _ in range(5)))
        raise MemoryError

    with ThreadPoolExecutor(1) as pool:
        early = ahead(feed(), pool, pinned=False)
        next(early)
        with pytest.raises(MemoryError):
            next(early)


def test_an_error_in_a_loaders_process_is_told_as_one_sentence() -> None:
    try:
        raise DatasetError("Twenty windows of specks in a row were empty", "specks", "Mask larger objects")
    except DatasetError as error:
        here, sent = error, ExceptionWrapper(where="in DataLoader worker process 0")  # what torch sends over
    with pytest.raises(DatasetError, match="Original Traceback") as caught:
        sent.reraise()
    assert from_loader(here) is here
    found = from_loader(caught.value)
    assert type(found) is DatasetError
    assert str(found) == str(here) == "Twenty windows of specks in a row were empty (specks). Mask larger objects."
