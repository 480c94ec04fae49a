"""Who may know whom: the table in ARCHITECTURE.md, held against every import of every Python file."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.running import ROOT

OURS = ("canvas", "dreamer", "dreamsite", "gallery", "tests", "manage")
DJANGO = ("django", "channels", "asgiref", "allauth")

# What does not hold yet. Each list may only become shorter: a new entry fails, and so does one that is no longer true.
STILL_THE_WRONG_WAY: set[tuple[str, str]] = set()
STILL_A_CIRCLE: set[frozenset[str]] = set()


class Part(NamedTuple):
    """A row of the table."""

    name: str
    files: tuple[str, ...]  # a file, or a folder with a slash at its end
    knows: frozenset[str]
    django: bool


@functools.cache
def parts() -> dict[str, Part]:
    """The table's rows by their names, in its order."""
    lines = iter((ROOT / "ARCHITECTURE.md").read_text().splitlines())
    assert any(line.startswith("| Part | Files | Knows |") for line in lines), "ARCHITECTURE.md has no table of parts"
    next(lines)
    found: dict[str, Part] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        name, files, knows, django = (cell.strip() for cell in line.strip("|").split("|"))
        known = frozenset(found) if knows == "all" else frozenset(filter(None, knows.split(", ")))
        assert known <= found.keys(), f"{name} knows {known - found.keys()}, which does not stand above it"
        found[name] = Part(name, tuple(re.findall("`(.+?)`", files)), known, django == "yes")
    return found


@functools.cache
def modules() -> dict[str, Path]:
    """Every Python file of ours by its module's name."""
    found = {}
    for path in [ROOT / "manage.py", *(path for folder in OURS for path in (ROOT / folder).rglob("*.py"))]:
        names = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(names[:-1] if names[-1] == "__init__" else names)] = path
    return found


@functools.cache
def part_of(module: str) -> Part:
    path = modules()[module].relative_to(ROOT).as_posix()
    rows = [
        (len(file), part)
        for part in parts().values()
        for file in part.files
        if path == file or (file.endswith("/") and path.startswith(file))
    ]
    assert rows, f"{path} is in no row of the table in ARCHITECTURE.md"
    return max(rows, key=lambda row: row[0])[1]


@functools.cache
def imports(module: str) -> frozenset[str]:
    """The full names that a module imports, in functions and for type checkers too; of ours the modules they are in."""
    path, found = modules()[module], set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            found |= {full if (full := f"{base}.{name.name}") in modules() else base for name in node.names}
    return frozenset(found - {module})


def ours(module: str) -> frozenset[str]:
    return imports(module) & modules().keys()


def circles(graph: Mapping[str, frozenset[str]]) -> Iterator[frozenset[str]]:
    """Sets of modules that reach each other (strongly connected components of more than one; Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(module: str) -> Iterator[frozenset[str]]:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in graph[module]:
            if other not in index:
                yield from visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            at = stack.index(module)
            found = frozenset(stack[at:])
            del stack[at:]
            if len(found) > 1:
                yield found

    for module in graph:
        if module not in index:
            yield from visit(module)


def test_every_file_has_its_part_and_every_part_its_files() -> None:
    found = {part_of(module).name for module in modules()}
    assert found == parts().keys()
    for part in parts().values():
        for file in part.files:
            assert (ROOT / file).exists(), f"ARCHITECTURE.md names {file}, which is not there"


def test_a_part_imports_only_what_it_knows() -> None:
    wrong = set()
    for module in modules():
        part = part_of(module)
        known = {part.name, *part.knows}
        wrong |= {(module, part_of(other).name) for other in ours(module) if part_of(other).name not in known}
    new = [f"{module} ({part_of(module).name}) imports from {other}" for module, other in wrong - STILL_THE_WRONG_WAY]
    assert not new, "\n".join(sorted(new))
    assert not STILL_THE_WRONG_WAY - wrong, "dissolved: take it out of STILL_THE_WRONG_WAY"


def test_plain_parts_know_no_django() -> None:
    for module in modules():
        if not part_of(module).django:
            wrong = {name for name in imports(module) if name.partition(".")[0] in DJANGO}
            assert not wrong, f"{module} imports {', '.join(sorted(wrong))}"


def test_plain_parts_import_without_django() -> None:
    """In a process of its own, where Django cannot be imported at all."""
    plain = [name for name in modules() if not part_of(name).django and not name.endswith("__main__")]
    blocked = f"import sys\nfor name in {DJANGO}: sys.modules[name] = None\n"
    code = blocked + "\n".join(f"import {name}" for name in plain)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_two_modules_import_each_other() -> None:
    found = set(circles({module: ours(module) for module in modules()}))
    new = [
        f"{module} imports {', '.join(sorted(ours(module) & circle))}"
        for circle in found - STILL_A_CIRCLE
        for module in sorted(circle)
    ]
    assert not new, "\n".join(new)
    assert not STILL_A_CIRCLE - found, "dissolved: take it out of STILL_A_CIRCLE"


def test_a_circle_is_found_by_whatever_detour() -> None:
    """The search itself, as the tree should give it nothing to find."""
    graph = {"a": "b", "b": "cd", "c": "", "d": "ae", "e": "f", "f": "e", "g": "a"}
    found = set(circles({module: frozenset(others) for module, others in graph.items()}))
    assert found == {frozenset("abd"), frozenset("ef")}
