"""What a user may see while masks are rated: one mask, and nothing that says how it was made or how good it may be."""

from __future__ import annotations

import math
from dataclasses import replace

from samtta_app.session.review_list import NOTHING_TO_REVIEW
from samtta_app.session.state import State


def blinded(state: State) -> State:
    """The state as the window shows it: while masks are rated, all is hidden that a rating must not depend on.

    That is the other masks of the image, and the mask's version, numbers and clicks. It is also how masks were rated so
    far, and the numbers of the images, by which they could be sorted.
    """
    rating = state.rating
    if rating is None:
        return state
    shown = tuple(
        replace(a, weights_version=0, predicted_iou=math.nan, uncertainty=math.nan, gaps=None, history=())
        for a in state.annotations
        if a.id == rating.object_id
    )
    images = tuple(replace(entry, worst={}) if entry.worst else entry for entry in state.images)
    statistics = replace(state.statistics, ratings=None, review=0)
    return replace(state, annotations=shown, images=images, statistics=statistics, review=NOTHING_TO_REVIEW)
