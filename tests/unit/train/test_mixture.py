"""Every set that is given has a share, whether a recipe has heard of it or not."""

import pytest

from samtta_app.errors import DatasetError
from samtta_app.train.compact.mixture import mixed_shares

OURS = {"nuclei": 0.2, "cells": 0.2, "photos": 0.2, "synthetic": 0.4}


def shares(*given: str, photos: tuple[str, ...] = (), others: float = 0.5, mixture: dict[str, float] = OURS):
    return mixed_shares(mixture, others, given, photos)


def test_named_sets_have_their_shares_scaled_to_one() -> None:
    assert shares("nuclei", "cells", "photos", photos=("photos",)) == pytest.approx(OURS)
    assert shares("nuclei") == pytest.approx({"nuclei": 1 / 3, "synthetic": 2 / 3})


def test_a_set_that_the_mixture_does_not_name_has_the_share_of_the_others() -> None:
    assert shares("nuclei", "wounds") == pytest.approx({"nuclei": 1 / 6, "synthetic": 1 / 3, "wounds": 0.5})
    found = shares("nuclei", "wounds", "leaves", others=0.4)
    assert found == pytest.approx({"nuclei": 0.2, "synthetic": 0.4, "wounds": 0.2, "leaves": 0.2})


def test_sets_of_which_none_is_named_have_everything_but_synthetic_scenes_and_photos() -> None:
    assert shares("wounds") == pytest.approx({"synthetic": 0.4, "wounds": 0.6})
    found = shares("wounds", "photos", photos=("photos",), others=0.3)
    assert found == pytest.approx({"photos": 0.2, "synthetic": 0.4, "wounds": 0.4})


def test_they_have_at_least_the_share_of_the_others() -> None:
    assert shares("wounds", mixture={"synthetic": 1.0}) == pytest.approx({"synthetic": 0.5, "wounds": 0.5})
    assert shares("wounds", others=0.9) == pytest.approx({"synthetic": 0.1, "wounds": 0.9})


def test_photos_by_any_name_divide_the_share_of_photos() -> None:
    found = shares("nuclei", "street", photos=("street",))
    assert found == pytest.approx({"nuclei": 0.25, "synthetic": 0.5, "street": 0.25})
    found = shares("nuclei", "street", "photos", photos=("street", "photos"))
    assert found == pytest.approx({"nuclei": 0.25, "synthetic": 0.5, "street": 0.125, "photos": 0.125})


def test_photos_are_others_where_the_mixture_has_none() -> None:
    found = shares("nuclei", "street", photos=("street",), mixture={"nuclei": 1.0})
    assert found == pytest.approx({"nuclei": 0.5, "street": 0.5})


def test_without_synthetic_scenes_and_named_sets_the_others_are_everything() -> None:
    assert shares("wounds", "leaves", mixture={"nuclei": 1.0}) == {"wounds": 0.5, "leaves": 0.5}


def test_a_share_of_zero_leaves_a_set_out() -> None:
    assert shares("nuclei", "cells", mixture={"nuclei": 0.0, "cells": 2.0}) == {"nuclei": 0.0, "cells": 1.0}


def test_sets_that_all_have_no_share_are_refused_by_name() -> None:
    with pytest.raises(DatasetError, match="no share to any of the sets nuclei"):
        shares("nuclei", mixture={"nuclei": 0.0, "cells": 1.0})


@pytest.mark.parametrize(
    ("given", "photos"),
    [
        (("wounds",), ()),
        (("nuclei", "wounds"), ()),
        (("nuclei", "street", "wounds"), ("street",)),
        (("street",), ("street",)),
        (("photos", "street", "a", "b", "cells"), ("photos", "street")),
    ],
)
def test_shares_are_one_in_all_and_every_set_has_one(given: tuple[str, ...], photos: tuple[str, ...]) -> None:
    found = shares(*given, photos=photos)
    assert sum(found.values()) == pytest.approx(1)
    assert set(found) == {*given, "synthetic"}
    assert min(found.values()) > 0
