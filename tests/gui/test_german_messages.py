"""What the rooms below the window say, as a German window shows it: made by the real functions, translated as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QObject, QTranslator

from samtta_app.checkpoints.model_catalogue import size_words
from samtta_app.core.project import ProjectImage
from samtta_app.core.types import Click
from samtta_app.errors import SettingsError, UserError
from samtta_app.formats.importers import ImportCount
from samtta_app.gui.actions.bindings import bindings
from samtta_app.gui.panels.review_panel import history_words, review_sentence
from samtta_app.gui.widgets.translation import install_translators, translated
from samtta_app.images.decoding import frame_notice, joined_notices
from samtta_app.images.tiff_decoding import channel_notice, page_notice
from samtta_app.session import acts
from samtta_app.session.advice import Advice
from samtta_app.session.project import network_share
from samtta_app.session.project.listing import listing_changed, passed_over
from samtta_app.session.project.pictures import remark
from samtta_app.session.review_list import ObjectAct, ReviewItem, ReviewList
from samtta_app.session.statistics.control_groups import Effort, compare_groups
from samtta_app.settings import Settings, read_settings
from tests.gui.scenes import annotation, disc, picture


@pytest.fixture(autouse=True)
def german_window(qapp) -> Iterator[None]:
    owner = QObject()
    install_translators(owner, "de")
    yield
    for translator in owner.findChildren(QTranslator):
        QCoreApplication.removeTranslator(translator)


def refusal(make: object, *values: object, **named: object) -> str:
    """What the window says where a call is refused."""
    with pytest.raises(UserError) as caught:
        make(*values, **named)  # type: ignore[operator]
    return translated(str(caught.value))


def test_a_setting_out_of_its_limits():
    said = refusal(Settings, threads=-1)
    assert said == "Die Einstellung threads ist ungültig. Erwartet wird: eine ganze Zahl von 0 bis 1024."


def test_a_setting_that_is_none_of_its_choices():
    said = refusal(Settings, language="fr")
    assert said == "Die Einstellung language ist ungültig. Erwartet wird: „system“, „en“ oder „de“."


def test_a_key_that_two_actions_have():
    said = refusal(bindings, {"open": "Q", "quit": "Q"})
    assert said == "Die Taste Q haben sowohl open als auch quit (keys). Einer davon eine andere Taste geben."


def test_a_key_that_is_none():
    said = refusal(bindings, {"open": "Hyper+Q"})
    assert said.startswith("'Hyper+Q' ist keine Taste (keys.open).")


def test_settings_of_a_file(tmp_path: Path):
    file = tmp_path / "settings.toml"
    file.write_text('theme = "pink"\n', encoding="utf-8")
    settings, (error,) = read_settings(file)
    assert settings == Settings()
    said = translated(str(error))
    assert said.startswith("Die Einstellung theme ist ungültig und wird ausgelassen")
    assert said.endswith("Erwartet wird: „system“, „light“ oder „dark“.")
    assert isinstance(error, SettingsError)


def test_settings_of_a_newer_version(tmp_path: Path):
    file = tmp_path / "settings.toml"
    file.write_text("version = 99\nfuture = 1\n", encoding="utf-8")
    (error,) = read_settings(file)[1]
    assert translated(str(error)).startswith("Die Einstellungen stammen von einem neueren samtta (Version 99), und 1")


@pytest.mark.parametrize(
    ("advice", "said"),
    [
        (Advice("click", 0.12), "Ein weiterer Klick hilft vielleicht: bis zu +12 %"),
        (
            Advice("click", 0.12, Click(1.0, 2.0, True)),
            "Ein weiterer Klick hilft vielleicht: bis zu +12 %, wo der Ring ist",
        ),
        (Advice("candidate", 0.05), "Eine andere Maske passt vielleicht besser: etwa +5 %"),
        (Advice("larger", 0.3), "Das größere Modell kann es vielleicht besser: etwa +30 %"),
    ],
)
def test_advice(advice: Advice, said: str):
    assert translated(advice.text) == said


def test_acts_that_wait():
    waiting = acts.in_words((acts.Accept(), acts.Undo()))
    assert translated(waiting) == "übernehmen, zurücknehmen"
    many = acts.in_words((acts.Undo(),) * (acts.MOST_NAMED + 1))
    assert translated(many).endswith("zurücknehmen und 1 weitere")


def test_what_a_folder_holds_beside_images(tmp_path: Path):
    for name in ("a.txt", "b.txt", "c.csv"):
        (tmp_path / name).write_text("", encoding="utf-8")
    assert translated(passed_over(tmp_path, subfolders=False)) == "Im Ordner übergangen: 2 .txt, 1 .csv"


def test_an_image_that_was_replaced():
    assert translated(listing_changed(3)) == "Ersetzt: 3 seiner Objekte wurden auf einem anderen Bild übernommen"


def test_an_image_that_is_another_picture():
    one = annotation(1, disc(30, 30, 12), picture())
    two = annotation(2, disc(60, 30, 12), picture())
    image = ProjectImage("a.png", 96, 64)
    assert translated(remark(image, (), (one,))) == (
        "a.png ist nicht mehr das Bild, auf dem Objekt 1 übernommen wurde; "
        "Objekt 1 passt nicht dazu und wird nicht exportiert"
    )
    assert translated(remark(image, (), (one, two))) == (
        "a.png ist nicht mehr das Bild, auf dem Objekte 1, 2 übernommen wurden; "
        "Objekte 1, 2 passen nicht dazu und werden nicht exportiert"
    )


def test_what_a_file_has_beside_what_is_shown():
    assert translated(frame_notice(1, 3)) == "Dies ist Bild 2 von 3."
    both = joined_notices(page_notice(0, 2), channel_notice(3, 6))
    assert translated(both) == "Dies ist Seite 1 von 2. Die Kanäle 4 bis 6 werden nicht gezeigt."


def test_the_sentence_of_control_objects():
    few = compare_groups([Effort(True, 3.0, 1.0), Effort(False, 2.0, 1.0), Effort(False, 2.0, 1.0)])
    assert translated(few.sentence).startswith("Noch nicht genug Objekte: 1 Kontrollobjekte, 2 andere; jede Gruppe")


def test_what_an_import_brings():
    count = ImportCount()
    assert translated(count.words) == "0 Objekte, 0 Bilder, 0 abgelehnt"
    count.by_image["a.png"] += 1
    assert translated(count.words) == "1 Objekt, 1 Bild, 0 abgelehnt"


def test_sizes_of_models_are_figures():
    assert translated(size_words(41_000_000)) == "41 MB"


def test_what_a_review_says():
    doubt = ReviewList((ReviewItem("a.png", 1, "clicks", 0.5, "cell"),), 1, 4)
    assert translated(review_sentence(doubt)) == (
        "1 von 4 Objekten brauchen einen Blick: mehr Klicks helfen vielleicht, 50 % erwartet"
    )
    other = annotation(9, disc(30, 30, 12), picture())
    pair = ReviewItem("a.png", 1, "class", 0.9, "cell", other, "nucleus")
    assert translated(review_sentence(ReviewList((pair,), 1, 2, other="ben"))) == (
        "1 von 2 Unterschieden zu ben sind offen: die Klassen weichen ab: cell hier, nucleus dort"
    )
    deeds = (ObjectAct("accepted", "ben", "once"), ObjectAct("deleted", "", "later"))
    assert translated(history_words(deeds)) == "Übernommen von ben, once\nGelöscht, later"


def test_a_project_on_a_network_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(network_share, "network_kind", lambda folder: "nfs4")
    said = refusal(network_share.require_own_disk, tmp_path)
    assert said.startswith(
        "Ein Projekt gehört zu einem Rechner, und dieser Ordner liegt auf einer Netzwerkfreigabe (nfs4)"
    )
    assert said.endswith("Mit --project einen Ordner dieses Rechners angeben; die Bilder können bleiben, wo sie sind.")
