"""Promises about the tree itself: what is documented exists."""

from __future__ import annotations

import re
from pathlib import Path

from canvas import wire
from dreamsite.accounts import providers

ROOT = Path(__file__).resolve().parent.parent


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    reader = re.compile(r'env\.[a-z_]+\(\s*"([A-Z0-9_]+)"')
    read = set(reader.findall((ROOT / "dreamsite/settings.py").read_text())) | {"HOST"}
    read |= set(reader.findall((ROOT / "dreamsite/accounts/providers.py").read_text()))
    others = [*(provider.prefix for provider in providers.PROVIDERS), "SOCIAL_OIDC"]
    read |= {f"{prefix}_{half}" for prefix in others for half in ("ID", "SECRET")}
    rows = [line for line in (ROOT / "docs/settings.md").read_text().splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row.split("|")[1])}
    assert documented == read


def test_every_close_code_and_reject_reason_is_documented() -> None:
    protocol = (ROOT / "docs/protocol.md").read_text()
    rows = re.findall(r"^\| (4\d{3}) \| ([a-z-]+) \|", protocol, re.MULTILINE)
    assert {(int(code), name) for code, name in rows} == {
        (code.value, code.name.lower().replace("_", "-")) for code in wire.CloseCode
    }
    for reason in wire.RejectReason:
        assert re.search(rf"\b{reason.value} \*{reason.name.lower().replace('_', '-')}\*", protocol)


def test_every_message_kind_is_documented() -> None:
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
