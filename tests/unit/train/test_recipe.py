"""Recipes are read and checked, and the shipped ones are valid."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from samtta_app import settings
from samtta_app.errors import SettingsError
from samtta_app.train.compact import recipe as module
from samtta_app.train.compact.recipe import TrainingStage, on_device, read_recipe, shipped_recipe
from samtta_app.train.data.augment import Augmentation
from samtta_app.train.data.crops import Zoom

ROOT = Path(__file__).parents[3]
MIXTURE = "[mixture]\na = 1.0\n"
STAGE = '[[stage]]\nname = "a"\nsize = 64\nimages = 2\ntargets = 1\nlr = 1e-3\nlr_end = 1e-4\n'
WHOLE = MIXTURE + STAGE + "steps = 3\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "recipe.toml"
    file.write_text(text)
    return file


# --- the shipped recipe ---------------------------------------------------------------------------------------------


def test_every_shipped_recipe_ends_with_every_layer_trained_at_the_answering_size() -> None:
    for path in (ROOT / "packaging" / "recipes").glob("*.toml"):
        recipe = read_recipe(path)
        assert recipe.stages[-1].size == 512, path
        assert recipe.stages[-1].frozen == (), path
        assert not {"ultrasound", "melt_pools", "alloys"} & set(recipe.mixture), path


def test_a_name_has_its_own_recipe_or_the_small_models() -> None:
    assert shipped_recipe() == ROOT / "packaging" / "recipes" / "small.toml"
    assert shipped_recipe("continue").name == "continue.toml"
    assert shipped_recipe("elephant") == shipped_recipe("small")


def test_a_wheel_holds_the_recipes_and_finds_them_among_its_resources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    forced = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert forced["packaging/recipes"] == "samtta_app/resources/recipes"
    package = tmp_path / "samtta_app"
    (package / "resources" / "recipes").mkdir(parents=True)
    (package / "resources" / "recipes" / "small.toml").write_text(WHOLE)
    monkeypatch.setattr(settings, "__file__", str(package / "settings.py"))
    monkeypatch.setattr(module, "__file__", str(package / "train" / "recipe.py"))
    assert read_recipe(shipped_recipe("small")).stages[0].steps == 3
    assert shipped_recipe().is_relative_to(package)


def test_a_trained_model_goes_on_more_gently_than_a_new_one_begins() -> None:
    new, trained = (read_recipe(shipped_recipe(name)) for name in ("small", "continue"))
    assert trained.stages[0].lr < new.stages[0].lr


def test_the_shipped_recipe_gives_sets_that_it_does_not_know_a_share() -> None:
    assert 0 < read_recipe(shipped_recipe()).others < 1


# --- what is read ---------------------------------------------------------------------------------------------------


def test_a_minimal_recipe_has_defaults(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, WHOLE))
    assert (recipe.seed, recipe.others) == (1, 0.5)
    assert recipe.stages[0].steps == 3
    assert (recipe.augmentation, recipe.zoom) == (Augmentation(), Zoom())


def test_augmentation_and_zoom_can_be_changed_in_parts(tmp_path: Path) -> None:
    tables = "[augmentation]\ngrey = 0\nnoise = 1.0\n[zoom]\nnear = [2, 4.5]\nfar_share = 0.0\n"
    recipe = read_recipe(written(tmp_path, WHOLE + tables))
    assert (recipe.augmentation.grey, recipe.augmentation.noise) == (0, 1.0)
    assert recipe.augmentation.tone == Augmentation().tone
    assert (recipe.zoom.near, recipe.zoom.far_share) == ((2, 4.5), 0.0)
    assert recipe.zoom.far == Zoom().far


@pytest.mark.parametrize("switch", [entry.name for entry in fields(Augmentation)])
def test_every_augmentation_has_a_switch(tmp_path: Path, switch: str) -> None:
    recipe = read_recipe(written(tmp_path, WHOLE + f"[augmentation]\n{switch} = 0.0\n"))
    assert getattr(recipe.augmentation, switch) == 0.0
    assert getattr(Augmentation(), switch) > 0


def test_a_run_is_scaled_to_another_length(tmp_path: Path) -> None:
    path = written(tmp_path, MIXTURE + STAGE + "minutes = 30\n" + STAGE + "minutes = 10\n")
    assert [stage.minutes for stage in read_recipe(path, minutes=4).stages] == pytest.approx([3, 1])
    assert [stage.minutes for stage in read_recipe(path).stages] == [30, 10]


@pytest.mark.parametrize("minutes", [3.0, 0.0, -1.0])
def test_a_recipe_of_steps_cannot_be_scaled_to_minutes(tmp_path: Path, minutes: float) -> None:
    with pytest.raises(SettingsError, match=r"only stages with minutes can be scaled to .*recipe\.toml"):
        read_recipe(written(tmp_path, WHOLE), minutes=minutes)


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (MIXTURE, "at least one"),
        (MIXTURE + "stage = 3\n", "at least one"),
        ("stage = [3]\n" + MIXTURE, "stage 1.*|must be a table"),
        (STAGE + "steps = 1\n", "shares of data sets"),
        ("mixture = 3\n" + STAGE + "steps = 1\n", "shares of data sets"),
        ("[mixture]\na = -1.0\nb = 3\n" + STAGE + "steps = 1\n", "none negative"),
        ('[mixture]\na = "much"\n' + STAGE + "steps = 1\n", "shares of data sets"),
        ("[mixture]\na = 0.0\n" + STAGE + "steps = 1\n", "one above 0"),
        (MIXTURE + STAGE, "steps or minutes"),
        (MIXTURE + STAGE.replace("64", "70") + "steps = 1\n", "multiple of 32"),
        (MIXTURE + STAGE.replace("images = 2", "images = 0") + "steps = 1\n", "images and targets must be above 0"),
        (MIXTURE + STAGE.replace("images = 2", 'images = "2"') + "steps = 1\n", "images must be a whole number"),
        (MIXTURE + STAGE.replace("images = 2", "images = true") + "steps = 1\n", "images must be a whole number"),
        (MIXTURE + STAGE.replace("images = 2\n", "") + "steps = 1\n", "there is no images"),
        (MIXTURE + STAGE.replace("1e-4", "1e-2") + "steps = 1\n", "lr_end from 0 to lr"),
        (MIXTURE + STAGE.replace("1e-3", "nan") + "steps = 1\n", "lr must be a number"),
        (MIXTURE + STAGE + "steps = 1\nema = 1.0\n", "ema must be"),
        (MIXTURE + STAGE + "steps = 1\nwarmup = -1\n", "negative"),
        (MIXTURE + STAGE + "steps = 1\nlikeness_share = -1.0\n", "negative"),
        (MIXTURE + STAGE + "steps = 1\nfrozen = [1]\n", "frozen must be a list of texts"),
        (MIXTURE + STAGE + "steps = 1\nspeed = 2\n", "no key 'speed'"),
        (MIXTURE + STAGE + "steps = 1\nimage = 2\n", "Did you mean images"),
        ("sead = 1\n" + WHOLE, "no key 'sead'.*Did you mean seed"),
        ("seed = -1\n" + WHOLE, "must not be negative"),
        ("others = 1.0\n" + WHOLE, "others must be from 0 to below 1"),
        ("report_minutes = 0\n" + WHOLE, "report_minutes must be above 0"),
        (WHOLE + "[augmentation]\ngray = 0.1\n", r"no key 'gray'.*\[augmentation\].*Did you mean grey"),
        (WHOLE + "[augmentation]\ngrey = 1.1\n", "grey must be from 0 to 1"),
        (WHOLE + "[zoom]\nclose = [1.0, 2.0]\n", "no key 'close'"),
        (WHOLE + "[zoom]\nnear = [4.0, 2.0]\n", "near must be two numbers above 0"),
        (WHOLE + "[zoom]\nnear = 4.0\n", "near must be two numbers"),
        (WHOLE + "[zoom]\nnear = [1.0, 2.0, 3.0]\n", "near must be two numbers"),
        ("zoom = 3\n" + WHOLE, r"must be a table.*\[zoom\]"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_bad_recipe_is_refused_with_its_name_and_the_reason(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        read_recipe(written(tmp_path, text))
    assert "recipe.toml" in str(caught.value)


def test_a_bad_stage_is_told_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="stage 2"):
        read_recipe(written(tmp_path, WHOLE + STAGE))


def test_a_recipe_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        read_recipe(tmp_path / "nowhere.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"binary\.toml"):
        read_recipe(tmp_path / "binary.toml")


# --- batches on a device --------------------------------------------------------------------------------------------


def stage(images: int, gpu_images: int = 0) -> TrainingStage:
    return TrainingStage("a", 64, images, 1, lr=1e-3, lr_end=1e-5, steps=1, gpu_images=gpu_images)


def test_four_times_the_batch_has_twice_the_learning_rate() -> None:
    larger = stage(8).with_images(32)
    assert (larger.images, larger.lr, larger.lr_end) == (32, pytest.approx(2e-3), pytest.approx(2e-5))


def test_a_gpu_has_its_own_batches_and_a_cpu_has_not() -> None:
    stages = [stage(8, gpu_images=72), stage(4)]
    assert [s.images for s in on_device(stages, "cpu", halved=False)] == [8, 4]
    on_gpu = on_device(stages, "cuda", halved=False)
    assert [s.images for s in on_gpu] == [72, 4]
    assert [s.lr for s in on_gpu] == pytest.approx([3e-3, 1e-3])


def test_a_halved_batch_has_at_least_an_image() -> None:
    stages = [stage(9, gpu_images=72), stage(1)]
    assert [s.images for s in on_device(stages, "cpu", halved=True)] == [4, 1]
    assert [s.images for s in on_device(stages, "cuda", halved=True)] == [36, 1]
