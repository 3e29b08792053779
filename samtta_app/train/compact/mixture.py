"""Shares of the data sets in the samples, also of sets that the recipe does not name."""

from collections.abc import Collection, Mapping

from samtta_app.errors import DatasetError
from samtta_app.train.batches import SYNTHETIC

PHOTOS = "photos"
"""The mixture's name for sets of photos without masks."""


def mixed_shares(
    mixture: Mapping[str, float], others: float, given: Collection[str], photos: Collection[str]
) -> dict[str, float]:
    """Shares of the given sets and of synthetic scenes, 1 in all.

    A set that the mixture names has its share. A named set that is not given is left out, and the rest is scaled up.
    Unnamed sets of photos divide the share of `photos`. All other unnamed sets divide the share `others`.

    If the mixture names none of the given sets with masks, these divide the remainder. It is everything but the shares of
    synthetic scenes and of given photos, at least `others`.

    Args:
        mixture: shares by name, not negative.
        others: share of the whole, 0..1.
        given: names of the sets with usable images.
        photos: those of them that came without masks.

    Raises:
        DatasetError: no set has a share.
    """
    named = {name: share for name, share in mixture.items() if name == SYNTHETIC or name in given}
    loose = [name for name in given if name not in mixture]
    if PHOTOS in mixture:
        albums = [name for name in given if name == PHOTOS or (name in loose and name in photos)]
        named |= {name: mixture[PHOTOS] / len(albums) for name in albums}
        loose = [name for name in loose if name not in albums]
    total = sum(named.values())
    if total <= 0 and not loose:
        raise DatasetError(
            f"The recipe's mixture gives no share to any of the sets {', '.join(given)}",
            do="Give one of them a share above 0 in [mixture]",
        )
    if total <= 0:
        part = 1.0
    elif not loose:
        part = 0.0
    elif any(name in given for name in mixture if name != PHOTOS):
        part = others
    else:
        part = max(others, 1 - total / sum(mixture.values()))
    shares = {name: (1 - part) * share / (total or 1.0) for name, share in named.items()}
    return shares | {name: part / len(loose) for name in loose}
