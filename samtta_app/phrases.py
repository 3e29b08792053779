"""Texts for users that can be said in another language: a template in English with its values.

Below the window every text is English. A `Phrase` is the finished sentence, and remembers what it was made from; the window
looks its template up in a catalogue. A text without values needs no `Phrase`: it is its own template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self


class Phrase(str):
    """A finished text; it is a string like any other, for logs, files and the command line.

    Args:
        template: a constant text in English, with names in braces where values stand.
        values: what stands there; a value that is a `Phrase` itself is said in the other language, too.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Finish the text."""
        made = super().__new__(cls, template.format(**values) if values else template)
        made.template, made.values = template, values
        return made

    @classmethod
    def of(cls, text: str) -> Phrase:
        """A text that may be a `Phrase` already, as one."""
        return text if isinstance(text, Phrase) else cls(text)

    @classmethod
    def joined(cls, separator: str, texts: Iterable[str]) -> Phrase:
        """A list of texts, each of which is said in the other language by itself."""
        parts = {f"part_{number}": cls.of(text) for number, text in enumerate(texts)}
        return cls(separator.join(f"{{{name}}}" for name in parts), **parts)

    def __str__(self) -> str:
        """The phrase itself: `str(error)` keeps its template."""
        return self
