"""What the window says, in the language of its user: every text becomes visible through `translated`.

The templates in the program are English. `resources/translations` has a catalogue of each other language. Its source is
samtta_de.ts. `lrelease` of PySide6 makes samtta_de.qm of it, which Qt reads.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

from samtta_app.phrases import Phrase
from samtta_app.settings import Language, resource

CONTEXT = "samtta"
"""The one context of the catalogues."""


def translated(text: str, /, **values: object) -> str:
    """A template of the program in the user's language, with its values; a finished `Phrase` brings both along.

    What users wrote (names of files, classes, attributes) is a value and never a template.
    """
    template = text
    if isinstance(text, Phrase):
        template, values = text.template, dict(text.values)
    try:
        found = QCoreApplication.translate(CONTEXT, template) if template else ""
    except UnicodeEncodeError:  # a name of a file in it is not UTF-8, so it is no template
        found = template
    if not values:
        return found
    return found.format(**{name: translated(v) if isinstance(v, Phrase) else v for name, v in values.items()})


def install_translators(owner: QObject, language: Language) -> None:
    """Say everything in this language from now on, Qt's own dialogs too; what is on the screen stays as it is.

    Args:
        owner: the translators are its children, and go with it. Those that it had before are taken away.
        language: "system", "en" or "de".
    """
    for earlier in owner.findChildren(QTranslator):
        QCoreApplication.removeTranslator(earlier)
        earlier.setParent(None)
    locale = QLocale.system() if language == "system" else QLocale(language)
    of_qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name, folder in (("samtta", str(resource("translations"))), ("qtbase", of_qt)):
        translator = QTranslator(owner)
        if translator.load(locale, name, "_", folder):
            QCoreApplication.installTranslator(translator)
