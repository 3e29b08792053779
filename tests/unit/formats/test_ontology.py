"""Files of classes: ours come back as they were, lists of names are read, and what is no such file says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from samtta_app.errors import DatasetError, ExportError
from samtta_app.formats.ontology import NamedClass, read_ontology, write_ontology

CLASSES = (NamedClass("cell", "#e69f00"), NamedClass("Zelle, groß", "#123456", tidy=False))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "classes.json"
    write_ontology(CLASSES, file)
    found = read_ontology(file)
    assert (found.classes, found.twice) == (CLASSES, ())
    first = json.loads(file.read_text(encoding="utf-8"))[0]
    assert first == {"name": "cell", "color": "#e69f00", "attributes": []}  # CVAT's raw labels


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cell\n\n  leaf \r\nstem", ["cell", "leaf", "stem"]),
        ("__ignore__\n_background_\ncell\n", ["cell"]),
        ('["cell", "leaf"]', ["cell", "leaf"]),
        ('{"images": [], "categories": [{"id": 1, "name": "cell"}, {"id": 2, "name": "leaf"}]}', ["cell", "leaf"]),
        ('\ufeff[{"name": "cell", "color": 7}]', ["cell"]),
    ],
)
def test_lists_of_names_are_read(tmp_path: Path, text: str, names: list[str]) -> None:
    file = tmp_path / "labels.txt"
    file.write_text(text, encoding="utf-8")
    assert [c.name for c in read_ontology(file).classes] == names
    assert {c.colour for c in read_ontology(file).classes} == {""}


def test_of_duplicate_names_the_first_counts_and_they_are_named(tmp_path: Path) -> None:
    file = tmp_path / "classes.json"
    file.write_text('[{"name": "a", "color": "#111111"}, {"name": "b"}, {"name": "a", "color": "#222222"}]')
    found = read_ontology(file)
    assert found.classes == (NamedClass("a", "#111111"), NamedClass("b"))
    assert found.twice == ("a",)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n \n", b"{", b'{"categories": 3}', b'[{"colour": 1}]', b'[{"name": ""}]', b"[[]]", b"\xff\xfe\x00"],
)
def test_what_holds_no_classes_says_so(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "classes.json"
    file.write_bytes(content)
    with pytest.raises(DatasetError, match="classes"):
        read_ontology(file)


def test_a_file_that_is_not_there_or_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_ontology(tmp_path / "none.json")
    with pytest.raises(ExportError, match="not written"):
        write_ontology(CLASSES, tmp_path / "none" / "classes.json")
