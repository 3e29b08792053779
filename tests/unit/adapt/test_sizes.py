"""Three accepted objects tell how large the next one will be; a first click is then answered in surroundings of that size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from samtta_app.adapt.memory import Memory
from samtta_app.adapt.ours import Samtta
from samtta_app.adapt.sizes import FROM, ROOM, Sizes
from samtta_app.adapt.strategy import Fitted, Knowledge, Lesson
from samtta_app.core.messages import AdaptReport, AdaptRequest, Prediction, PredictRequest
from samtta_app.core.types import Click, Image, Prompt
from samtta_app.core.windows import SURROUND, first_window
from samtta_app.engine import Engine, run
from samtta_app.model.sam import toy_model
from tests.unit.adapt.test_guard import ended
from tests.unit.adapt.test_strategy import SHIPPED, done, encoded, same
from tests.unit.values import disc, example, picture

MODEL = toy_model()
SIZED = Samtta(learns=False)


def sizes(*sides: float, class_id: int | None = None) -> Sizes:
    return Sizes(tuple((class_id, side) for side in sides))


def test_few_objects_tell_nothing() -> None:
    assert Sizes().expected(None) is None
    assert sizes(*[20.0] * (FROM - 1)).expected(None) is None


def test_the_median_side_is_expected() -> None:
    assert sizes(20, 22, 30).expected(None) == 22


def test_a_class_has_its_own_size_once_it_has_enough_objects() -> None:
    both = Sizes((*sizes(20, 20, 20, class_id=1).seen, *sizes(50, 50, class_id=2).seen))
    assert both.expected(1) == 20
    assert both.expected(2) == both.expected(None) == 20  # as all objects, while the class has two
    assert Sizes((*both.seen, (2, 50.0))).expected(2) == 50


def test_where_sizes_differ_much_room_is_left_for_the_large_ones() -> None:
    mixed = sizes(*[10.0] * 6, *[210.0] * 4)
    assert mixed.expected(None) == pytest.approx(210 / ROOM)


def test_sizes_come_back_from_their_text_and_nonsense_is_nothing() -> None:
    some = Sizes(((None, 12.5), (3, 1 / 3)))
    assert Sizes.read(some.text()) == some
    for text in ("", "null", "7", "[[1]]", '[["a", "b"]]', "{}"):
        assert Sizes.read(text) == Sizes()
    assert Sizes.read("[[null, NaN], [null, -3], [null, Infinity], [2, 8]]") == Sizes(((2, 8.0),))


def test_the_side_is_the_longer_one_of_the_accepted_mask() -> None:
    items = [encoded(MODEL, number, 60, radius)[0] for number, radius in ((1, 10), (2, 15))]
    assert Sizes.of(items) == Sizes(((None, 21.0), (None, 31.0)))


# --- in the strategy --------------------------------------------------------------------------------------------------


def known_after(strategy: Samtta, count: int) -> Knowledge:
    known = Knowledge(MODEL.frozen.tensors)
    items = tuple(encoded(MODEL, number)[0] for number in range(1, count + 1))
    for index, item in enumerate(items):
        lesson = Lesson(item, Memory(items[: index + 1]), None, np.random.default_rng(0))
        known = ended(strategy.after_accept(MODEL, known, lesson))[1].knowledge
    return known


def fitted(strategy: Samtta, known: Knowledge) -> Fitted:
    return done(strategy.before_answer(MODEL, known, None, Prompt((Click(5, 5, True),))))


def test_learning_sizes_alone_leaves_the_weights_bit_for_bit() -> None:
    known = known_after(SIZED, FROM)
    assert same(known.tensors, MODEL.frozen.tensors)
    assert fitted(SIZED, known).side == 37
    assert fitted(SIZED, known_after(SIZED, FROM - 1)).side is None


def test_sizes_are_stored_with_the_weights() -> None:
    known = known_after(SIZED, FROM)
    again = SIZED.restored(MODEL, *SIZED.stored(known))
    assert fitted(SIZED, again).side == 37
    assert same(again.tensors, MODEL.frozen.tensors)


def test_without_sizes_every_object_is_looked_at_as_the_first_was() -> None:
    assert fitted(replace(SIZED, sized=False), known_after(SIZED, FROM)).side is None


# --- in the engine ----------------------------------------------------------------------------------------------------


def wide_picture() -> Image:
    """A large image with small discs."""
    return picture(9, 700, 900, tuple((100 + 150 * k, 300, 9) for k in range(5)))


def clicked(engine: Engine, at: int) -> Prediction:
    reply = run(engine, PredictRequest(1, wide_picture(), Prompt((Click(at, 300, True),))))
    assert isinstance(reply, Prediction)
    return reply


def test_after_three_small_objects_a_click_in_a_large_image_is_answered_from_close_by() -> None:
    engine, image = Engine(SHIPPED, adapting=SIZED), wide_picture()
    click = Click(550, 300, True)
    near = first_window(image.whole, None, (click,), None, side=19)
    assert near.side == 19 * SURROUND
    before = clicked(engine, 550)
    for number in range(FROM):
        x = 100 + 150 * number
        assert clicked(engine, 550).window == before.window != near
        window = first_window(image.whole, None, (Click(x, 300, True),), None, side=19)
        mask, clicks = disc(x, 300, 9, 700, 900), (Click(x, 300, True),)
        one = replace(example(number + 1), image=image, window=window, mask=mask, clicks=clicks)
        assert isinstance(run(engine, AdaptRequest(2, one)), AdaptReport)
    assert clicked(engine, 550).window == near
    twin = run(engine, PredictRequest(1, image, Prompt((click,)), twin=True))
    assert isinstance(twin, Prediction)
    assert twin.window == before.window
