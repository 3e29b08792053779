from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from samtta_app.datasets.folder import TargetObject, open_dataset
from samtta_app.errors import DatasetError
from samtta_app.images.read import read_image
from samtta_app.simulation.streams import (
    Source,
    distinct_objects,
    identity,
    objects_of,
    part_of,
    session_files,
    sources,
    stream,
)
from tests.unit.bench.conftest import squares


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two sets with images of the same names."""
    home = tmp_path_factory.mktemp("sets")
    return squares(home / "nuts"), squares(home / "bolts")


def order(dataset: Path, seed: int = 0, **changes: object) -> list[tuple[str, int]]:
    settings = {"split": None, "objects": 99, "per_image": 9, "min_area": 1} | changes
    found = stream(open_dataset(dataset), seed=seed, **settings)  # type: ignore[arg-type]
    return [(t.image.name, t.instance) for t in found]


def told_apart(targets: tuple[TargetObject, ...]) -> list[tuple[str, str, int]]:
    return [(t.image.path.parent.parent.name, t.image.name, t.instance) for t in targets]


# --- one set ----------------------------------------------------------------------------------------------------------


def test_the_stream_is_the_same_for_a_seed_and_another_for_another(shared_dataset: Path) -> None:
    assert order(shared_dataset, 1) == order(shared_dataset, 1)
    assert len({tuple(order(shared_dataset, seed)) for seed in range(5)}) > 1


def test_every_object_comes_once_and_images_are_not_mixed(shared_dataset: Path) -> None:
    found = order(shared_dataset)
    assert len(found) == len(set(found)) == 9
    names = [name for name, _ in found]
    assert sum(a != b for a, b in pairwise(names)) == 2


def test_a_stream_has_a_length_and_takes_a_few_of_each_image(shared_dataset: Path) -> None:
    assert len(order(shared_dataset, objects=4)) == 4
    assert len({name for name, _ in order(shared_dataset, objects=3, per_image=1)}) == 3


def test_a_shorter_stream_is_the_beginning_of_a_longer_one(shared_dataset: Path) -> None:
    for seed in range(4):
        assert order(shared_dataset, seed, objects=4) == order(shared_dataset, seed)[:4]


def test_a_stream_without_objects_is_refused(shared_dataset: Path) -> None:
    with pytest.raises(DatasetError, match="no object of 5000"):
        order(shared_dataset, min_area=5000)


def test_test_is_the_split_where_there_is_one(shared_dataset: Path, tmp_path: Path) -> None:
    data = open_dataset(shared_dataset)
    assert [part_of(data, split) for split in (None, "all", "train")] == ["test", None, "train"]
    plain = squares(tmp_path / "plain")
    (plain / "split.json").unlink()
    assert part_of(open_dataset(plain), None) is None


def test_a_set_by_itself_keeps_its_classes_and_its_folder(sets: tuple[Path, Path], tmp_path: Path) -> None:
    (source,) = sources(sets[:1], "each")
    targets = objects_of(source, objects=5, seed=0, split="all")
    assert source.name == "nuts"
    assert {t.class_name for t in targets} == {"nut", "bolt"}
    folder, names = session_files(source, targets, tmp_path / "images")
    assert folder == sets[0] / "images"
    assert set(names.values()) <= {"im0.png", "im1.png", "im2.png"}
    assert not (tmp_path / "images").exists()


# --- several sets -----------------------------------------------------------------------------------------------------


def test_sources_are_named_after_their_sets(sets: tuple[Path, Path]) -> None:
    assert [source.name for source in sources(sets, "each")] == ["nuts", "bolts"]
    assert [source.name for source in sources(sets, "mix")] == ["nuts+bolts"]
    assert [source.name for source in sources(sets, "chain")] == ["nuts>bolts"]


def test_one_set_is_no_mixture_and_two_of_one_name_are_refused(sets: tuple[Path, Path], tmp_path: Path) -> None:
    for way in ("mix", "chain"):
        with pytest.raises(DatasetError, match="only one"):
            sources(sets[:1], way)
    for way in ("each", "mix"):
        with pytest.raises(DatasetError, match='named "nuts"'):
            sources((sets[0], tmp_path / "nuts"), way)


def test_a_mixture_takes_turns_and_its_classes_are_the_sets(sets: tuple[Path, Path]) -> None:
    (source,) = sources(sets, "mix")
    targets = objects_of(source, objects=5, seed=1, split="all")
    assert [t.class_name for t in targets] == ["nuts", "bolts", "nuts", "bolts", "nuts"]
    for k, folder in enumerate(sets):
        own = objects_of(Source((folder,)), objects=5, seed=1, split="all")
        assert told_apart(targets[k::2]) == told_apart(own)[: len(targets[k::2])]


def test_a_mixture_goes_on_with_the_larger_set(sets: tuple[Path, Path], tmp_path: Path) -> None:
    few = squares(tmp_path / "few")
    targets = objects_of(Source((few, sets[0]), "mix"), objects=12, seed=0, split="train")
    assert [t.class_name for t in targets] == ["few", "nuts"] * 3
    (few / "split.json").write_text('{"train": ["im0"], "test": ["im1"]}')
    (sets_train := squares(tmp_path / "more")).joinpath("split.json").write_text('{"train": ["im0", "im1"]}')
    targets = objects_of(Source((few, sets_train), "mix"), objects=12, seed=0, split="train")
    assert [t.class_name for t in targets] == ["few", "more"] * 3 + ["more"] * 3


def test_a_chain_ends_with_the_first_objects_of_the_second_set_alone(sets: tuple[Path, Path]) -> None:
    (source,) = sources(sets, "chain")
    for seed in (0, 3):
        targets = objects_of(source, objects=6, seed=seed, split="all")
        first, second = (objects_of(Source((f,)), objects=6, seed=seed, split="all") for f in sets)
        assert told_apart(targets[:3]) == told_apart(first)[:3]
        assert told_apart(targets[3:]) == told_apart(second)[:3]
        assert {t.class_name for t in targets} <= {"nut", "bolt"}


def test_images_of_the_same_name_lie_side_by_side_under_their_sets_names(
    sets: tuple[Path, Path], tmp_path: Path
) -> None:
    (source,) = sources(sets, "mix")
    targets = objects_of(source, objects=18, seed=0, split="all")
    folder, names = session_files(source, targets, tmp_path / "images")
    expected = {f"{name}-im{k}.png" for name in ("nuts", "bolts") for k in range(3)}
    assert {path.name for path in folder.iterdir()} == set(names.values()) == expected
    for path, name in names.items():
        assert name.startswith(path.parent.parent.name)
        assert read_image(folder / name).key == read_image(path).key


def test_only_images_of_the_stream_are_linked(sets: tuple[Path, Path], tmp_path: Path) -> None:
    (source,) = sources(sets, "chain")
    targets = objects_of(source, objects=2, seed=0, split="all")
    folder, _ = session_files(source, targets, tmp_path / "images")
    assert len(list(folder.iterdir())) == 2


def test_where_links_cannot_be_made_images_are_copied(
    sets: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*inputs: object, **more: object) -> None:
        raise OSError("no privilege")

    monkeypatch.setattr(os, "symlink", refused)
    (source,) = sources(sets, "chain")
    targets = objects_of(source, objects=2, seed=0, split="all")
    folder, names = session_files(source, targets, tmp_path / "images")
    for path, name in names.items():
        assert not (folder / name).is_symlink()
        assert (folder / name).read_bytes() == path.read_bytes()


def test_a_place_that_cannot_be_written_is_an_error(sets: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (source,) = sources(sets, "chain")
    targets = objects_of(source, objects=2, seed=0, split="all")
    with pytest.raises(DatasetError, match="put together"):
        session_files(source, targets, tmp_path / "file" / "images")


def test_every_object_is_distinct_once_however_many_orders_have_it(sets: tuple[Path, Path]) -> None:
    orders = [objects_of(Source((sets[0],)), objects=9, seed=seed, split="all") for seed in range(3)]
    found = distinct_objects(target for targets in orders for target in targets)
    assert len(found) == 9
    assert [identity(t) for t in found] == sorted(identity(t) for t in orders[0])
