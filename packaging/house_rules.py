"""The house rules that no linter knows: sizes, names, docstrings, words, declared packages, the weight of the tests."""

from __future__ import annotations

import ast
import importlib.metadata
import io
import re
import statistics
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TOP_LEVEL = {"pyproject.toml", "samtta_app", "resources", "tests", "packaging", "README.md", "LICENSE", "NOTICE"}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
MODULE_CAP, MODULE_MEDIAN = 400, 160
FUNCTION_CAP, FUNCTION_MEDIAN = 60, 12
ASKED_FOR = {"log"}
"""The habit of Python's logging: one logger for each module, under the same name."""
FILE_CAP = 16_000_000
ELSEWHERE = {"supervision"}
"""Packages that are imported only in an environment of other programs (packaging/consumers.py)."""

LOADED_BY_OTHERS = {"imagecodecs", "qtawesome"}
"""Declared, but not imported here: imagecodecs holds tifffile's decoders, and of qtawesome a font is read."""
WORD_CAP = 25
"""Longest sentence of a docstring, message or comment, in words with a letter: figures and signs do not count."""
AVOIDED = re.compile(
    r"\b(anew|mend(s|ed|ing)?|who(m|so)?ever|persons?|people|nobody|somebody|anybody|lest|thereof|hereby|whence|as ever"
    r"|may as well|might as well|told apart|tells? apart|in secret)\b",
    re.IGNORECASE,
)
"""Words that make a reader of English as a second language stop; "user", "fix" and "again" say the same."""
SENTENCE_END = re.compile(
    r"""
    \n\s*\n | :\n                              # a blank line; the head of a section
    | \n(?=\s*`?\w+`?(?:,[ ]`?\w+`?)*:[ ])     # before an entry, "name: ..." or "`name`, `other`: ..."
    | \n(?=\s*[<├└│])                          # before a line of a drawing
    | (?<=[.!?])(?<!al\.)["')]*\s+(?=[A-Z0-9`"(])
    """,
    re.VERBOSE,
)
"""Where a sentence ends; "et al." does not end one."""
CODE = re.compile(r"[;{}]\n|\A\s*SELECT\s")
"""What only SQL and style sheets have: a line that ends in `;`, `{` or `}`, or SELECT as the first word."""
WORDS_TO_COME: tuple[str, ...] = ()
"""Rooms that the rule of words skips until their texts are rewritten."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def broken_rules(root: Path) -> list[str]:
    """One line for each rule that the tree breaks."""
    files = tracked(root)
    modules = {path: (root / path).read_text(encoding="utf-8") for path in files if is_module(path)}
    trees = {path: parsed(text) for path, text in modules.items()}
    return [
        *names(files),
        *used_twice(trees),
        *sizes(modules, trees),
        *contents(modules, trees),
        *words(modules),
        *undeclared(root, trees),
        *weights(root, files, modules),
    ]


def tracked(root: Path) -> list[str]:
    """Files of the repository as git sees them, new ones included; every file where there is no git."""
    command = ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return [name for name in done.stdout.splitlines() if (root / name).is_file()]
    paths = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
    return [path.as_posix() for path in paths if not any(p.startswith(".") or p == "__pycache__" for p in path.parts)]


def is_module(path: str) -> bool:
    """Whether it is a module of the package."""
    return path.startswith("samtta_app/") and path.endswith(".py")


@cache
def parsed(text: str) -> ast.Module:
    """The tree of a module; several rules read it."""
    return ast.parse(text)


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """Every node of a tree, found once: most of the time of the rules goes into it."""
    return tuple(ast.walk(tree))


def functions(tree: ast.Module) -> list[Function]:
    """Every function and method."""
    return [node for node in nodes(tree) if isinstance(node, Function)]


def length(node: Function) -> int:
    """Lines from `def` to the end."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def names(files: list[str]) -> Iterator[str]:
    """The top level is fixed; some names say nothing."""
    for top in sorted({path.split("/")[0] for path in files} - TOP_LEVEL):
        if not top.startswith("."):
            yield f"{top}: not in the fixed list of the top level"
    for path in files:
        if path.startswith("samtta_app/") and BANNED_NAMES & {part.removesuffix(".py") for part in path.split("/")}:
            yield f"{path}: a name that says nothing"


def used_twice(trees: dict[str, ast.Module]) -> Iterator[str]:
    """Public top-level names and module files that exist more than once, so that no call could be followed by its name."""
    found: dict[str, list[str]] = {}
    for path, tree in trees.items():
        file = path.split("/")[-1]
        for name in {file} - {"__init__.py"} | public(tree) - ASKED_FOR:
            found.setdefault(name, []).append(path)
    yield from (f"{name}: used twice, in {' and '.join(paths)}" for name, paths in found.items() if len(paths) > 1)


def public(tree: ast.Module) -> set[str]:
    """The public names that a module makes at its top level."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    return {name for name in found if not name.startswith("_")}


def sizes(modules: dict[str, str], trees: dict[str, ast.Module]) -> Iterator[str]:
    """Caps and medians of modules and functions."""
    lines = {path: text.count("\n") for path, text in modules.items() if text.strip()}
    yield from (f"{path}: {count} lines (cap {MODULE_CAP})" for path, count in lines.items() if count > MODULE_CAP)
    every = []
    for path, tree in trees.items():
        for node in functions(tree):
            every.append(length(node))
            if length(node) > FUNCTION_CAP:
                yield f"{path}:{node.lineno} {node.name}: {length(node)} lines (cap {FUNCTION_CAP})"
    if lines and statistics.median(lines.values()) > MODULE_MEDIAN:
        yield f"median module has {statistics.median(lines.values()):.0f} lines (cap {MODULE_MEDIAN})"
    if every and statistics.median(every) > FUNCTION_MEDIAN:
        yield f"median function has {statistics.median(every):.0f} lines (cap {FUNCTION_MEDIAN})"


def contents(modules: dict[str, str], trees: dict[str, ast.Module]) -> Iterator[str]:
    """Empty package files, docstrings, no stubs, no notes to oneself, no path of one machine."""
    for path, text in modules.items():
        package_file = path.endswith("__init__.py")
        if package_file and text.strip() and path != "samtta_app/formats/__init__.py":
            yield f"{path}: package files stay empty"
        if text.strip() and not ast.get_docstring(trees[path]):
            yield f"{path}: no module docstring"
        for node in nodes(trees[path]):
            if isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node):
                yield f"{path}:{node.lineno}: a stub"
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b", line):
                yield f"{path}:{number}: {line.strip()[:80]}"
            if re.search(r"(?<![\w.])/(home|root|work|Users)/\w", line):
                yield f"{path}:{number}: a path of one machine: {line.strip()[:80]}"


def words(modules: dict[str, str]) -> Iterator[str]:
    """Docstrings, messages and comments have short sentences in everyday English."""
    for path, text in modules.items():
        if path.split("/")[1] in WORDS_TO_COME:
            continue
        for line, prose in proses(text):
            for sentence in sentences(prose):
                count = len([word for word in re.split(r"[\s/]+", sentence) if re.search("[A-Za-z]", word)])
                if count > WORD_CAP:
                    yield f"{path}:{line}: {count} words in a sentence (cap {WORD_CAP}): {sentence[:60]}"
                if odd := AVOIDED.search(sentence):
                    yield f"{path}:{line}: say it without {odd[0]!r}: {sentence[:60]}"


def proses(text: str) -> Iterator[tuple[int, str]]:
    """First line and text of every docstring and message, and of every run of comment lines.

    Strings that hold SQL or a style sheet are no prose and are left out; a docstring never is.
    """
    tree = parsed(text)
    docstrings = {id(node.value) for node in nodes(tree) if isinstance(node, ast.Expr)}
    for node in nodes(tree):
        text_node = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if text_node and (id(node) in docstrings or not CODE.search(node.value)):
            yield node.lineno, node.value
    run: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            run.append((token.start[0], token.string.lstrip("# ")))
        elif token.type != tokenize.NL and run:
            yield run[0][0], "\n".join(words for _, words in run)
            run.clear()


def sentences(prose: str) -> list[str]:
    """The sentences of a docstring or comment, in one line each."""
    return [" ".join(part.split()) for part in SENTENCE_END.split(prose) if part.strip()]


def undeclared(root: Path, trees: dict[str, ast.Module]) -> Iterator[str]:
    """Every package that is imported is declared, and the other way round."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [text for group in project["optional-dependencies"].values() for text in group]
    declared = {plain(text) for text in project["dependencies"]}
    allowed = declared | {plain(text) for text in extras}
    owners = importlib.metadata.packages_distributions()
    used = set()
    for path, tree in trees.items():
        for module in imported(tree):
            found = {plain(name) for name in owners.get(module, [module])}
            used |= found
            if not found & allowed and module not in ELSEWHERE:
                yield f"{path}: imports {module}, which pyproject.toml does not declare"
    yield from (
        f"pyproject.toml: {name} is declared and never imported" for name in sorted(declared - used - LOADED_BY_OTHERS)
    )


def imported(tree: ast.Module) -> set[str]:
    """Top-level names of the foreign modules that a module imports."""
    found = set()
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"samtta_app"}


def plain(requirement: str) -> str:
    """A requirement's name in its normal form."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", match.group(0)).lower() if match else requirement


def weights(root: Path, files: list[str], modules: dict[str, str]) -> Iterator[str]:
    """Tests weigh at least as much as the code; no file is too heavy for the repository."""
    code = sum(text.count("\n") for text in modules.values())
    paths = [path for path in files if path.startswith("tests/") and path.endswith(".py")]
    tests = sum((root / path).read_text(encoding="utf-8").count("\n") for path in paths)
    if tests < code:
        yield f"tests have {tests} lines, the code {code}: tests weigh at least as much"
    for path in files:
        size = (root / path).stat().st_size
        if size > FILE_CAP:
            yield f"{path}: {size / 1e6:.1f} MB in the repository"
