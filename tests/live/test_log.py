"""The log of acts as real processes write it at the same time, in both databases, with the triggers in force."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import PATIENCE, ROOT, RunningSite, copy

WRITERS, EACH = 3, 5

_WRITE = f"""
import django; django.setup()
from django.db import transaction
from canvas.moderation.models import Act
from dreamsite.core.models import User
person = User.objects.order_by("pk").first()
for number in range({EACH}):
    with transaction.atomic():
        Act.objects.record(person, "freeze", number=number, share=number / 7)
        Act.objects.record(person, "unfreeze", person=person)
"""
_PAST_THE_SITE = """
from django.db import connection, transaction
def tried(statement):
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        print("done")
    except Exception as error:
        print("refused" if "append-only" in str(error) else error)
columns = "at, by_name, by_salt, verb, person_name, person_salt, what, why, op, undoes_id"
over = f"INTO moderation_act ({columns}) SELECT {columns} FROM moderation_act WHERE undoes_id IS NOT NULL"
from canvas.moderation.models import Act
first = Act.objects.order_by("pk").first()
Act.objects.record(None, "undo", undoes=first)
if connection.vendor == "sqlite":
    tried("REPLACE " + over)
else:
    tried("INSERT " + over + " ON CONFLICT (undoes_id) DO UPDATE SET why = 'x'")
tried("UPDATE moderation_act SET why = 'x'")
tried("DELETE FROM moderation_link")
tried("UPDATE moderation_act SET by_name = 'x'")
Act.objects.all().forget(first.by_id)
print(sorted(set(Act.objects.values_list("by_name", flat=True))) == ["", f"~{first.by_id}"])
"""


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_many_write_and_one_chain_comes_of_it(
    database: str, make_site: Callable[..., RunningSite], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    var, env = None, {}
    if database == "postgres":
        server = request.getfixturevalue("postgres")
        template, address = request.getfixturevalue("postgres_template")
        var, env["DATABASE_URL"] = copy(template, tmp_path / "var"), server.database(address)
    site = make_site(var, **env)
    command = [sys.executable, "-c", _WRITE]
    environment = {**site.env, "DJANGO_SETTINGS_MODULE": "dreamsite.settings"}
    writers = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(WRITERS)]
    assert [writer.wait(PATIENCE) for writer in writers] == [0] * WRITERS

    def check() -> subprocess.CompletedProcess[str]:
        arguments = [sys.executable, "manage.py", "moderation", "check"]
        return subprocess.run(arguments, cwd=ROOT, env=site.env, capture_output=True, text=True, check=False)

    there = int(site.shell("from canvas.moderation.models import Act; print(Act.objects.count())"))
    assert there >= WRITERS * EACH * 2
    said = check()
    assert said.returncode == 0 and f"holds: {there} links" in said.stdout, said.stderr
    assert site.shell(_PAST_THE_SITE).split() == ["refused"] * 4 + ["True"]
    # The account is still here: a name that goes all the same is noticed.
    said = check()
    assert said.returncode != 0 and "its account is still here" in said.stderr
