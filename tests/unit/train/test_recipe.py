"""Recipes are read, checked, and the shipped ones are valid."""

from pathlib import Path

import pytest

from samtta_app.train.recipe import read_recipe

RECIPES = Path(__file__).parents[3] / "packaging" / "recipes"
STAGE = '[[stage]]\nname = "a"\nsize = 64\nimages = 2\ntargets = 1\nlr = 1e-3\nlr_end = 1e-4\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "recipe.toml"
    file.write_text(text)
    return file


def test_the_shipped_recipe_ends_with_every_layer_trained_at_the_answering_size() -> None:
    recipe = read_recipe(RECIPES / "small.toml")
    assert recipe.stages[-1].size == 512
    assert recipe.stages[-1].frozen == ()
    assert not {"ultrasound", "melt_pools", "alloys"} & set(recipe.mixture)


def test_a_minimal_recipe_has_defaults(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, "[mixture]\nnuclei = 1.0\n" + STAGE + "steps = 3\n"))
    assert recipe.seed == 1
    assert recipe.stages[0].steps == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[mixture]\na = 1.0\n", "at least one"),
        (STAGE + "steps = 1\n", "mixture"),
        ("[mixture]\na = 1.0\n" + STAGE, "steps or minutes"),
        ("[mixture]\na = 1.0\n" + STAGE.replace("64", "70") + "steps = 1\n", "multiple of 32"),
        ("[mixture]\na = 1.0\n" + STAGE + "steps = 1\nspeed = 2\n", "speed"),
        ("sead = 1\n[mixture]\na = 1.0\n" + STAGE + "steps = 1\n", "sead"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_bad_recipe_is_refused_with_its_name_and_the_reason(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        read_recipe(written(tmp_path, text))
    assert "recipe.toml" in str(caught.value)


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.toml"):
        read_recipe(tmp_path / "nowhere.toml")
