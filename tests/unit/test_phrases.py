"""Texts that remember their template: what they are made of, and that nothing but the window notices."""

from __future__ import annotations

import copy
import json
import math
import pickle
import sqlite3

import numpy as np
import pytest

from samtta_app.adapt.guard import ON_LAST, ON_LAST_ONE
from samtta_app.errors import ExportError, ImageError, SettingsError, UserError
from samtta_app.images.decoding import frame_notice, joined_notices
from samtta_app.images.tiff_decoding import channel_notice, page_notice
from samtta_app.phrases import Phrase
from samtta_app.session import acts
from samtta_app.session.advice import Advice
from samtta_app.session.statistics.control_groups import Effort, compare_groups
from samtta_app.session.workflow.entry_codec import _plain
from samtta_app.settings import Settings


def test_a_phrase_is_its_sentence_and_remembers_its_template():
    inner = Phrase("{number} files", number=2)
    outer = Phrase("{done}: {number} in {folder}", done="Exported", number=inner, folder="out")
    assert outer == "Exported: 2 files in out"
    assert outer.template == "{done}: {number} in {folder}"
    assert outer.values == {"done": "Exported", "number": inner, "folder": "out"}
    assert outer.values["number"] is inner


def test_values_are_written_as_the_template_says():
    assert Phrase("{share:.0%} of {name!r}", share=0.256, name="a b") == "26% of 'a b'"
    assert Phrase("{total:,} bytes", total=1234567) == "1,234,567 bytes"
    assert Phrase("{digest:.4}…", digest="0123456789") == "0123…"


def test_a_text_without_values_may_hold_braces():
    assert Phrase("{not} a {place}") == "{not} a {place}"
    assert Phrase("{name} is damaged", name="{odd}.png") == "{odd}.png is damaged"


def test_a_value_that_is_missing_is_an_error_at_once():
    with pytest.raises(KeyError):
        Phrase("{name} cannot be read", other="a.png")


def test_text_keeps_its_template_through_str():
    phrase = Phrase("{number} objects", number=3)
    assert str(phrase) is phrase
    assert Phrase.of(phrase) is phrase
    assert Phrase.of("plain").template == "plain"


def test_lists_are_joined_from_parts_of_their_own():
    parts = [Phrase("{number} files", number=2), "a folder"]
    joined = Phrase.joined("; ", parts)
    assert joined == "2 files; a folder"
    assert [joined.values[name] for name in sorted(joined.values)] == parts
    assert all(isinstance(part, Phrase) for part in joined.values.values())
    assert Phrase.joined(", ", []) == ""


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UserError("It failed"), "It failed."),
        (ImageError("It failed", "a.png"), "It failed (a.png)."),
        (SettingsError("It failed", do="Try again"), "It failed. Try again."),
        (ExportError("It failed", "out", "Try again"), "It failed (out). Try again."),
        (
            UserError(Phrase("{number} failed", number=2), "out", Phrase("Try {what}", what="it")),
            "2 failed (out). Try it.",
        ),
    ],
)
def test_an_error_is_a_phrase_of_its_parts(error: UserError, text: str):
    said = str(error)
    assert said == text
    assert isinstance(said, Phrase)
    assert said.values["what"] is error.what
    assert error.args == (text,)
    assert isinstance(error.what, Phrase)
    assert isinstance(error.do, Phrase)


def test_a_setting_that_is_not_valid_says_so_by_templates():
    with pytest.raises(SettingsError) as caught:
        Settings(threads=-1)
    assert caught.value.what.template == "The setting {name} is not valid"
    assert caught.value.do.template == "It must be {expected}"
    assert caught.value.do == "It must be a whole number from 0 to 1024"


def test_others_see_a_string():
    phrase = Phrase("{number} objects", number=3)
    assert json.loads(json.dumps({"text": phrase})) == {"text": "3 objects"}
    assert hash(phrase) == hash("3 objects")
    assert f"{phrase}!" == "3 objects!"
    assert type(str.__str__(phrase)) is str
    with sqlite3.connect(":memory:") as db:
        assert db.execute("SELECT ?", (phrase,)).fetchone() == ("3 objects",)
    db.close()


def test_copies_keep_the_template():
    phrase = Phrase("{number} objects", number=3)
    for again in (copy.copy(phrase), copy.deepcopy(phrase), pickle.loads(pickle.dumps(phrase))):
        assert again == phrase
        assert again.template == phrase.template
        assert again.values == {"number": 3}


def test_acts_are_named_each_by_itself():
    named = acts.in_words((acts.Undo(), acts.Redo()))
    assert named == "undo, redo"
    assert [str(part) for part in named.values.values()] == ["undo", "redo"]
    many = acts.in_words((acts.Undo(),) * (acts.MOST_NAMED + 2))
    assert many.template == "{named} and {more} more"
    assert many.values["more"] == 2


def test_advice_has_its_gain_as_a_value():
    for act, place in (("click", None), ("candidate", None), ("larger", None)):
        text = Advice(act, 0.123, place).text
        assert isinstance(text, Phrase)
        assert text.values == {"gain": "+12 %"}
        assert text.endswith("+12 %")


def test_notices_of_images_are_joined():
    assert frame_notice(0, 1) == ""
    assert frame_notice(1, 3) == "This is frame 2 of 3."
    assert page_notice(0, 2) == "This is page 1 of 2."
    assert channel_notice(3, 3) == ""
    assert channel_notice(3, 4) == "Channel 4 is not shown."
    assert channel_notice(3, 6) == "Channels 4 to 6 are not shown."
    assert joined_notices("", "") == ""
    both = joined_notices(page_notice(0, 2), channel_notice(3, 4))
    assert both == "This is page 1 of 2. Channel 4 is not shown."
    assert isinstance(both, Phrase)


def test_one_and_many_have_templates_of_their_own():
    one = Phrase(ON_LAST_ONE, fit=50.0, number=1, original=40.0)
    many = Phrase(ON_LAST, fit=50.0, number=6, original=40.0)
    assert one == "50.0 % fit on the last 1 object, the original 40.0 %"
    assert many == "50.0 % fit on the last 6 objects, the original 40.0 %"


def test_the_sentence_of_control_objects_is_a_phrase():
    few = compare_groups([Effort(True, 3.0, 1.0), Effort(False, 2.0, 1.0)])
    assert isinstance(few.sentence, Phrase)
    assert few.sentence.values["control"] == 1
    rng = np.random.default_rng(7)
    efforts = [Effort(k % 2 == 0, float(rng.integers(1, 9)), 1.0) for k in range(60)]
    figures = compare_groups(efforts)
    assert not math.isnan(figures.clicks.low)
    assert isinstance(figures.sentence, Phrase)
    assert figures.sentence.values["number"] == 30
    assert isinstance(figures.sentence.values["verdict"], Phrase)


def test_what_is_stored_is_the_plain_text():
    stored = _plain((Phrase("{number} objects", number=3), "plain"), lambda array: 0)
    assert stored == ["3 objects", "plain"]
    assert isinstance(stored, list)
    assert [type(text) for text in stored] == [str, str]
