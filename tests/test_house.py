"""Promises about the tree itself: who may know whom, and that what is documented exists."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from canvas import wire
from dreamsite.accounts import providers

ROOT = Path(__file__).resolve().parent.parent

# (the files, what they must not import): ARCHITECTURE.md draws the same picture.
FORBIDDEN = [
    ("dreamer/engine/*.py", ("django", "canvas", "gallery", "dreamsite", "channels")),
    ("dreamer/library/*.py", ("django", "canvas", "gallery", "dreamsite", "channels")),
    ("dreamer/graph/*.py", ("django", "canvas", "gallery", "dreamsite", "channels")),
    ("dreamer/gradient/**/*.py", ("django", "canvas", "gallery", "dreamsite", "channels")),
    ("canvas/*.py", ("dreamer", "gallery")),
    ("gallery/*.py", ("dreamer.worker", "dreamsite.settings")),
    ("dreamsite/core/**/*.py", ("canvas", "gallery", "dreamer", "dreamsite.accounts", "dreamsite.settings")),
]
# Plain Python that everybody may use, also where no Django is.
FOR_ALL = ("dreamsite.core.files", "dreamsite.core.rect")
PLAIN = (
    "brush", "wire", "picture", "deduplication", "member", "rate_limits", "ports", "tail", "presence", "gate",
    "admission", "ink_ownership", "room", "rounds", "limits",
)  # fmt: skip


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


PACKAGES = ("dreamsite.core",)  # `from dreamsite.core import files` names the package too


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize(("pattern", "forbidden"), FORBIDDEN)
def test_dependencies_point_one_way(pattern: str, forbidden: tuple[str, ...]) -> None:
    files = sorted(ROOT.glob(pattern))
    assert files
    for path in files:
        wrong = {name for name in imports(path) for root in forbidden if _is_in(name, root)}
        wrong = {name for name in wrong if name not in PACKAGES and not any(_is_in(name, plain) for plain in FOR_ALL)}
        assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("app", ["canvas", "gallery", "dreamer"])
def test_of_dreamsite_the_apps_know_the_core_alone(app: str) -> None:
    files = sorted((ROOT / app).glob("**/*.py"))
    assert files
    for path in files:
        wrong = {name for name in imports(path) if _is_in(name, "dreamsite") and not _is_in(name, "dreamsite.core")}
        assert wrong <= {"dreamsite"}, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


def test_the_cores_import_without_django() -> None:
    """In a process of its own, where Django cannot be imported at all."""
    modules = [*FOR_ALL, *(f"canvas.{name}" for name in PLAIN), "dreamer.engine", "dreamer.library"]
    blocked = "import sys\nfor name in ('django', 'channels', 'asgiref'): sys.modules[name] = None\n"
    code = blocked + "\n".join(f"import {name}" for name in modules)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    reader = re.compile(r'env\.[a-z_]+\(\s*"([A-Z0-9_]+)"')
    read = set(reader.findall((ROOT / "dreamsite/settings.py").read_text())) | {"HOST"}
    read |= set(reader.findall((ROOT / "dreamsite/accounts/providers.py").read_text()))
    others = [*(provider.prefix for provider in providers.PROVIDERS), "SOCIAL_OIDC"]
    read |= {f"{prefix}_{half}" for prefix in others for half in ("ID", "SECRET")}
    rows = [line for line in (ROOT / "docs/settings.md").read_text().splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row.split("|")[1])}
    assert documented == read


def test_every_close_code_and_reject_code_in_the_code_is_documented() -> None:
    protocol = (ROOT / "docs/protocol.md").read_text()
    documented = set(re.findall(r"^\| (4\d{3}) \|", protocol, re.MULTILINE))
    used = {
        code
        for folder in ("canvas", "static/canvas")
        for path in (ROOT / folder).glob("*.*")
        if path.suffix in (".py", ".js")
        for code in re.findall(r"\b(44\d\d|4503)\b", path.read_text())
    }
    assert used <= documented, f"undocumented close codes {used - documented}"
    for number, name in enumerate(
        ("sign-in", "gap", "dreamed", "stale", "budget", "locked", "suspended", "unavailable", "ended"), 1
    ):
        assert getattr(wire.RejectReason, name.upper().replace("-", "_")) == number
        assert re.search(rf"\b{number} \*{name}\*", protocol)


def test_every_frame_kind_is_documented() -> None:
    protocol = (ROOT / "docs/protocol.md").read_text()
    for name in ("BATCH", "NEWS", "MARK", "REJECT", "ACK", "JOIN", "INK", "SEEN"):
        assert f"| 0x{getattr(wire, name):02x} | {name} |" in protocol


def test_every_command_is_documented() -> None:
    commands = (ROOT / "docs/operating.md").read_text()
    for path in ROOT.glob("*/management/commands/*.py"):
        if path.stem != "__init__":
            assert f"manage.py {path.stem}" in commands, f"docs/operating.md does not mention manage.py {path.stem}"


def test_the_map_names_every_module_of_the_canvas() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for path in (ROOT / "canvas").glob("*.py"):
        if path.stem not in ("__init__", "apps", "urls", "admin"):
            assert f"{path.stem}.py" in text, f"ARCHITECTURE.md does not mention canvas/{path.name}"
