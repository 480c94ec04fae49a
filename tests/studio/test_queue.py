"""Whose turn it is, what a dream costs, and what a person and a day may spend."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from canvas.models import CleanHours
from dreamsite.core.models import User
from dreamsite.core.tasks import STUDIO, worker
from dreamsite.core.tasks.jobs import State
from gallery.studio import cost, jobs, periodic_tasks, queue
from gallery.studio.models import Original, Spent, Work
from tests.dreamer import nets
from tests.studio.sending import photograph, picked, uploaded
from tests.studio.statements import spends_under_the_persons_lock

Kind = Work.Kind
pytestmark = pytest.mark.usefixtures("house")


def waiting(owner: User, units: float, count: int = 1) -> list[Work]:
    return [Work.objects.create(owner=owner, kind=Kind.DREAM, network="house", units=units) for _ in range(count)]


def test_everybodys_first_small_work_is_done_before_anybodys_third() -> None:
    people = [User.objects.create_user(f"p{n}", password="hunter2 hunter2") for n in range(50)]
    greedy = people[0]
    waiting(greedy, 5.0, 20)
    for person in people[1:]:
        waiting(person, 5.0, 3)
    order = [work.owner_id for work in queue.in_order()]
    assert len(order) == 20 + 49 * 3
    third = min(i for i, owner in enumerate(order) if order[: i + 1].count(owner) == 3)
    assert set(order[:third]) == {person.pk for person in people}


def test_of_one_person_the_smallest_is_first_and_nobody_starves(ada: User) -> None:
    large, small = waiting(ada, 100.0)[0], waiting(ada, 1.0)[0]
    assert [work.pk for work in queue.in_order()] == [small.pk, large.pk]
    others = [User.objects.create_user(f"p{n}", password="hunter2 hunter2") for n in range(3)]
    for other in others:
        waiting(other, 60.0, 4)
    order = [work.pk for work in queue.in_order()]
    assert order.index(large.pk) < len(order) - 1


def test_the_place_in_the_queue_counts_what_really_comes_before(ada: User) -> None:
    mine = waiting(ada, 4.0)[0]
    other = User.objects.create_user("bob", password="hunter2 hunter2")
    waiting(other, 2.0, 3)
    count, seconds = queue.ahead(mine)
    assert count <= 2 and seconds >= (4.0 + 2.0 * count) / cost.USUAL_SPEED - 1e-6


def test_a_day_has_an_end_and_says_so(client: Client, original: Original, ada: User) -> None:
    waiting(ada, cost.allowance(ada.pk))
    response = picked(client, original)
    assert response.status_code == 429 and "left today" in response.json()["detail"]
    CleanHours.objects.create(user=ada, hours=1000)
    assert picked(client, original).status_code == 201


@pytest.mark.parametrize("what", ["upload", "noise", "preview", "dream", "more", "compare", "explain", "styles"])
def test_a_days_units_are_counted_and_spent_while_nobody_else_of_this_person_does(
    client: Client, original: Original, settings: Any, what: str
) -> None:
    nets.register_tiny(settings.MODELS_DIR)
    address = f"/studio/pictures/{original.key}/"
    with spends_under_the_persons_lock():
        if what in ("preview", "dream"):
            picked(client, original, what)
        elif what == "upload":
            uploaded(client)
        elif what == "more":
            original.works.filter(kind=Kind.SKETCH).delete()
            client.post(address + "order/", {"kind": "more", "network": "house"})
        elif what == "styles":
            client.get(address, {"network": "tiny"})
        else:
            paths = {
                "noise": "/studio/noise/",
                "compare": address + "compare/order/",
                "explain": "/studio/explained/order/",
            }
            client.post(paths[what])


def test_a_picture_whose_styles_cost_too_much_today_says_so(
    client: Client, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "You have dreamed enough today."
    assert words not in client.get(original.get_absolute_url()).content.decode()
    Original.objects.update(styles={})
    Work.objects.all().delete()
    monkeypatch.setattr(cost, "DAILY", ((0, 0.1),))
    assert words in client.get(original.get_absolute_url()).content.decode()
    assert not Work.objects.exists()
    answer = client.post("/studio/upload/", {"picture": photograph()}, headers={"Accept": "application/json"})
    assert answer.status_code == 429 and words in answer.json()["detail"] and Original.objects.count() == 1
    uploads = default_storage.listdir("uploads")[1]
    assert len(uploads) == 1, "what was refused leaves no file"


def test_without_a_network_nobody_is_told_to_have_dreamed_enough(
    client: Client, original: Original, settings: Any
) -> None:
    settings.HOUSE_MODEL = False
    page = client.get(original.get_absolute_url())
    assert page.context["network"] == "" and "You have dreamed enough" not in page.content.decode()


def test_what_every_page_says_of_dreams_is_one_light_query(client: Client, original: Original) -> None:
    picked(client, original)
    worker.empty(STUDIO)
    Work.objects.dreams().update(mask=b"m" * 100_000)
    guest = User.objects.create_user("guest", guest=True)
    with CaptureQueriesContext(connection) as asked:
        page = client.get("/history/")
    assert "Your dream “" in page.content.decode() and "is done." in page.content.decode()
    (notice,) = (query["sql"] for query in asked if "gallery_work" in query["sql"])
    assert '"mask"' not in notice and '"growing"' not in notice and '"recipe"' not in notice
    client.force_login(guest)
    with CaptureQueriesContext(connection) as asked:
        client.get("/history/")
    assert not [query for query in asked if "gallery_work" in query["sql"]], "guests have no studio"


def test_what_is_deleted_is_spent_all_the_same(client: Client, original: Original, ada: User) -> None:
    picked(client, original)
    worker.empty(STUDIO)
    spent = cost.spent(ada.pk)
    work = Work.objects.dreams().get()
    client.post(f"/studio/dreams/{work.key}/delete/")
    client.post(f"/studio/pictures/{original.key}/delete/")
    assert (
        not Work.objects.filter(state=State.DONE).exists() and cost.spent(ada.pk) == pytest.approx(spent) and spent > 0
    )
    Spent.objects.update(at=timezone.now() - timedelta(hours=25))
    periodic_tasks.forget()
    assert cost.spent(ada.pk) == 0 and not Spent.objects.exists()
    uploaded(client)
    worker.empty(STUDIO)
    User.objects.filter(pk=ada.pk).delete()  # as a guest who never came back
    assert not Spent.objects.exists()


def test_nothing_more_is_taken_where_too_much_waits(client: Client, original: Original) -> None:
    waiting(User.objects.create_user("bob", password="hunter2 hunter2"), 1e6)
    response = picked(client, original)
    assert response.status_code == 503 and "busy" in response.json()["detail"]


def test_the_cost_is_the_octaves_area_times_steps() -> None:
    recipe = jobs.recipe_for("house", {"layer": "inception_4c/output", "channel": None}, seed=1)
    small, large = cost.units(recipe, 500, 500), cost.units(recipe, 1000, 1000)
    assert small > cost.LEAST and large == pytest.approx(4 * small, rel=0.3)


def test_many_samples_cost_what_they_take() -> None:
    plain = jobs.recipe_for("house", {"layer": "inception_4c/output"}, seed=1, octaves=1, iterations=4)
    assert cost.units(replace(plain, samples=8), 200, 200) == pytest.approx(8 * cost.units(plain, 200, 200), rel=0.3)
