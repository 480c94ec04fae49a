"""Lists of dreams read only what they show: no masks, recipes or pieces of films, however many there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dreamsite.accounts import export
from dreamsite.core.models import User
from dreamsite.core.tasks.jobs import State
from gallery.exhibits.models import Exhibit, Picture
from gallery.studio import moderation
from gallery.studio.models import BULKY, BULKY_ORIGINAL, Journey, Original, Work

RECIPE = {"target": {"terms": [{"layer": "mixed4/output"}]}, "model": "house"}
BULKY_COLUMN = re.compile(
    rf'"gallery_work"\."({"|".join(BULKY)})"|"gallery_original"\."({"|".join(BULKY_ORIGINAL)})"'
    r'|"gallery_journey"\."(recipe|stages)"|"canvas_frame"\."recipe"'
)


@pytest.fixture
def dreams(ada: User, settings: Any, tmp_path: Path) -> Any:
    settings.MEDIA_ROOT, settings.ADMIN_TWO_FACTOR = tmp_path / "media", False
    name = default_storage.save("studio/x.jpg", ContentFile(b"x"))
    hall = Exhibit.objects.create(slug="hills", title="Hills", published_at=timezone.now())

    def make(count: int) -> None:
        for _ in range(count):
            original = Original.objects.create(
                owner=ada, picture=name, width=60, height=40, styles={"house": ["x"] * 99}
            )
            Journey.objects.create(
                owner=ada, network="house", recipe=RECIPE, stages=[RECIPE], each=2, zoom=2.0, width=64, height=48
            )
            made = Work.objects.create(
                owner=ada,
                kind=Work.Kind.DREAM,
                network="house",
                state=State.DONE,
                original=original,
                recipe=RECIPE,
                mask=b"m" * 10_000,
                growing=b"g" * 10_000,
                picture=name,
                thumbnail=name,
                caption="My hill",
                requested_at=timezone.now(),
                published_at=timezone.now(),
                proposed_at=timezone.now(),
            )
            Picture.objects.create(exhibit=hall, after_work=made, position=made.pk)

    return make


LISTS = ["/studio/", "/dreams/", "/dreams/feed/", "/exhibits/hills/", "/exhibits/hills.json", "/exhibits/"]
LISTS += ["/people/ada/", "/account/", "/films/", "/films/mine/", "/history/"]


def asked(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return [query["sql"] for query in queries]


@pytest.mark.parametrize("address", LISTS)
def test_a_list_reads_what_it_shows(dreams: Any, client: Client, address: str) -> None:
    dreams(2)
    asked(client, address)
    few = asked(client, address)
    for sql in few:
        assert not BULKY_COLUMN.search(sql.split(" FROM ")[0]), sql
    dreams(5)
    assert len(asked(client, address)) == len(few), "as many questions, however many rows"


def test_moderators_and_curators_lists_too(dreams: Any, client: Client, ada: User) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    dreams(3)
    for model in ("work", "proposal"):
        Picture.objects.all().delete()
        said = asked(client, reverse(f"admin:gallery_{model}_changelist"))
        assert any('"gallery_work"."caption"' in sql for sql in said)
        for sql in said:
            assert not BULKY_COLUMN.search(sql.split(" FROM ")[0]), sql


def test_what_a_page_asks_again_and_again_reads_no_mask(dreams: Any, client: Client, ada: User) -> None:
    dreams(1)
    work = Work.objects.get()
    for sql in asked(client, f"{work.get_absolute_url()}".rstrip("/") + ".json"):
        assert not re.search(r'"gallery_work"\."(mask|growing|pieces)"|"styles"', sql.split(" FROM ")[0]), sql
    assert work.growing and client.get(f"{work.get_absolute_url()}growing.jpg").content == bytes(work.growing)


def test_the_export_of_ones_data_reads_no_masks(dreams: Any, ada: User) -> None:
    dreams(2)
    with CaptureQueriesContext(connection) as queries:
        rows = list(export.dreams(ada))
    assert len(rows) == 2 and rows[0]["recipe"] == RECIPE and len(queries) == 1
    assert '"mask"' not in queries[0]["sql"]


def test_hiding_and_deciding_work_on_light_rows(dreams: Any, ada: User) -> None:
    dreams(1)
    light = Work.objects.published().get()
    assert moderation.hide(light, None) and moderation.show_again(light, None)
    light.delete()
    assert not Work.objects.exists()
