"""What documents, docstrings and comments point at is there: files, modules, names, commands, headings."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.running import ROOT

OURS = "canvas|dreamer|dreamsite|gallery|tests"
ENDINGS = "py|js|mjs|md|css|html|json|sh|toml|txt|png|jpg|gif|mp4|zip|example|service|target"
A_PATH = re.compile(rf"(?<![\w./{{}}])(?:(?:{OURS}|static|templates|docs)/)[\w./-]+\.(?:{ENDINGS})\b")
A_FILE = re.compile(r"(?<![\w./*{}-])[\w-]+\.(?:py|js|mjs)\b")
A_MEMBER = re.compile(r"`(\w+)\.(\w+)(?:\(\))?`")
A_NAME = re.compile(rf"(?<![\w./@-])(?:{OURS})(?:\.\w+)+(?![\w/-])")
NOT_MODULES = ("moderation", "dream")  # before a dot in documents: the app of a permission, and a kind of news
A_LINK = re.compile(r"\]\(([^)\s]+)\)")
A_COMMAND = re.compile(r"manage\.py ([a-z_]+)\b")
A_TARGET = re.compile(r"`make ([a-z]+)|^ {4}make ([a-z]+)", re.MULTILINE)


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository, as paths from its root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file())


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md" and path.name != "CHANGELOG.md"]


@functools.cache
def words() -> tuple[tuple[Path, str], ...]:
    """Every document, and the comments and docstrings of every Python and JavaScript file."""
    return tuple(_words())


def _words() -> Iterator[tuple[Path, str]]:
    for path in documents():
        yield path, (ROOT / path).read_text()
    for path in tracked():
        if path.suffix == ".py" and "migrations" not in path.parts:
            yield path, "\n".join(remarks(ROOT / path))
        elif path.suffix in (".js", ".mjs"):
            text = (ROOT / path).read_text()
            yield path, "\n".join(re.findall(r"/\*.*?\*/|(?<!:)//[^\n]*", text, re.DOTALL))


def remarks(path: Path) -> Iterator[str]:
    """The comments and docstrings of a Python file."""
    text = path.read_text()
    yield from re.findall(r"(?:^|\s)#[^\n]*", text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def exists(name: str) -> bool:
    """Whether a dotted name is a module of ours, or something that one defines."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:count])
        if (path / "__init__.py").is_file() or path.is_dir():
            module = path / "__init__.py"
        elif path.with_suffix(".py").is_file():
            module = path.with_suffix(".py")
        else:
            continue
        return count == len(parts) or parts[count] in (defined(module) if module.is_file() else set())
    return False


@functools.cache
def defined(path: Path) -> frozenset[str]:
    """The names that a module has: what it defines, sets and imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                found.add(node.name)
            case ast.Name(ctx=ast.Store()):
                found.add(node.id)
            case ast.Import() | ast.ImportFrom():
                found |= {alias.asname or alias.name for alias in node.names}
    return frozenset(found)


def test_files_that_are_named_are_there() -> None:
    gone = {f"{path}: {name}" for path, text in words() for name in A_PATH.findall(text) if not (ROOT / name).exists()}
    names = {path.name for path in tracked()}
    gone |= {f"{path}: {name}" for path, text in words() for name in A_FILE.findall(text) if name not in names}
    assert not gone, "\n".join(sorted(gone))


def test_modules_and_names_that_are_named_are_there() -> None:
    gone = {
        f"{path}: {name}"
        for path, text in words()
        for name in A_NAME.findall(text)
        if not re.search(rf"\.(?:{ENDINGS})$", name) and not exists(name)
    }
    assert not gone, "\n".join(sorted(gone))


def test_members_of_modules_that_documents_name_are_there() -> None:
    """`frames.compose`: some module of that name has it."""
    modules: dict[str, list[Path]] = {}
    for path in tracked():
        if path.suffix == ".py":
            modules.setdefault(path.parent.name if path.name == "__init__.py" else path.stem, []).append(ROOT / path)
    gone = {
        f"{path}: {module}.{name}"
        for path in documents()
        for module, name in A_MEMBER.findall((ROOT / path).read_text())
        if module in modules and module not in NOT_MODULES and name not in ENDINGS.split("|")
        if not any(name in defined(file) or exists(_dotted(file, name)) for file in modules[module])
    }
    assert not gone, "\n".join(sorted(gone))


def _dotted(module: Path, name: str) -> str:
    return ".".join([*module.relative_to(ROOT).with_suffix("").parts, name]).replace(".__init__", "")


def test_links_lead_somewhere() -> None:
    gone = []
    for path in documents():
        if path.is_relative_to("gallery/pages/markdown"):  # addresses of the site
            continue
        for link in A_LINK.findall((ROOT / path).read_text()):
            if link.startswith(("http://", "https://", "mailto:")):
                continue
            file, _, heading = link.partition("#")
            aim = (ROOT / path.parent / file) if file else ROOT / path
            if not aim.exists() or (heading and heading not in headings(aim)):
                gone.append(f"{path}: {link}")
    assert not gone, "\n".join(gone)


def headings(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    lines = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def test_commands_that_are_named_can_be_run() -> None:
    from django.core.management import get_commands

    commands = {*get_commands(), "help"}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    gone = {
        f"{path}: manage.py {name}"
        for path, text in words()
        for name in A_COMMAND.findall(text)
        if name not in commands
    }
    gone |= {
        f"{path}: make {one or other}"
        for path in documents()
        for one, other in A_TARGET.findall((ROOT / path).read_text())
        if (one or other) not in targets
    }
    assert not gone, "\n".join(sorted(gone))


def test_linters_and_types_are_overruled_in_few_places() -> None:
    """Where a line reads badly as it is formatted, or needs a type ignored, its shape is what wants changing."""
    for remark, most in (("fmt: " + "skip", 10), ("fmt: " + "off", 0), ("type: " + "ignore", 6), ("no" + "qa", 6)):
        found = [
            f"{path}:{number}"
            for path in tracked()
            if path.suffix == ".py"
            for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
            if f"# {remark}" in line
        ]
        assert len(found) <= most, f"{remark}: {len(found)} places, expected at most {most}: {', '.join(found)}"
