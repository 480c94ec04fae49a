"""What the browser's modules know of the server by heart: codes and limits, the same on both sides."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from canvas import limits, wire
from canvas.wire import CloseCode, RejectReason
from tests.running import PATIENCE, ROOT


def exports(module: str) -> dict[str, Any]:
    """Everything that one of the canvas' modules exports, as JSON has it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node: pip install -r requirements-dev.txt brings it")
    code = f"import * as all from './static/canvas/{module}'; console.log(JSON.stringify(all));"
    done = subprocess.run(
        [node, "--input-type=module", "-e", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_codes_are_the_same() -> None:
    assert exports("codes.js") == {
        "CloseCode": {code.name: code.value for code in CloseCode},
        "RejectReason": {reason.name: reason.value for reason in RejectReason},
        "ALL_OF_IT": wire.ALL_OF_IT,
    }


def test_limits_are_the_same() -> None:
    browser = exports("limits.js")
    assert len(browser) > 10 and browser == {name: getattr(limits, name) for name in browser}


def test_kinds_are_the_same() -> None:
    messages = ["BATCH", "NEWS", "MARK", "REJECT", "ACK", "JOIN", "INK", "SEEN"]
    messages += ["REACT", "WHO", "FOLLOW", "VIEW", "DISMISS"]
    operations = "STROKE", "UNDO", "HIDE", "UNDREAM"
    names = *messages, *operations, "MAGIC", "VERSION"
    browser = exports("wire.js")
    assert {name: browser[name] for name in names} == {name: getattr(wire, name) for name in names}


def test_no_other_module_writes_codes_as_numbers() -> None:
    """In Python and JavaScript alike: a number says nothing to whoever reads it."""
    for folder, suffix in (("canvas", ".py"), ("static/canvas", ".js")):
        for path in (ROOT / folder).rglob(f"*{suffix}"):
            if path.name not in ("wire.py", "codes.js"):
                assert not re.search(r"\b(44\d\d|4503)\b", path.read_text()), path
