"""docs/security.md says what each address costs a stranger: all of them, as `python -m tests.bench.costs` writes it."""

from __future__ import annotations

import re

from tests.bench import costs

ROW = re.compile(r"\| `(\S+)` \| (GET|POST) \| \d{3} \| [\d.]+ \| \d+ \| [\d.]+ \|")


def test_every_address_that_answers_strangers_is_in_the_table() -> None:
    table = costs.DOCUMENT.read_text().partition(costs.BEGIN)[2].partition(costs.END)[0]
    written = set(ROW.findall(table))
    answers = {(address, method) for address, method, _ in costs.asked()}
    assert len(answers) > 100 and len(table.splitlines()) == len(written) + 2
    assert written == answers, "make the table anew: python -m tests.bench.costs --write"
