"""A day's units on PostgreSQL, where two requests of one person run at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import running
from tests.dreamer import nets
from tests.running import RunningSite
from tests.services import Postgres

# Beside a site: somebody asks twice at once for what their day's units are enough for once. Whoever is first adds up
# what is spent, and goes on when the other one has done so, too, or waits for a lock of the database's.
TWICE_AT_ONCE = """
import threading
from concurrent.futures import ThreadPoolExecutor
from django.db import connection, connections
from django.test import Client
from django.test.utils import setup_test_environment
from dreamsite.core.models import User
from dreamsite.core.tasks.jobs import State
from gallery.studio import cost, journeys
from gallery.studio.models import Journey, Original, Work

setup_test_environment()
STYLE = {"network": "tiny", "layer": "block/output", "title": "Rings", "depth": 1, "size": 1}
JOURNEY = {**STYLE, "journey-kind": "zoom", "journey-each": 2, "journey-side": 640, "fps": 24, "seconds": 0.5}
NOISE = {"recipe-iterations": 2, "recipe-octaves": 1}
spent = cost.spent
people = iter(range(100))
WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def somebody():
    return User.objects.create_user(f"somebody{next(people)}", password="hunter2 hunter2")


def picture(user):
    return Original.objects.create(owner=user, picture="studio/x.jpg", width=640, height=480)


def travelled(user):
    # A journey with two key frames.
    journey = Journey.objects.create(
        owner=user, original=picture(user), network="tiny", recipe={"target": STAGE}, stages=[STAGE], each=2, zoom=2.0,
        width=640, height=480, seconds=0.5)
    for number in range(2):
        made = journeys.new_key_frame(journey, number)
        made.state, made.units, made.picture = State.DONE, 0.0, "studio/x.jpg"
        made.save()
    return journey


STAGE = {"terms": [{"layer": "block/output"}]}
ASKED = {
    "dream": lambda user: (f"/studio/pictures/{picture(user).key}/order/", {"kind": "dream", **STYLE, **NOISE}),
    "begin": lambda user: (f"/studio/pictures/{picture(user).key}/journey/order/", {**JOURNEY, "journey-led": "1"}),
    "go": lambda user: (f"/studio/journeys/{travelled(user).key}/go/", {"from": 1, "x": 0.5, "y": 0.5}),
    "film": lambda user: (f"/studio/journeys/{travelled(user).key}/film/", {"fps": 24, "seconds": 0.5}),
}


def post(user, address, fields):
    client = Client(headers={"accept": "application/json"})
    client.force_login(user)
    try:
        answer = client.post(address, fields)
        return 200 if answer.status_code in (201, 302) else answer.status_code
    finally:
        connections.close_all()


def added_up(user_id):
    found = spent(user_id)
    with turn:
        adding.add(threading.get_ident())
    while len(adding) < 2:
        with connection.cursor() as cursor:
            cursor.execute(WAITS)
            if cursor.fetchone():
                break
    return found


for name, ask in ASKED.items():
    cost.allowance = lambda user_id: 1e6
    once = somebody()
    answer = post(once, *ask(once))
    price = spent(once.pk)
    assert answer == 200 and price > 0, (name, answer, price)
    cost.allowance = lambda user_id: 1.5 * price
    twice = somebody()
    orders = [ask(twice), ask(twice)]
    turn, adding = threading.Lock(), set()
    cost.spent = added_up
    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(lambda order: post(twice, *order), orders))
    cost.spent = spent
    print(name, *answers, "within" if spent(twice.pk) <= 1.5 * price else "passed")
"""


@pytest.mark.postgres
def test_a_days_units_are_not_passed_by_asking_twice_at_once(
    make_site: Callable[..., RunningSite], postgres: Postgres, postgres_template: tuple[Path, str], tmp_path: Path
) -> None:
    template, address = postgres_template
    var = running.copy(template, tmp_path / "var")
    nets.register_tiny(var / "models")
    site = make_site(var, DATABASE_URL=postgres.database(address), DREAM_MODEL="tiny", HOUSE_MODEL="0")
    said = site.shell(TWICE_AT_ONCE).splitlines()
    assert said == [f"{name} 200 429 within" for name in ("dream", "begin", "go", "film")]
