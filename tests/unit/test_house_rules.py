"""The gate's house rules find what they are made for, and the tree keeps to the fixed top level."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def rules() -> ModuleType:
    """packaging/house_rules.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("house_rules", ROOT / "packaging" / "house_rules.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parsed(modules: dict[str, str]) -> dict[str, ast.Module]:
    return {path: ast.parse(text) for path, text in modules.items()}


def test_a_new_name_at_the_top_level_is_found_and_dot_files_are_free(rules):
    assert list(rules.names(["README.md", "samtta_app/cli/entry.py", ".ci/run"])) == []
    assert list(rules.names(["notes.txt"])) == ["notes.txt: not in the fixed list of the top level"]


@pytest.mark.parametrize("path", ["samtta_app/utils.py", "samtta_app/helpers/x.py", "samtta_app/gui/manager.py"])
def test_a_name_that_says_nothing_is_found(rules, path: str):
    assert list(rules.names([path])) == [f"{path}: a name that says nothing"]


def test_a_public_name_and_a_module_file_that_exist_twice_are_found(rules):
    modules = {
        "samtta_app/a/one.py": "LIMIT = 1\n\ndef f(): ...\n\nlog = 2\n_own = 3\n",
        "samtta_app/a/two.py": "LIMIT: int = 2\n\nclass G: ...\n\nlog = 2\n_own = 3\n",
        "samtta_app/b/one.py": "a, b = 1, 2\n",
        "samtta_app/b/__init__.py": "",
        "samtta_app/a/__init__.py": "",
    }
    assert sorted(rules.used_twice(parsed(modules))) == [
        "LIMIT: used twice, in samtta_app/a/one.py and samtta_app/a/two.py",
        "one.py: used twice, in samtta_app/a/one.py and samtta_app/b/one.py",
    ]


def test_what_python_asks_for_and_names_inside_functions_may_be_alike(rules):
    text = '"""Doc."""\n\n\ndef {name}():\n    same = 1\n'
    modules = {f"samtta_app/{name}.py": text.format(name=name) for name in ("a", "b")}
    assert list(rules.used_twice(parsed(modules))) == []


def test_a_long_module_and_a_long_function_are_found(rules):
    long_function = "def f():\n" + "    x = 1\n" * 60
    modules = {"samtta_app/a.py": long_function, "samtta_app/b.py": '"""Doc."""\n' + "y = 1\n" * 400}
    found = "\n".join(rules.sizes(modules, parsed(modules)))
    assert "samtta_app/a.py:1 f: 61 lines (cap 60)" in found
    assert "samtta_app/b.py: 401 lines (cap 400)" in found
    assert "median" in found


def test_a_short_tree_breaks_no_size(rules):
    modules = {"samtta_app/a.py": '"""Doc."""\n\n\ndef f():\n    return 1\n', "samtta_app/__init__.py": ""}
    assert list(rules.sizes(modules, parsed(modules))) == []


def test_stubs_notes_paths_and_missing_docstrings_are_found(rules):
    modules = {
        "samtta_app/a.py": "x = 1\n",
        "samtta_app/b.py": '"""Doc."""\n\n\ndef f():\n    raise NotImplementedError\n',
        "samtta_app/c.py": '"""Doc."""\n# TO' + "DO later\n",
        "samtta_app/d.py": '"""Doc."""\nplace = "/ho' + 'me/someone"\n',
        "samtta_app/core/__init__.py": '"""Doc."""\n',
        "samtta_app/formats/__init__.py": '"""Doc."""\n',
    }
    found = list(rules.contents(modules, parsed(modules)))
    assert [line.split(":")[0].rsplit("/", 1)[-1] for line in found] == ["a.py", "b.py", "c.py", "d.py", "__init__.py"]


def module(text: str, room: str = "core") -> dict[str, str]:
    """A tree with one module in a room."""
    return {f"samtta_app/{room}/a.py": text}


def test_a_long_sentence_is_found_in_a_docstring_a_comment_and_a_message(rules):
    long = " ".join(["word"] * (rules.WORD_CAP + 1))
    for text in (f'"""{long}."""\n', f"# {long}\nx = 1\n", f"x = 1  # {long}\n", f'x = print("{long}")\n'):
        (found,) = rules.words(module(text))
        assert found.startswith(
            f"samtta_app/core/a.py:1: {rules.WORD_CAP + 1} words in a sentence (cap {rules.WORD_CAP})"
        )


def test_a_comment_of_several_lines_is_one_text_and_comments_beside_code_are_several(rules):
    half = " ".join(["word"] * rules.WORD_CAP)
    (found,) = rules.words(module(f"x = 1\n# {half}\n# {half}\ny = 2\n"))
    assert found.startswith(f"samtta_app/core/a.py:2: {2 * rules.WORD_CAP} words")
    assert list(rules.words(module(f"x = 1  # {half}\ny = 2  # {half}\n"))) == []


@pytest.mark.parametrize(
    "prose",
    [
        "One. Two",
        "One! Two",
        'It says "one." Two',
        "One\n\ntwo",
        "Args:\n    one: two",
        "one: two\n    other, more: three",
        "`one`: two\n    `other`: three",
        "Errors\n├── One",
    ],
)
def test_what_ends_a_sentence(rules, prose: str):
    assert len(rules.sentences(prose)) == 2


@pytest.mark.parametrize(
    "prose", ["As Kaiser et al. 2025", "one,\n    two", "one: two, three", "0.5 of it", "A; b", ""]
)
def test_what_ends_none(rules, prose: str):
    assert len(rules.sentences(prose)) == (1 if prose else 0)


def test_figures_and_signs_are_not_counted(rules):
    words = " ".join(["word", "12", "->", "..", "(3)"] * rules.WORD_CAP)
    assert list(rules.words(module(f'"""{words}."""\n'))) == []


@pytest.mark.parametrize("word", ["anew", "Whoever", "mended", "a person", "nobody", "as ever", "told apart"])
def test_a_word_that_the_style_avoids_is_found(rules, word: str):
    (found,) = rules.words(module(f'"""Say {word} here."""\n'))
    assert found.startswith("samtta_app/core/a.py:1: say it without ")


@pytest.mark.parametrize("word", ["renewed", "recommended", "personal", "commend", "the user", "again"])
def test_words_that_only_look_like_avoided_ones_are_free(rules, word: str):
    assert list(rules.words(module(f'"""Say {word} here."""\n'))) == []


@pytest.mark.parametrize(
    "code",
    [
        "CREATE TABLE a (\\n{long});\\nDROP TABLE b",
        "INSERT INTO a\\nSELECT {long} FROM b;\\n",
        "SELECT {long} FROM a",
        "\\n  SELECT {long} FROM a",
        "QMenu {{\\n{long}",
        "{long}: 0;\\n}}\\n",
    ],
)
def test_sql_and_style_sheets_are_no_sentences(rules, code: str):
    text = code.format(long=" ".join(["word"] * (rules.WORD_CAP + 1)))
    assert list(rules.words(module(f'x = "{text}"\n'))) == []
    assert list(rules.words(module(f'x = f"{text.replace("{", "{{").replace("}", "}}")}{{y}}"\n'))) == []
    assert len(list(rules.words(module(f'"""{text}"""\n')))) == 1, "a docstring is always prose"


@pytest.mark.parametrize("words", ["Select {long}", "one; {long}", "SELECTED {long}", "a SELECT {long}", "one;"])
def test_messages_that_only_look_like_code_are_sentences(rules, words: str):
    text = words.format(long=" ".join(["word"] * rules.WORD_CAP))
    assert [prose for _, prose in rules.proses(f'x = "{text}"\n')] == [text]
    assert len(list(rules.words(module(f'x = "{text}"\n')))) == ("{long}" in words)


def test_the_rule_of_words_skips_only_rooms_that_exist_and_are_stated(rules):
    for room in rules.WORDS_TO_COME:
        assert (ROOT / "samtta_app" / room).is_dir()
        assert list(rules.words(module('"""Whoever."""\n', room))) == []
    assert len(list(rules.words({"samtta_app/errors.py": '"""Whoever."""\n'}))) == 1


def test_an_import_that_is_not_declared_and_a_declaration_that_is_not_imported_are_found(rules):
    trees = parsed({"samtta_app/a.py": "import os\nimport no_such_library.part\nfrom samtta_app import b\n"})
    found = list(rules.undeclared(ROOT, trees))
    assert "samtta_app/a.py: imports no_such_library, which pyproject.toml does not declare" in found
    assert "pyproject.toml: numpy is declared and never imported" in found


def test_requirement_names_are_compared_in_their_normal_form(rules):
    assert rules.plain("PySide6-Essentials>=6.8,!=6.11.0") == "pyside6-essentials"
    assert rules.plain("PySide6_Essentials") == "pyside6-essentials"


def test_a_file_too_heavy_for_the_repository_and_tests_lighter_than_the_code_are_found(rules, tmp_path, monkeypatch):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("x = 1\n")
    monkeypatch.setattr(rules, "FILE_CAP", 3)
    found = list(rules.weights(tmp_path, ["tests/test_a.py"], {"samtta_app/a.py": "y = 1\n" * 5}))
    assert found[0].startswith("tests have 1 lines, the code 5")
    assert found[1].startswith("tests/test_a.py:")


def test_this_tree_keeps_its_names(rules):
    assert list(rules.names(rules.tracked(ROOT))) == []
