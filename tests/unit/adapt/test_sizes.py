"""Three accepted objects tell how large the next one will be; a first click is then answered in surroundings of that size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from samtta_app.adapt.memory import Memory
from samtta_app.adapt.object_sizes import FROM, SIZE_MARGIN, Sizes
from samtta_app.adapt.strategies.default import Samtta
from samtta_app.adapt.strategy import Fitted, Knowledge, Lesson
from samtta_app.core.messages import AdaptRequest, PredictRequest
from samtta_app.core.replies import AdaptReport, Answer
from samtta_app.core.types import Click, Image, Prompt, Window
from samtta_app.core.windows import SURROUND, first_window
from samtta_app.engine.dispatch import Engine, run
from samtta_app.model.model_registry import toy_model
from tests.unit.adapt.test_guard import ended
from tests.unit.adapt.test_strategy import SHIPPED, done, encoded, same
from tests.unit.values import disc, example, picture

MODEL = toy_model()
SIZED = Samtta(learns=False)


def sizes(*sides: float, image: str = "a", class_id: int | None = None) -> Sizes:
    return Sizes(tuple((image, class_id, side) for side in sides))


def test_few_objects_of_other_images_tell_nothing() -> None:
    assert Sizes().expected("a", None) is None
    assert sizes(*[20.0] * (FROM - 1)).expected("b", None) is None


def test_the_median_of_the_same_image_is_expected() -> None:
    assert sizes(20).expected("a", None) == 20
    assert sizes(20, 22, 30).expected("a", None) == 22
    both = Sizes((*sizes(20, 22, 30).seen, *sizes(90, image="b").seen))
    assert both.expected("a", None) == 22
    assert both.expected("b", None) == 90


def test_in_a_new_image_there_is_room_for_more() -> None:
    assert sizes(20, 22, 30).expected("b", None) == 22 * SIZE_MARGIN


def test_a_class_has_its_own_size_once_it_has_an_object() -> None:
    both = Sizes((*sizes(20, 24, 28, class_id=1).seen, *sizes(60, class_id=2).seen))
    assert both.expected("a", 1) == 24
    assert both.expected("a", 2) == 60
    assert both.expected("a", 3) == 26  # as all objects
    assert both.expected("b", 2) == 60 * SIZE_MARGIN


def test_sizes_come_back_from_their_text_and_nonsense_is_nothing() -> None:
    some = Sizes((("a", None, 12.5), ("b", 3, 1 / 3)))
    assert Sizes.read(some.text()) == some
    for text in ("", "null", "7", "[[1]]", '[["a", "b", "c"]]', "{}"):
        assert Sizes.read(text) == Sizes()
    nonsense = '[["a", null, NaN], ["a", null, -3], ["a", null, Infinity], ["a", 2, 8]]'
    assert Sizes.read(nonsense) == Sizes((("a", 2, 8.0),))


def test_the_side_is_the_longer_one_of_the_accepted_mask() -> None:
    items = [encoded(MODEL, number, 60, radius)[0] for number, radius in ((1, 10), (2, 15))]
    assert [seen[1:] for seen in Sizes.of(items).seen] == [(None, 21.0), (None, 31.0)]
    assert [seen[0] for seen in Sizes.of(items).seen] == [item.features.image_key for item in items]


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
    assert fitted(SIZED, known).sizes.expected("new", None) == 37 * SIZE_MARGIN
    assert fitted(SIZED, known_after(SIZED, FROM - 1)).sizes.expected("new", None) is None


def test_sizes_are_stored_with_the_weights() -> None:
    known = known_after(SIZED, FROM)
    again = SIZED.restored(MODEL, *SIZED.stored(known))
    assert fitted(SIZED, again).sizes == fitted(SIZED, known).sizes != Sizes()
    assert same(again.tensors, MODEL.frozen.tensors)


def test_without_sizes_every_object_is_looked_at_as_the_first_was() -> None:
    assert fitted(replace(SIZED, sized=False), known_after(SIZED, FROM)).sizes == Sizes()


# --- in the engine ----------------------------------------------------------------------------------------------------


DISCS = tuple((100 + 150 * k, 300, 9) for k in range(5))


def wide_picture(seed: int = 9) -> Image:
    """A large image with small discs."""
    return picture(seed, 700, 900, DISCS)


def clicked(engine: Engine, image: Image, *, twin: bool = False) -> Answer:
    reply = run(engine, PredictRequest(1, image, Prompt((Click(550, 300, True),)), twin=twin))
    assert isinstance(reply, Answer)
    return reply


def near(side: float, x: int = 550) -> Window:
    return first_window(wide_picture().whole, None, (Click(x, 300, True),), None, side=side)


def accept(engine: Engine, number: int, image: Image) -> None:
    x = DISCS[number - 1][0]
    window, mask, clicks = near(19, x), disc(x, 300, 9, 700, 900), (Click(x, 300, True),)
    one = replace(example(number), image=image, window=window, mask=mask, clicks=clicks)
    assert isinstance(run(engine, AdaptRequest(2, one)), AdaptReport)


def test_after_a_small_object_the_next_click_in_its_image_is_answered_from_close_by() -> None:
    engine, image = Engine(SHIPPED, adapting=SIZED), wide_picture()
    before = clicked(engine, image)
    accept(engine, 1, image)
    assert clicked(engine, image).window == near(19) != before.window
    assert near(19).side == 19 * SURROUND
    assert clicked(engine, image, twin=True).window == before.window


def test_after_three_small_objects_a_click_in_another_image_is_too() -> None:
    engine, image, other = Engine(SHIPPED, adapting=SIZED), wide_picture(), wide_picture(10)
    before = clicked(engine, other)
    for number in range(1, FROM + 1):
        assert clicked(engine, other).window == before.window
        accept(engine, number, image)
    found, first = (
        clicked(engine, other).window,
        near(19 * SIZE_MARGIN),
    )  # and from there closer still, to what was found
    assert found != before.window
    assert first.x <= found.x < found.x + found.width <= first.x + first.width


def test_nothing_is_closer_where_sizes_are_left_out() -> None:
    engine, image = Engine(SHIPPED, adapting=replace(SIZED, sized=False)), wide_picture()
    before = clicked(engine, image)
    accept(engine, 1, image)
    assert clicked(engine, image).window == before.window
