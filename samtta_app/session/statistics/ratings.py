"""How accepted masks were rated, by the version of the weights that made them."""

from __future__ import annotations

from collections.abc import Mapping

from samtta_app.core.rating_scale import HIGHEST, LOWEST, NO_RATINGS, Counts, mean_rating, rating_difference
from samtta_app.session.state import Ratings


def ratings_of(given: Mapping[int, Mapping[int, int]]) -> Ratings | None:
    """The means by weights version, where `given` has how often each value was given; None without a rating."""
    by_version = {version: _counts(values) for version, values in sorted(given.items())}
    by_version = {version: counts for version, counts in by_version.items() if sum(counts)}
    if not by_version:
        return None
    frozen = by_version.get(0, NO_RATINGS)
    later = [counts for version, counts in by_version.items() if version]
    adapted = tuple(map(sum, zip(NO_RATINGS, *later, strict=True)))
    versions = tuple((version, mean_rating(counts)) for version, counts in by_version.items())
    return Ratings(mean_rating(frozen), mean_rating(adapted), rating_difference(frozen, adapted), versions)


def _counts(values: Mapping[int, int]) -> Counts:
    return tuple(values.get(value, 0) for value in range(LOWEST, HIGHEST + 1))
